"""Which rows of a split are used: a limited number, whole groups, batches."""

from collections.abc import Iterator

import numpy as np

LEAST_OF_A_GROUP = 50


def some_rows(number: int, limit: int, seed: int = 0) -> np.ndarray:
    """All rows of a split of this size if there are no more than `limit`, otherwise as many drawn ones, in order."""
    if number <= limit:
        return np.arange(number)
    return np.sort(np.random.default_rng(seed).choice(number, limit, replace=False))


def some_groups(groups: np.ndarray, limit: int, seed: int = 0) -> np.ndarray:
    """At most `limit` rows, in order, of drawn groups [N]: whole ones, or of large ones an even share of the limit.

    The share is no less than LEAST_OF_A_GROUP, so of many groups some are left out.
    """
    names, members = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(names))[members]
    order = np.lexsort((rng.random(len(groups)), drawn))
    place = np.arange(len(groups)) - np.searchsorted(drawn[order], drawn[order])
    return np.sort(order[place < max(limit // len(names), LEAST_OF_A_GROUP)][:limit])


def exchanged_within(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order [N] in which each row has one of its own group [N] in its place."""
    order = np.empty(len(groups), int)
    order[np.argsort(groups, kind="stable")] = np.lexsort((rng.random(len(groups)), groups))
    return order


def batches(number: int, size: int = 1024) -> Iterator[np.ndarray]:
    """The rows 0 to number - 1 in batches."""
    for start in range(0, number, size):
        yield np.arange(start, min(start + size, number))
