"""z in use: its principal axes, the directions in which its means spread most, in units of z's own noise. Ours.

Training spreads what z tells over all of its dimensions, at less than the noise of each. Turned into these axes it is a
few numbers well above their noise, which the decoder uses, and a long tail far below, in which the decoder sees nothing
and a probe of the means sees the identity. The tail is dropped, and rounding to multiples of the noise then costs
little.
"""

import numpy as np
import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.latent.stage import FittedLayer


class PrincipalAxes(FittedLayer):
    """An invertible linear map of z, fitted to the codes of a trained encoder; the identity until then.

    In the axes samples of z have mean 0, variance 1 and no correlations, as N(0, I) has, and the posterior's noise has
    variance 1 / (1 + l), where l is the variance of the means along an axis over that of the noise, largest first.
    """

    def __init__(self, z_dim: int, kept: int):
        super().__init__("axes")
        self.kept = np.arange(z_dim) < kept
        self.centre, self.to_axes, self.from_axes = (
            self.add_constant(name, shape, initializer)
            for name, shape, initializer in (
                ("centre", (z_dim,), "zeros"),
                ("to_axes", (z_dim, z_dim), "identity"),
                ("from_axes", (z_dim, z_dim), "identity"),
            )
        )
        self.end_unfitted()

    def call(self, posterior: Posterior) -> Posterior:
        """The posterior [B, z_dim] along the axes, its mean beyond the kept ones 0."""
        mean = tf.matmul(posterior.mean - self.centre, self.to_axes)
        mean = tf.where(self.is_fitted() & ~self.kept, 0.0, mean)
        # All images have one variance. Computed for each, the last bits would tell its place in the batch.
        variance = tf.matmul(tf.exp(posterior.log_var[:1]), tf.square(tf.convert_to_tensor(self.to_axes)))
        return Posterior(mean, tf.broadcast_to(tf.math.log(variance), tf.shape(mean)))

    def put_back(self, z: tf.Tensor) -> tf.Tensor:
        """The decoder's z of z [B, z_dim] along the axes."""
        return tf.matmul(tf.cast(z, tf.float32), self.from_axes) + self.centre

    def fit(self, mean: np.ndarray, deviation: np.ndarray, step: int) -> None:
        """Finds the axes of means [N, z_dim] whose noise has these deviations [z_dim]; step: of the training before."""
        means = mean / deviation
        centre = means.mean(0)
        means -= centre
        covariance = (means.T @ means).astype(np.float64) / len(means)
        variance, axes = (part[..., ::-1] for part in np.linalg.eigh(covariance))
        scale = np.sqrt(np.maximum(variance, 0) + 1.0)
        self.set_weights(
            [
                centre * deviation,
                axes / scale / deviation[:, None],
                (axes * scale).T * deviation,
                np.int64(step),
            ]
        )
