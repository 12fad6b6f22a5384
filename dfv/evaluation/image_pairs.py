"""Pairs of test images whose codes are exchanged."""

import numpy as np

from dfv.data.dataset import DataError


def other_identity(identity: np.ndarray, number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (s-donor, z-donor), [number] each, drawn evenly from all pairs of different identities."""
    if len(np.unique(identity)) < 2:
        raise DataError(f"swaps need images of two identities; all {len(identity)} that score are of one. Add some.")
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(identity), (2, number))
    while np.any(same := identity[first] == identity[second]):
        first[same], second[same] = rng.integers(0, len(identity), (2, int(same.sum())))
    return first, second


def by_identity(identity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every row, [N]: one identity after the other, each one's in a drawn order."""
    order = rng.permutation(len(identity))
    return order[np.argsort(identity[order], kind="stable")]


def same_identity(identity: np.ndarray, number: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (s-donor, z-donor), at most `number` each: two different images of one identity, each z-donor once."""
    rng = np.random.default_rng(seed)
    order = by_identity(identity, rng)
    starts = np.flatnonzero(np.r_[True, np.diff(identity[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    # The next one in its identity's drawn order, the first after the last.
    partner = order[start + (np.arange(len(order)) - start + 1) % size]
    chosen = rng.permutation(np.flatnonzero(size > 1))[:number]
    return partner[chosen], order[chosen]
