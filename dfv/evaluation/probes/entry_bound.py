"""What no probe can exceed on a code with few distinct values, such as the entries of a codebook."""

import math
from dataclasses import dataclass

import numpy as np

MIN_CODES_PER_ENTRY = 5  # on average: with fewer, the table below fits the test codes themselves
RISK = 0.05


@dataclass(frozen=True)
class EntryBound:
    """Lower bounds on the error of every function of the code, as fractions.

    entries: number of distinct test codes.
    error: on these test codes; the error of a table that has the most frequent label of each entry.
    expected_error: on new codes, with a confidence of 95 %.
    """

    entries: int
    error: float
    expected_error: float


def entry_bound(codes: np.ndarray, labels: np.ndarray, clusters: np.ndarray | None = None) -> EntryBound | None:
    """The bounds for codes [N, D] and labels [N, L] int32; None if there are too many distinct codes.

    clusters: [N], codes of one cluster are dependent; None: all are independent.

    The table is fitted to the test codes, so its expected error is below that of every function of the code. If one
    cluster of n codes were another, its error would change by at most n / N. Hence, by McDiarmid's inequality, it is
    above its expectation by more than sqrt(log(1 / risk) / 2 * sum((n / N)^2)) with a probability of at most `risk`.
    """
    _, entry = np.unique(codes, axis=0, return_inverse=True)
    entry, entries = entry.ravel(), int(entry.max()) + 1
    if len(codes) < MIN_CODES_PER_ENTRY * entries:
        return None
    error = 1 - float(np.mean([_most_frequent(entry, column) for column in labels.T])) / len(codes)
    sizes = np.ones(len(codes)) if clusters is None else np.unique(clusters, return_counts=True)[1]
    deviation = math.sqrt(math.log(1 / RISK) / 2 * np.sum((sizes / len(codes)) ** 2))
    return EntryBound(entries, error, max(0.0, error - deviation))


def _most_frequent(entry: np.ndarray, label: np.ndarray) -> int:
    """The number of codes whose label is the most frequent one of their entry."""
    counts = np.zeros((entry.max() + 1, label.max() + 1), np.int64)
    np.add.at(counts, (entry, label), 1)
    return int(counts.max(axis=1).sum())
