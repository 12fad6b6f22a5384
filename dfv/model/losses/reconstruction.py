"""The variational autoencoder's losses: squared error and KL divergence (section 4.1, equation 4)."""

import tensorflow as tf

from dfv.model.codes import Posterior


def squared_error(images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Mean over pixels and channels of (images - targets)^2, [B] float32; both [B, H, W, C] in [-1, 1]."""
    return tf.reduce_mean(tf.math.squared_difference(images, targets), axis=(1, 2, 3))


def kl_to_prior(posterior: Posterior) -> tf.Tensor:
    """KL(q(z | x) || N(0, I)), [B] float32, in nats, summed over dimensions (equation 4); tensors or NumPy arrays."""
    # Eq. 4: 1/2 sum(mean^2 + var - log var - 1)
    mean, log_var = posterior
    return 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_var) - log_var - 1.0, axis=-1)
