"""Maximum-likelihood fit of a conditional flow, p(z | s). Not in the paper.

Each image's z is fitted with the s of another image of its identity, as in triplets. An image's own s depends on its
pose and style too, which z must keep: given its own s, a flow would remove them from z.

The output of the flow may have any distribution that is the same for every s. A second, unconditional flow, discarded
afterwards, maps this shared distribution to N(0, I). A single flow that has to do both breaks up the clusters that all
identities share, such as those of the frames of Sprites. Where z has no clusters, as in MNIST, a single flow removes
more of the identity (`--flow_to_normal`).
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from dfv.model.latent.training_codes import CHUNK, TrainingCodes
from dfv.model.optimizers import FusedAdam

LOGGER = logging.getLogger(__name__)

BATCH, LEARNING_RATE, CHECK_STEPS = 512, 1e-3, 250


class Flow(Protocol):
    """An invertible layer with its log-determinant, such as `dfv.model.latent.stages.flow.ConditionalFlow`."""

    with_log_det: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
    trainable_variables: list[keras.Variable]
    get_weights: Callable[[], list[np.ndarray]]
    set_weights: Callable[[list[np.ndarray]], None]


class ConditionalDensity:
    """p(z | s): `flow` removes from z what depends on s; `shared`, unconditional, maps the result to N(0, I)."""

    def __init__(self, flow: Flow, shared: Flow):
        self.flow, self.shared = flow, shared

    def negative_log_likelihood(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """-log p(z | s), [B] nats, up to a constant."""
        rest, log_det = self.flow.with_log_det(z, s)
        normal, log_det_of_shared = self.shared.with_log_det(rest, tf.zeros_like(s))
        return 0.5 * tf.reduce_sum(normal**2, -1) - log_det - log_det_of_shared

    def fit(
        self,
        trained: Sequence[Flow],
        codes: TrainingCodes,
        held_out: np.ndarray,
        num_steps: int,
        random: np.random.Generator,
    ) -> None:
        """Trains these flows by maximum likelihood; keeps the weights with the highest likelihood on rows `held_out`.

        With few images these may be the initial weights. The flows are fitted to samples of z, whose noise smooths the
        density.
        """
        variables = [variable for flow in trained for variable in flow.trainable_variables]
        optimizer = FusedAdam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, num_steps))
        optimizer.build(variables)

        @tf.function(autograph=False)
        def step(z: tf.Tensor, s: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.negative_log_likelihood(z, s))
            optimizer.apply(tape.gradient(loss, variables), variables)

        rest = np.setdiff1d(np.arange(len(codes)), held_out)
        z, s = codes.select(held_out).z(random), codes.s_of_same_identity(held_out, random)
        best, first = [flow.get_weights() for flow in trained], self._mean(z, s)
        least = first
        for number in range(1, num_steps + 1):
            rows = rest[random.integers(0, len(rest), BATCH)]
            step(tf.constant(codes.select(rows).z(random)), tf.constant(codes.s_of_same_identity(rows, random)))
            if number % CHECK_STEPS == 0 or number == num_steps:
                loss = self._mean(z, s)
                if loss < least:
                    best, least = [flow.get_weights() for flow in trained], loss
        for flow, weights in zip(trained, best, strict=True):
            flow.set_weights(weights)
        LOGGER.info("Density of z: held-out negative log-likelihood from %.4g to %.4g nats", first, least)

    def _mean(self, z: np.ndarray, s: np.ndarray) -> float:
        chunks = [slice(start, start + CHUNK) for start in range(0, len(s), CHUNK)]
        return float(np.concatenate([self.negative_log_likelihood(z[rows], s[rows]) for rows in chunks]).mean())
