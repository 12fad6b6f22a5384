"""Operations on images in memory: resizing, grey, PNG."""

import io
from functools import lru_cache

import numpy as np

LUMINANCE = (0.299, 0.587, 0.114)  # weights of red, green and blue (ITU-R BT.601), as Pillow weighs them


@lru_cache(maxsize=32)
def resize_weights(size: int, new_size: int) -> np.ndarray:
    """[new_size, size] float32, rows that sum to 1: how much each old pixel of an axis counts in each new one.

    An axis that shrinks takes the mean over the area that a new pixel covers (antialiased); one that grows is
    interpolated linearly between the pixels' centres.
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
    """The images [N, H, W, C] uint8 at [N, height, width, C] uint8; each axis on its own, so the aspect may change.

    See resize_weights. Images of that size already are returned as they are.
    """
    num_images, old_height, old_width, channels = images.shape
    if (old_height, old_width) == (height, width):
        return images
    lines = images.reshape(num_images, old_height, old_width * channels).astype(np.float32)
    lines = resize_weights(old_height, height) @ lines
    resized = resize_weights(old_width, width) @ lines.reshape(num_images, height, old_width, channels)
    return np.clip(np.rint(resized), 0, 255).astype(np.uint8)


def to_grey(images: np.ndarray) -> np.ndarray:
    """The luminance [..., 1] uint8 of images [..., 3] uint8."""
    return np.rint(images.astype(np.float32) @ np.array(LUMINANCE, np.float32)).astype(np.uint8)[..., None]


def encode_png(image: np.ndarray) -> bytes:
    """The PNG file of an image [H, W, C] uint8, C = 1 or 3."""
    from PIL import Image  # here: reading sets needs no Pillow, and it takes a while to import

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG", optimize=True)
    return file.getvalue()
