"""Data augmentation that preserves the identity: random shifts and horizontal flips."""

import tensorflow as tf


def augment(images: tf.Tensor, draws: tf.Tensor, max_shift: int, flip: bool) -> tf.Tensor:
    """Returns the images [n, H, W, C] shifted at random, with edges repeated, and flipped with probability 1/2.

    draws: [n, 3] int64, uniform over all of int64; for the vertical shift, horizontal shift and flip.
    max_shift: largest shift in pixels, in each direction.
    flip: whether images may be flipped horizontally.
    Not in the paper.
    """
    height, width = images.shape[1:3]
    shift = tf.cast(draws[:, :2] % (2 * max_shift + 1), tf.int32) - max_shift
    rows = tf.clip_by_value(tf.range(height) - shift[:, :1], 0, height - 1)
    columns = tf.clip_by_value(tf.range(width) - shift[:, 1:], 0, width - 1)
    if flip:
        columns = tf.where(draws[:, 2:] % 2 == 0, columns, width - 1 - columns)
    return _swap_axes(_gather_rows(_swap_axes(_gather_rows(images, rows)), columns))


def _gather_rows(images: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    return tf.gather(images, rows, axis=1, batch_dims=1)


def _swap_axes(images: tf.Tensor) -> tf.Tensor:
    """Exchanges rows and columns: gathering rows is several times as fast as gathering columns."""
    return tf.transpose(images, (0, 2, 1, 3))
