"""Swaps and prior samples, judged by classifiers that never saw a generated image."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import Coded
from dfv.evaluation.image_pairs import other_identity
from dfv.evaluation.metrics.oracle_classifier import Judge
from dfv.evaluation.row_selection import batches
from dfv.model.codec import Codec


@dataclass(frozen=True)
class Rates:
    """How often a judge sees what a donor shows, as fractions.

    s_donor, z_donor: over pairs whose donors differ in the label; NaN if none do. s_donor_all, z_donor_all: over all.
    """

    s_donor: float
    z_donor: float
    s_donor_all: float
    z_donor_all: float


@dataclass(frozen=True)
class Judged:
    """For each column of the judge's labels: swaps with the mean of z, with a sample of it, and prior samples.

    error: the judge's own, on real test images, as a fraction.
    """

    error: dict[str, float]
    swap_mean: dict[str, Rates]
    swap_sampled: dict[str, Rates]
    prior_sample: dict[str, float]


def rates(shown: np.ndarray, s_donor: np.ndarray, z_donor: np.ndarray) -> Rates:
    """What is shown, [N] classes, against the classes of both donors."""
    like_s, like_z, differ = shown == s_donor, shown == z_donor, s_donor != z_donor
    among = [float(like[differ].mean()) if differ.any() else float("nan") for like in (like_s, like_z)]
    return Rates(among[0], among[1], float(like_s.mean()), float(like_z.mean()))


def _shown(model: Codec, judge: Judge, s: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.concatenate([judge(model.decode(s[rows], z[rows])) for rows in batches(len(s))])


def judge_swaps(model: Codec, test: Coded, judge: Judge, number: int, seed: int = 0) -> Judged:
    """Judges `number` swaps between test images of different identities, and as many prior samples."""
    names, labels = judge.labels.names, judge.labels.test[test.rows]
    s_rows, z_rows = other_identity(test.part.identity, number, seed)
    noise = np.random.default_rng(seed).standard_normal((number, test.mean.shape[1]), np.float32)
    codes = {"mean": test.mean[z_rows], "sampled": test.z_sampled(seed)[z_rows], "prior": noise}
    shown = {name: _shown(model, judge, test.s[s_rows], z) for name, z in codes.items()}

    def swap(kind: str) -> dict[str, Rates]:
        donors = labels[s_rows], labels[z_rows]
        return {name: rates(shown[kind][:, i], *(donor[:, i] for donor in donors)) for i, name in enumerate(names)}

    matches = (shown["prior"] == labels[s_rows]).mean(0)
    return Judged(
        judge.errors["test"],
        swap("mean"),
        swap("sampled"),
        dict(zip(names, matches.tolist(), strict=True)),
    )
