"""Rounding of z to multiples of its noise."""

import numpy as np
import tensorflow as tf

from dfv.data.dataset import ImageSet
from dfv.model.codes import Posterior
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.stages.rounding import Rounding


def test_rounding_is_to_multiples_of_each_dimensions_deviation():
    mean = np.random.default_rng(4).normal(size=(40, 3)).astype(np.float32)
    log_var = np.log([0.25, 4.0, 0.01]).astype(np.float32)
    steps = 1.5 * np.array([0.5, 2.0, 0.1])
    for dimension, step in enumerate(steps):
        multiples = step * np.arange(-100, 101)
        nearest = multiples[np.abs(mean[:, dimension, None] - multiples).argmin(1)]
        posterior = Posterior(tf.constant(mean), tf.constant(np.tile(log_var, (40, 1))))
        rounded = Rounding(3, 1.5).forward(posterior, None)
        np.testing.assert_allclose(rounded.mean[:, dimension], nearest, atol=1e-5)
        np.testing.assert_array_equal(rounded.log_var[:, dimension], np.full(40, log_var[dimension]))


def test_equal_means_are_rounded_to_the_same_bits_wherever_they_are_in_the_batch():
    mean, log_var = (tf.tile([[value] * 3], (43, 1)) for value in (2.7, -1.3))
    rounded = Rounding(3, 0.7).forward(Posterior(mean, log_var), None).mean.numpy()
    np.testing.assert_array_equal(rounded, np.tile(rounded[0], (43, 1)))


def test_z_is_rounded_at_inference_and_not_in_training(tiny_model, triplet_batch):
    exact, rounding = (tiny_model(shared_variance=True, rounding_step=step) for step in (0.0, 1.0))
    images, step = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 1), np.uint8), np.exp(-1.5)
    codes, exact_codes = rounding.encode(images), exact.encode(images)
    steps = codes.z.mean / step
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-5)
    assert 0.1 * step < np.abs(codes.z.mean - exact_codes.z.mean).max() <= 0.5001 * step
    np.testing.assert_array_equal(codes.s, exact_codes.s)
    terms, exact_terms = (model.train_step(triplet_batch()) for model in (rounding, exact))
    assert {name: float(term) for name, term in terms.items()} == {k: float(v) for k, v in exact_terms.items()}


def test_components_are_rounded_and_raw_z_is_not(tiny_model, trained_on):
    model, exact = (tiny_model(shared_variance=True, pca_dim=6, rounding_step=step) for step in (1.0, 0.0))
    images = trained_on.images[:40]
    np.testing.assert_allclose(model.encode(images).z.mean, exact.encode(images).z.mean, atol=1e-6)
    for one in (model, exact):
        fit_latent(one, trained_on, 0)
    codes, exact_codes = model.encode(images), exact.encode(images)
    steps = codes.z.mean / np.exp(0.5 * codes.z.log_var)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    np.testing.assert_allclose(codes.z.log_var, exact_codes.z.log_var, atol=1e-5)
    difference = np.abs(codes.z.mean - exact_codes.z.mean) / np.exp(0.5 * codes.z.log_var)
    assert 0.01 < difference.max() < 0.501


def test_the_flow_is_fitted_to_what_is_not_rounded_and_rounding_comes_after_it(tiny_model):
    images = np.random.default_rng(0).integers(0, 256, (300, 12, 12, 1), np.uint8)
    part = ImageSet(images, np.arange(300, dtype=np.int32) % 3)
    flags = {"shared_variance": True, "flow_layers": 1, "flow_units": 16, "flow_steps": 20}
    exact, rounding = tiny_model(**flags), tiny_model(**flags, rounding_step=2.0)
    for model in (exact, rounding):
        fit_latent(model, part, step=7)
    codes, exact_codes = rounding.encode(images), exact.encode(images)
    step = 2.0 * np.exp(0.5 * codes.z.log_var)
    np.testing.assert_allclose(codes.z.log_var, exact_codes.z.log_var, atol=1e-4)
    np.testing.assert_allclose(codes.z.mean / step, np.round(codes.z.mean / step), atol=1e-5)
    assert 0.1 < np.abs((codes.z.mean - exact_codes.z.mean) / step).max() < 0.51
