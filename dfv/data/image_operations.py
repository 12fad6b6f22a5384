"""Operations on images in memory: resizing, fitting to an aspect ratio, conversion to grey, PNG encoding."""

import io
from functools import lru_cache

import numpy as np

Box = tuple[int, int, int, int]  # left, top, right, bottom
LUMINANCE = (0.299, 0.587, 0.114)  # weights of red, green and blue (ITU-R BT.601), the same as Pillow's


@lru_cache(maxsize=32)
def resize_weights(size: int, new_size: int, start: int = 0, stop: int | None = None) -> np.ndarray:
    """[new_size, size] float32, whose rows sum to 1: the weight of each old pixel of an axis in each new pixel.

    Shrinking averages over the area that a new pixel covers (antialiased); enlarging interpolates linearly between
    pixel centres. start, stop: the old pixels that the new ones cover, all by default.
    """
    scale = ((size if stop is None else stop) - start) / new_size
    if scale >= 1:
        edges = start + np.arange(new_size + 1) * scale
        old = np.arange(size)
        overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
        weights = np.maximum(overlap, 0)
    else:
        centres = np.clip(start + (np.arange(new_size) + 0.5) * scale - 0.5, 0, size - 1)
        weights = np.maximum(1 - np.abs(centres[:, None] - np.arange(size)), 0)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def resize(images: np.ndarray, height: int, width: int, box: Box | None = None) -> np.ndarray:
    """Resizes a box, or all, of images [N, H, W, C] uint8 to [N, height, width, C] uint8.

    The aspect ratio may change. See resize_weights. Pixels of this size already are returned without a copy.
    """
    num_images, old_height, old_width, channels = images.shape
    left, top, right, bottom = box or (0, 0, old_width, old_height)
    if (bottom - top, right - left) == (height, width):
        return images[:, top:bottom, left:right]
    lines = images.reshape(num_images, old_height, old_width * channels).astype(np.float32)
    lines = resize_weights(old_height, height, top, bottom) @ lines
    weights = resize_weights(old_width, width, left, right)
    resized = weights @ lines.reshape(num_images, height, old_width, channels)
    return np.clip(np.rint(resized), 0, 255).astype(np.uint8)


def fit_boxes(old: tuple[int, int], new: tuple[int, int], fit: str) -> tuple[Box, Box]:
    """Returns the box of an image (height, width) that is shown, and the box of the new image that shows it.

    fit: see DataConfig.fit. Both boxes are in the middle.
    """
    shown = _largest_inside(new, old) if fit == "crop" else old
    filled = _largest_inside(old, new) if fit == "pad" else new
    return _in_the_middle(shown, old), _in_the_middle(filled, new)


def _largest_inside(shape: tuple[int, int], limit: tuple[int, int]) -> tuple[int, int]:
    """Returns the largest (height, width) within the limit that has the aspect ratio of a shape."""
    height, width = ((2 * limit[1 - axis] * shape[axis] + shape[1 - axis]) // (2 * shape[1 - axis]) for axis in (0, 1))
    return max(1, min(limit[0], height)), max(1, min(limit[1], width))


def _in_the_middle(shape: tuple[int, int], whole: tuple[int, int]) -> Box:
    top, left = ((outer - inner) // 2 for outer, inner in zip(whole, shape, strict=True))
    return left, top, left + shape[1], top + shape[0]


def on_white(images: np.ndarray, box: Box, height: int, width: int) -> np.ndarray:
    """Returns images [N, h, w, C] uint8 in this box of white images [N, height, width, C]."""
    if images.shape[1:3] == (height, width):
        return images
    left, top, right, bottom = box
    whole = np.full((len(images), height, width, images.shape[-1]), 255, np.uint8)
    whole[:, top:bottom, left:right] = images
    return whole


def fit_images(images: np.ndarray, height: int, width: int, fit: str) -> np.ndarray:
    """Returns images [N, H, W, C] uint8 as [N, height, width, C]. fit: see DataConfig.fit."""
    shown, filled = fit_boxes(images.shape[1:3], (height, width), fit)
    resized = resize(images, filled[3] - filled[1], filled[2] - filled[0], shown)
    return on_white(resized, filled, height, width)


def to_grey(images: np.ndarray) -> np.ndarray:
    """Returns the luminance [..., 1] uint8 of RGB images [..., 3] uint8."""
    return np.rint(images.astype(np.float32) @ np.array(LUMINANCE, np.float32)).astype(np.uint8)[..., None]


def encode_png(image: np.ndarray) -> bytes:
    """Returns an image [H, W, C] uint8, C = 1 or 3, as the bytes of a PNG file."""
    from PIL import Image  # not at the top: most callers do not need Pillow, and importing it is slow

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG", optimize=True)
    return file.getvalue()
