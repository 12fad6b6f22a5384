"""Squared error and KL against NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.losses.reconstruction import kl_to_prior, squared_error


def test_squared_error_is_the_mean_over_pixels_and_channels():
    random = np.random.default_rng(0)
    images, targets = random.uniform(-1, 1, (2, 3, 5, 4, 2)).astype(np.float32)
    expected = [
        sum((images[b, y, x, c] - targets[b, y, x, c]) ** 2 for y in range(5) for x in range(4) for c in range(2)) / 40
        for b in range(3)
    ]
    np.testing.assert_allclose(squared_error(images, targets), expected, rtol=1e-5)


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
