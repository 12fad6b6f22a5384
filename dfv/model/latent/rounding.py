"""Rounding of z to multiples of its posterior's standard deviation. Not in the paper.

The decoder learns from samples, so it hardly uses what is finer than their noise; a classifier of the mean does.
"""

import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.latent.stage import Stage


class Rounding(Stage):
    """The posterior's mean at the nearest multiple of `step` standard deviations, in each dimension on its own.

    All images must have one posterior variance: steps of an image's own would identify it.
    """

    needs_fit = False

    def __init__(self, z_dim: int, step: float):
        super().__init__(z_dim, name="rounding")
        self.step = step
        self.built = True

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        # Of the first image, as they all have it: exp rounds the last rows of a batch otherwise than the others.
        step = self.step * tf.exp(0.5 * posterior.log_var[:1])
        return Posterior(step * tf.round(posterior.mean / step), posterior.log_var)
