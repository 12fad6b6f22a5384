"""Files with the same bytes: found, reported, and kept in one split, so that no held-out image is in training too."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import logging

from dfv.data.dataset import SPLITS
from dfv.data.sources.image_folder.splits import split_within

_LEFT_OUT = ""


def first_equal(paths: Sequence[Path]) -> np.ndarray:
    """Returns [N] int, for each file the row of the first one with the same bytes. Reads files of equal size only."""
    sizes = [path.stat().st_size for path in paths]
    occurrences = Counter(sizes)
    first, firsts = np.arange(len(paths)), dict[bytes, int]()
    for row, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        if occurrences[size] > 1:
            first[row] = firsts.setdefault(hashlib.sha256(path.read_bytes()).digest(), row)
    return first


def report(paths: Sequence[Path], identity: np.ndarray, first: np.ndarray) -> None:
    """Logs the number of copies and an example, and the same for files that are equal under two identities.

    identity, first: [N] int, see `first_equal`.
    """
    copies = np.flatnonzero(first != np.arange(len(first)))
    others = copies[identity[copies] != identity[first[copies]]]
    if len(copies):
        logging.warning(
            "%s: has the same content as %s; %d of %d files are such copies. Copies are kept in one split.",
            *(paths[copies[0]], paths[first[copies[0]]], len(copies), len(paths)),
        )
    if len(others):
        logging.warning(
            "%s: has the same content as %s, an image of another identity; this holds for %d files. They are not used"
            " in validation or test. Delete one of each.",
            *(paths[others[0]], paths[first[others[0]]], len(others)),
        )


def split_within_unequal(names: np.ndarray, identity: np.ndarray, first: np.ndarray, split_index: int) -> np.ndarray:
    """Returns [N] str like `split_within`, of files without their copies; a copy is in the split of its original.

    Files that are equal under two identities are in train.
    """
    splits = np.full(len(names), "train", dtype="<U10")
    rows = np.flatnonzero((first == np.arange(len(first))) & ~_is_shared(identity, first))
    splits[rows] = split_within(names[rows], identity[rows], split_index)
    return splits[first]


def leave_out_shared(splits: np.ndarray, identity: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Returns splits [N] str, with "" for files of validation and test that are equal under two identities."""
    return np.where((splits != SPLITS[0]) & _is_shared(identity, first), _LEFT_OUT, splits)


def _is_shared(identity: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Returns [N] bool, whether a file equals one of another identity."""
    return np.isin(first, first[identity != identity[first]])
