"""Nearest neighbours by s and by the mean of z."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import sample_rows

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """Precision at k as a fraction: how many of an image's k nearest neighbours have its identity.

    random_precision: the expected precision of a random ranking.
    """

    s_precision: dict[int, float]
    z_mean_precision: dict[int, float]
    random_precision: float


def nearest(codes: np.ndarray, queries: np.ndarray, number: int, seed: int = 0) -> np.ndarray:
    """Rows [len(queries), number] of the codes [N, D] nearest to those of the query rows, themselves left out.

    Which of many equal codes these are is drawn.
    """
    order = np.random.default_rng(seed).permutation(len(codes))
    search = NearestNeighbors(n_neighbors=number + 1, algorithm="brute").fit(codes[order])
    found = order[search.kneighbors(codes[queries], return_distance=False)]
    keep = found != queries[:, None]
    keep[keep.all(1), -1] = False
    return found[keep].reshape(len(queries), number)


def measure_retrieval(test: EncodedImages, sizes: SampleSizes, seed: int = 0) -> Retrieval:
    """Of `sizes.retrieval_queries` test images among all of them, by Euclidean distance of the codes."""
    queries, identity = sample_rows(len(test), sizes.retrieval_queries, seed), test.identity
    most = min(max(RANKS), len(test) - 1)

    def precision(codes: np.ndarray) -> dict[int, float]:
        right = identity[nearest(codes, queries, most)] == identity[queries][:, None]
        return {k: float(right[:, :k].mean()) for k in RANKS if k <= most}

    others = np.bincount(identity)[identity[queries]] - 1
    return Retrieval(precision(test.s), precision(test.z_mean), float(np.mean(others / (len(test) - 1))))
