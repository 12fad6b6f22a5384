"""Known unspecified factors predicted from z, which should encode them, and from s, which should not."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedSplits
from dfv.evaluation.labels import Labels
from dfv.evaluation.probes.permutation_baseline import permute_labels
from dfv.evaluation.probes.probe_data import ProbeData, probe_data
from dfv.evaluation.probes.softmax_classifier import HIDDEN_UNITS, network_predictions
from dfv.evaluation.probes.standard_errors import Estimate, estimate
from dfv.evaluation.sampling import SampleSizes

CODES = ("z_mean", "z_sampled", "s")


@dataclass(frozen=True)
class FactorError:
    """The network's error for one factor and one code, on test images, as fractions.

    permutation_baseline: its error when it is trained on permuted labels.
    below_baseline: permutation_baseline minus error; zero if the code has no information about the factor.
    """

    error: float
    permutation_baseline: float
    below_baseline: Estimate


@dataclass(frozen=True)
class FactorErrors:
    """The errors for one factor from each code."""

    z_mean: FactorError
    z_sampled: FactorError
    s: FactorError


def measure_factors(
    encoded: EncodedSplits, labels: Labels, sizes: SampleSizes, *, num_seeds: int, unseen_identities: bool
) -> dict[str, FactorErrors]:
    """Factor -> its errors; one network predicts all factors from a code.

    labels: of the factors. unseen_identities: test identities are not in training, so that the images of one are
    dependent.
    """
    clusters = encoded.test.identity if unseen_identities else None
    by_code = []
    for code in CODES:
        data = probe_data(encoded, labels, code, num_seeds=num_seeds, unseen_identities=unseen_identities)
        by_code.append(factor_errors(data, sizes.probe_epochs, clusters))
    return {
        name: FactorErrors(*of_factor) for name, of_factor in zip(labels.names, zip(*by_code, strict=True), strict=True)
    }


def factor_errors(data: list[ProbeData], max_epochs: int, clusters: np.ndarray | None) -> list[FactorError]:
    """The errors of one code for each factor, a column of the labels.

    data: of each seed. clusters: as in `estimate`.
    """
    errors = _test_errors(data, max_epochs)
    baselines = _test_errors([permute_labels(of_seed, seed) for seed, of_seed in enumerate(data)], max_epochs)
    return [
        FactorError(float(error.mean()), float(baseline.mean()), estimate(baseline - error, clusters))
        for error, baseline in zip(np.moveaxis(errors, 2, 0), np.moveaxis(baselines, 2, 0), strict=True)
    ]


def _test_errors(data: list[ProbeData], max_epochs: int) -> np.ndarray:
    """[seeds, N, factors], 1 where the network predicts a wrong class and 0 elsewhere."""
    predictions = [
        network_predictions(of_seed, HIDDEN_UNITS["network"], seed=seed, max_epochs=max_epochs).test
        for seed, of_seed in enumerate(data)
    ]
    return np.stack([of_seed != data[0].labels.test for of_seed in predictions]).astype(float)
