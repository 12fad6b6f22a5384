"""The result of one probe on test images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.permutation_baseline import ProbeErrors
from dfv.evaluation.probes.probe_data import ProbeSettings
from dfv.evaluation.probes.standard_errors import Estimate, estimate


@dataclass(frozen=True)
class ProbeResult:
    """Errors as fractions: means over labels, images and seeds.

    family, num_neighbours, standardized: see ProbeSettings.
    test_error_std: standard deviation over seeds; NaN for one seed.
    permutation_baseline: test error of the probe trained on permuted labels.
    leakage: permutation_baseline minus test_error.
    matched_permutation_baseline, matched_leakage: the same with labels permuted within groups of images with the same
      known factors; None where there are none. Where each identity shows each combination of factors once, a test
      image's combination is missing among its identity's training images, so that the error of a code of the factors
      alone is above permutation_baseline.
    """

    family: str
    num_neighbours: int | None
    standardized: bool
    train_error: float
    validation_error: float
    test_error: float
    test_error_std: float
    permutation_baseline: float
    leakage: Estimate
    matched_permutation_baseline: float | None
    matched_leakage: Estimate | None


def probe_result(
    settings: ProbeSettings,
    seeds: Sequence[ProbeErrors],
    clusters: np.ndarray | None = None,
    *,
    rows: np.ndarray | slice = slice(None),
    columns: Sequence[int] | slice = slice(None),
) -> ProbeResult:
    """The result of a probe from its errors for each seed.

    clusters: [N], as in `estimate`. rows: of the test images, all by default. columns: of the labels, all by default.
    """

    def on_test(errors: Sequence[BySplit[np.ndarray]]) -> np.ndarray:
        return np.stack([of_seed.test[rows][:, columns].mean(1) for of_seed in errors])

    test = on_test([of_seed.errors for of_seed in seeds])

    def against(baselines: Sequence[BySplit[np.ndarray]]) -> tuple[float, Estimate]:
        baseline = on_test(baselines)
        return float(baseline.mean()), estimate(baseline - test, None if clusters is None else clusters[rows])

    matched = [of_seed.matched_baseline for of_seed in seeds if of_seed.matched_baseline is not None]
    return ProbeResult(
        *settings,
        float(np.mean([of_seed.errors.train[:, columns].mean() for of_seed in seeds])),
        float(np.mean([of_seed.errors.validation[:, columns].mean() for of_seed in seeds])),
        float(test.mean()),
        float(test.mean(1).std(ddof=1)) if len(seeds) > 1 else float("nan"),
        *against([of_seed.baseline for of_seed in seeds]),
        *(against(matched) if matched else (None, None)),
    )
