"""Rows of figures: from the log of runs, from published figures, and from results files."""

import csv
import math
from pathlib import Path

from dfv.evaluation.probes.standard_errors import Estimate
from dfv.evaluation.report.formatting import percent
from dfv.evaluation.results import Results

ROOT = Path(__file__).parents[2]
LOG = ROOT / "docs" / "experiments" / "runs.csv"
PUBLISHED = ROOT / "docs" / "results" / "published.csv"

Figures = dict[str, str]
"""Columns of docs/experiments/runs.csv as text, and `source`, which says where the figures come from."""


def read_csv(path: Path) -> list[Figures]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def logged_runs() -> dict[str, Figures]:
    """The rows of the log and of published figures by the name of the run."""
    log = {row["run"]: row | {"source": f"log {row['run']}"} for row in read_csv(LOG)}
    return log | {row["run"]: row | {"source": "published"} for row in read_csv(PUBLISHED)}


def measured_run(path: str) -> Figures:
    """The figures of a results file, by the columns of the log; those that it lacks are absent."""
    results = Results.read(ROOT / path)
    codes = {"mean": "z_mean", "sample": "z_sampled", "both": "z_mean_and_log_var"}
    figures = {"source": "file", "kl_nats": f"{results.reconstruction.kl:.0f}"}
    for column, code in codes.items():
        measured = getattr(results.leakage, code)
        figures |= leakage(f"leak_{column}", measured.strongest.leakage)
        figures[f"leak_{column}_256"] = percent(measured.network.leakage.mean)
    figures["s_error"] = percent(results.leakage.s.strongest.test_error)
    figures["s_error_256"] = percent(results.leakage.s.network.test_error)
    own, same = results.reconstruction.own, results.reconstruction.swap_same
    figures["mse"] = f"{own.mse:.4f}"
    figures["mse_same_identity_swap"] = f"{same.mse:.4f}" if same else ""
    if results.run.training:
        figures["minutes"] = f"{results.run.training.minutes:.0f}"
    if results.analogies:
        figures["swap_mse"] = f"{results.analogies.swap.mse:.4f}"
        figures["swap_mse_ratio"] = f"{results.analogies.mse_ratio:.3f}"
    if results.image_quality:
        figures["swap_high_frequencies"] = f"{results.image_quality.swap.high_frequencies:.2f}"
    return figures | swaps(results)


def swaps(results: Results) -> Figures:
    """How often swaps and prior samples show the identity of each source, for sets with one identity label."""
    rates = results.identity_swaps
    if not rates or len(rates.swap_mean) != 1:
        return {}
    (swap,), (prior,) = rates.swap_mean.values(), rates.prior_sample.values()
    return {
        "swap_shows_s_source": percent(swap.s_source),
        "swap_shows_z_source": percent(swap.z_source),
        "prior_sample_shows_s_source": percent(prior),
    }


def leakage(column: str, estimate: Estimate) -> Figures:
    error = "" if math.isnan(estimate.standard_error) else percent(estimate.standard_error)
    return {column: percent(estimate.mean), f"{column}_error": error}
