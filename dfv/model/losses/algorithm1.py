"""Losses of Algorithm 1: pure, one number per example, logits in."""

import tensorflow as tf


def squared_error(images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Mean over pixels and channels of (images - targets)^2, [B] float32; both [B, H, W, C] in [-1, 1]."""
    return tf.reduce_mean(tf.math.squared_difference(images, targets), axis=(1, 2, 3))


def adversarial_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """-log Adv(fake), [B] nats, what the generator minimises (non-saturating form of equation 2); logits [B]."""
    return tf.nn.softplus(-fake_logits)


def adversary_loss_on_fakes(fake_logits: tf.Tensor) -> tf.Tensor:
    """-log(1 - Adv(fake)), [B] nats (equation 2); logits [B]."""
    return tf.nn.softplus(fake_logits)


def adversary_loss_on_real(real_logits: tf.Tensor, real_label: float) -> tf.Tensor:
    """Cross-entropy of Adv(real) with the target `real_label`, [B] nats; -log Adv(real) at 1 (equation 2)."""
    return real_label * tf.nn.softplus(-real_logits) + (1.0 - real_label) * tf.nn.softplus(real_logits)
