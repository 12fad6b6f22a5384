"""The losses of the game between generator and adversary (section 4.2, equation 2); logits in, nats out."""

from typing import NamedTuple

import tensorflow as tf


class AdversaryLogits(NamedTuple):
    """The adversary's logits [B] on x2 and on generated images of its identity; None if no loss needs them.

    A positive logit classifies the image as real.
    """

    real: tf.Tensor
    swap_other: tf.Tensor
    prior_sample: tf.Tensor | None


def adversarial_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The generator's loss: -log Adv(fake), [B] nats (non-saturating form of equation 2); logits [B]."""
    return tf.nn.softplus(-fake_logits)


def adversary_loss_on_fakes(fake_logits: tf.Tensor) -> tf.Tensor:
    """The adversary's loss on generated images: -log(1 - Adv(fake)), [B] nats (equation 2); logits [B]."""
    return tf.nn.softplus(fake_logits)


def adversary_loss_on_real(real_logits: tf.Tensor, real_label: float) -> tf.Tensor:
    """The adversary's loss on real images: cross-entropy with target `real_label`, [B] nats; logits [B].

    -log Adv(real) at a label of 1 (equation 2); below 1, one-sided label smoothing.
    """
    return real_label * tf.nn.softplus(-real_logits) + (1.0 - real_label) * tf.nn.softplus(real_logits)


def adversary_terms(logits: AdversaryLogits, real_label: float, sees_prior_samples: bool) -> dict[str, tf.Tensor]:
    """Both terms of the adversary's loss, scalars; prior samples, if used, are half of the generated images."""
    fakes = [logits.swap_other, logits.prior_sample] if sees_prior_samples else [logits.swap_other]
    return {
        "adversary_on_real": tf.reduce_mean(adversary_loss_on_real(logits.real, real_label)),
        "adversary_on_fakes": tf.reduce_mean(adversary_loss_on_fakes(tf.concat(fakes, 0))),
    }


def accuracy(logits: AdversaryLogits) -> tf.Tensor:
    """Fraction of real images and swaps that the adversary classifies correctly, a scalar in [0, 1]."""
    correct = tf.concat([logits.real > 0, logits.swap_other < 0], 0)
    return tf.reduce_mean(tf.cast(correct, tf.float32))
