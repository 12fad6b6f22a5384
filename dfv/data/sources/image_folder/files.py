"""Finds the images of each identity in a folder, and assigns images or identities to splits."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import logging

from dfv.data.dataset import DataError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)

# In lower case. Files and folders that systems create next to a user's images; some contain thumbnails of them.
_SYSTEM_NAMES = frozenset(("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"))
_MAX_LISTED = 20

_EXPECTED = """Expected one folder of images for each identity, at least two:
  {folder}/anna/1.jpg, {folder}/anna/2.png, ...
  {folder}/ben/1.jpg, ...
Set --image_dir to the folder that holds them."""


def is_ignored(name: str) -> bool:
    """Returns whether a file or folder of this name is not one of the user's images, in any image folder.

    These are hidden names (`.DS_Store`, macOS' `._a.jpg`) and files that systems create (`__MACOSX`, `Thumbs.db`).
    Public for every reader of image folders, such as export.demo. name: without its folder.
    """
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def find(folder: Path) -> dict[str, list[str]]:
    """Returns identity's name -> paths of its images, relative to the folder; both sorted.

    Logs what was skipped. Raises DataError, with the expected layout, if there are fewer than two identities.
    """
    if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
        raise _error(folder, "is not a folder" if os.path.exists(folder) else "does not exist")
    try:
        top = {entry.name: entry.is_dir() for entry in os.scandir(folder)}
    except OSError as error:
        raise _error(folder, f"cannot be read ({error.strerror})") from error
    skipped = Counter(_kind(name) for name, is_dir in top.items() if not is_dir)
    found: dict[str, list[str]] = {}
    without_images = []
    for identity in sorted(name for name, is_dir in top.items() if is_dir and not is_ignored(name)):
        names = list(walk(folder, identity))
        images = sorted(name for name in names if _kind(name) == "image")
        skipped.update(_kind(name) for name in names if _kind(name) != "image")
        if images:
            found[identity] = images
        else:
            without_images.append(identity)
    _check(folder, found, skipped, without_images)
    return found


def walk(folder: Path, below: str = "") -> Iterator[str]:
    """Yields the paths of all files in folder / below and its subfolders, relative to folder.

    Follows links, but enters no folder twice and skips names for which is_ignored is true. Raises
    DataError for a folder that cannot be read. Public for every reader of image folders.
    """

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
    enter(folder / below)
    for parent, folders, names in os.walk(folder / below, followlinks=True, onerror=refuse):
        folders[:] = [name for name in sorted(folders) if not is_ignored(name) and enter(Path(parent, name))]
        relative = Path(parent).relative_to(folder).as_posix()
        yield from names if relative == "." else (f"{relative}/{name}" for name in names)


def in_turn(names: Iterable[str]) -> list[str]:
    """Returns the first of the sorted names in each folder, then the second of each, and so on."""
    seen, ranked = Counter[str](), []
    for name in sorted(names):
        parent = name.rpartition("/")[0]
        ranked.append((seen[parent], name))
        seen[parent] += 1
    return [name for _, name in sorted(ranked)]


def _kind(name: str) -> str:
    name, suffix = Path(name).name, Path(name).suffix.lower()
    if name.startswith("."):
        return "hidden"
    if is_ignored(name):
        return "system file"
    return "image" if suffix in SUFFIXES else suffix or "without suffix"


def _check(folder: Path, found: dict[str, list[str]], skipped: Counter[str], without_images: list[str]) -> None:
    num_flat = skipped.pop("image", 0)
    if not found and num_flat:
        raise _error(folder, f"has {num_flat} images but no folders of images, so their identities are not known")
    if not found:
        known = ", ".join(sorted(SUFFIXES))
        raise _error(folder, f"has no images ({known}) in a folder for each identity")
    if len(found) == 1:
        raise _error(folder, f"has images in one folder only, {next(iter(found))!r}")
    if num_flat:
        skipped["image outside the identities' folders"] = num_flat
    if without_images:
        listed = ", ".join(without_images[:_MAX_LISTED]) + (", ..." if len(without_images) > _MAX_LISTED else "")
        skipped[f"folder without images ({listed})"] = len(without_images)
    if skipped:
        counts = ", ".join(f"{count} {kind}" for kind, count in skipped.most_common())
        logging.warning("%s: skipped %s.", folder, counts)


def _error(folder: Path, what: str) -> DataError:
    return DataError(f"{folder} {what}. " + _EXPECTED.format(folder=folder))


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
