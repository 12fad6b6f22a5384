"""Encoder and decoder on NumPy images, and a model written to a file and read back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.config.schema import Config, ConfigError
from dfv.model import codec
from dfv.model.codes import prior_samples
from dfv.model.conversions import to_float, to_uint8
from dfv.model.disentangler import Disentangler
from dfv.training.checkpoints import all_variables

SHAPE = (12, 12, 1)


def images(num, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (num, *SHAPE), dtype=np.uint8)


def assert_same_up_to_rounding(one, other):
    """Other batches round otherwise in the last bit of a float, so a pixel may fall to its neighbour."""
    difference = np.abs(one.astype(int) - other.astype(int))
    assert difference.max() <= 1 and np.mean(difference > 0) < 0.01


@pytest.fixture(scope="module")
def trained(tiny_model, triplet_batch, additions):
    """A model that has learnt two steps, with weights made large so that its images differ with both codes."""
    model = tiny_model(**additions, generator_schedule="cosine")
    for seed in range(2):
        model.train_step(triplet_batch(seed=seed))
    heads = [model.encoder.s_head, model.encoder.z_head, model.decoder.from_s, model.decoder.from_z]
    for layer in [*heads, *model.decoder.stack.layers]:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(3.0 * layer.kernel)
    assert np.std(model.reconstruct(images(8)), axis=0).mean() > 10
    return model


@pytest.fixture(scope="module")
def loaded(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    trained.save(path)
    return keras.models.load_model(path)


def test_pixels_round_trip_and_ends_of_the_range():
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(to_float(pixels)), pixels)
    np.testing.assert_array_equal(to_float(np.array([0, 255], np.uint8)), [-1.0, 1.0])
    np.testing.assert_array_equal(to_uint8(tf.constant([-1.5, -1.0, 0.999, 1.0, 7.0])), [0, 0, 255, 255, 255])


def test_encode_is_the_encoder_on_pixels_from_minus_1_to_1(trained):
    x = images(3)
    s, (mean, log_var) = trained.encode(x)
    expected = trained.encoder(x.astype(np.float32) / 127.5 - 1.0)
    assert (s.shape, mean.shape, log_var.shape) == ((3, 5), (3, 6), (3, 6))
    assert all(isinstance(code, np.ndarray) and code.dtype == np.float32 for code in (s, mean, log_var))
    for code, value in zip((s, mean, log_var), (expected.s, *expected.z), strict=True):
        np.testing.assert_allclose(code, value, atol=1e-4)


def test_swap_takes_s_from_the_first_and_z_from_the_second(trained):
    a, b = images(3), images(3, seed=1)
    codes_a, codes_b = trained.encode(a), trained.encode(b)
    swapped = trained.swap(a, b)
    assert swapped.shape == a.shape and swapped.dtype == np.uint8
    assert_same_up_to_rounding(swapped, trained.decode(codes_a.s, codes_b.z.mean))
    assert np.any(swapped != trained.swap(b, a))
    assert np.any(swapped != trained.reconstruct(b)) and np.any(swapped != trained.reconstruct(a))


def test_decode_of_an_images_own_codes_is_its_reconstruction(trained):
    x = images(4)
    codes = trained.encode(x)
    assert_same_up_to_rounding(trained.decode(codes.s, codes.z.mean), trained.reconstruct(x))
    called = trained(x.astype(np.float32) / 127.5 - 1.0)
    assert called.dtype == tf.float32
    assert_same_up_to_rounding(to_uint8(called).numpy(), trained.reconstruct(x))


def test_sample_is_a_function_of_image_and_seed_whatever_the_neighbours(trained):
    x = images(5)
    together = trained.sample(x, 100)
    assert together.shape == x.shape and together.dtype == np.uint8
    np.testing.assert_array_equal(together, trained.sample(x, np.arange(100, 105)))
    alone = np.concatenate([trained.sample(x[i : i + 1], 100 + i) for i in range(5)])
    assert_same_up_to_rounding(together, alone)
    assert_same_up_to_rounding(trained.sample(x[::-1], np.arange(104, 99, -1))[::-1], together)


def test_samples_of_different_seeds_differ_and_have_the_s_of_their_image(trained):
    x = np.repeat(images(1), 6, axis=0)
    samples = trained.sample(x, 0)
    assert len({sample.tobytes() for sample in samples}) == 6
    z = prior_samples(tf.range(6, dtype=tf.int64), 6).numpy()
    assert_same_up_to_rounding(samples, trained.decode(trained.encode(x).s, z))


def test_s_of_several_images_is_the_mean_of_their_codes(trained):
    groups = [images(1), images(5, seed=1), images(2, seed=2)]
    expected = np.stack([trained.encode(group).s.mean(0) for group in groups])
    s = trained.encode_s(groups)
    assert s.dtype == np.float32
    np.testing.assert_allclose(s, expected, atol=1e-5)
    np.testing.assert_allclose(trained.encode_s(np.stack([groups[2], images(2)]))[0], expected[2], atol=1e-5)
    np.testing.assert_array_equal(trained.encode_s(groups[1]), trained.encode(groups[1]).s)


def test_swap_and_sample_take_several_images_of_each_identity(trained):
    groups, others = [images(3), images(1, seed=1)], images(2, seed=2)
    s = trained.encode_s(groups)
    np.testing.assert_array_equal(trained.swap(groups, others), trained.decode(s, trained.encode(others).z.mean))
    z = prior_samples(tf.constant([7, 8], tf.int64), 6).numpy()
    np.testing.assert_array_equal(trained.sample(groups, 7), trained.decode(s, z))
    assert_same_up_to_rounding(trained.swap(groups, others)[1:], trained.swap(groups[1], others[1:]))
    assert_same_up_to_rounding(trained.sample([x[None] for x in others], 7), trained.sample(others, 7))


def test_no_groups_of_images_have_no_codes(trained):
    assert trained.encode_s(np.zeros((0, 2, *SHAPE), np.uint8)).shape == (0, 5)


def test_wrong_groups_of_images_are_refused(trained):
    with pytest.raises(ValueError, match="at least one image of each identity; received none of identity 1"):
        trained.swap([images(2), images(0)], images(2))
    with pytest.raises(ValueError, match=r"expected images \[N, 12, 12, 1\] uint8; received \[2, 12, 12, 3\]"):
        trained.encode_s([images(2), np.zeros((2, 12, 12, 3), np.uint8)])
    with pytest.raises(ValueError, match=r"as many rows in every argument; received \[2, 3\]"):
        trained.swap([images(2), images(1)], images(3))


def test_interpolation_ends_at_the_reconstructions_and_swaps(trained):
    a, b = images(4), images(4, seed=1)
    ends = trained.interpolate(a, b, np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]))
    expected = [trained.reconstruct(a)[0], trained.reconstruct(b)[1], trained.swap(a, b)[2], trained.swap(b, a)[3]]
    assert_same_up_to_rounding(ends, np.stack(expected))


def test_interpolation_is_linear_in_both_codes(trained):
    a, b = images(3), images(3, seed=1)
    weight_s, weight_z = np.array([0.2, 0.5, 0.9]), 0.25
    codes_a, codes_b = trained.encode(a), trained.encode(b)
    s = codes_a.s * (1 - weight_s[:, None]) + codes_b.s * weight_s[:, None]
    z = codes_a.z.mean * (1 - weight_z) + codes_b.z.mean * weight_z
    assert_same_up_to_rounding(trained.interpolate(a, b, weight_s, weight_z), trained.decode(s, z))


def test_more_images_than_a_batch_and_none(trained, monkeypatch):
    x = images(7)
    whole = trained.encode(x)
    monkeypatch.setattr(codec, "BATCH", 3)
    parts = trained.encode(x)
    np.testing.assert_allclose(parts.s, whole.s, atol=1e-5)
    assert_same_up_to_rounding(trained.sample(x, 3)[4:], trained.sample(x[4:], 7))
    assert trained.reconstruct(x[:0]).shape == trained.sample(x[:0], 0).shape == (0, *SHAPE)


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        (np.zeros((2, 12, 12, 1), np.float32), r"\[2, 12, 12, 1\] float32"),
        (np.zeros((2, 12, 12, 3), np.uint8), r"\[2, 12, 12, 3\] uint8"),
        (np.zeros((12, 12, 1), np.uint8), r"\[12, 12, 1\] uint8"),
        (np.zeros((2, 14, 12, 1), np.uint8), r"\[2, 14, 12, 1\] uint8"),
    ],
    ids=["dtype", "channels", "one image", "size"],
)
def test_wrong_images_are_told_what_was_expected_and_what_came(wrong, received, trained):
    right = images(2)
    message = rf"expected images \[N, 12, 12, 1\] uint8; received {received}"
    for call in (
        lambda: trained.encode(wrong),
        lambda: trained.swap(wrong, right),
        lambda: trained.swap(right, wrong),
        lambda: trained.sample(wrong, 0),
        lambda: trained.interpolate(right, wrong, 0.5, 0.5),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_arguments_of_different_lengths_are_refused(trained):
    with pytest.raises(ValueError, match=r"as many rows in every argument; received \[2, 3\]"):
        trained.swap(images(2), images(3))
    with pytest.raises(ValueError, match=r"as many rows in every argument; received \[2, 3\]"):
        trained.sample(images(2), np.arange(3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.decode(np.zeros((2, 3)), np.zeros((2, 6))), r"s: expected \[N, 5\]; received \[2, 3\]"),
        (lambda model: model.decode(np.zeros((2, 5)), np.zeros(6)), r"z: expected \[N, 6\]; received \[6\]"),
        (lambda model: model.decode(np.full((2, 5), np.nan), np.zeros((2, 6))), "s: expected finite.*received nan"),
        (lambda model: model.decode([["a"] * 5], np.zeros((1, 6))), "s: expected numbers; received list"),
        (
            lambda model: model.interpolate(images(2), images(2), np.zeros(3), 0.5),
            r"weight_s: expected a number or \[2\]",
        ),
        (lambda model: model.interpolate(images(2), images(2), 0.5, np.inf), "weight_z: expected finite.*received inf"),
        (lambda model: model.sample(images(2), None), "seed: expected an integer, or one for each row; received None"),
        (lambda model: model.sample(images(2), 0.5), "seed: expected an integer"),
    ],
)
def test_wrong_codes_weights_and_seeds_are_named(call, message, trained):
    with pytest.raises(ValueError, match=message):
        call(trained)


@pytest.mark.parametrize("name", ["model.h5", "folder"])
def test_a_model_is_saved_to_a_keras_file_alone(name, trained, tmp_path):
    with pytest.raises(ValueError, match=f"filepath: expected a file that ends in .keras.*received .*{name}"):
        trained.save(tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("shape", "label_sizes"), [((12, 12), (3,)), ((1, 12, 12), (3,)), ((12, 12, 1), 3), ((12, 12, 1), ())]
)
def test_shapes_that_images_and_labels_cannot_have_are_refused(shape, label_sizes):
    with pytest.raises(ValueError, match=r"expected image_shape \(H, W, C\).*received .*12"):
        Disentangler(Config(), shape, label_sizes)


def test_saved_model_gives_the_same_bits(trained, loaded):
    a, b = images(3), images(3, seed=1)
    for one, other in zip(trained.encode(a), loaded.encode(a), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(trained.swap(a, b), loaded.swap(a, b))
    np.testing.assert_array_equal(trained.sample(a, 5), loaded.sample(a, 5))
    np.testing.assert_array_equal(trained.interpolate(a, b, 0.3, 0.6), loaded.interpolate(a, b, 0.3, 0.6))


def test_saved_model_is_of_the_same_class_and_config(trained, loaded):
    assert type(loaded) is Disentangler
    assert (loaded.config, loaded.image_shape, loaded.label_sizes) == (trained.config, SHAPE, (3, 2, 4))
    again = Disentangler.from_config(trained.get_config())
    assert (again.config, again.image_shape, again.label_sizes) == (trained.config, SHAPE, (3, 2, 4))


def test_saved_model_goes_on_training_bit_for_bit(trained, loaded, triplet_batch):
    pairs = list(zip(all_variables(trained), all_variables(loaded), strict=True))
    before = [one.numpy() for one, _ in pairs]
    for (one, other), value in zip(pairs, before, strict=True):
        np.testing.assert_array_equal(other, value, err_msg=one.path)
    for model in (trained, loaded):
        model.train_step(triplet_batch(seed=9))
    assert any(np.any(one.numpy() != value) for (one, _), value in zip(pairs, before, strict=True))
    for one, other in pairs:
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    for pair, value in zip(pairs, before, strict=True):
        for variable in pair:
            variable.assign(value)


def test_saved_optimizers_are_those_that_were_given(tiny_model):
    model, again = (tiny_model(latent_adversary_weight=0.1) for _ in range(2))
    kinds = (keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.AdamW(0.2), keras.optimizers.Lion(0.3))
    model.compile(*kinds)
    again.compile_from_config(model.get_compile_config())
    for name, kind in zip(("generator", "adversary", "latent_adversary"), kinds, strict=True):
        optimizer = getattr(again, f"{name}_optimizer")
        assert type(optimizer) is type(kind) and optimizer.get_config() == kind.get_config() and optimizer.built


def test_optimizers_of_files_of_earlier_versions_are_compiled_under_their_names_now(tiny_model):
    model = tiny_model(latent_adversary_weight=0.1)
    config = model.get_compile_config()
    rate = config.pop("latent_adversary_optimizer") | {}
    rate["config"] = {**rate["config"], "learning_rate": 0.25}
    model.compile_from_config(config | {"z_classifier_optimizer": rate})
    assert float(model.latent_adversary_optimizer.learning_rate) == 0.25


def test_attributes_that_the_data_lack_are_refused():
    with pytest.raises(ConfigError, match="--adversary_labels=attributes needs a data set with attributes"):
        Disentangler(Config.of(adversary_labels="attributes", z_dim=4), SHAPE, (3,))
