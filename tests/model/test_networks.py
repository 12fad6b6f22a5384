"""A contract for every network at the sizes of the paper's images and at uneven ones."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dfv.config.schema import Config, NetworkConfig
from dfv.model.codes import Codes
from dfv.model.disentangler import Disentangler
from dfv.model.layers.convolution_stacks import strided_sizes
from dfv.model.layers.seeding import seeded
from dfv.model.networks import Adversary, Decoder, Encoder, PretrainedSEncoder

SHAPES = [(28, 28, 1), (60, 60, 3), (96, 96, 1), (64, 64, 1), (30, 26, 3), (8, 9, 1)]
BACKBONES = {"three_5x5": (5, [2, 2, 2]), "six_3x3": (3, [2, 1, 2, 1, 2, 1])}


def tiny(backbone="three_5x5", **flags):
    sizes = {"widths": (4, 6, 8), "adversary_widths": (4, 6, 8), "s_dim": 5, "z_dim": 7}
    return NetworkConfig(backbone=backbone, **sizes | flags)


def convolutions(stack):
    return [layer for layer in stack.layers if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose))]


def noise(*shape):
    return tf.random.stateless_uniform(shape, [5, 6], -1.0, 1.0)


@pytest.fixture(scope="module", params=BACKBONES)
def backbone(request):
    return request.param


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def shape(request):
    return request.param


@pytest.fixture(scope="module")
def pair(backbone, shape):
    config = tiny(backbone)
    return Encoder(config, shape), Decoder(config, shape)


def test_codes_and_images_have_their_shapes_and_ranges(pair, shape):
    encoder, decoder = pair
    s, (mean, log_var) = codes = encoder(noise(2, *shape))
    assert isinstance(codes, Codes)
    assert (s.shape, mean.shape, log_var.shape) == ((2, 5), (2, 7), (2, 7))
    images = decoder(100 * mean, s)
    assert images.shape == (2, *shape) and images.dtype == tf.float32
    assert np.abs(images).max() <= 1.0 and np.all(np.isfinite(images))


def test_decoder_mirrors_the_encoders_sizes_exactly(pair):
    encoder, decoder = pair
    sizes_in = [layer.input.shape[1:3] for layer in convolutions(encoder.stack)]
    sizes_out = [layer.output.shape[1:3] for layer in convolutions(decoder.stack)]
    assert sizes_out == sizes_in[::-1]
    assert not any(isinstance(layer, (layers.Cropping2D, layers.Resizing)) for layer in decoder.stack.layers)


def test_kernels_strides_and_norms_are_the_papers(pair, backbone, shape):
    kernel, strides = BACKBONES[backbone]
    encoder, decoder = (convolutions(network.stack) for network in pair)
    assert [layer.strides[0] for layer in encoder] == strides
    assert [layer.strides[0] for layer in decoder] == strides[::-1]
    assert {layer.kernel_size for layer in encoder + decoder} == {(kernel, kernel)}
    assert [layer.filters for layer in decoder][-1] == shape[2]
    norms = [[isinstance(layer, layers.BatchNormalization) for layer in network.stack.layers] for network in pair]
    # Every convolution of the encoder has BatchNorm; the decoder has one before its stack, and none on the image.
    assert sum(norms[0]) == len(encoder) and sum(norms[1]) == len(decoder)


def test_28_goes_to_4_and_back():
    assert strided_sizes(28, 3) == [28, 14, 7, 4]
    sizes = [layer.output.shape[1] for layer in convolutions(Decoder(tiny(), (28, 28, 1)).stack)]
    assert sizes == [7, 14, 28]


@pytest.mark.parametrize("side", [16, 48])
def test_any_number_of_levels_makes_images_and_logits(backbone, side):
    config, shape = (
        tiny(backbone, widths=(3,) * (side // 16 + 2), adversary_widths=(2,) * (side // 16 + 2)),
        (side, side - 3, 3),
    )
    s, (mean, _) = Encoder(config, shape)(noise(2, *shape))
    assert Decoder(config, shape)(mean, s).shape == (2, *shape)
    adversary = Adversary(config, shape, (5,))
    assert adversary(noise(2, *shape), tf.constant([[0], [4]])).shape == (2,)
    assert [len(tables) for tables in adversary.tables] == [0] * (side // 16 - 1) + [1, 1, 1]


def test_decoder_adds_what_each_code_gives():
    decoder = Decoder(tiny(), (8, 8, 1))
    z, s = noise(3, 7), noise(3, 5)
    features = z.numpy() @ decoder.from_z.kernel.numpy() + s.numpy() @ decoder.from_s.kernel.numpy()
    expected = np.tanh(decoder.stack(features, training=False))
    np.testing.assert_allclose(decoder(z, s), expected, atol=1e-6)


def test_shared_variance_is_one_log_variance_for_all_images_and_learns():
    encoder = Encoder(tiny(shared_variance=True), (8, 8, 1))
    with tf.GradientTape() as tape:
        log_var = encoder(noise(3, 8, 8, 1)).z.log_var
    assert log_var.shape == (3, 7) and np.ptp(log_var) == 0 and float(log_var[0, 0]) == pytest.approx(-3.0)
    assert np.all(tape.gradient(log_var, encoder.log_var.value) > 0)
    encoder.log_var.assign(np.linspace(-1, 1, 7))
    np.testing.assert_array_equal(np.ptp(encoder(noise(3, 8, 8, 1)).z.log_var, axis=0), 0)


def test_weights_are_a_function_of_the_seed():
    def kernels(seed):
        with seeded(seed):
            return np.concatenate([w.ravel() for w in map(np.asarray, Encoder(tiny(), (8, 8, 1)).trainable_variables)])

    np.testing.assert_array_equal(kernels(1), kernels(1))
    assert np.any(kernels(1) != kernels(2))


@pytest.fixture
def adversary():
    return Adversary(tiny(), (10, 8, 1), (3, 4))


def judged(adversary, labels):
    return adversary(noise(len(labels), 10, 8, 1), tf.constant(labels, tf.int32)).numpy()


def test_adversary_follows_its_description(adversary):
    for number, variable in enumerate(adversary.variables):
        variable.assign(tf.random.stateless_uniform(variable.shape, [number, 0], 0.1, 0.5))
    images, labels = noise(5, 10, 8, 1), np.array([[0, 0], [1, 3], [2, 1], [0, 2], [2, 0]])
    x = images
    for convolution, norm, (of_first, of_second) in zip(
        adversary.convolutions, adversary.norms, adversary.tables, strict=True
    ):
        assert convolution.kernel_size == (5, 5) and convolution.strides == (2, 2)
        x = convolution(x) + of_first.numpy()[labels[:, 0]] + of_second.numpy()[labels[:, 1]]
        x = (x - norm.moving_mean) / np.sqrt(norm.moving_variance + 1e-5) * norm.gamma + norm.beta
        x = np.where(x > 0, x, 0.2 * x)
    logits = x.reshape(5, -1) @ adversary.logit.kernel.numpy()[:, 0] + adversary.logit.bias.numpy()[0]
    np.testing.assert_allclose(adversary(images, tf.constant(labels, tf.int32)), logits, rtol=1e-4)


@pytest.mark.parametrize("layer", range(3))
@pytest.mark.parametrize("column", range(2))
def test_a_labels_table_changes_the_logits_of_that_label_alone(adversary, layer, column):
    labels = [[0, 0], [1, 1], [2, 2], [1, 3], [0, 1], [2, 1]]
    before = judged(adversary, labels)
    table = adversary.tables[layer][column]
    table.assign(tf.tensor_scatter_nd_add(table.value, [[1]], 0.5 * tf.ones((1, *table.shape[1:]))))
    changed = judged(adversary, labels) != before
    np.testing.assert_array_equal(changed, [label[column] == 1 for label in labels])


def test_tables_of_attributes_are_summed(adversary):
    before = judged(adversary, [[1, 3], [1, 0]])
    for first, second in adversary.tables:
        first.assign(tf.tensor_scatter_nd_add(first.value, [[1]], 0.5 * tf.ones((1, *first.shape[1:]))))
        second.assign(tf.tensor_scatter_nd_add(second.value, [[3]], -0.5 * tf.ones((1, *second.shape[1:]))))
    after = judged(adversary, [[1, 3], [1, 0]])
    assert after[0] == pytest.approx(before[0], abs=1e-6) and after[1] != before[1]


def test_every_weight_of_the_adversary_has_a_gradient(adversary):
    images, labels = noise(6, 10, 8, 1), tf.constant([[0, 0], [1, 1], [2, 2], [0, 3], [1, 0], [2, 1]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(adversary(images, labels, training=True) * [1.0, -2.0, 3.0, 4.0, 5.0, 6.0])
    gradients = tape.gradient(loss, [variable.value for variable in adversary.trainable_variables])
    assert all(np.any(tf.convert_to_tensor(gradient) != 0) for gradient in gradients)


def test_pretrained_s_is_frozen_with_its_statistics_while_z_learns(tiny_model, triplet_batch):
    model = tiny_model(pretrain_s_steps=1, generator_learning_rate=0.01)
    assert isinstance(model.encoder, PretrainedSEncoder)
    images = noise(4, 12, 12, 1)
    frozen = [variable.numpy() for variable in model.encoder.s_encoder.variables]
    before = model.encoder(images)
    model.train_step(triplet_batch())
    after = model.encoder(images)
    for variable, value in zip(model.encoder.s_encoder.variables, frozen, strict=True):
        np.testing.assert_array_equal(variable, value)
    np.testing.assert_array_equal(after.s, before.s)
    assert np.all(np.any(after.z.mean != before.z.mean, axis=1))
    statistics = [layer.moving_mean.numpy() for layer in model.encoder.z_encoder.stack.layers if "batch" in layer.name]
    assert all(np.any(mean != 0) for mean in statistics) and len(statistics) == len(model.config.network.widths)


def test_every_weight_of_the_generator_learns(tiny_model, triplet_batch, additions):
    model = tiny_model(**additions)
    before = [variable.numpy() for variable in model.generator_variables]
    model.train_step(triplet_batch())
    still = [
        variable.path
        for variable, value in zip(model.generator_variables, before, strict=True)
        if np.all(variable.numpy() == value)
    ]
    assert not still


def test_images_of_any_size_make_a_model():
    model = Disentangler(Config.of(widths=(4, 6, 8), adversary_widths=(4, 6, 8), z_dim=6), (13, 11, 3), (2,))
    assert model(noise(2, 13, 11, 3)).shape == (2, 13, 11, 3)
