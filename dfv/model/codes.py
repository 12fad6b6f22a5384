"""The two codes of an image: s, deterministic, and z, a Gaussian posterior (section 4.1)."""

from typing import NamedTuple

import tensorflow as tf


class Posterior(NamedTuple):
    """q(z | x) = N(mean, exp(log_var)); both [B, z_dim] float32, log_var the natural log of the variance."""

    mean: tf.Tensor
    log_var: tf.Tensor

    def shared_std(self) -> tf.Tensor:
        """Standard deviation [1, z_dim], for posteriors whose variance is the same for all images."""
        # Of the first image: exp may round the last rows of a batch differently.
        return tf.exp(0.5 * self.log_var[:1])


class Codes(NamedTuple):
    """Enc(x): s [B, s_dim] float32, the code of the identity, and the posterior of z, the code of everything else."""

    s: tf.Tensor
    z: Posterior


def sample(posterior: Posterior, noise: tf.Tensor) -> tf.Tensor:
    """z ~ q(z | x), [B, z_dim] float32, differentiable in the posterior; noise ~ N(0, I) of the same shape."""
    return posterior.mean + tf.exp(0.5 * posterior.log_var) * noise


def prior_samples(seeds: tf.Tensor, z_dim: int) -> tf.Tensor:
    """z ~ N(0, I), [N, z_dim] float32, row i a function of seeds[i] ([N] int64) alone."""
    return tf.map_fn(
        lambda seed: tf.random.stateless_normal((z_dim,), tf.stack([seed, 0])), seeds, fn_output_signature=tf.float32
    )
