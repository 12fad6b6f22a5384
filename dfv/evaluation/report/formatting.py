"""How figures are written in the cells of tables."""

from collections.abc import Iterable
from typing import Any

from dfv.evaluation.probes.standard_errors import Estimate

Results = dict[str, Any]  # what results.json holds, or a part of it

CODE_NAMES = {
    "z_mean": "z, mean",
    "z_sampled": "z, sampled",
    "z_mean_and_log_var": "z, mean and log-variance",
    "s": "s",
}
PROBE_NAMES = {"network": "256 units", "linear": "linear", "neighbours": "neighbours"}
NONE = "–"


def number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    return NONE if value is None else number(100 * value, digits)


def with_error(estimate: dict[str, float]) -> str:
    """Points ± standard error, and whether that counts as zero."""
    zero = " (zero)" if None not in estimate.values() and Estimate(**estimate).is_zero() else ""
    return f"{percent(estimate['mean'])} ± {percent(estimate['standard_error'])}{zero}"


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known; None of none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def mean_rates(by_label: dict[str, dict[str, float | None]]) -> list[float | None]:
    """Rates of s-donor and z-donor, averaged over the labels that have them."""
    return [mean(rates[donor] for rates in by_label.values()) for donor in ("s_source", "z_source")]
