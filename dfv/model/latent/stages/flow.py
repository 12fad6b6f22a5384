"""A conditional flow of z: removes from z what s predicts of it. Not in the paper.

An invertible network maps z to one whose distribution does not depend on s, as conditional invertible networks do
(Rombach, Esser, Ommer, "Network-to-network translation with conditional invertible neural networks", NeurIPS 2020;
couplings: Dinh et al., "Density estimation using real NVP", ICLR 2017). Before decoding it is inverted exactly, with
the s that is decoded, so that reconstructions do not change. How much identity leakage remains in z depends on the fit.
"""

import numpy as np
import tensorflow as tf
from keras import layers

from dfv.model.codes import Posterior
from dfv.model.latent.stages.flow_density import ConditionalDensity
from dfv.model.latent.stages.stage import Stage
from dfv.model.latent.training_codes import TrainingCodes
from dfv.model.layers.dtype_policy import float32_policy
from dfv.model.layers.seeding import seeded

HELD_OUT = 0.1
MEAN_LOG_CHI_SQUARE = -1.2704  # of the log of a squared standard normal: -log 2 - Euler's constant


class Conditioner(layers.Layer):
    """Shift and log-scale from -1 to 1, both [B, dim] float32, by two hidden layers; zero at the start."""

    def __init__(self, units: int, input_dim: int, dim: int):
        super().__init__()
        self.first, self.second = (layers.Dense(units, "relu") for _ in range(2))
        self.affine = layers.Dense(2 * dim, kernel_initializer="zeros")
        self(tf.zeros((1, input_dim)))

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        shift, log_scale = tf.split(self.affine(self.second(self.first(inputs))), 2, axis=-1)
        return shift, tf.tanh(log_scale)


class ConditionalFlow(Stage):
    """An affine map conditioned on s, then `num_layers` affine couplings conditioned on s and the other half of z.

    Identity map until fitted. units: of each hidden layer of a conditioner. num_steps: of the fit.
    to_normal: fit it to map z to N(0, I); else to a density that all identities share.
    """

    def __init__(
        self, num_layers: int, units: int, s_dim: int, z_dim: int, num_steps: int = 4000, to_normal: bool = False
    ):
        super().__init__(z_dim, name="flow")
        self.sizes, self.num_steps, self.to_normal = (num_layers, units, s_dim, z_dim), num_steps, to_normal
        self.by_s = Conditioner(units, s_dim, z_dim)
        self.couplings = [Conditioner(units, s_dim + z_dim, z_dim) for _ in range(num_layers)]
        self.masks = _halves(num_layers, z_dim)
        self.s_centre, self.s_scale = (
            self.add_constant("s_centre", (s_dim,)),
            self.add_constant("s_scale", (s_dim,), "ones"),
        )
        self.log_var_change = self.add_constant("log_var_change", (z_dim,))
        self.built = True

    def with_log_det(self, z: tf.Tensor, s: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """z [B, z_dim] transformed given s [B, s_dim], and the log-determinant of the Jacobian [B], nats."""
        s = self._standardized(s)
        shift, log_scale = self.by_s(s)
        rest, log_det = (z - shift) * tf.exp(-log_scale), -tf.reduce_sum(log_scale, -1)
        for conditioner, kept in zip(self.couplings, self.masks, strict=True):
            shift, log_scale = self._from_the_kept_half(conditioner, kept, rest, s)
            rest, log_det = (rest - shift) * tf.exp(-log_scale), log_det - tf.reduce_sum(log_scale, -1)
        return rest, log_det

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        return Posterior(self.with_log_det(posterior.mean, s)[0], posterior.log_var + self.log_var_change)

    def inverse(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """Returns the input that the flow maps to z [B, z_dim] given s."""
        s = self._standardized(s)
        for conditioner, kept in zip(reversed(self.couplings), reversed(self.masks), strict=True):
            shift, log_scale = self._from_the_kept_half(conditioner, kept, z, s)
            z = z * tf.exp(log_scale) + shift
        shift, log_scale = self.by_s(s)
        return z * tf.exp(log_scale) + shift

    def fit(self, codes: TrainingCodes, seed: int, random: np.random.Generator) -> None:
        """Fits the flow by maximum likelihood, so that its output depends as little as possible on the identity.

        Keeps the weights with the highest likelihood on a held-out tenth of the images; with few images, these may be
        the initial ones (the identity map).
        """
        # Layers of their own, since this one's weights are not trainable.
        with float32_policy(), seeded(seed + 2):
            flow, shared = (ConditionalFlow(*self.sizes) for _ in range(2))
        order, num_held_out = random.permutation(len(codes)), max(1, int(HELD_OUT * len(codes)))
        flow.s_centre.assign(codes.s.mean(0))
        flow.s_scale.assign(np.maximum(codes.s.std(0), 1e-6))
        held_out = order[:num_held_out]
        density = ConditionalDensity(flow, shared)
        if not self.to_normal:
            # The shared density first, so that the flow has to learn only what s predicts.
            density.fit([shared], codes, held_out, max(1, self.num_steps // 2), random)
        density.fit([flow] if self.to_normal else [shared, flow], codes, held_out, self.num_steps, random)
        flow.log_var_change.assign(flow.log_var_of_samples(codes, random) - 2.0 * np.mean(np.log(codes.std), 0))
        self.set_weights(flow.get_weights())

    def log_var_of_samples(self, codes: TrainingCodes, random: np.random.Generator) -> np.ndarray:
        """Returns [z_dim]: log-variance of an image's transformed samples, averaged over images.

        The mean of the variances would be dominated by a few images with large ones.
        """
        total = np.zeros(self.output_dim)
        for part in codes.chunks():
            deviation = self.with_log_det(part.z(random), part.s)[0] - self.with_log_det(part.mean, part.s)[0]
            total += np.sum(np.log(deviation.numpy() ** 2 + 1e-12), 0)
        return total / len(codes) - MEAN_LOG_CHI_SQUARE

    def _standardized(self, s: tf.Tensor) -> tf.Tensor:
        return (s - tf.convert_to_tensor(self.s_centre)) / tf.convert_to_tensor(self.s_scale)

    def _from_the_kept_half(
        self, conditioner: Conditioner, kept: np.ndarray, z: tf.Tensor, s: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Shift and log-scale of the other half of z; 0 for the kept one."""
        shift, log_scale = conditioner(tf.concat([z * kept, s], -1))
        return shift * (1.0 - kept), log_scale * (1.0 - kept)


def _halves(number: int, dim: int) -> list[np.ndarray]:
    """Masks [dim] of the half that a coupling keeps: a random half, then the other one, then another random half."""
    random = np.random.default_rng(0)
    first = [(random.permutation(dim) < dim // 2).astype(np.float32) for _ in range((number + 1) // 2)]
    return [mask for half in first for mask in (half, 1.0 - half)][:number]
