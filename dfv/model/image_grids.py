"""Grids of images: swaps and reconstructions, as arrays and PNG files."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dfv.data.dataset import ImageSet
from dfv.data.image_operations import encode_png

if TYPE_CHECKING:  # so that programs without a Codec can arrange images
    from dfv.model.codec import Codec

SEPARATOR = 2
SMALLEST_SIDE = 64
GRID_IMAGES, STRIP_IMAGES = 8, 12


def grid(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of images, each [N, H, W, C] uint8, as one image [h, w, 3] with white lines between them.

    Small images are enlarged by a whole factor, so that pixels keep sharp edges.
    """
    factor = -(-SMALLEST_SIDE // max(rows[0].shape[1:3]))
    cells = np.stack(rows).repeat(factor, axis=2).repeat(factor, axis=3)
    cells = np.broadcast_to(cells, (*cells.shape[:-1], 3))
    edges = [(0, 0), (0, 0), (0, SEPARATOR), (0, SEPARATOR), (0, 0)]
    padded = np.pad(cells, edges, constant_values=255)
    num_rows, num_columns, height, width, _ = padded.shape
    whole = padded.transpose(0, 2, 1, 3, 4).reshape(num_rows * height, num_columns * width, 3)
    return whole[:-SEPARATOR, :-SEPARATOR]


def enlarged(image: np.ndarray, side: int) -> np.ndarray:
    """Returns an image [h, w, C] uint8 as [h', w', 3], enlarged by an integer factor up to `side` pixels."""
    factor = max(1, side // max(image.shape[:2]))
    return np.broadcast_to(image.repeat(factor, 0).repeat(factor, 1), (*(factor * n for n in image.shape[:2]), 3))


def swap_grid(model: "Codec", images: np.ndarray) -> np.ndarray:
    """Figure 2a of images [N, H, W, C] uint8, which provide s along the top and z at the left."""
    number = len(images)
    swaps = model.swap(np.tile(images, (number, 1, 1, 1)), images.repeat(number, axis=0))
    return arrange_swaps(images, swaps)


def arrange_swaps(images: np.ndarray, swaps: np.ndarray) -> np.ndarray:
    """The layout of figure 2a, one image [h, w, 3] uint8.

    images: [N, H, W, C] uint8, the top row and the left column. swaps: [N * N, H, W, C] uint8; row i * N + j has the s
    of image j and the z of image i, so that reconstructions are on the diagonal.
    """
    number = len(images)
    rows = swaps.reshape(number, number, *images.shape[1:])
    corner = np.full_like(images[:1], 255)
    left = (np.concatenate([images[i : i + 1], rows[i]]) for i in range(number))
    return grid([np.concatenate([corner, images]), *left])


def reconstruction_strip(model: "Codec", images: np.ndarray) -> np.ndarray:
    """The images [N, H, W, C] uint8 above their reconstructions."""
    return grid([images, model.reconstruct(images)])


def one_of_each(images: ImageSet, number: int, seed: int) -> np.ndarray:
    """Up to `number` images [N, H, W, C] uint8, of different identities if there are enough."""
    order = np.random.default_rng(seed).permutation(len(images))
    _, first = np.unique(images.identity[order], return_index=True)
    rest = np.setdiff1d(np.arange(len(order)), first)
    chosen = np.concatenate([np.sort(first), rest])[:number]
    return images.images[order[chosen]]


def save_pictures(model: "Codec", images: ImageSet, folder: Path) -> None:
    """Writes swap_grid.png and reconstructions.png, each of a few of the images."""
    swapped, strip = one_of_each(images, GRID_IMAGES, seed=0), one_of_each(images, STRIP_IMAGES, seed=1)
    save_png(folder / "swap_grid.png", swap_grid(model, swapped))
    save_png(folder / "reconstructions.png", reconstruction_strip(model, strip))


def save_png(path: Path, image: np.ndarray) -> None:
    """Writes [h, w, 3] uint8."""
    path.write_bytes(encode_png(image))
