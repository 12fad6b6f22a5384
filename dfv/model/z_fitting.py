"""Fits what z goes through in use to a trained encoder's codes: its axes, and its flow by maximum likelihood. Ours.

For the flow each image's z is fitted with the s of any image of its identity, as in triplets. An image's own s tells
some of its pose and style as well, which z must keep: given them, a flow takes them out of z.
"""

import logging
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from dfv.config import Config
from dfv.data.image_set import ImageSet
from dfv.model.axes import PrincipalAxes
from dfv.model.codec import Codec, to_float
from dfv.model.codes import Posterior
from dfv.model.flow import ConditionalFlow
from dfv.model.networks import seeded
from dfv.model.optimizers import FusedAdam

LOGGER = logging.getLogger(__name__)

BATCH, LEARNING_RATE, CHECK_STEPS = 512, 1e-3, 250
HELD_OUT = 0.1
MAX_NUMBERS = 100_000_000  # of codes held in memory, 0.8 GB at most with their variances
CHUNK = 1024
MEAN_LOG_CHI_SQUARE = -1.2704  # of the log of a squared standard normal: -log 2 - Euler's constant


@dataclass(frozen=True)
class _TrainedCodes:
    """s [N, s_dim], the mean of z and the deviation of its samples [N, z_dim], float32; identity [N]."""

    s: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    identity: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "_TrainedCodes":
        return _TrainedCodes(self.s[rows], self.mean[rows], self.deviation[rows], self.identity[rows])

    def first(self, dims: int) -> "_TrainedCodes":
        """With the first dimensions of z alone."""
        return _TrainedCodes(self.s, self.mean[:, :dims], self.deviation[:, :dims], self.identity)

    def along(self, axes: PrincipalAxes) -> "_TrainedCodes":
        """With z along its axes."""
        mean, log_var = axes(Posterior(self.mean, 2.0 * np.log(self.deviation[:1])))
        deviation = np.broadcast_to(np.exp(0.5 * log_var.numpy()), self.mean.shape)
        return _TrainedCodes(self.s, mean.numpy(), deviation, self.identity)

    @cached_property
    def _blocks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows sorted by identity; of each row, where its identity's block starts, and its length."""
        _, number, count = np.unique(self.identity, return_inverse=True, return_counts=True)
        return np.argsort(number, kind="stable"), (np.cumsum(count) - count)[number], count[number]

    def s_of_same_identity(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The s [n, s_dim] of an image drawn for each of the rows [n] from those of its identity."""
        order, start, count = self._blocks
        return self.s[order[start[rows] + random.integers(0, count[rows])]]

    def z(self, random: np.random.Generator) -> np.ndarray:
        """Samples of z, [N, z_dim]: those, not the means, are to be N(0, I), and their noise smooths the flow."""
        return self.mean + self.deviation * random.standard_normal(self.mean.shape, np.float32)


def fitted_parts(model: Codec) -> list[PrincipalAxes | ConditionalFlow]:
    """What is fitted once encoder and decoder are trained: axes and flow, as far as the model has them."""
    return [part for part in (model.encoder.axes, model.encoder.flow) if part is not None]


def is_fitted(model: Codec, step: int) -> bool:
    """Whether all of these are fitted to the codes that the model had at this step."""
    return all(part.fitted_at.numpy() == step for part in fitted_parts(model))


def fit(model: Codec, train: ImageSet, step: int) -> None:
    """Fits the model's axes and flow, as far as it has them, to the codes of these images.

    step: of the training that came before.
    """
    random = np.random.default_rng(model.config.training.seed)
    codes = _codes(model, train, random)
    if model.encoder.axes is not None:
        model.encoder.axes.fit(codes.mean, codes.deviation[0], step)
        codes = codes.along(model.encoder.axes)
    if model.encoder.flow is not None:
        model.encoder.flow.set_weights(_fitted_flow(model.config, codes, step, random).get_weights())


def _fitted_flow(config: Config, codes: _TrainedCodes, step: int, random: np.random.Generator) -> ConditionalFlow:
    """A flow that makes z independent of the identity, as far as the flow can.

    Keeps the weights that were likeliest for a tenth of the images, held out: with few images that may be no flow at
    all.
    """
    network, training = config.network, config.training
    with seeded(training.seed + 2):
        flow = ConditionalFlow(network.flow_layers, network.flow_units, network.s_dim, network.z_dim, network.z_axes)
    order, held_out = random.permutation(len(codes.s)), max(1, int(HELD_OUT * len(codes.s)))
    flow.s_centre.assign(codes.s.mean(0))
    flow.s_scale.assign(np.maximum(codes.s.std(0), 1e-6))
    used = codes.first(flow.dims)
    kept, fitted = used.take(order[:held_out]), used.take(order[held_out:])
    _maximise_likelihood(flow, fitted, kept, training.flow_steps, random)
    change = _log_var_of_the_rest(flow, used, random) - 2.0 * np.mean(np.log(used.deviation), 0)
    flow.log_var_change.assign(np.pad(change, (0, network.z_dim - flow.dims)))
    flow.fitted_at.assign(step)
    return flow


def _codes(model: Codec, train: ImageSet, random: np.random.Generator) -> _TrainedCodes:
    """The codes of as many images as fit into memory."""
    most = min(len(train), MAX_NUMBERS // (model.z_dim + model.config.network.s_dim))
    rows = np.sort(random.choice(len(train), most, replace=False))
    encode = tf.function(lambda images: model.encoder.as_trained(to_float(images)), reduce_retracing=True)
    codes = [encode(tf.constant(train.images[rows[start : start + CHUNK]])) for start in range(0, most, CHUNK)]
    mean = np.concatenate([c.z.mean for c in codes])
    if model.config.network.shared_variance:
        log_var = np.broadcast_to(codes[0].z.log_var[0], mean.shape)
    else:
        log_var = np.concatenate([c.z.log_var for c in codes])
    return _TrainedCodes(np.concatenate([c.s for c in codes]), mean, np.exp(0.5 * log_var), train.identity[rows])


def _maximise_likelihood(
    flow: ConditionalFlow, codes: _TrainedCodes, held_out: _TrainedCodes, num_steps: int, random: np.random.Generator
) -> None:
    variables = flow.trainable_variables
    optimizer = FusedAdam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps))
    optimizer.build(variables)

    @tf.function
    def step(z: tf.Tensor, s: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(_negative_log_likelihood(flow, z, s))
        optimizer.apply(tape.gradient(loss, variables), variables)

    z, s = held_out.z(random), held_out.s_of_same_identity(np.arange(len(held_out.s)), random)
    best, start = flow.get_weights(), _mean_in_chunks(flow, z, s)
    least = start
    for number in range(1, num_steps + 1):
        rows = random.integers(0, len(codes.s), BATCH)
        step(tf.constant(codes.take(rows).z(random)), tf.constant(codes.s_of_same_identity(rows, random)))
        if number % CHECK_STEPS == 0 or number == num_steps:
            now = _mean_in_chunks(flow, z, s)
            if now < least:
                best, least = flow.get_weights(), now
    flow.set_weights(best)
    LOGGER.info("Flow of z given s: from %.4g to %.4g nats an image, held out", start, least)


def _negative_log_likelihood(flow: ConditionalFlow, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
    """-log p(z | s), [B] nats, up to a constant: what is left is N(0, I)."""
    rest, log_det = flow(z, s)
    return 0.5 * tf.reduce_sum(rest**2, -1) - log_det


def _mean_in_chunks(flow: ConditionalFlow, z: np.ndarray, s: np.ndarray) -> float:
    chunks = [slice(start, start + CHUNK) for start in range(0, len(s), CHUNK)]
    return float(np.concatenate([_negative_log_likelihood(flow, z[rows], s[rows]) for rows in chunks]).mean())


def _log_var_of_the_rest(flow: ConditionalFlow, codes: _TrainedCodes, random: np.random.Generator) -> np.ndarray:
    """[z_dim]: log of the variance of samples behind the flow, averaged as a logarithm, since few images have most."""
    total = np.zeros(codes.mean.shape[1])
    for start in range(0, len(codes.s), CHUNK):
        part = codes.take(slice(start, start + CHUNK))
        apart = (flow(part.z(random), part.s)[0] - flow(part.mean, part.s)[0]).numpy()
        total += np.sum(np.log(apart**2 + 1e-12), 0)
    return total / len(codes.s) - MEAN_LOG_CHI_SQUARE
