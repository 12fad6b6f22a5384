"""The convolutions that meet the image give what the library's own give: values and gradients."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dfv.model.layers.image_convolutions import FromImage, ToImage


def with_gradients(layer, inputs):
    """The layer's outputs, and the gradients of a loss that is not linear in them."""

    @tf.function
    def compute():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
            loss = tf.reduce_mean(tf.sin(tf.cast(outputs, tf.float32)))
        return [outputs, *tape.gradient(loss, [inputs, *layer.trainable_variables])]

    values = compute()
    return [tf.cast(value, tf.float32).numpy() for value in values]


def check_the_same(ours, library, inputs, tolerance):
    ours.build(inputs.shape)
    library.build(inputs.shape)
    for weight, source in zip(ours.weights, library.weights, strict=True):
        weight.assign(source + 0.1)
        source.assign(source + 0.1)
    for value, expected in zip(with_gradients(ours, inputs), with_gradients(library, inputs), strict=True):
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(28, 28), (9, 14), (6, 5)])
def test_convolutions_at_the_image_are_the_librarys(size, kernel, channels, dtype, tolerance):
    random = np.random.default_rng(0)
    images = tf.constant(random.normal(size=(2, *size, channels)), tf.float32)
    options = {"strides": 2, "padding": "same"}
    ours = FromImage(4, kernel, use_bias=False, dtype=dtype, **options)
    check_the_same(ours, layers.Conv2D(4, kernel, use_bias=False, **options), images, tolerance)

    features = tf.constant(random.normal(size=(2, -(-size[0] // 2), -(-size[1] // 2), 4)), tf.float32)
    options["output_padding"] = tuple(1 - side % 2 for side in size)
    ours = ToImage(channels, kernel, dtype=dtype, **options)
    check_the_same(ours, layers.Conv2DTranspose(channels, kernel, **options), features, tolerance)
