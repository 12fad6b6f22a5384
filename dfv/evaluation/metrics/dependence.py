"""A direct estimate of the dependence between a code and the identity: HSIC with a permutation test."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.labels import matched_factors
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import permute_within, sample_groups


@dataclass(frozen=True)
class HsicTest:
    """Normalised HSIC, 0 (independent) to 1; its mean over permuted identities; how often those reach it (p-value)."""

    hsic: float
    permutation_mean: float
    p_value: float


@dataclass(frozen=True)
class Dependence:
    """The test of each code."""

    z_mean: HsicTest
    z_sampled: HsicTest
    s: HsicTest


def measure_dependence(test: EncodedImages, sizes: SampleSizes, seed: int = 0) -> Dependence:
    """Tests of the codes of at most `sizes.dependence_images` test images."""
    matched = matched_factors(test.image_set)
    rows = sample_groups(matched, sizes.dependence_images)
    some, z_dims = test.select(rows), test.varying_z_dims()
    codes = {name: some.code(name, seed, z_dims) for name in ("z_mean", "z_sampled", "s")}
    tests = {
        name: hsic_test(code, some.identity, sizes.permutations, seed, matched[rows]) for name, code in codes.items()
    }
    return Dependence(**tests)


def hsic_test(
    codes: np.ndarray, identity: np.ndarray, permutations: int, seed: int = 0, alike: np.ndarray | None = None
) -> HsicTest:
    """Of codes [N, D] float32, standardised by dimension, and identity [N] (Gretton et al. 2005, biased estimate).

    Kernels: a Gaussian as wide as the median distance, and equality of identity; both centred, and HSIC divided by
    the norms of both. alike: a number [N], the same for images that are exchanged for each other, those of equal known
    factors: where every identity shows every pose once, images of one identity differ more in z than any two do, and
    a permutation of all would hide what z tells.
    """
    deviation = codes.std(0)
    kernel = _centred(_gaussian((codes - codes.mean(0)) / np.where(deviation > 1e-6, deviation, 1.0)))
    same = identity[:, None] == identity
    norm = np.linalg.norm(kernel) * np.linalg.norm(_centred(same.astype(np.float64)))
    if norm == 0:
        return HsicTest(0.0, 0.0, 1.0)
    first, second = np.nonzero(same)
    rng = np.random.default_rng(seed)
    alike = np.zeros(len(codes), int) if alike is None else alike

    def statistic(order: np.ndarray) -> float:
        return float(kernel[order[first], order[second]].sum() / norm)

    observed = statistic(np.arange(len(codes)))
    permuted = np.array([statistic(permute_within(alike, rng)) for _ in range(permutations)])
    p_value = (1 + np.sum(permuted >= observed)) / (1 + permutations)
    return HsicTest(observed, float(permuted.mean()), float(p_value))


def _gaussian(codes: np.ndarray) -> np.ndarray:
    squared = pdist(codes, "sqeuclidean")
    median = np.median(squared)
    return np.exp(-squareform(squared) / (median if median > 0 else 1.0))


def _centred(kernel: np.ndarray) -> np.ndarray:
    return kernel - kernel.mean(0) - kernel.mean(1, keepdims=True) + kernel.mean()
