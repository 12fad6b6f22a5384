"""Fits the flow of z given s to the codes of a trained encoder, by maximum likelihood. Ours."""

import logging

import keras
import numpy as np
import tensorflow as tf

from dfv.data.image_set import Images
from dfv.model.codec import Codec
from dfv.model.flow import ConditionalFlow
from dfv.model.networks import seeded

LOGGER = logging.getLogger(__name__)

BATCH, LEARNING_RATE = 512, 1e-3
# Of standardised s, so that the flow learns what identities have in common and not single images.
S_NOISE = 0.1
MAX_NUMBERS = 100_000_000  # of codes held in memory, 0.8 GB at most with their variances
CHUNK = 1024


def fit_flow(model: Codec, images: Images, step: int) -> None:
    """Makes z independent of s, as far as the flow can: fits it anew to the codes of images [N, H, W, C] uint8.

    step: of the training that came before.
    """
    network, training = model.config.network, model.config.training
    with seeded(training.seed + 2):
        flow = ConditionalFlow(network.flow_layers, network.flow_units, network.s_dim, network.z_dim)
    model.encoder.flow.set_weights(flow.get_weights())  # the identity
    s, mean, log_var = _codes(model, images, training.seed)
    flow.s_centre.assign(s.mean(0))
    flow.s_scale.assign(np.maximum(s.std(0), 1e-6))
    deviation = np.exp(0.5 * log_var)
    _maximise_likelihood(flow, s, mean, deviation, training.flow_steps, training.seed)
    variance = _variance_of_the_rest(flow, s, mean, deviation, training.seed)
    flow.log_var_change.assign(np.log(variance / np.mean(deviation**2, 0)))
    flow.fitted_at.assign(step)
    model.encoder.flow.set_weights(flow.get_weights())


def _codes(model: Codec, images: Images, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """s [N, s_dim], mean and log-variance of z [N, z_dim] of as many images as fit."""
    most = min(len(images), MAX_NUMBERS // (model.z_dim + model.config.network.s_dim))
    rows = np.sort(np.random.default_rng(seed).choice(len(images), most, replace=False))
    codes = [model.encode(images[rows[start : start + CHUNK]]) for start in range(0, most, CHUNK)]
    mean = np.concatenate([c.z.mean for c in codes])
    if model.config.network.shared_variance:
        log_var = np.broadcast_to(codes[0].z.log_var[0], mean.shape)
    else:
        log_var = np.concatenate([c.z.log_var for c in codes])
    return np.concatenate([c.s for c in codes]), mean, log_var


def _maximise_likelihood(
    flow: ConditionalFlow, s: np.ndarray, mean: np.ndarray, deviation: np.ndarray, num_steps: int, seed: int
) -> None:
    """Half of a batch's z are means, half are samples: both are to be N(0, I) whatever s is."""
    variables = flow.trainable_variables
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps))
    optimizer.build(variables)

    @tf.function
    def step(z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            rest, log_det = flow(z, s)
            loss = tf.reduce_mean(0.5 * tf.reduce_sum(rest**2, -1) - log_det)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    random, s_deviation = np.random.default_rng(seed), flow.s_scale.numpy()
    for number in range(1, num_steps + 1):
        rows = random.integers(0, len(s), BATCH)
        sampled = random.integers(0, 2, (BATCH, 1)).astype(np.float32)
        z = mean[rows] + sampled * deviation[rows] * random.standard_normal(mean[rows].shape, np.float32)
        near_s = s[rows] + S_NOISE * s_deviation * random.standard_normal(s[rows].shape, np.float32)
        loss = step(tf.constant(z), tf.constant(near_s))
        if number % 1000 == 0 or number == num_steps:
            LOGGER.info("Flow of z given s, step %d of %d: %.4g nats", number, num_steps, float(loss))


def _variance_of_the_rest(
    flow: ConditionalFlow, s: np.ndarray, mean: np.ndarray, deviation: np.ndarray, seed: int
) -> np.ndarray:
    """The mean square [z_dim] by which a sample differs from the mean behind the flow, over all images."""
    random = np.random.default_rng(seed + 1)
    apart = []
    for start in range(0, len(s), CHUNK):
        rows = slice(start, start + CHUNK)
        sample = mean[rows] + deviation[rows] * random.standard_normal(mean[rows].shape, np.float32)
        apart.append((flow(sample, s[rows])[0] - flow(mean[rows], s[rows])[0]).numpy() ** 2)
    return np.concatenate(apart).mean(0)
