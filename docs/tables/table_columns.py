"""Columns of the tables: a heading, and the text of a cell for a row of figures."""

from collections.abc import Callable
from dataclasses import dataclass

from docs.tables.figures import Figures


@dataclass(frozen=True)
class Column:
    heading: str
    cell: Callable[[Figures], str]


def one(heading: str, name: str) -> Column:
    return Column(heading, lambda row: row.get(name, ""))


def with_error(heading: str, name: str) -> Column:
    return Column(heading, lambda row: " ± ".join(filter(None, (row.get(name, ""), row.get(f"{name}_error", "")))))


def several(heading: str, *names: str) -> Column:
    """The figures, with their errors, joined by slashes; a dash where only some are known."""

    def cell(row: Figures) -> str:
        values = [with_error("", name).cell(row) for name in names]
        return " / ".join(value or "–" for value in values) if any(values) else ""

    return Column(heading, cell)


LEAKAGE = (
    with_error("leakage of z, pp: mean", "leak_mean"),
    with_error("sample", "leak_sample"),
    with_error("mean and log-variance", "leak_both"),
)
S_ERROR = with_error("error of s, %", "s_error")
SWAP = several("swap shows s source / z source, %", "swap_shows_s_source", "swap_shows_z_source")
PRIOR_SAMPLE = with_error("prior sample shows s source, %", "prior_sample_shows_s_source")
MSE = several("MSE: reconstruction / same-identity swap", "mse", "mse_same_identity_swap")
TRUE_SWAP = Column(
    "swap against the true image, MSE (relative to the better copy)",
    lambda row: f"{row['swap_mse']} ({row['swap_mse_ratio']})" if row.get("swap_mse") else "",
)
MATCHED = several(
    "leakage, matched baseline: mean / sample / both", "leak_mean_matched", "leak_sample_matched", "leak_both_matched"
)
FACTORS = several("known factors: error from z / from s, %", "factor_errors_z", "factor_errors_s")
MINUTES = one("minutes", "minutes")
COMMITS = several("commit: trained / evaluated", "commit", "evaluated")
SOURCE = one("source", "source")


def markdown(first_heading: str, columns: tuple[Column, ...], rows: list[tuple[str, Figures]]) -> str:
    """A table with a label in the first column of each row."""
    lines = [[first_heading, *(column.heading for column in columns)], ["---"] * (len(columns) + 1)]
    lines += [[label, *(column.cell(figures) for column in columns)] for label, figures in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
