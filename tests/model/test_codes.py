"""Samples of z against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import Posterior, prior_samples, sample


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
