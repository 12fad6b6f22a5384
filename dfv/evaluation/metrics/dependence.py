"""Statistical dependence between a code and the identity: HSIC with a permutation test. Not in the paper."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.labels import matched_factors
from dfv.evaluation.probes.probe_data import select_code, varying_z_dims
from dfv.evaluation.sampling import SampleSizes, permute_within, sample_groups


@dataclass(frozen=True)
class HsicTest:
    """A permutation test of independence.

    hsic: normalized, from 0 (independent) to 1.
    permutation_mean: mean HSIC over permutations of the identities.
    p_value: (1 + number of permutations with at least this HSIC) / (1 + number of permutations).
    """

    hsic: float
    permutation_mean: float
    p_value: float


@dataclass(frozen=True)
class Dependence:
    """The test for each code."""

    z_mean: HsicTest
    z_sampled: HsicTest
    s: HsicTest


def measure_dependence(test: EncodedImages, sizes: SampleSizes, seed: int = 0) -> Dependence:
    """Tests a sample of the images; identities are permuted within groups of images with equal known factors."""
    matched = matched_factors(test.image_set)
    rows = sample_groups(matched, sizes.dependence_images, seed)
    sample, z_dims = test.select(rows), varying_z_dims(test)
    codes = (select_code(sample, name, seed, z_dims) for name in ("z_mean", "z_sampled", "s"))
    return Dependence(*(hsic_test(code, sample.identity, sizes.permutations, seed, matched[rows]) for code in codes))


def hsic_test(
    codes: np.ndarray, identity: np.ndarray, permutations: int, seed: int = 0, groups: np.ndarray | None = None
) -> HsicTest:
    """The test of codes [N, D] float32, standardized by dimension, and identity [N] (Gretton et al. 2005, biased).

    The kernels are a Gaussian of the median distance's width, and equality of the identity; both are centred, and HSIC
    is divided by their norms.

    groups: [N], images of the same known factors; the identity is permuted within them. Where every identity shows
      every pose once, images of one identity differ in z more than a random pair, and permutations over all images
      would hide leakage.
    """
    deviation = codes.std(0)
    kernel = _centred(_gaussian((codes - codes.mean(0)) / np.where(deviation > 1e-6, deviation, 1.0)))
    same = identity[:, None] == identity
    norm = np.linalg.norm(kernel) * np.linalg.norm(_centred(same.astype(np.float64)))
    if norm == 0:
        return HsicTest(0.0, 0.0, 1.0)
    first, second = np.nonzero(same)
    rng = np.random.default_rng(seed)
    groups = np.zeros(len(codes), int) if groups is None else groups

    def statistic(order: np.ndarray) -> float:
        return float(kernel[order[first], order[second]].sum() / norm)

    observed = statistic(np.arange(len(codes)))
    permuted = np.array([statistic(permute_within(groups, rng)) for _ in range(permutations)])
    p_value = (1 + np.sum(permuted >= observed)) / (1 + permutations)
    return HsicTest(observed, float(permuted.mean()), float(p_value))


def _gaussian(codes: np.ndarray) -> np.ndarray:
    squared = pdist(codes, "sqeuclidean")
    median = np.median(squared)
    return np.exp(-squareform(squared) / (median if median > 0 else 1.0))


def _centred(kernel: np.ndarray) -> np.ndarray:
    return kernel - kernel.mean(0) - kernel.mean(1, keepdims=True) + kernel.mean()
