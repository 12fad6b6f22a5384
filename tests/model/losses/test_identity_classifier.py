"""The identity classifier on s: its losses against NumPy, and which way each gradient goes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from dfv.model.codes import Codes, Posterior
from dfv.model.losses.identity_classifier import IdentityClassifier

S_DIM, NUM_IDENTITIES = 4, 3
IDENTITY = np.array([2, 0, 1, 1, 2], np.int32)


@pytest.fixture
def classifier():
    keras.utils.set_random_seed(0)
    classifier = IdentityClassifier(S_DIM, NUM_IDENTITIES)
    classifier.logits.bias.assign([0.5, -0.25, 0.0])
    return classifier


class PlainEncoder(layers.Layer):
    """s is a nonlinear function of the pixels, by one dense layer."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(S_DIM, "tanh")

    def call(self, images, training=False, z_of=None):
        flat = tf.reshape(images, (-1, 12))
        return Codes(self.dense(flat), Posterior(flat[:z_of], flat[:z_of]))


@pytest.fixture
def encoder():
    encoder = PlainEncoder()
    encoder(tf.zeros((1, 2, 2, 3)))
    return encoder


def plain_cross_entropy(classifier, s):
    logits = s @ classifier.logits.kernel.numpy() + classifier.logits.bias.numpy()
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return -np.log(probability[np.arange(len(s)), IDENTITY])


def test_loss_is_the_cross_entropy_of_a_linear_classifier(classifier):
    s = np.random.default_rng(1).normal(size=(5, S_DIM)).astype(np.float32)
    np.testing.assert_allclose(classifier.loss(s, IDENTITY), plain_cross_entropy(classifier, s), atol=1e-6)


def test_loss_on_images_is_that_of_their_s(classifier, encoder):
    images = np.random.default_rng(2).normal(size=(5, 2, 2, 3)).astype(np.float32)
    losses = classifier.loss_on_images(tf.constant(images), IDENTITY, encoder)
    s = np.tanh(images.reshape(5, 12) @ encoder.dense.kernel.numpy())
    np.testing.assert_allclose(losses, plain_cross_entropy(classifier, s), atol=1e-6)


def test_only_the_images_learn_from_the_loss_on_images(classifier, encoder):
    images = tf.Variable(np.random.default_rng(3).normal(size=(5, 2, 2, 3)).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(classifier.loss_on_images(tf.identity(images), IDENTITY, encoder))
        plain = tf.reduce_mean(classifier.loss(encoder(images).s, IDENTITY))
    np.testing.assert_allclose(tape.gradient(loss, images), tape.gradient(plain, images), atol=1e-7)
    weights = encoder.trainable_variables + classifier.trainable_variables
    assert tape.gradient(loss, weights) == [None] * len(weights)
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(plain, weights))
