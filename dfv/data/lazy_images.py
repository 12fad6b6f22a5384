"""Images that are read when indexed: selected rows, concatenation, conversion to grey.

Images [N, H, W, C] uint8, in memory or on disk, are indexed by an array of rows or by a slice, which gives an array.
"""

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np

from dfv.data.image_operations import to_grey

RowIndex = np.ndarray | slice

_CHUNK = 1024


class Images(Protocol):
    """Images [N, H, W, C] uint8 in memory (np.ndarray) or read when they are indexed (LazyImages)."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: RowIndex) -> np.ndarray: ...


def row_numbers(rows: RowIndex, num_rows: int) -> np.ndarray:
    """Returns rows, an array of integers from 0 to num_rows - 1 or a slice, as an array of integers [n].

    Raises TypeError for anything else, such as a mask, and IndexError for rows out of range.
    """
    if isinstance(rows, slice):
        return np.arange(*rows.indices(num_rows))
    rows = np.asarray(rows)
    if not rows.size and rows.ndim == 1:
        return np.zeros(0, np.intp)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        hint = " Pass np.flatnonzero(mask) instead of a mask." if rows.dtype == bool else ""
        raise TypeError(f"rows: expected a slice or [n] integers, got {rows.shape} of {rows.dtype}.{hint}")
    if not 0 <= rows.min() <= rows.max() < num_rows:
        raise IndexError(f"rows: expected numbers from 0 to {num_rows - 1}, got {rows.min()} to {rows.max()}.")
    return rows


class LazyImages(ABC):
    """Images [N, H, W, C] uint8 that are read when indexed, by rows [n] or a slice; np.asarray reads all."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: RowIndex) -> np.ndarray:
        """Returns the images [n, H, W, C] of these rows, in the order of the rows; see row_numbers."""
        return self._read(row_numbers(rows, len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    @abstractmethod
    def _read(self, rows: np.ndarray) -> np.ndarray:
        """Returns the images of rows [n], which are valid."""


class SelectedImages(LazyImages):
    """Selected rows [N] of other images, in the order of the rows."""

    def __init__(self, images: Images, rows: np.ndarray) -> None:
        self.shape = (len(rows), *images.shape[1:])
        self._images, self._rows = images, rows

    def select(self, rows: np.ndarray) -> "SelectedImages":
        """Returns a selection from this selection, without a second level of indirection."""
        return SelectedImages(self._images, self._rows[rows])

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return self._images[self._rows[rows]]


class JoinedImages(LazyImages):
    """The concatenation of two sets of images."""

    def __init__(self, first: Images, second: Images) -> None:
        self.shape = (len(first) + len(second), *first.shape[1:])
        self._first, self._second = first, second

    def _read(self, rows: np.ndarray) -> np.ndarray:
        in_first = rows < len(self._first)
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        images[in_first] = self._first[rows[in_first]]
        images[~in_first] = self._second[rows[~in_first] - len(self._first)]
        return images


class GreyImages(LazyImages):
    """Colour images as their luminance, [N, H, W, 1]."""

    def __init__(self, images: Images) -> None:
        self.shape = (*images.shape[:-1], 1)
        self._images = images

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return to_grey(self._images[rows])


def select_images(images: Images, rows: RowIndex) -> SelectedImages:
    """Returns the images of these rows, in the order of the rows; reads and copies nothing."""
    rows = row_numbers(rows, len(images))
    return images.select(rows) if isinstance(images, SelectedImages) else SelectedImages(images, rows)


def join_images(first: Images, second: Images) -> Images:
    """Concatenates two sets of images: arrays into an array, others lazily."""
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.concatenate([first, second])
    return JoinedImages(first, second)


def grey_images(images: Images) -> Images:
    """Converts images to grey, [N, H, W, 1]: an array at once, others lazily. Grey images are returned unchanged."""
    if images.shape[-1] == 1:
        return images
    if not isinstance(images, np.ndarray):
        return GreyImages(images)
    result = np.empty((*images.shape[:-1], 1), np.uint8)
    for start in range(0, len(images), _CHUNK):  # in chunks, since float32 takes four times the memory
        result[start : start + _CHUNK] = to_grey(images[start : start + _CHUNK])
    return result
