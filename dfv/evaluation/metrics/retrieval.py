"""Retrieval of images by their nearest neighbours in s and in the mean of z (figure 4 of the paper)."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.sampling import SampleSizes, sample_rows

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """Precision at k: the fraction of a query's k nearest images that are of its identity.

    s_precision, z_mean_precision: k -> precision.
    random_precision: of images in random order.
    """

    s_precision: dict[int, float]
    z_mean_precision: dict[int, float]
    random_precision: float


def measure_retrieval(test: EncodedImages, sizes: SampleSizes, seed: int = 0) -> Retrieval:
    """Retrieves among all the test images, for a sample of them, by Euclidean distance of the codes."""
    queries = sample_rows(len(test), sizes.retrieval_queries, seed)
    others_of_identity = np.bincount(test.identity)[test.identity[queries]] - 1
    return Retrieval(
        _precision(test.s, test.identity, queries, seed),
        _precision(test.z_mean, test.identity, queries, seed),
        float(np.mean(others_of_identity / (len(test) - 1))),
    )


def _precision(codes: np.ndarray, identity: np.ndarray, queries: np.ndarray, seed: int) -> dict[int, float]:
    most = min(max(RANKS), len(codes) - 1)
    relevant = identity[nearest(codes, queries, most, seed)] == identity[queries][:, None]
    return {k: float(relevant[:, :k].mean()) for k in RANKS if k <= most}


def nearest(codes: np.ndarray, queries: np.ndarray, number: int, seed: int = 0) -> np.ndarray:
    """The rows [len(queries), number] of codes [N, D] nearest to those of the query rows, without the query itself.

    Equal codes are in random order.
    """
    order = np.random.default_rng(seed).permutation(len(codes))
    search = NearestNeighbors(n_neighbors=number + 1, algorithm="brute").fit(codes[order])
    found = order[search.kneighbors(codes[queries], return_distance=False)]
    keep = found != queries[:, None]
    keep[keep.all(1), -1] = False
    return found[keep].reshape(len(queries), number)
