"""Assigns images, or identities, to splits by a hash of their names."""

import hashlib
import os
from collections.abc import Sequence

import numpy as np

from dfv.data.dataset import DataError


def split_within(names: Sequence[str] | np.ndarray, identity: np.ndarray, split_index: int) -> np.ndarray:
    """Returns [N] str, the split of each image: a tenth of each identity's images in validation and in test.

    With fewer than 40 images, a larger share is held out. Images are chosen by a hash of their names, in pairs of one
    identity, which triplets and retrieval need; the totals are also a tenth. All images of an identity with at most
    three are in train; other identities have at least two there.
    """
    order = np.lexsort((_digests(names, split_index), identity))
    identities = np.split(order, np.cumsum(np.bincount(identity))[:-1])
    pairs = np.concatenate([_pairs(rows) for rows in sorted(identities, key=len)])
    turn = np.arange(len(pairs)) % int(np.clip(len(pairs) // 2, 4, 10))
    splits = np.full(len(names), "train", dtype="<U10")
    splits[pairs[turn == 1]] = "test"
    splits[pairs[turn == 3]] = "validation"
    return splits


def _pairs(rows: np.ndarray) -> np.ndarray:
    """Returns an identity's rows in pairs, [number of pairs, 2]; no pairs of fewer than four rows."""
    return rows[: len(rows) // 2 * 2 if len(rows) >= 4 else 0].reshape(-1, 2)


def split_across(identities: Sequence[str], split_index: int) -> np.ndarray:
    """Returns [number of identities] str, the splits: validation and test have a tenth each, at least two.

    Raises DataError for fewer than 6 identities.
    """
    if len(identities) < 6:
        raise DataError(
            f"--split_by=across needs at least 6 identities, got {len(identities)}. Add some, or set --split_by=within."
        )
    tenth = max(2, round(len(identities) / 10))
    order = np.argsort(_digests(identities, split_index))
    splits = np.full(len(identities), "train", dtype="<U10")
    splits[order[:tenth]] = "test"
    splits[order[tenth : 2 * tenth]] = "validation"
    return splits


def _digests(names: Sequence[str] | np.ndarray, split_index: int) -> np.ndarray:
    return np.array([hashlib.sha256(f"{split_index}:".encode() + os.fsencode(name)).hexdigest() for name in names])
