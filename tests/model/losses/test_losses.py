"""Losses, KL and samples against NumPy in float64, and the properties that each owes."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import Posterior, kl_to_prior, prior_samples, rounded, sample
from dfv.model.losses import algorithm1 as losses

LOGITS = np.array([-40.0, -3.0, -0.2, 0.0, 0.7, 5.0, 40.0])


def probability(logits):
    return 1.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))


def test_squared_error_is_the_mean_over_pixels_and_channels():
    random = np.random.default_rng(0)
    images, targets = random.uniform(-1, 1, (2, 3, 5, 4, 2)).astype(np.float32)
    expected = [
        sum((images[b, y, x, c] - targets[b, y, x, c]) ** 2 for y in range(5) for x in range(4) for c in range(2)) / 40
        for b in range(3)
    ]
    np.testing.assert_allclose(losses.squared_error(images, targets), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (losses.adversarial_loss, lambda p: -np.log(p)),
        (losses.adversary_loss_on_fakes, lambda p: -np.log(1 - p)),
        (lambda x: losses.adversary_loss_on_real(x, 1.0), lambda p: -np.log(p)),
        (lambda x: losses.adversary_loss_on_real(x, 0.9), lambda p: -0.9 * np.log(p) - 0.1 * np.log(1 - p)),
    ],
    ids=["generator", "fakes", "real", "real, smoothed"],
)
def test_adversarial_losses_are_log_probabilities(loss, formula):
    middle = LOGITS[1:-1]
    np.testing.assert_allclose(loss(tf.constant(middle, tf.float32)), formula(probability(middle)), rtol=1e-5)
    # At logits of 40 a sigmoid in float32 is 0 or 1, and its logarithm is not finite.
    assert np.all(np.isfinite(loss(tf.constant(LOGITS, tf.float32))))


def test_smoothed_real_loss_is_least_at_the_label():
    logits = np.linspace(-4, 4, 801).astype(np.float32)
    least = logits[np.argmin(losses.adversary_loss_on_real(tf.constant(logits), 0.9))]
    assert probability(least) == pytest.approx(0.9, abs=2e-3)


def test_kl_is_zero_at_the_prior_and_equation_4_elsewhere():
    at_prior = Posterior(tf.zeros((2, 5)), tf.zeros((2, 5)))
    np.testing.assert_array_equal(kl_to_prior(at_prior), [0.0, 0.0])

    random = np.random.default_rng(1)
    mean, log_var = random.normal(size=(2, 3, 4)).astype(np.float32)
    expected = [
        sum(0.5 * (mean[b, d] ** 2 + np.exp(log_var[b, d]) - log_var[b, d] - 1) for d in range(4)) for b in range(3)
    ]
    np.testing.assert_allclose(kl_to_prior(Posterior(mean, log_var)), expected, rtol=1e-5)


def test_kl_is_the_integral_of_the_log_ratio():
    mean, log_var = 0.7, -1.3
    deviation = np.exp(0.5 * log_var)
    z = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 200_001)
    log_q = -0.5 * ((z - mean) / deviation) ** 2 - np.log(deviation)
    integral = np.sum(np.exp(log_q) / np.sqrt(2 * np.pi) * (log_q + 0.5 * z**2)) * (z[1] - z[0])
    kl = kl_to_prior(Posterior(tf.constant([[mean]]), tf.constant([[log_var]])))
    assert float(kl[0]) == pytest.approx(integral, rel=1e-5)


def test_sample_is_mean_plus_deviation_times_noise_and_differentiable_in_both():
    mean, log_var, noise = (tf.constant([[value]]) for value in (0.5, np.float32(np.log(4.0)), -1.5))
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        z = sample(Posterior(mean, log_var), noise)
    assert float(z[0, 0]) == pytest.approx(0.5 - 2 * 1.5)
    by_mean, by_log_var = tape.gradient(z, [mean, log_var])
    assert (float(by_mean[0, 0]), float(by_log_var[0, 0])) == pytest.approx((1.0, 0.5 * 2 * -1.5))


def test_prior_samples_are_standard_normal_and_each_row_its_own_seeds():
    z = prior_samples(tf.range(2000, dtype=tf.int64), 8).numpy()
    assert abs(z.mean()) < 0.04 and abs(z.std() - 1) < 0.03
    assert np.abs(np.corrcoef(z.T) - np.eye(8)).max() < 0.1
    alone = prior_samples(tf.constant([1234, 7], tf.int64), 8).numpy()
    np.testing.assert_array_equal(alone, z[[1234, 7]])


def test_rounding_is_to_multiples_of_each_dimensions_deviation():
    mean, log_var = normal_means(), np.log([0.25, 4.0, 0.01]).astype(np.float32)
    steps = 1.5 * np.array([0.5, 2.0, 0.1])
    for dimension, step in enumerate(steps):
        multiples = step * np.arange(-100, 101)
        nearest = multiples[np.abs(mean[:, dimension, None] - multiples).argmin(1)]
        got = rounded(Posterior(tf.constant(mean), tf.constant(np.tile(log_var, (40, 1)))), 1.5)
        np.testing.assert_allclose(got.mean[:, dimension], nearest, atol=1e-5)
        np.testing.assert_array_equal(got.log_var[:, dimension], np.full(40, log_var[dimension]))


def normal_means():
    return np.random.default_rng(4).normal(size=(40, 3)).astype(np.float32)
