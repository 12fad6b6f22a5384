"""The fully connected layer by blocks of columns against the plain product, values and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.layers.wide_dense import WideDense


@pytest.mark.parametrize("units", [5, 256, 257, 600])
@pytest.mark.parametrize("training", [False, True])
def test_outputs_and_gradients_are_those_of_the_plain_product(units, training):
    random = np.random.default_rng(0)
    x, upstream = (random.normal(size=(4, n)).astype(np.float32) for n in (7, units))
    layer, inputs = WideDense(units), tf.constant(x)
    layer.build(x.shape)
    layer.bias.assign(random.normal(size=units))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
    to_inputs, to_kernel, to_bias = tape.gradient(outputs, [inputs, *layer.trainable_variables], upstream)
    kernel, bias = (np.asarray(variable) for variable in layer.trainable_variables)
    np.testing.assert_allclose(outputs, x @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(to_inputs, upstream @ kernel.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(to_kernel, x.T @ upstream, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(to_bias, upstream.sum(0), rtol=1e-4, atol=1e-5)
