"""Images resized: by area when they shrink, by linear interpolation when they grow."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=32)
def _weights(size: int, new_size: int) -> np.ndarray:
    """[new_size, size] float32, rows that sum to 1: how much each old pixel counts in each new one."""
    scale = size / new_size
    if scale >= 1:
        edges = np.arange(new_size + 1) * scale
        old = np.arange(size)
        overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
        weights = np.maximum(overlap, 0)
    else:
        centres = np.clip((np.arange(new_size) + 0.5) * scale - 0.5, 0, size - 1)
        weights = np.maximum(1 - np.abs(centres[:, None] - np.arange(size)), 0)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """The images [N, H, W, C] uint8 at [N, height, width, C] uint8; each axis on its own, so the aspect may change.

    A new pixel of a shrunken axis is the mean over the area that it covers (antialiased).
    """
    num_images, old_height, old_width, channels = images.shape
    if (old_height, old_width) == (height, width):
        return images
    lines = images.reshape(num_images, old_height, old_width * channels).astype(np.float32)
    lines = _weights(old_height, height) @ lines
    resized = _weights(old_width, width) @ lines.reshape(num_images, height, old_width, channels)
    return np.clip(np.rint(resized), 0, 255).astype(np.uint8)
