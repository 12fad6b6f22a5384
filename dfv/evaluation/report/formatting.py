"""Formatting of results in tables."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

from dfv.evaluation.probes.standard_errors import Estimate

CODE_NAMES = {
    "z_mean": "z, mean",
    "z_sampled": "z, sampled",
    "z_mean_and_log_var": "z, mean and log-variance",
    "s": "s",
}
UNKNOWN = "–"


def number(value: float | None, digits: int) -> str:
    """The value with this number of decimals, 0 without a sign; a dash for None and NaN."""
    return UNKNOWN if value is None or math.isnan(value) else f"{value:z.{digits}f}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """The fraction in percent or, of a difference of fractions, in percentage points."""
    return UNKNOWN if fraction is None else number(100 * fraction, digits)


def with_standard_error(estimate: Estimate | None) -> str:
    """Percentage points ± standard error, and whether the estimate is not significant."""
    if estimate is None:
        return UNKNOWN
    unknown = math.isnan(estimate.mean) or math.isnan(estimate.standard_error)
    note = "" if unknown or estimate.is_significant() else " (not significant)"
    return f"{percent(estimate.mean)} ± {percent(estimate.standard_error)}{note}"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, with a line break at the end."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows)) + "\n"


def by_code(record: Any) -> list[tuple[str, Any]]:
    """(name to show, value) of every field of a record that is named by a code, in the record's order."""
    names = (field.name for field in dataclasses.fields(record) if field.name in CODE_NAMES)
    return [(CODE_NAMES[name], getattr(record, name)) for name in names]
