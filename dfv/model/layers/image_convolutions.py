"""The first and the last convolution: oneDNN's transposed convolution is slow for the few channels of an image.

oneDNN computes a transposed convolution channel by channel of its output, so 1 or 3 channels cost about as much as 32.
Here each of the four phases of the output (even and odd rows and columns) is a plain convolution of the input with
every second tap of the kernel: the same sums, in a third to a half of the time.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers


def _taps(kernel: int, size: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Which tap takes an input to either phase, by their distance [D, 2], `kernel` for none; and the padding [2].

    `size` is that of the output, stride 2, padding "same": output 2 i + p takes input i + d by tap p + before - 2 d.
    """
    before = (kernel - 2 + size % 2) // 2
    distances = np.arange(-((kernel - 1 - before) // 2), (before + 1) // 2 + 1)
    taps = np.arange(2)[None, :] + before - 2 * distances[:, None]
    return np.where((taps >= 0) & (taps < kernel), taps, kernel), (-distances[0], distances[-1])


def _transposed(inputs: tf.Tensor, kernel: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """[B, height, width, C] of [B, ceil(height / 2), ceil(width / 2), D] and a kernel [K, K, C, D]."""
    (rows, pad_rows), (columns, pad_columns) = (_taps(kernel.shape[0], size) for size in (height, width))
    padded = tf.pad(kernel, [[0, 1], [0, 1], [0, 0], [0, 0]])
    by_phase = tf.transpose(tf.gather(tf.gather(padded, rows, axis=0), columns, axis=2), (0, 2, 5, 1, 3, 4))
    by_phase = tf.reshape(by_phase, (len(rows), len(columns), kernel.shape[3], 4 * kernel.shape[2]))
    phases = tf.nn.conv2d(inputs, by_phase, 1, [[0, 0], pad_rows, pad_columns, [0, 0]])
    # Not tf.nn.depth_to_space: a batch of no images comes out of oneDNN in a shape that it refuses.
    half_height, half_width, channels = -(-height // 2), -(-width // 2), kernel.shape[2]
    phases = tf.transpose(tf.reshape(phases, (-1, half_height, half_width, 2, 2, channels)), (0, 1, 3, 2, 4, 5))
    return tf.reshape(phases, (-1, 2 * half_height, 2 * half_width, channels))[:, :height, :width]


def _kernel_gradient(images: tf.Tensor, kernel: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
    """Of a convolution from `images` to `features` of stride 2."""
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images, filter_sizes=tf.shape(kernel), out_backprop=features, strides=[1, 2, 2, 1], padding="SAME"
    )


@tf.custom_gradient
def _from_image(images: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        to_images = _transposed(upstream, kernel, *images.shape[1:3])
        return to_images, _kernel_gradient(images, kernel, upstream)

    return tf.nn.conv2d(images, kernel, 2, "SAME"), gradient


def _to_image(features: tf.Tensor, kernel: tf.Tensor, height: int, width: int) -> tf.Tensor:
    @tf.custom_gradient
    def apply(features: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            to_features = tf.nn.conv2d(upstream, kernel, 2, "SAME")
            return to_features, _kernel_gradient(upstream, kernel, features)

        return _transposed(features, kernel, height, width), gradient

    return apply(features, kernel)


class FromImage(layers.Conv2D):
    """Conv2D of images [B, H, W, C] with stride 2 and padding "same", its gradient to the images by phases."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return _from_image(inputs, tf.convert_to_tensor(kernel))


class ToImage(layers.Conv2DTranspose):
    """Conv2DTranspose to images [B, H, W, C] with stride 2 and padding "same", by phases."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        height, width = self.compute_output_shape(inputs.shape)[1:3]
        return _to_image(inputs, tf.convert_to_tensor(self.kernel), height, width) + self.bias
