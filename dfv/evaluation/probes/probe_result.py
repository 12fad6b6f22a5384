"""The result of one probe of one code."""

from dataclasses import dataclass

from dfv.evaluation.probes.standard_errors import Estimate


@dataclass(frozen=True)
class ProbeResult:
    """Error rates as fractions, averaged over label columns, images and seeds.

    family: "network", "linear" or "neighbours". num_neighbours: of the last one, None for the others.
    standardized: whether codes were scaled to mean 0 and standard deviation 1 in every dimension.
    test_error_std: standard deviation over seeds; NaN for one seed.
    permutation_baseline: test error of the same probe, trained on permuted labels.
    leakage: permutation_baseline - test_error.
    matched_permutation_baseline, matched_leakage: the same of labels permuted among images of equal known factors; None
      where there are none such. Where an identity shows each value of the factors once, a test image shows one that its
      identity lacks in training, and a code of the factors alone has a higher error than permuted labels have.
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
