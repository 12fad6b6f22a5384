"""Augmentation of every image that the adversary sees, so that it cannot memorize a small set of real images.

Zhao et al., "Differentiable augmentation for data-efficient GAN training" (NeurIPS 2020): real and generated images are
changed in the same ways, and the generator's gradient passes through. Not in the paper.
"""

import tensorflow as tf

NUM_DRAWS = 7  # for each image
MAX_SHIFT = 1 / 8  # of the image's height and width
CUTOUT = 1 / 2


def augment(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Images [B, H, W, C] in [-1, 1] with other colours, shifted, and with a square of them covered in grey.

    draws: [B, NUM_DRAWS] uniform in [0, 1): for brightness, saturation and contrast, for the vertical and horizontal
      shift, and for the vertical and horizontal place of the square.
    """
    colour, shift, square = tf.split(draws, (3, 2, 2), axis=1)
    return _covered(_shifted(_coloured(images, colour), shift), square)


def _coloured(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Brightness changed by up to 0.5, saturation multiplied by 0 to 2, contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = (draws[:, i, None, None, None] for i in range(3))
    images += brightness - 0.5
    grey = tf.reduce_mean(images, 3, keepdims=True)
    images = grey + (images - grey) * 2 * saturation
    mean = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    return mean + (images - mean) * (contrast + 0.5)


def _shifted(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Shifted by whole pixels, grey where there is no image."""
    for axis in (1, 2):
        size = images.shape[axis]
        largest = round(size * MAX_SHIFT)
        shift = tf.cast(tf.floor(draws[:, axis - 1] * (2 * largest + 1)), tf.int32) - largest
        source = tf.range(size) - shift[:, None] + largest
        padding = [[0, 0]] * 4
        padding[axis] = [largest, largest]
        images = tf.gather(tf.pad(images, padding), source, axis=axis, batch_dims=1)
    return images


def _covered(images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
    """Grey in a square of half the height and width, whose centre is anywhere in the image."""
    rows, columns = (_outside(images.shape[axis], draws[:, axis - 1]) for axis in (1, 2))
    seen = rows[:, :, None] | columns[:, None, :]
    return images * tf.cast(seen[..., None], images.dtype)


def _outside(size: int, draws: tf.Tensor) -> tf.Tensor:
    """[B, size] bool: which rows or columns are outside the square."""
    centre = tf.floor(draws * size)
    return tf.abs(tf.range(size, dtype=tf.float32) - centre[:, None] + 0.5) > size * CUTOUT / 2
