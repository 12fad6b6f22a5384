"""A fully connected layer with many outputs, for which oneDNN's matrix product is slow.

oneDNN multiplies by a [K, N] kernel at half of its speed once N is much above 256. In training the kernel is taken in
blocks of columns: the same sums, in half to two thirds of the time. For small batches, as at inference, copying the
kernel would cost more than it saves.
"""

from typing import Any

import tensorflow as tf
from keras import layers

COLUMNS = 256


@tf.custom_gradient
def product(inputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """[B, N] of inputs [B, K] and a kernel [K, N], by blocks of columns."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        to_inputs = tf.matmul(upstream, kernel, transpose_b=True)
        return to_inputs, tf.matmul(inputs, upstream, transpose_a=True)

    whole, rest = divmod(kernel.shape[1], COLUMNS)
    blocks = tf.split(kernel, [COLUMNS] * whole + [rest] * (rest > 0), axis=1)
    return tf.concat([tf.matmul(inputs, block) for block in blocks], axis=1), gradient


class WideDense(layers.Dense):
    """Dense without activation; inputs [B, K]."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training or self.units <= COLUMNS:
            return super().call(inputs)
        outputs = product(inputs, tf.convert_to_tensor(self.kernel))
        return outputs + self.bias if self.use_bias else outputs
