"""Fits what z goes through in use to a trained encoder's codes: axes, a flow by maximum likelihood, a codebook. Ours.

For the flow each image's z is fitted with the s of any image of its identity, as in triplets. An image's own s tells
some of its pose and style as well, which z must keep: given them, a flow takes them out of z.

What the flow leaves may have any shape, so long as it is the same for every s: a second flow, which sees no s and is
thrown away, turns it into N(0, I). A flow that has to do both tears apart what all identities share, such as the
clusters of Sprites' frames. Where z has no clusters, as in MNIST, the one that does both takes out more
(`--flow_to_normal`).
"""

import logging
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.model.codec import Codec
from dfv.model.latent.flow import ConditionalFlow
from dfv.model.latent.stage import FittedLayer
from dfv.model.latent.training_codes import CHUNK, TrainedCodes, trained_codes
from dfv.model.networks import seeded
from dfv.model.optimizers import FusedAdam

LOGGER = logging.getLogger(__name__)

AS_TRAINED = "z's axes, flow or codebook, which the flags ask for, are not fitted: dfv.fit_z does that."

BATCH, LEARNING_RATE, CHECK_STEPS = 512, 1e-3, 250
HELD_OUT = 0.1
MEAN_LOG_CHI_SQUARE = -1.2704  # of the log of a squared standard normal: -log 2 - Euler's constant


def fitted_parts(model: Codec) -> list[FittedLayer]:
    """What is fitted once encoder and decoder are trained, in that order, as far as the model has it."""
    encoder = model.encoder
    return [part for part in (encoder.axes, encoder.flow, encoder.codebook) if part is not None]


def is_fitted(model: Codec, step: int) -> bool:
    """Whether all of these are fitted to the codes that the model had at this step."""
    return all(part.fitted_at.numpy() == step for part in fitted_parts(model))


def is_as_trained(model: Codec) -> bool:
    """Whether the model has such parts and some of them are not fitted, so that they leave z as it is."""
    return not all(part.is_fitted() for part in fitted_parts(model))


def fit_z(model: Codec, train: ImageSet, step: int | None = None) -> None:
    """Fits the model's axes, flow and codebook, as far as it has them, to the codes of these images.

    The last step of a run of `dfv.main`; after `Disentangler.fit` it is to be called. step: of the training that came
    before; None: the last one that the config asks for.
    """
    step = model.config.training.num_steps if step is None else step
    random = np.random.default_rng(model.config.training.seed)
    codes = trained_codes(model, train, random)
    if model.encoder.axes is not None:
        model.encoder.axes.fit(codes.mean, codes.deviation[0], step)
        codes = codes.along(model.encoder.axes)
    if model.encoder.flow is not None:
        model.encoder.flow.set_weights(_fitted_flow(model.config, codes, step, random).get_weights())
    if model.encoder.codebook is not None:
        codes = codes if model.encoder.flow is None else codes.behind(model.encoder.flow)
        weight, seed = model.config.latent.codebook_identity_weight, model.config.training.seed
        model.encoder.codebook.fit(codes.mean / codes.deviation[0], codes.identity, weight, seed, step)


def _fitted_flow(config: Config, codes: TrainedCodes, step: int, random: np.random.Generator) -> ConditionalFlow:
    """A flow that makes z independent of the identity, as far as the flow can.

    Keeps the weights that were likeliest for a tenth of the images, held out: with few images that may be no flow at
    all.
    """
    network, latent = config.network, config.latent
    with seeded(config.training.seed + 2):
        flow, shape = (
            ConditionalFlow(latent.flow_layers, latent.flow_units, network.s_dim, network.z_dim, latent.pca_dim)
            for _ in range(2)
        )
    order, held_out = random.permutation(len(codes.s)), max(1, int(HELD_OUT * len(codes.s)))
    flow.s_centre.assign(codes.s.mean(0))
    flow.s_scale.assign(np.maximum(codes.s.std(0), 1e-6))
    used = codes.first(flow.dims)
    kept, fitted = used.take(order[:held_out]), used.take(order[held_out:])
    density = _Density(flow, shape)
    if not latent.flow_to_normal:
        # The shape first, so that the flow is asked for what s tells alone.
        density.fit([shape], fitted, kept, max(1, latent.flow_steps // 2), random)
    density.fit([flow] if latent.flow_to_normal else [shape, flow], fitted, kept, latent.flow_steps, random)
    change = _log_var_of_the_rest(flow, used, random) - 2.0 * np.mean(np.log(used.deviation), 0)
    flow.log_var_change.assign(np.pad(change, (0, network.z_dim - flow.dims)))
    flow.fitted_at.assign(step)
    return flow


class _Density:
    """p(z | s): a flow takes out what s tells, and another one, blind to s, describes the shape of what is left."""

    def __init__(self, flow: ConditionalFlow, shape: ConditionalFlow):
        self.flow, self.shape = flow, shape

    def negative_log(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """-log p(z | s), [B] nats, up to a constant."""
        rest, log_det = self.flow(z, s)
        normal, log_det_of_shape = self.shape(rest, tf.zeros_like(s))
        return 0.5 * tf.reduce_sum(normal**2, -1) - log_det - log_det_of_shape

    def fit(
        self,
        learning: Sequence[ConditionalFlow],
        codes: TrainedCodes,
        held_out: TrainedCodes,
        num_steps: int,
        random: np.random.Generator,
    ) -> None:
        """Maximises the codes' likelihood by these flows; keeps the weights that were likeliest for those held out."""
        variables = [variable for flow in learning for variable in flow.trainable_variables]
        optimizer = FusedAdam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps))
        optimizer.build(variables)

        @tf.function(autograph=False)
        def step(z: tf.Tensor, s: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.negative_log(z, s))
            optimizer.apply(tape.gradient(loss, variables), variables)

        z, s = held_out.z(random), held_out.s_of_same_identity(np.arange(len(held_out.s)), random)
        best, start = [flow.get_weights() for flow in learning], self._mean(z, s)
        least = start
        for number in range(1, num_steps + 1):
            rows = random.integers(0, len(codes.s), BATCH)
            step(tf.constant(codes.take(rows).z(random)), tf.constant(codes.s_of_same_identity(rows, random)))
            if number % CHECK_STEPS == 0 or number == num_steps:
                now = self._mean(z, s)
                if now < least:
                    best, least = [flow.get_weights() for flow in learning], now
        for flow, weights in zip(learning, best, strict=True):
            flow.set_weights(weights)
        LOGGER.info("Density of z: from %.4g to %.4g nats an image, held out", start, least)

    def _mean(self, z: np.ndarray, s: np.ndarray) -> float:
        chunks = [slice(start, start + CHUNK) for start in range(0, len(s), CHUNK)]
        return float(np.concatenate([self.negative_log(z[rows], s[rows]) for rows in chunks]).mean())


def _log_var_of_the_rest(flow: ConditionalFlow, codes: TrainedCodes, random: np.random.Generator) -> np.ndarray:
    """[flow.dims]: log of the variance of samples behind the flow, averaged as a logarithm: few images have most."""
    total = np.zeros(codes.mean.shape[1])
    for start in range(0, len(codes.s), CHUNK):
        part = codes.take(slice(start, start + CHUNK))
        apart = (flow(part.z(random), part.s)[0] - flow(part.mean, part.s)[0]).numpy()
        total += np.sum(np.log(apart**2 + 1e-12), 0)
    return total / len(codes.s) - MEAN_LOG_CHI_SQUARE
