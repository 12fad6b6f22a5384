"""The result of one probe on test images."""

from dataclasses import dataclass

from dfv.evaluation.probes.standard_errors import Estimate


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
