"""Images seen through other images: rows left out, two sets as one, colour as grey. Nothing is read until asked for."""

from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import Images

# Rec. 601, as Pillow and television weigh them.
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_CHUNK = 1024


def grey(images: np.ndarray) -> np.ndarray:
    """[N, H, W, 3] uint8 as its luminance, [N, H, W, 1] uint8."""
    return np.rint(images.astype(np.float32) @ _LUMINANCE).astype(np.uint8)[..., None]


@dataclass(frozen=True)
class Rows:
    """The images of these rows [N] of others, in their order."""

    images: Images
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.images.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self.images[self.rows[rows]]


@dataclass(frozen=True)
class _Joined:
    first: Images
    second: Images

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.first.shape[1:])

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        rows = np.arange(len(self))[rows]
        in_first = rows < len(self.first)
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        images[in_first] = self.first[rows[in_first]]
        images[~in_first] = self.second[rows[~in_first] - len(self.first)]
        return images


@dataclass(frozen=True)
class _Grey:
    images: Images

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.images.shape[:-1], 1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return grey(self.images[rows])


def select(images: Images, rows: np.ndarray) -> Images:
    """The images of these rows, in their order: an array of an array, otherwise a view."""
    if isinstance(images, np.ndarray):
        return images[rows]
    return Rows(images, rows)


def join(first: Images, second: Images) -> Images:
    """The images of the first, then those of the second: an array of two arrays, otherwise a view."""
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.concatenate([first, second])
    return _Joined(first, second)


def as_grey(images: Images) -> Images:
    """The images in grey, [N, H, W, 1]: an array of an array, otherwise a view. Grey images stay as they are."""
    if images.shape[-1] == 1:
        return images
    if not isinstance(images, np.ndarray):
        return _Grey(images)
    result = np.empty((*images.shape[:-1], 1), np.uint8)
    for start in range(0, len(images), _CHUNK):  # in floating point a whole set would take four times its memory
        result[start : start + _CHUNK] = grey(images[start : start + _CHUNK])
    return result
