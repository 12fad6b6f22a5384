"""What two models of version 0.1.0 and three training steps gave before the code was reorganised, they still give."""

import io
import zipfile

import h5py
import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import prior_samples
from dfv.model.conversions import to_uint8
from dfv.training.model_files import find_model
from tests.golden import outputs

WITH_PCA = "quickstart"

GREY_LEVELS = 1  # by which a pixel may differ on another processor


def samples_of_the_first_version(name: str) -> np.ndarray:
    """Samples with noise in the dropped components too, which the first version kept the weights of.

    Its kept components are the noise, which is replaced by the nearest codebook entries today.
    """
    model = outputs.load(name)
    images, kept = outputs.images_for(model.image_shape), model.z_dim
    seeds = tf.range(11, 11 + len(images), dtype=tf.int64)
    noise, s = prior_samples(seeds, model.config.network.z_dim), model.encode(images).s
    today = to_uint8(model.decoded(s, model.prior_samples(seeds))).numpy().astype(int)
    assert np.abs(model.sample(images, 11) - today).max() <= GREY_LEVELS
    with zipfile.ZipFile(find_model(outputs.MODELS[name])) as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
        from_dropped = weights["decoder/axes/vars/2"][kept:]
    return to_uint8(model.decoder(model.latent.inverse(noise[:, :kept], s) + noise[:, kept:] @ from_dropped, s)).numpy()


@pytest.mark.parametrize("name", outputs.MODELS)
def test_a_model_gives_the_stored_codes_and_images(name: str) -> None:
    stored, found = outputs.read(name), outputs.of_model(name)
    assert stored.keys() == found.keys()
    kept = found["z_mean"].shape[1]
    for key in ("z_mean", "z_log_var"):
        # The first version gave the dropped components as well: the same for every image, with mean 0.
        dropped, stored[key] = stored[key][:, kept:], stored[key][:, :kept]
        same = np.zeros((1, dropped.shape[1])) if key == "z_mean" else dropped[:1]
        np.testing.assert_array_equal(dropped, np.repeat(same, len(dropped), axis=0))
    if name == WITH_PCA:
        assert kept < outputs.load(name).config.network.z_dim
        found["sample"] = samples_of_the_first_version(name)
    for key, expected in stored.items():
        if expected.dtype == np.uint8:
            assert np.abs(found[key].astype(int) - expected).max() <= GREY_LEVELS, key
        else:
            np.testing.assert_allclose(found[key], expected, rtol=1e-4, atol=1e-4, err_msg=key)


def test_three_training_steps_give_the_stored_terms_and_weights() -> None:
    stored, found = outputs.read("training_steps"), outputs.of_training_steps()
    for key, expected in stored.items():
        np.testing.assert_allclose(found[key], expected, rtol=2e-3, atol=2e-4, err_msg=key)
