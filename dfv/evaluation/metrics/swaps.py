"""Which labels an oracle classifier predicts from swaps and from prior samples."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedImages, draw_prior
from dfv.evaluation.metrics.oracle_classifier import OracleClassifier
from dfv.evaluation.sampling import SampleSizes, batches, pairs_of_other_identity
from dfv.model.codec import Codec


@dataclass(frozen=True)
class SwapRates:
    """Fractions of swaps from which the classifier predicts the label of the s source, and that of the z source.

    s_source, z_source: over pairs whose sources differ in the label; NaN if none do.
    s_source_all, z_source_all: over all pairs.
    """

    s_source: float
    z_source: float
    s_source_all: float
    z_source_all: float


@dataclass(frozen=True)
class SwapPredictions:
    """For each label: how often swaps and prior samples show the label of the image that they take s or z from.

    error: the classifier's own error on real test images, as a fraction.
    swap_mean, swap_sampled: swaps with the mean of z, and with a sample from its posterior.
    prior_sample: fraction of images decoded from s and z ~ N(0, I) that show the label of the s source.
    """

    error: dict[str, float]
    swap_mean: dict[str, SwapRates]
    swap_sampled: dict[str, SwapRates]
    prior_sample: dict[str, float]

    @property
    def mean_rates(self) -> tuple[float, float]:
        """`s_source` and `z_source` of swaps with the mean of z, averaged over the labels that have them."""
        rates = self.swap_mean.values()
        return mean_of_known(each.s_source for each in rates), mean_of_known(each.z_source for each in rates)

    @property
    def mean_prior_sample(self) -> float:
        """`prior_sample` averaged over the labels."""
        return mean_of_known(self.prior_sample.values())


def mean_of_known(values: Iterable[float]) -> float:
    """The mean of the values that are not NaN; NaN of none."""
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else float("nan")


def swap_rates(predicted: np.ndarray, s_source: np.ndarray, z_source: np.ndarray) -> SwapRates:
    """The rates of one label: predicted classes [N] against the classes [N] of both sources."""
    is_s, is_z, differ = predicted == s_source, predicted == z_source, s_source != z_source
    among = [float(hits[differ].mean()) if differ.any() else float("nan") for hits in (is_s, is_z)]
    return SwapRates(among[0], among[1], float(is_s.mean()), float(is_z.mean()))


def measure_swaps(
    model: Codec, test: EncodedImages, oracle: OracleClassifier, sizes: SampleSizes, seed: int = 0
) -> SwapPredictions:
    """Predictions from `sizes.swaps` swaps between images of different identities, and from as many prior samples."""
    number = sizes.swaps
    names, labels = oracle.labels.names, oracle.labels.test[test.rows]
    s_rows, z_rows = pairs_of_other_identity(test.identity, number, seed)
    prior = draw_prior(model, number, np.random.default_rng(seed))
    codes = {"mean": test.z_mean[z_rows], "sampled": test.z_sampled(seed)[z_rows], "prior": prior}
    predicted = {name: _predictions(model, oracle, test.s[s_rows], z) for name, z in codes.items()}

    def rates(kind: str) -> dict[str, SwapRates]:
        sources = labels[s_rows], labels[z_rows]
        columns = (swap_rates(predicted[kind][:, i], *(source[:, i] for source in sources)) for i in range(len(names)))
        return dict(zip(names, columns, strict=True))

    matches = (predicted["prior"] == labels[s_rows]).mean(0)
    prior_sample = dict(zip(names, matches.tolist(), strict=True))
    return SwapPredictions(oracle.errors.test, rates("mean"), rates("sampled"), prior_sample)


def _predictions(model: Codec, oracle: OracleClassifier, s: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.concatenate([oracle.predict(model.decode(s[rows], z[rows])) for rows in batches(len(s))])
