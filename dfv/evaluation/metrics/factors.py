"""What z must keep and s should not tell: the known unspecified factors, read by the network probe."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedSplits
from dfv.evaluation.labels import Labels
from dfv.evaluation.metrics.leakage import tasks_of
from dfv.evaluation.probes.predictions import HIDDEN_UNITS, network_predictions
from dfv.evaluation.probes.standard_errors import Estimate, estimate
from dfv.evaluation.sample_sizes import SampleSizes

CODES = ("z_mean", "z_sampled", "s")


@dataclass(frozen=True)
class FactorError:
    """Test error of one factor predicted from one code, as a fraction; permutation_baseline: with permuted labels.

    below_baseline: permutation_baseline - error.
    """

    error: float
    permutation_baseline: float
    below_baseline: Estimate


@dataclass(frozen=True)
class FactorErrors:
    """Test errors of one factor, predicted from each code."""

    z_mean: FactorError
    z_sampled: FactorError
    s: FactorError


def measure_factors(
    coded: EncodedSplits, labels: Labels, limits: SampleSizes, *, num_seeds: int, unseen_identities: bool
) -> dict[str, FactorErrors]:
    """The errors of one probe with an output for each factor, by factor."""
    by_code = {code: _read(coded, labels, code, limits, num_seeds, unseen_identities) for code in CODES}
    return {name: FactorErrors(**{code: by_code[code][i] for code in CODES}) for i, name in enumerate(labels.names)}


def _read(
    coded: EncodedSplits, labels: Labels, code: str, limits: SampleSizes, seeds: int, unseen: bool
) -> list[FactorError]:
    wrong: list[np.ndarray] = []
    by_chance: list[np.ndarray] = []
    for seed, task in enumerate(tasks_of(coded, labels, code, seeds, unseen)):
        for trained_on, errors in ((task, wrong), (task.permuted(seed), by_chance)):
            predictions = network_predictions(trained_on, HIDDEN_UNITS["network"], seed, limits.probe_epochs)
            errors.append(predictions.test != task.labels.test)
    clusters = coded.test.identity if unseen else None
    error, chance = (np.stack(errors).astype(float) for errors in (wrong, by_chance))
    return [
        FactorError(float(e.mean()), float(c.mean()), estimate(c - e, clusters))
        for e, c in zip(np.moveaxis(error, 2, 0), np.moveaxis(chance, 2, 0), strict=True)
    ]
