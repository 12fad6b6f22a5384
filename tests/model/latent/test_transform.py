"""The latent transform as a whole: a chain of stages, the identity until fitted, that training does not see."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import dfv
from dfv.config.schema import Config, ConfigError
from dfv.model.codes import Codes, Posterior
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.training_codes import TrainingCodes
from dfv.model.latent.transform import LatentTransform
from dfv.model.networks import LOG_VAR_SPEED

ALL = {"pca_dim": 4, "flow_layers": 2, "flow_units": 16, "flow_steps": 20, "codebook_size": 16}


def transform(**flags):
    return LatentTransform(Config.of(shared_variance=True, **flags).latent, s_dim=5, z_dim=6)


def posterior():
    mean = np.random.default_rng(0).normal(size=(7, 6)).astype(np.float32)
    return Posterior(tf.constant(mean), tf.fill((7, 6), -2.0)), tf.constant(mean[:, :5] ** 2)


@pytest.mark.parametrize("flags", [{}, ALL, {"flow_layers": 1}, {"codebook_size": 3}], ids=lambda f: " ".join(f))
def test_until_fitted_it_is_the_identity(flags):
    given, s = posterior()
    latent = transform(**flags)
    assert latent.is_fitted() == latent.is_fitted(3) == (not flags)
    codes = latent.forward(Codes(s, given))
    assert codes.s is s
    for one, other in zip(codes.z, given, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(latent.inverse(given.mean, s), given.mean)


def test_stages_are_applied_in_order_and_inverted_in_reverse():
    given, s = posterior()
    latent = transform(pca_dim=4, flow_layers=2, rounding_step=0.5)
    for variable in latent.variables:
        if variable is not latent.fitted_at:
            variable.assign(0.3 * np.random.default_rng(1).normal(size=variable.shape) + 0.5)
    latent.fitted_at.assign(0)
    expected = given
    for stage in (latent.pca, latent.flow, latent.rounding):
        expected = stage.forward(expected, s)
    for one, other in zip(latent.forward(Codes(s, given)).z, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    z = expected.mean
    expected_z = latent.pca.inverse(latent.flow.inverse(z, s), s)
    np.testing.assert_array_equal(latent.inverse(z, s), expected_z)
    assert z.shape == (7, 4) and expected_z.shape == (7, 6)


def test_rounding_alone_needs_no_fit():
    given, s = posterior()
    latent = transform(rounding_step=1.0)
    assert latent.is_fitted() and latent.is_fitted(3) and not latent.variables
    mean = latent.forward(Codes(s, given)).z.mean * np.exp(1.0)
    np.testing.assert_allclose(mean, np.round(mean), atol=1e-5)


def test_z_is_rounded_if_the_codebook_is_too_coarse_for_it():
    """Entries of 8 places are at most a standard deviation from the means; of a cube of that width, many."""
    random, std = np.random.default_rng(0), np.exp(-1.0)
    places = 100 * random.normal(size=(8, 6))[np.arange(800) % 8] + random.normal(size=(800, 6))
    cube = random.uniform(-100, 100, (800, 6))
    latent = transform(codebook_size=8, rounding_step=2.0)
    for z, rounds in ((cube, True), (places, False), (cube, True)):
        mean = (z * std).astype(np.float32)
        codes = TrainingCodes(mean[:, :5], mean, np.full_like(mean, std), np.arange(800) % 4)
        latent.fit(codes, 0, random, 0)
        assert latent.state == (True, rounds) and [stage.name for stage in latent.stages] == (
            ["rounding"] if rounds else ["codebook"]
        )
        found = latent.forward(Codes(mean[:, :5], Posterior(tf.constant(mean), tf.fill((800, 6), -2.0)))).z.mean
        centres = np.stack([z[number::8].mean(0) for number in range(8)])[np.arange(800) % 8]
        np.testing.assert_allclose(found / std, 2 * np.round(z / 2) if rounds else centres, atol=1e-3)


def test_prior_samples_are_codebook_entries_only_if_it_is_used(tiny_model, trained_on):
    for step, in_codebook in ((1e-3, False), (1e3, True)):  # z of the images is a few units wide, in units of the noise
        model = tiny_model(shared_variance=True, codebook_size=2, rounding_step=1.0)
        model.encoder.log_var.assign(np.full(6, 2 * np.log(step) / LOG_VAR_SPEED))
        fit_latent(model, trained_on)
        noise = tf.constant(np.random.default_rng(0).normal(size=(50, 6)), tf.float32)
        z = model.z_of_noise(noise).numpy()
        assert model.latent.state == (True, not in_codebook)
        assert len(np.unique(z, axis=0)) <= 2 if in_codebook else np.array_equal(z, noise)


def test_it_is_fitted_to_the_codes_of_one_step_and_forgets_them(tiny_model, trained_on):
    model = tiny_model(shared_variance=True, **ALL, num_steps=9)
    assert not model.latent.is_fitted() and not model.latent.is_fitted(7)
    fit_latent(model, trained_on, 7)
    assert model.latent.is_fitted() and model.latent.is_fitted(7) and not model.latent.is_fitted(8)
    dfv.fit_latent(model, trained_on)
    assert model.latent.is_fitted(9)
    model.latent.reset()
    assert not model.latent.is_fitted() and not model.latent.is_fitted(9)


def test_every_method_of_a_codec_follows_the_fit(tiny_model, trained_on):
    """Each was traced before."""
    model, images = tiny_model(shared_variance=True, pca_dim=1), trained_on.images[:5]
    model.decoder.from_z.kernel.assign(300.0 * model.decoder.from_z.kernel)

    def outputs():
        codes = model.encode(images)
        swapped = model.swap(images, images[::-1])
        interpolated = model.interpolate(images, images[::-1], 0.5, 0.5)
        decoded = model.decode(codes.s, codes.z.mean)
        return [codes.z.mean, decoded, swapped, interpolated, model.reconstruct(images), model.sample(images, 3)]

    before = outputs()
    fit_latent(model, trained_on)
    after = outputs()
    assert (before[0].shape, after[0].shape) == ((5, 6), (5, 1))
    assert all(np.any(one != other) for one, other in zip(before[1:], after[1:], strict=True))
    np.testing.assert_array_equal(after[1], after[4])


def test_validation_is_of_z_at_inference_before_and_after_the_fit(tiny_model, trained_on, triplet_batch):
    model = tiny_model(shared_variance=True, pca_dim=2)
    model.decoder.from_z.kernel.assign(300.0 * model.decoder.from_z.kernel)
    batches = tf.data.Dataset.from_tensors(triplet_batch())
    results = []
    for fitted in (False, True):
        if fitted:
            fit_latent(model, trained_on)
        results.append(model.evaluate(batches, return_dict=True, verbose=0))
        x1 = triplet_batch()["x1"].astype(np.float32) / 127.5 - 1
        error = np.mean((model(x1).numpy() - x1) ** 2)
        assert results[-1]["reconstruction"] == pytest.approx(error, rel=1e-4)
    assert results[0]["reconstruction"] != pytest.approx(results[1]["reconstruction"], rel=1e-3)


def test_it_is_read_in_the_graph_of_every_replica(mirrored, tiny_model, trained_on, triplet_batch):
    with mirrored.scope():
        model = tiny_model(shared_variance=True, pca_dim=2, swap_other_weight=0.0, prior_sample_weight=0.0)
    fit_latent(model, trained_on)
    model.test_step = tf.function(model.test_step, autograph=False)
    mirrored.run(model.test_step, args=({name: tf.constant(value) for name, value in triplet_batch().items()},))
    kl = next(mean for mean in model.validation_means if mean.name == "kl")
    assert model.latent.is_fitted() and np.isfinite(float(kl.result()))


@pytest.mark.parametrize("flags", [{"pca_dim": 2}, {"codebook_size": 4}], ids=lambda flags: next(iter(flags)))
def test_training_does_not_see_it(flags, tiny_model, triplet_batch, trained_on):
    shared = {"shared_variance": True, "seed": 3}
    without, with_it = tiny_model(**shared), tiny_model(**shared, **flags)
    fit_latent(with_it, trained_on, 0)
    terms = [model.train_step(triplet_batch()) for model in (without, with_it)]
    for name, value in terms[0].items():
        assert float(terms[1][name]) == pytest.approx(float(value), abs=1e-6), name
    assert len(with_it.generator_variables) == len(without.generator_variables)
    assert len(with_it.trainable_variables) == len(without.trainable_variables)


def test_networks_are_the_same_functions_before_and_after_the_fit(tiny_model, trained_on):
    model, images = tiny_model(shared_variance=True, **ALL), trained_on.images[:5] / 127.5 - 1.0
    before = model.encoder(images)
    decoded = model.decoder(before.z.mean, before.s)
    fit_latent(model, trained_on)
    after = model.encoder(images)
    for one, other in zip((before.s, *before.z), (after.s, *after.z), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model.decoder(after.z.mean, after.s), decoded)


def test_a_fitted_model_saved_and_loaded_gives_the_same_bits(tiny_model, trained_on, tmp_path):
    model, images = tiny_model(shared_variance=True, **ALL), trained_on.images[:5]
    fit_latent(model, trained_on, 4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.latent.is_fitted(4) and loaded.z_dim == 4
    for one, other in zip(model.encode(images).z, loaded.encode(images).z, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model.swap(images, images[::-1]), loaded.swap(images, images[::-1]))


def test_the_earlier_name_of_the_fit_still_works(tiny_model, trained_on):
    model = tiny_model(shared_variance=True, pca_dim=2)
    with pytest.warns(DeprecationWarning, match="fit_latent"):
        dfv.fit_z(model, trained_on, 3)
    assert model.latent.is_fitted(3)


@pytest.mark.parametrize("name", ["flow_layers", "pca_dim", "codebook_size"])
def test_a_pretrained_s_is_refused(name):
    with pytest.raises(
        ConfigError, match="--flow_layers, --pca_dim and --codebook_size do not work with a pre-trained s"
    ):
        Config.of(**{name: 3}, shared_variance=True, pretrain_s_steps=10)
