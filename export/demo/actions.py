"""What the page's controls compute: from image files to pictures."""

import numpy as np

from dfv.model.image_grids import arrange_swaps, enlarged
from export import ExportError
from export.demo.model_process import ModelProcess

NUM_SAMPLES, MAX_ON_GRID, LARGEST_SEED = 8, 12, 2**31 - 1
PICTURE_SIDE = 256  # pixels


def swapped(model: ModelProcess, image_s: str, more_s: list[str] | None, image_z: str) -> np.ndarray:
    """Returns the image with the s of one file, or the mean s of it and more, and the z of another."""
    s, z = model.encode([image_z, image_s, *(more_s or [])])
    return enlarged(model.decode(s[1:].mean(0, keepdims=True), z[:1])[0], PICTURE_SIDE)


def interpolated(
    model: ModelProcess, image_a: str, more_a: list[str] | None, image_b: str, weight_s: float, weight_z: float
) -> np.ndarray:
    """Returns the image of s and z between those of one file (weight 0) and of another (weight 1).

    more_a: files whose s is averaged with that of the first one.
    """
    (s_b, *s), (z_b, z_a, *_) = model.encode([image_b, image_a, *(more_a or [])])
    s_a = np.mean(s, axis=0)
    s, z = s_a + weight_s * (s_b - s_a), z_a + weight_z * (z_b - z_a)
    return enlarged(model.decode(s[None], z[None])[0], PICTURE_SIDE)


def sampled(model: ModelProcess, image_s: str, more_s: list[str] | None, seed: float) -> list[np.ndarray]:
    """Returns NUM_SAMPLES images with the s of a file, or the mean s of it and more, and z of consecutive seeds."""
    if not 0 <= seed <= LARGEST_SEED:
        raise ExportError(f"The seed must be from 0 to {LARGEST_SEED}.")
    samples = model.sample([image_s, *(more_s or [])], int(seed) + np.arange(NUM_SAMPLES))
    return [enlarged(image, PICTURE_SIDE) for image in samples]


def swap_grid(model: ModelProcess, files: list[str]) -> np.ndarray:
    """Returns all swaps between the files, with their reconstructions as top row and left column."""
    if len(files) > MAX_ON_GRID:
        raise ExportError(f"The grid takes at most {MAX_ON_GRID} images; {len(files)} are given.")
    s, z = model.encode(files)
    swaps = model.decode(np.tile(s, (len(files), 1)), z.repeat(len(files), axis=0))
    return arrange_swaps(swaps[:: len(files) + 1], swaps)  # each file's own swap is its reconstruction
