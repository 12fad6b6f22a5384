"""Image files decoded as in training, and encoded in batches."""

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dfv.apply.image_files import ImageFiles
from dfv.data.dataset import DataError
from dfv.data.sources.image_folder.decoding import decode, listed, one_error
from dfv.model.codec import Codec
from dfv.program import has_terminal

LOGGER = logging.getLogger("dfv.apply")
_BATCH_IMAGES, _BATCH_PIXELS = 256, 2**20


@dataclass(frozen=True)
class EncodedFiles:
    """Image files with their codes: s [N, s_dim], z_mean and z_log_var [N, z_dim], all float32."""

    files: ImageFiles
    s: np.ndarray
    z_mean: np.ndarray
    z_log_var: np.ndarray

    def with_one_s_per_folder(self) -> "EncodedFiles":
        """Returns the same with the mean s of each identity, which is a folder; see `ImageFiles.identities`."""
        _, numbers = self.files.identities()
        sums = np.zeros((numbers.max() + 1, self.s.shape[1]))
        np.add.at(sums, numbers, self.s)
        means = sums / np.bincount(numbers)[:, None]
        return replace(self, s=means.astype(np.float32)[numbers])


def encode_files(model: Codec, files: ImageFiles, skip_bad_images: bool) -> EncodedFiles:
    """Encodes files, of which no more than a batch are in memory.

    Raises DataError, which lists all files that cannot be read; skip_bad_images: leaves them out and logs the list.
    """
    kept, errors = list[str](), list[str]()

    def decoded() -> Iterator[np.ndarray]:
        with progress(len(files.names), "Encoding") as bar:
            for name in files.names:
                bar.update()
                try:
                    image = decode_file(model, files.folder / name)
                except DataError as error:
                    errors.append(str(error))
                    continue
                kept.append(name)
                yield image

    images, parts = decoded(), []
    while batch := list(itertools.islice(images, batch_size(model))):
        parts.append(model.encode(np.stack(batch)))
    if error := one_error(errors):
        if not skip_bad_images:
            raise error
        if not kept:
            raise DataError(listed(errors))
        LOGGER.warning("Left out: %s", listed(errors))
    s, mean, log_var = (np.concatenate(codes) for codes in zip(*((part.s, *part.z) for part in parts), strict=True))
    return EncodedFiles(ImageFiles(files.folder, kept), s, mean, log_var)


def decode_file(model: Codec, path: Path) -> np.ndarray:
    """Returns an image file as the model takes it, [H, W, C] uint8; raises DataError."""
    height, width, channels = model.image_shape
    return decode(path, (height, width), channels == 1, model.config.data.fit_in_training)


def batch_size(model: Codec) -> int:
    """The number of images of the model's size to hold in memory."""
    height, width, _ = model.image_shape
    return max(1, min(_BATCH_IMAGES, _BATCH_PIXELS // (height * width)))


def progress(total: int, what: str) -> tqdm:
    """A progress bar, which is shown if standard error is a terminal."""
    return tqdm(total=total, desc=what, unit="image", disable=not has_terminal())
