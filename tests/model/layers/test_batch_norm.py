"""BatchNorm by TensorFlow's fused kernel against Keras' own."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dfv.model.layers.batch_norm import FusedBatchNorm


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_fused_batch_norm_is_keras_own(dtype):
    """Outputs, gradients, moving statistics and inference of a layer that calls TensorFlow's fused kernel."""
    images = tf.constant(np.random.default_rng(0).normal(1.0, 2.0, (6, 5, 4, 3)), tf.float32)
    found = []
    for kind in (FusedBatchNorm, layers.BatchNormalization):
        norm = kind(epsilon=1e-5, dtype=dtype)
        norm.build(images.shape)
        norm.gamma.assign([1.0, 2.0, 3.0])
        norm.beta.assign([0.5, 0.0, -1.0])
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = norm(images, training=True)
            loss = tf.reduce_mean(tf.cast(outputs, tf.float32) ** 3)
        gradients = tape.gradient(loss, [images, *norm.trainable_variables])
        values = [outputs, *gradients, norm.moving_mean.value, norm.moving_variance.value, norm(images)]
        found.append([tf.cast(value, tf.float32).numpy() for value in values])
    for fused, keras_own in zip(*found, strict=True):
        np.testing.assert_allclose(fused, keras_own, rtol=1e-4, atol=1e-5)


def test_frozen_fused_batch_norm_keeps_its_statistics():
    norm = FusedBatchNorm()
    norm.build((None, 2, 2, 3))
    norm.trainable = False
    norm(tf.random.stateless_uniform((6, 2, 2, 3), [5, 6], -1.0, 1.0), training=True)
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(3))
    np.testing.assert_array_equal(norm.moving_variance, np.ones(3))
