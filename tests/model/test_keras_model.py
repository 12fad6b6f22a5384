"""A trained model as a Keras model: `predict`, what it refuses, and Keras' global dtype policies."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import dfv

POLICIES = ("mixed_float16", "mixed_bfloat16", "bfloat16", "float64")


@pytest.fixture(scope="module")
def shipped():
    return dfv.load("quickstart")


@pytest.fixture(scope="module")
def images(shipped):
    return np.random.default_rng(0).integers(0, 256, (5, *shipped.image_shape), dtype=np.uint8)


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


def pixels(images):
    return np.clip(np.round((images + 1) * 127.5), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_predict_gives_the_reconstructions_whatever_the_dtype(dtype, shipped, images):
    given = images if dtype == "uint8" else (images.astype(dtype) / 127.5 - 1).astype(dtype)
    predicted = shipped.predict(given, verbose=0)
    assert predicted.dtype == np.float32
    np.testing.assert_array_equal(pixels(predicted), shipped.reconstruct(images))


@pytest.mark.parametrize("change", ["dtype", "shape"])
def test_predict_refuses_other_images_with_expected_and_received(change, shipped, images):
    wrong = images.astype(np.int32) if change == "dtype" else images[:, :-1]
    received = r"\[5, 32, 32, 3\] int32" if change == "dtype" else r"\[5, 31, 32, 3\] uint8"
    with pytest.raises(ValueError, match=rf"expected images \[B, 32, 32, 3\], uint8 .*received {received}"):
        shipped(wrong)


def test_predict_refuses_other_data_after_calls_with_several_shapes(shipped, images, triplet_batch):
    shipped.predict(images[:2], verbose=0)
    shipped.predict(images, verbose=0)
    with pytest.raises(ValueError, match="received a dict of x1, x1_same"):
        shipped.predict(triplet_batch(), verbose=0)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"expected .*32,32,3|expected .*32, 32, 3"):
        shipped.predict(images[0], verbose=0)


def test_a_loaded_model_says_that_it_cannot_be_trained(shipped):
    with pytest.raises(
        NotImplementedError, match="cannot be compiled or fitted. Train a dfv.Disentangler, or continue"
    ):
        shipped.compile("adam")


def test_export_names_the_program_that_exports(shipped, tiny_model, tmp_path):
    for model in (shipped, tiny_model(swap_other_weight=0.0, prior_sample_weight=0.0)):
        with pytest.raises(NotImplementedError, match="Use python -m export --run_dir"):
            model.export(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_shipped_models_compute_in_float32_under_any_global_policy(policy, shipped, images):
    np.testing.assert_array_equal(dfv.load("quickstart").reconstruct(images), shipped.reconstruct(images))
    assert keras.config.dtype_policy().name == policy


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"], indirect=True)
def test_training_is_the_same_under_any_global_policy(policy, tiny_model, triplet_batch, additions):
    model = tiny_model(**additions)
    terms = model.train_step(triplet_batch())
    values = model.evaluate(triplet_batch(), verbose=0)
    keras.config.set_dtype_policy("float32")
    expected = tiny_model(**additions)
    for name, term in expected.train_step(triplet_batch()).items():
        np.testing.assert_array_equal(terms[name], term)
    assert values == pytest.approx(expected.evaluate(triplet_batch(), verbose=0))
    dtypes = [[variable.dtype for variable in each.variables] for each in (model, expected)]
    assert dtypes[0] == dtypes[1]
    assert type(model.optimizer) is type(expected.optimizer)  # no loss scaling around it
