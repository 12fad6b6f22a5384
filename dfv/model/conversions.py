"""Checks and conversions of what a codec takes and returns."""

from typing import Any

import numpy as np
import tensorflow as tf

from dfv.data.dataset import as_array


def is_grouped(images_s: Any) -> bool:
    """Returns whether there are several images of each identity."""
    if isinstance(images_s, list | tuple) and images_s:
        return np.ndim(images_s[0]) == 4
    return np.ndim(images_s) == 5


def row_seeds(seed: int | np.ndarray, num_rows: int) -> np.ndarray:
    """Returns a seed for each row [N] int64: those given, or consecutive ones from the one given."""
    seeds = as_array("seed", seed)
    if seeds.dtype.kind not in "iu" or seeds.ndim > 1:
        raise ValueError(f"seed: expected an integer, or one for each row; received {seed!r}.")
    seeds = seeds.astype(np.int64)
    return seeds + np.arange(num_rows) if seeds.ndim == 0 else seeds


def check_shapes(image_shape: Any, label_sizes: Any) -> None:
    """Raises ValueError for other shapes than a model's."""
    is_list = [
        isinstance(sizes, (tuple, list)) and all(size > 0 for size in sizes) for sizes in (image_shape, label_sizes)
    ]
    if not (all(is_list) and label_sizes and len(image_shape) == 3 and image_shape[2] in (1, 3)):
        raise ValueError(
            "expected image_shape (H, W, C), C 1 or 3, as of an ImageSet, and label_sizes (number of identities, ...);"
            f" received {image_shape!r} and {label_sizes!r}."
        )


def to_float(images: tf.Tensor) -> tf.Tensor:
    """uint8 pixels 0 to 255 as float32 in [-1, 1]."""
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def to_uint8(images: tf.Tensor) -> tf.Tensor:
    """float32 in [-1, 1] as uint8 pixels, rounded."""
    return tf.cast(tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def float_images(images: Any, image_shape: tuple[int, int, int]) -> tf.Tensor:
    """Images [B, H, W, C], uint8 or floats from -1 to 1, as floats; raises ValueError for anything else."""
    shape = ", ".join(map(str, image_shape))
    expected = f"expected images [B, {shape}], uint8 from 0 to 255 or float32 from -1 to 1"
    if isinstance(images, dict):
        raise ValueError(f"{expected}; received a dict of {', '.join(images)}.")
    images = tf.convert_to_tensor(images)
    is_known = images.dtype == tf.uint8 or images.dtype.is_floating
    if not is_known or not images.shape.is_compatible_with((None, *image_shape)):
        received = images.shape if images.shape.rank is None else images.shape.as_list()
        raise ValueError(f"{expected}; received {received} {images.dtype.name}.")
    if images.shape.rank is None:  # `predict` after calls with several shapes
        images = tf.ensure_shape(images, (None, *image_shape))
    return to_float(images) if images.dtype == tf.uint8 else images


def uint8_images(images: Any, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Images [N, H, W, C] uint8 as an array; raises ValueError for anything else."""
    images = as_array("images", images)
    if images.dtype != np.uint8 or images.shape[1:] != image_shape or images.ndim != 4:
        expected = ", ".join(map(str, image_shape))
        raise ValueError(f"expected images [N, {expected}] uint8; received {list(images.shape)} {images.dtype}.")
    return images


def finite_numbers(name: str, values: Any, *shapes: tuple[int | str, ...]) -> np.ndarray:
    """Returns float32 values of one of these shapes, in which a text such as "N" is any size.

    name: for messages. Raises ValueError for other shapes, for inf and nan, and for what are no numbers.
    """
    try:
        numbers = np.asarray(values, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected numbers; received {type(values).__name__} ({error}).") from error
    if not any(_fits(numbers.shape, shape) for shape in shapes):
        expected = " or ".join(f"[{', '.join(map(str, shape))}]" if shape else "a number" for shape in shapes)
        raise ValueError(f"{name}: expected {expected}; received {list(numbers.shape)}.")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected finite numbers; received {numbers[~np.isfinite(numbers)][0]} among them.")
    return numbers


def _fits(found: tuple[int, ...], shape: tuple[int | str, ...]) -> bool:
    sizes = zip(found, shape, strict=False)
    return len(found) == len(shape) and all(isinstance(size, str) or is_ == size for is_, size in sizes)
