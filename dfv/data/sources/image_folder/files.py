"""Which files of a folder are images of whom, and in which split each is."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import logging

from dfv.data.dataset import DataError

SUFFIXES = frozenset(".bmp .gif .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split())

_EXPECTED = """Expected one folder of images for each identity, at least two:
  {folder}/anna/1.jpg, {folder}/anna/2.png, ...
  {folder}/ben/1.jpg, ...
Set --image_dir to the folder that holds them."""


def find(folder: Path) -> dict[str, list[str]]:
    """identity's name -> its images' paths, relative to the folder; both sorted. Says what it skipped.

    Raises DataError, with the tree that is expected, if fewer than two identities are there.
    """
    if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
        raise _error(folder, "is not a folder" if os.path.exists(folder) else "does not exist")
    try:
        top = {entry.name: entry.is_dir() for entry in os.scandir(folder)}
    except OSError as error:
        raise _error(folder, f"cannot be read ({error.strerror})") from error
    skipped = Counter(_kind(name) for name, is_dir in top.items() if not is_dir)
    found = {}
    for identity in sorted(name for name, is_dir in top.items() if is_dir and not name.startswith(".")):
        names = list(_walk(folder, identity))
        images = sorted(name for name in names if _kind(name) == "image")
        skipped.update(_kind(name) for name in names if _kind(name) != "image")
        if images:
            found[identity] = images
        else:
            skipped["folder without images"] += 1
    _check(folder, found, skipped)
    return found


def _walk(folder: Path, identity: str) -> Iterator[str]:
    """Every file below folder / identity, relative to folder. Links are followed; no folder is entered twice."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}). Change its permissions, or move it out.")

    entered: set[tuple[int, int]] = set()

    def enter(path: Path) -> bool:
        status = path.stat()
        place = (status.st_dev, status.st_ino)
        is_new = place not in entered
        entered.add(place)
        return is_new

    enter(folder)
    enter(folder / identity)
    for parent, folders, names in os.walk(folder / identity, followlinks=True, onerror=refuse):
        folders[:] = [name for name in sorted(folders) if not name.startswith(".") and enter(Path(parent, name))]
        for name in names:
            yield Path(parent, name).relative_to(folder).as_posix()


def _kind(name: str) -> str:
    name = os.path.basename(name)
    suffix = os.path.splitext(name)[1].lower()
    if name.startswith("."):
        return "hidden"
    return "image" if suffix in SUFFIXES else suffix or "without suffix"


def _check(folder: Path, found: dict[str, list[str]], skipped: Counter[str]) -> None:
    num_flat = skipped.pop("image", 0)
    if not found and num_flat:
        raise _error(folder, f"has {num_flat} images but no folders of images in it, so whose they are is not known")
    if not found:
        known = ", ".join(sorted(SUFFIXES))
        raise _error(folder, f"has no images ({known}) in folders of their own")
    if len(found) == 1:
        raise _error(folder, f"has images in one folder alone, {next(iter(found))!r}")
    if num_flat:
        skipped["image outside the identities' folders"] = num_flat
    if skipped:
        counts = ", ".join(f"{count} {kind}" for kind, count in skipped.most_common())
        logging.warning("%s: skipped %s.", folder, counts)


def _error(folder: Path, what: str) -> DataError:
    return DataError(f"{folder} {what}. " + _EXPECTED.format(folder=folder))


def split_within(names: Sequence[str] | np.ndarray, identity: np.ndarray, split_index: int) -> np.ndarray:
    """[N] str: the split of each image; a tenth each of every identity's, more of a set of fewer than 40 images.

    They are chosen by a hash of the name, in pairs of one identity, which triplets and retrieval need, and rounded so
    that the sum is right too. An identity with three images or fewer has them all in train, every other one at least
    two there.
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
    """An identity's rows two by two, [number of pairs, 2]; none of fewer than four rows."""
    return rows[: len(rows) // 2 * 2 if len(rows) >= 4 else 0].reshape(-1, 2)


def split_across(identities: Sequence[str], split_index: int) -> np.ndarray:
    """[number of identities] str: the split of each, a tenth and at least two in validation and in test."""
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
