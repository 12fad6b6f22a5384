"""Nearest neighbours by s and by the mean of z."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.sampling import sample_rows

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """Precision at k of identity, as a fraction, by code; chance: the fraction of other images of the identity."""

    precision: dict[str, dict[int, float]]
    chance: float


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


def retrieve(test: EncodedImages, number: int, seed: int = 0) -> Retrieval:
    """At most `number` queries among all the test images, by Euclidean distance of raw codes, as the paper does."""
    queries, identity = sample_rows(len(test), number, seed), test.identity
    most = min(max(RANKS), len(test) - 1)
    precision = {}
    for name, codes in (("s", test.s), ("z_mean", test.z_mean)):
        right = identity[nearest(codes, queries, most)] == identity[queries][:, None]
        precision[name] = {k: float(right[:, :k].mean()) for k in RANKS if k <= most}
    others = np.bincount(identity)[identity[queries]] - 1
    return Retrieval(precision, float(np.mean(others / (len(test) - 1))))
