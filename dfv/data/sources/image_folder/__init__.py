"""A user's own images: one folder for each identity, any common format and size."""

import hashlib
import os
from pathlib import Path

import numpy as np

from dfv.config.paths import expand_home
from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.sources.image_folder import files
from dfv.data.sources.image_folder.decoding import decode, is_grey


def load(config: DataConfig) -> Splits:
    """The images below each folder of config.image_dir; identities are numbered in the order of the folders' names.

    Images are square, 64 pixels if not set, see decoding.decode; in grey if all files are stored so, without a palette,
    or config.grayscale is set.
    Splits are 80 / 10 / 10, by a hash of names and config.split_index, of each identity's images or of the identities;
    see files.split_within and split_across.
    """
    if not config.image_dir:
        raise DataError(
            "image_folder: no image_dir is given. Set --image_dir to the folder with one folder per identity."
        )
    folder = expand_home("image_dir", config.image_dir)
    found = files.find(folder)
    names = np.array([name for images in found.values() for name in images])
    identity = np.repeat(np.arange(len(found), dtype=np.int32), [len(images) for images in found.values()])
    grey = all([is_grey(folder / name) for name in names]) or config.grayscale  # all opened: bad files come out early
    folders = list(found)
    if config.split_by == "within":
        splits = files.split_within(names, identity, config.split_index)
    else:
        splits_of_identities = files.split_across(folders, config.split_index)
        numbers = _unseen_last(splits_of_identities)
        splits, identity = splits_of_identities[identity], numbers[identity]
        folders = [folders[number] for number in np.argsort(numbers)]
    if any(len(np.unique(identity[splits == split])) < 2 for split in ("validation", "test")):
        raise DataError(
            f"{folder}: {len(names)} images are too few to hold out some of two identities, for validation and for the"
            " test; expected at least 20 images, in folders of 4 or more. Add some, or set --split_by=across, which"
            " needs 6 folders of 2 or more."
        )

    def part(split: str) -> ImageSet:
        return _part(folder, names[splits == split], identity[splits == split], grey, config)

    return Splits(part("train"), part("validation"), part("test"), identity_names=tuple(folders))


def _unseen_last(splits: np.ndarray) -> np.ndarray:
    """[number of identities] int32: their numbers if those of train come first, otherwise in the same order."""
    numbers = np.empty(len(splits), np.int32)
    numbers[np.argsort(splits != "train", kind="stable")] = np.arange(len(splits))
    return numbers


def _part(folder: Path, names: np.ndarray, identity: np.ndarray, grey: bool, config: DataConfig) -> ImageSet:
    size = config.image_size or 64
    paths = [folder / name for name in names]
    images = (decode(path, size, grey) for path in paths)
    return ImageSet(store(images, len(paths), (size, size, 1 if grey else 3), config, _version(paths)), identity)


def _version(paths: list[Path]) -> str:
    """A name for these files as they are now: another one as soon as any of them changes."""
    digest = hashlib.sha256()
    for path in paths:
        status = path.stat()
        digest.update(os.fsencode(path.absolute()) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return f"image_folder_{digest.hexdigest()[:16]}"
