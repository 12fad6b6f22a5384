"""Rounding of z to multiples of its posterior's standard deviation. Not in the paper.

The decoder is trained on samples, so it is insensitive to differences below their noise; classifiers of the mean
are not.
"""

import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.latent.stages.stage import Stage


class Rounding(Stage):
    """Rounds each dimension of the posterior mean to the nearest multiple of `step` standard deviations.

    All images must have the same posterior variance: image-specific steps would reveal the image.
    """

    needs_fit = False

    def __init__(self, z_dim: int, step: float):
        super().__init__(z_dim, name="rounding")
        self.step = step
        self.built = True

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        step = self.step * posterior.shared_std()
        return Posterior(step * tf.round(posterior.mean / step), posterior.log_var)
