"""The adversarial losses against log-probabilities in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.losses import adversarial as losses

LOGITS = np.array([-40.0, -3.0, -0.2, 0.0, 0.7, 5.0, 40.0])


def probability(logits):
    return 1.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))


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
