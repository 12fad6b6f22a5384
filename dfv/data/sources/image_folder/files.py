"""Finds the images of each identity in a folder, by subfolders or by a pattern over their paths."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from absl import logging

from dfv.data.dataset import DataError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)
_KNOWN = ", ".join(sorted(SUFFIXES))

# In lower case. Files and folders that systems create next to a user's images; some contain thumbnails of them.
_SYSTEM_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini"))
_SYSTEM_FOLDERS = frozenset(("__macosx", "@eadir", "$recycle.bin", "lost+found", "system volume information"))
# In lower case. Folders of these names alone are splits of a data set, whose identities are one level below.
_SPLIT_NAMES = frozenset(("dev", "eval", "test", "testing", "train", "training", "val", "valid", "validation"))
_MAX_LISTED = 20

_EXPECTED = """Expected one folder of images for each identity, at least two:
  {folder}/anna/1.jpg, {folder}/anna/2.png, ...
  {folder}/ben/1.jpg, ...
Set --image_dir to the folder that holds them. If the identity is another part of the path, set
--identity_pattern; if a table has it, set --image_list."""


def is_ignored(name: str) -> bool:
    """Returns whether a file or folder of this name is not one of the user's images, in any image folder.

    These are hidden names (`.DS_Store`, macOS' `._a.jpg`) and files that systems create (`__MACOSX`, `Thumbs.db`).
    Public for every reader of image folders, such as export.demo. name: without its folder.
    """
    return name.startswith(".") or name.lower() in _SYSTEM_FILES | _SYSTEM_FOLDERS


def find(folder: Path) -> dict[str, list[str]]:
    """Returns identity's name -> paths of its images, relative to the folder; both sorted.

    Logs what was skipped. Raises DataError, with the expected layout, if there are fewer than two identities.
    """
    _check_folder(folder)
    try:
        top = {entry.name: entry.is_dir() for entry in os.scandir(folder)}
    except OSError as error:
        raise _error(folder, f"cannot be read ({error.strerror})") from error
    skipped = Counter(_kind(name) for name, is_dir in top.items() if not is_dir)
    found: dict[str, list[str]] = {}
    without_images = []
    for identity in sorted(name for name, is_dir in top.items() if is_dir and not is_ignored(name)):
        names = list(walk(folder, identity))
        images = sorted(filter(is_image, names))
        skipped.update(_kind(name) for name in names if _kind(name) != "image")
        if images:
            found[identity] = images
        else:
            without_images.append(identity)
    _check(folder, found, skipped, without_images)
    return found


def find_by_pattern(folder: Path, pattern: str) -> dict[str, list[str]]:
    """Returns identity's name -> paths of its images, as `find`, by a regular expression with a group `identity`.

    It is searched in the path of each image relative to the folder, such as "2024/anna_1.jpg". Logs what was skipped.
    Raises DataError if images of fewer than two identities match.
    """
    _check_folder(folder)
    names = sorted(walk(folder))
    skipped = Counter(_kind(name) for name in names)
    del skipped["image"]
    found: dict[str, list[str]] = {}
    unmatched = []
    for name in filter(is_image, names):
        match = re.search(pattern, name)
        if match and match["identity"]:
            found.setdefault(match["identity"], []).append(name)
        else:
            unmatched.append(name)
    if not found and not unmatched:
        raise DataError(f"{folder} has no images ({_KNOWN}), not even in subfolders. Set --image_dir to their folder.")
    if not found:
        raise DataError(
            f"--identity_pattern={pattern} matches none of {len(unmatched)} images, such as {unmatched[0]}. Expected a"
            " regular expression that is found in the path of each image below --image_dir, with / between folders."
        )
    if len(found) == 1:
        raise DataError(
            f"--identity_pattern={pattern} finds one identity only, {next(iter(found))!r}, in {folder}; expected at"
            " least two."
        )
    if unmatched:
        skipped[f"image that does not match --identity_pattern (such as {unmatched[0]})"] = len(unmatched)
    _log_skipped(folder, skipped)
    return dict(sorted(found.items()))


def _check_folder(folder: Path) -> None:
    if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
        raise _error(folder, "is not a folder" if os.path.exists(folder) else "does not exist")


def walk(folder: Path, below: str = "") -> Iterator[str]:
    """Yields the paths of all files in folder / below and its subfolders, relative to folder.

    Follows links, but enters no folder twice and skips names for which is_ignored is true. Raises
    DataError for a folder that cannot be read. Public for every reader of image folders.
    """

    def refuse(error: OSError) -> NoReturn:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}). Change its permissions, or move it out.")

    entered: set[tuple[int, int]] = set()

    def enter(path: Path) -> bool:
        try:
            status = path.stat()
        except OSError as error:
            refuse(error)
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


def is_image(name: str) -> bool:
    """Returns whether a path is that of an image of the user, by its name alone; for every reader of image folders."""
    return _kind(name) == "image"


def _kind(name: str) -> str:
    name, suffix = Path(name).name, Path(name).suffix.lower()
    if name.startswith("."):
        return "hidden"
    if is_ignored(name):
        return "system file"
    return "image" if suffix in SUFFIXES else suffix or "without suffix"


def _check(folder: Path, found: dict[str, list[str]], skipped: Counter[str], without_images: list[str]) -> None:
    num_flat = skipped.pop("image", 0)
    if without_images:
        listed = ", ".join(without_images[:_MAX_LISTED]) + (", ..." if len(without_images) > _MAX_LISTED else "")
        skipped[f"folder without images ({listed})"] = len(without_images)
    also = f"; skipped were {_counts(skipped)}" if skipped else ""
    if not found and num_flat:
        raise _error(folder, f"has {num_flat} images but no folders of images, so their identities are not known{also}")
    if not found:
        raise _error(folder, f"has no images ({_KNOWN}) in a folder for each identity{also}")
    if len(found) == 1:
        raise _error(folder, f"has images in one folder only, {next(iter(found))!r}{also}")
    _refuse_splits(folder, found)
    if num_flat:
        skipped["image outside the identities' folders"] = num_flat
    _log_skipped(folder, skipped)


def _refuse_splits(folder: Path, found: dict[str, list[str]]) -> None:
    """Raises DataError for train/anna/1.jpg, test/anna/2.jpg: the identities would be train and test."""
    in_subfolders = all(name.count("/") > 1 for names in found.values() for name in names)
    if in_subfolders and {name.lower() for name in found} <= _SPLIT_NAMES:
        raise DataError(
            f"{folder} has images in folders of {', '.join(found)}, which look like splits and not like identities. If"
            " their subfolders are the identities, set --identity_pattern='^[^/]+/(?P<identity>[^/]+)/', and all images"
            " are split again; otherwise set --identity_pattern='^(?P<identity>[^/]+)/'."
        )


def _counts(skipped: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in skipped.most_common())


def _log_skipped(folder: Path, skipped: Counter[str]) -> None:
    if skipped:
        logging.warning("%s: skipped %s.", folder, _counts(skipped))


def _error(folder: Path, what: str) -> DataError:
    return DataError(f"{folder} {what}. " + _EXPECTED.format(folder=folder))
