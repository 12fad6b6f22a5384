"""Images kept in memory if they fit, in fixed-size records on disk otherwise.

The records are one NumPy .npy file of a structured dtype, {"image": uint8 [H, W, C], "crc32": uint32}, that np.load
reads too. Nothing of it is held in memory: the operating system's cache, which is bounded, does that.
"""

import errno
import fcntl
import hashlib
import io
import math
import os
import re
import weakref
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dfv.config import DataConfig
from dfv.data.image_set import DataError, Images

_CRC = "<u4"


def store(
    images: Iterable[np.ndarray], num_images: int, image_shape: tuple[int, int, int], config: DataConfig, name: str
) -> Images:
    """The images [N, H, W, C] uint8, in order, from an iterable of single images [H, W, C].

    In memory up to config.memory_limit_mb, otherwise in a file of config.cache_dir, which is written once: later calls
    of the same `name`, number and shape read it and leave the iterable alone. So a caller whose images may change
    makes what they depend on part of the name.

    Raises DataError if an image or their number is not as announced, or if the file cannot be written or is damaged.
    """
    num_bytes = num_images * math.prod(image_shape)
    images = _checked(images, num_images, image_shape, name)
    if num_bytes <= config.memory_limit_mb * 2**20:
        in_memory = np.empty((num_images, *image_shape), np.uint8)
        for row, image in enumerate(images):
            in_memory[row] = image
        return in_memory
    path = _path(config, num_images, image_shape, name)
    if not path.exists():
        _write(path, images, num_images, image_shape)
    return RecordImages(path, num_images, image_shape)


class RecordImages:
    """Images [N, H, W, C] uint8 in a file written by `store`, read by rows, each checked against its CRC-32.

    Threads may share one, and it can be pickled: the copy opens the file anew. Raises DataError, which names the file
    and the record, if the file is not what was written.
    """

    def __init__(self, path: Path, num_images: int, image_shape: tuple[int, int, int]) -> None:
        self.path = path
        self.shape = (num_images, *image_shape)
        self._record = _record(image_shape)
        try:
            records = np.load(path, mmap_mode="r")  # reads the header, and compares the file's size with it
        except (OSError, EOFError, ValueError) as error:
            raise self._damaged("it", f"cannot be read: {error}") from error
        if records.dtype != self._record or records.shape != (num_images,):
            raise self._damaged("it", f"holds {records.shape} of {records.dtype} instead of {self.shape}")
        self._first = records.offset
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __reduce__(self) -> tuple:
        return RecordImages, (self.path, self.shape[0], self.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """The images [n, H, W, C] of rows [n], integers from 0 to N - 1, or of a slice."""
        rows = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise TypeError(f"expected rows [n] of integers; got {rows.shape} of {rows.dtype}.")
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows from {rows.min()} to {rows.max()} of {len(self)} images.")
        records = np.empty(len(rows), self._record)
        in_bytes, size = memoryview(records).cast("B") if len(rows) else memoryview(b""), self._record.itemsize
        crcs = records["crc32"].tolist
        for place, row in enumerate(rows.tolist()):
            self._read(row, in_bytes[place * size : (place + 1) * size])
        del crcs
        return np.ascontiguousarray(records["image"])
