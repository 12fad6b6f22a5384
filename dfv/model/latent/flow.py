"""A flow of z given s: what is left of z once all that s tells of it is taken out, to be put back by the decoder. Ours.

An invertible network turns the encoder's z into one whose distribution is the same whatever s is, as conditional
invertible networks do (Rombach, Esser, Ommer, "Network-to-network translation with conditional invertible neural
networks", NeurIPS 2020; couplings: Dinh et al., "Density estimation using real NVP", ICLR 2017). The decoder undoes it
exactly, with the s that it decodes: an image's own reconstruction stays as it is, and z tells no more of the identity
than the fit leaves.
"""

import numpy as np
import tensorflow as tf
from keras import layers

from dfv.model.latent.stage import FittedLayer


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


class ConditionalFlow(FittedLayer):
    """An affine step by s alone, then `num_layers` affine couplings by s and the other half of z.

    It begins as the identity and is fitted by `dfv.model.latent.fitting` to the codes of a trained model. Of z's
    dimensions it takes the first `dims`, where that is not 0, and lets the others pass.
    """

    def __init__(self, num_layers: int, units: int, s_dim: int, z_dim: int, dims: int = 0):
        super().__init__("flow")
        self.dims = min(dims or z_dim, z_dim)
        self.by_s = Conditioner(units, s_dim, self.dims)
        self.couplings = [Conditioner(units, s_dim + self.dims, self.dims) for _ in range(num_layers)]
        self.masks = _halves(num_layers, self.dims)
        self.s_centre, self.s_scale, self.log_var_change = (
            self.add_constant(name, (dim,), initializer)
            for dim, initializer, name in (
                (s_dim, "zeros", "s_centre"),
                (s_dim, "ones", "s_scale"),
                (z_dim, "zeros", "log_var_change"),
            )
        )
        self.end_unfitted()

    def call(self, z: tf.Tensor, s: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What is left of z [B, z_dim], and the log-determinant of the Jacobian [B], nats; s [B, s_dim]."""
        s = self._standardised(s)
        shift, log_scale = self.by_s(s)
        rest, log_det = (z[:, : self.dims] - shift) * tf.exp(-log_scale), -tf.reduce_sum(log_scale, -1)
        for conditioner, kept in zip(self.couplings, self.masks, strict=True):
            shift, log_scale = self._of_the_other_half(conditioner, kept, rest, s)
            rest, log_det = (rest - shift) * tf.exp(-log_scale), log_det - tf.reduce_sum(log_scale, -1)
        return tf.concat([rest, z[:, self.dims :]], -1), log_det

    def put_back(self, rest: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """The z [B, z_dim] of which `rest` is left: the inverse of the call for the same s."""
        rest, s = tf.cast(rest, tf.float32), self._standardised(tf.cast(s, tf.float32))
        rest, passed = rest[:, : self.dims], rest[:, self.dims :]
        for conditioner, kept in zip(reversed(self.couplings), reversed(self.masks), strict=True):
            shift, log_scale = self._of_the_other_half(conditioner, kept, rest, s)
            rest = rest * tf.exp(log_scale) + shift
        shift, log_scale = self.by_s(s)
        return tf.concat([rest * tf.exp(log_scale) + shift, passed], -1)

    def _standardised(self, s: tf.Tensor) -> tf.Tensor:
        return (s - self.s_centre) / self.s_scale

    def _of_the_other_half(
        self, conditioner: Conditioner, kept: np.ndarray, z: tf.Tensor, s: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        shift, log_scale = conditioner(tf.concat([z * kept, s], -1))
        return shift * (1.0 - kept), log_scale * (1.0 - kept)


def _halves(number: int, dim: int) -> list[np.ndarray]:
    """Masks [dim] of the half that a coupling keeps: a random half, then the other one, then another random half."""
    random = np.random.default_rng(0)
    first = [(random.permutation(dim) < dim // 2).astype(np.float32) for _ in range((number + 1) // 2)]
    return [mask for half in first for mask in (half, 1.0 - half)][:number]
