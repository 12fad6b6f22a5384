"""Operations on images in memory: resizing, conversion to grey, PNG encoding."""

import io
from functools import lru_cache

import numpy as np

LUMINANCE = (0.299, 0.587, 0.114)  # weights of red, green and blue (ITU-R BT.601), the same as Pillow's


@lru_cache(maxsize=32)
def resize_weights(size: int, new_size: int) -> np.ndarray:
    """[new_size, size] float32, whose rows sum to 1: the weight of each old pixel of an axis in each new pixel.

    Shrinking averages over the area that a new pixel covers (antialiased); enlarging interpolates linearly between
    pixel centres.
    """
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
    """Resizes images [N, H, W, C] uint8 to [N, height, width, C] uint8; the aspect ratio may change.

    See resize_weights. Images that already have this size are returned unchanged, without a copy.
    """
    num_images, old_height, old_width, channels = images.shape
    if (old_height, old_width) == (height, width):
        return images
    lines = images.reshape(num_images, old_height, old_width * channels).astype(np.float32)
    lines = resize_weights(old_height, height) @ lines
    resized = resize_weights(old_width, width) @ lines.reshape(num_images, height, old_width, channels)
    return np.clip(np.rint(resized), 0, 255).astype(np.uint8)


def to_grey(images: np.ndarray) -> np.ndarray:
    """Returns the luminance [..., 1] uint8 of RGB images [..., 3] uint8."""
    return np.rint(images.astype(np.float32) @ np.array(LUMINANCE, np.float32)).astype(np.uint8)[..., None]


def encode_png(image: np.ndarray) -> bytes:
    """Returns an image [H, W, C] uint8, C = 1 or 3, as the bytes of a PNG file."""
    from PIL import Image  # not at the top: most callers do not need Pillow, and importing it is slow

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG", optimize=True)
    return file.getvalue()
