"""Images stored in memory if they fit, otherwise in fixed-size records on disk.

The records are one .npy file of {"image": uint8 [H, W, C], "crc32": uint32}, which np.load reads too. The process
keeps no records in memory; repeated reads are served by the operating system's file cache.
"""

import fcntl
import hashlib
import math
import os
import re
import weakref
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from dfv.config.paths import expand_home
from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError
from dfv.data.lazy_images import Images, LazyImages

_HEADER_BYTES = 256
_CRC_BYTES = 4
_CHUNK_BYTES = 2**20

Shape = tuple[int, int, int]


def store(images: Iterable[np.ndarray], num_images: int, image_shape: Shape, config: DataConfig, name: str) -> Images:
    """Stores images [H, W, C] uint8 from an iterable and returns them as [N, H, W, C], in the same order.

    In memory up to config.memory_limit_mb, otherwise in a file in config.cache_dir, which is written once: later calls
    with the same name, number and shape read the file and do not consume the iterable. If images may
    change, the name must therefore include everything that they depend on.

    Raises DataError if the images do not have the given number or shape, or the file cannot be written or is damaged.
    """
    num_bytes = num_images * math.prod(image_shape)
    images = _checked(images, num_images, image_shape, name)
    if num_bytes <= config.memory_limit_mb * 2**20:
        in_memory = np.empty((num_images, *image_shape), np.uint8)
        for row, image in enumerate(images):
            in_memory[row] = image
        return in_memory
    path = _path(config, num_images, image_shape, name)
    if not os.path.exists(path):  # Path.exists raises for a name that is too long
        _write(path, _header(num_images, image_shape), images, num_bytes)
    return RecordImages(path, num_images, image_shape)


class RecordImages(LazyImages):
    """Images [N, H, W, C] uint8 in a file written by `store`; each is checked against its CRC-32 when it is read.

    Safe to use from several threads; unpickling opens the file again. Raises DataError, which names the file and the
    record, if the file is damaged.
    """

    def __init__(self, path: Path, num_images: int, image_shape: Shape) -> None:
        self.path = path
        self.shape = (num_images, *image_shape)
        self._record_bytes = math.prod(image_shape) + _CRC_BYTES
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. Set --cache_dir to another folder.") from error
        weakref.finalize(self, os.close, self._file)
        expected, num_bytes = _HEADER_BYTES + num_images * self._record_bytes, os.fstat(self._file).st_size
        if num_bytes != expected:
            raise self._damaged(f"has {num_bytes} bytes instead of {expected}")
        if os.pread(self._file, _HEADER_BYTES, 0) != _header(num_images, image_shape):
            raise self._damaged(f"does not begin as a file of {num_images} images of {image_shape}")

    def __reduce__(self) -> tuple[Any, ...]:
        return RecordImages, (self.path, self.shape[0], self.shape[1:])

    def _read(self, rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            self._read_record(row, image.data)
        return images

    def _read_record(self, row: int, image: memoryview) -> None:
        crc = bytearray(_CRC_BYTES)
        try:
            num_bytes = os.preadv(self._file, [image, crc], _HEADER_BYTES + row * self._record_bytes)
        except OSError as error:
            raise self._damaged(f"cannot be read at record {row}: {error.strerror}") from error
        if num_bytes < self._record_bytes:
            raise self._damaged(f"ends within record {row} of {len(self)}")
        if _crc(image) != crc:
            raise self._damaged(f"is corrupted at record {row}, whose CRC-32 does not match")

    def _damaged(self, what: str) -> DataError:
        return DataError(f"{self.path} {what}. Delete the file; it will be recreated.")


def _checked(images: Iterable[np.ndarray], num_images: int, image_shape: Shape, name: str) -> Iterator[np.ndarray]:
    number = 0
    for number, image in enumerate(images, start=1):
        if number > num_images:
            raise DataError(f"{name}: expected {num_images} images, got more. Check how they were counted.")
        if image.shape != image_shape or image.dtype != np.uint8:
            raise DataError(
                f"{name}: expected images of {image_shape} of uint8; image {number - 1} is {image.shape} of"
                f" {image.dtype}. Resize or convert it."
            )
        yield image
    if number < num_images:
        raise DataError(f"{name}: expected {num_images} images, got {number}. Check how they were counted.")


def _path(config: DataConfig, num_images: int, image_shape: Shape, name: str) -> Path:
    """The path of the cache file, directly in the cache folder; different names give different paths."""
    folder = expand_home("cache_dir", config.cache_dir or "~/.cache/dfv")
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:80]
    digest = hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:16]
    return folder / f"{readable}-{digest}-{'x'.join(map(str, (num_images, *image_shape)))}.npy"


def _header(num_images: int, image_shape: Shape) -> bytes:
    """The header of a .npy file, version 1.0, of a fixed length: all NumPy versions give the same bytes."""
    record = [("image", "|u1", tuple(map(int, image_shape))), ("crc32", "<u4")]
    text = repr({"descr": record, "fortran_order": False, "shape": (int(num_images),)})
    length = _HEADER_BYTES - 10
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"


def _crc(image: bytes | memoryview) -> bytes:
    return zlib.crc32(image).to_bytes(_CRC_BYTES, "little")


def _write(path: Path, header: bytes, images: Iterator[np.ndarray], num_bytes: int) -> None:
    """Writes a temporary file and renames it, so that an existing file is complete; one process writes, others wait."""
    temporary = path.with_suffix(".part")
    with _explained(path, num_bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("ab", buffering=0)
    with file:
        with _explained(path, num_bytes):
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists():
                return
            file.truncate(0)
        try:
            for chunk in _chunks(header, images):
                with _explained(path, num_bytes):
                    _write_all(file, chunk)
            with _explained(path, num_bytes):
                os.fsync(file.fileno())
                temporary.replace(path)
        except BaseException:
            file.truncate(0)  # frees the space; not removed, since another process may wait for the lock on it
            raise


def _chunks(header: bytes, images: Iterator[np.ndarray]) -> Iterator[bytearray]:
    chunk = bytearray(header)
    for image in images:
        pixels = image.tobytes()
        chunk += pixels + _crc(pixels)
        if len(chunk) >= _CHUNK_BYTES:
            yield chunk
            chunk = bytearray()
    yield chunk


def _write_all(file: FileIO, data: bytearray) -> None:
    """Unbuffered: with a buffer, a write that fails on a full disk would fail a second time when the file is closed."""
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[file.write(remaining) :]


@contextmanager
def _explained(path: Path, num_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        needed = math.ceil(num_bytes / 2**20)
        raise DataError(
            f"cannot write {needed} MiB of images to {path}: {error.strerror}. Free some space there, set"
            f" --cache_dir to another folder, or keep them in memory with --memory_limit_mb={needed}."
        ) from error
