"""The user's own images: files of any common format and size, with identities by folders, a pattern or a list."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from absl import logging

from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.equal_images import report_seen
from dfv.data.lazy_images import Images
from dfv.data.sources.image_folder import equal_files
from dfv.data.sources.image_folder.decoding import (
    all_errors,
    decode,
    highest_value,
    is_grey,
    is_sixteen_bit,
    listed,
    one_error,
    pixel_mode,
)
from dfv.data.sources.image_folder.labelled_files import LabelledFiles, find_labelled_files
from dfv.data.sources.image_folder.splits import split_across

# The highest value of a 14-bit camera; 16-bit files that stay below it are probably not scaled to 16 bits.
_HIGHEST_OF_14_BITS = 2**14 - 1


def load(config: DataConfig) -> Splits:
    """Returns splits of the images that `find_labelled_files` finds, with identities sorted by name.

    Images are square, 64 pixels by default, see decoding.decode and config.fit. They are grey if all files are grey,
    without a palette, or if config.grayscale is set.
    Files with identical content are in the same split. Held-out images that equal a training image in pixels alone,
    such as copies in another format, are reported.
    Splits have 80, 10 and 10 % of each identity's images or of the identities, chosen by a hash of names and
    config.split_index; see splits.split_within and split_across.
    Raises DataError, which names every file that cannot be decoded unless config.skip_bad_images is set, and for fewer
    images or identities than needed.
    """
    found = find_labelled_files(config)
    if config.skip_bad_images:
        found = _without_bad(found)
    paths = found.paths
    grey = _are_grey(paths, _modes(paths)) or config.grayscale
    splits, identity, names_of_identities = _split(found, config)

    def part(split: str) -> ImageSet:
        rows = np.flatnonzero(splits == split)
        attributes, factors = (
            {name: values[rows] for name, values in columns.items()} for columns in (found.attributes, found.factors)
        )
        return ImageSet(_images(paths, rows, grey, config), identity[rows], attributes, factors)

    sizes = {name: int(values.max()) + 1 for name, values in found.attributes.items()}
    loaded = Splits(part("train"), part("validation"), part("test"), sizes, names_of_identities)
    report_seen(loaded, lambda split, row: paths[np.flatnonzero(splits == split)[row]])
    return loaded


def _modes(paths: Sequence[Path]) -> list[str]:
    """Returns Pillow's mode of each file, which finds most files that cannot be decoded."""
    with _naming_all_errors(paths):
        modes = [pixel_mode(path) for path in paths]
        _warn_of_unscaled_sixteen_bits(paths, modes)
    return modes


def _split(found: LabelledFiles, config: DataConfig) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Returns each file's split and identity, and the identities' names; those unseen in training are the last."""
    identity, identities, first = found.identity, found.identities, equal_files.first_equal(found.paths)
    equal_files.report(found.paths, identity, first)
    if config.split_by == "within":
        splits = equal_files.split_within_unequal(found.names, identity, first, config.split_index)
    else:
        splits_of_identities = split_across(identities, config.split_index)
        numbers = _unseen_last(splits_of_identities)
        splits = equal_files.leave_out_shared(splits_of_identities[identity], identity, first)
        identity, identities = numbers[identity], tuple(identities[number] for number in np.argsort(numbers))
    if any(len(np.unique(identity[splits == split])) < 2 for split in ("validation", "test")):
        raise DataError(
            f"{config.image_list or found.folder}: {len(found.paths)} images are too few to hold out images of two"
            " identities for validation and for test; expected at least 20 images, 4 or more of each identity. Add"
            " some, or set --split_by=across, which needs 6 identities with 2 or more."
        )
    return splits, identity, identities


def _unseen_last(splits: np.ndarray) -> np.ndarray:
    """Returns [number of identities] int32, new numbers: those of train first, otherwise in the same order."""
    numbers = np.empty(len(splits), np.int32)
    numbers[np.argsort(splits != "train", kind="stable")] = np.arange(len(splits))
    return numbers


@contextmanager
def _naming_all_errors(paths: Sequence[Path]) -> Iterator[None]:
    """Context that replaces a DataError about one file by one about every file that cannot be decoded."""
    try:
        yield
    except DataError as error:
        raise one_error(all_errors(paths).values()) or error from error


def _without_bad(found: LabelledFiles) -> LabelledFiles:
    """Returns the files that can be decoded, and logs the others; raises DataError if too few remain."""
    paths = found.paths
    bad = all_errors(paths)
    if not bad:
        return found
    logging.warning("Left out %d of %d files. %s", len(bad), len(paths), listed(list(bad.values())))
    good = found.select(np.setdiff1d(np.arange(len(paths)), list(bad)))
    if len(good.identities) < 2:
        raise DataError(
            f"{found.folder}: {len(good.names)} of {len(paths)} files can be read as images, of {len(good.identities)}"
            " identities; expected at least two. Replace the files that cannot be read."
        )
    return good


def _are_grey(paths: Sequence[Path], modes: Sequence[str]) -> bool:
    """Returns whether all files are grey; logs a colour file if these are the fewer."""
    colour = [path for path, mode in zip(paths, modes, strict=True) if not is_grey(mode)]
    if 0 < len(colour) < len(paths) / 2:
        logging.warning(
            "%s: images are read as RGB, since %d of %d files have colour, such as this. Set --grayscale to read all in"
            " grey.",
            colour[0],
            len(colour),
            len(paths),
        )
    return not colour


def _warn_of_unscaled_sixteen_bits(paths: Sequence[Path], modes: Sequence[str]) -> None:
    """Logs a warning if all 16-bit files use the range of 14 bits or fewer, as 10- and 12-bit cameras write them."""
    deep = [path for path, mode in zip(paths, modes, strict=True) if is_sixteen_bit(mode)]
    highest = 0
    for path in deep:
        highest = max(highest, highest_value(path))
        if highest > _HIGHEST_OF_14_BITS:
            return
    if highest:
        logging.warning(
            "%s: this and %d other 16-bit files have no value above %d of 65535, so the images are dark. Scale the"
            " files to the range of 16 bits if they come from a camera of fewer bits.",
            deep[0],
            len(deep) - 1,
            highest,
        )


def _images(all_paths: Sequence[Path], rows: np.ndarray, grey: bool, config: DataConfig) -> Images:
    size = config.image_size or 64
    paths = [all_paths[row] for row in rows]

    def decoded() -> Iterator[np.ndarray]:
        with _naming_all_errors(all_paths):
            for path in paths:
                yield decode(path, size, grey, config.fit)

    return store(decoded(), len(paths), (size, size, 1 if grey else 3), config, _version(paths, config.fit))


def _version(paths: list[Path], fit: str) -> str:
    """Returns a name for the cache, which differs as soon as any of these files changes."""
    digest = hashlib.sha256(b"" if fit == "crop" else fit.encode())  # files of earlier versions are crops
    for path in paths:
        status = path.stat()
        digest.update(os.fsencode(path.absolute()) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return f"image_folder_{digest.hexdigest()[:16]}"
