"""The losses of the game between generator and adversary (section 4.2, equation 2); logits in, nats out."""

from typing import NamedTuple

import tensorflow as tf


class AdversaryLogits(NamedTuple):
    """The adversary's logits [B] on x2 and on the generated images of its identity; None where no loss needs them.

    Above 0: the adversary takes the image for a real one.
    """

    real: tf.Tensor
    swap_other: tf.Tensor
    prior_sample: tf.Tensor | None


def adversarial_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """The generator's: -log Adv(fake), [B] nats (non-saturating form of equation 2); logits [B]."""
    return tf.nn.softplus(-fake_logits)


def adversary_loss_on_fakes(fake_logits: tf.Tensor) -> tf.Tensor:
    """The adversary's own on generated images: -log(1 - Adv(fake)), [B] nats (equation 2); logits [B]."""
    return tf.nn.softplus(fake_logits)


def adversary_loss_on_real(real_logits: tf.Tensor, real_label: float) -> tf.Tensor:
    """The adversary's own on real images: cross-entropy with the target `real_label`, [B] nats; logits [B].

    -log Adv(real) at a label of 1 (equation 2); below 1, one-sided label smoothing.
    """
    return real_label * tf.nn.softplus(-real_logits) + (1.0 - real_label) * tf.nn.softplus(real_logits)


def adversary_terms(logits: AdversaryLogits, real_label: float, sees_prior_samples: bool) -> dict[str, tf.Tensor]:
    """Both terms of the adversary's own loss, scalars; half of the fakes are prior samples if it sees them."""
    fakes = [logits.swap_other, logits.prior_sample] if sees_prior_samples else [logits.swap_other]
    return {
        "adversary_on_real": tf.reduce_mean(adversary_loss_on_real(logits.real, real_label)),
        "adversary_on_fakes": tf.reduce_mean(adversary_loss_on_fakes(tf.concat(fakes, 0))),
    }


def accuracy(logits: AdversaryLogits) -> tf.Tensor:
    """Share of the real images and swaps that the adversary classifies correctly, a scalar in [0, 1]."""
    correct = tf.concat([logits.real > 0, logits.swap_other < 0], 0)
    return tf.reduce_mean(tf.cast(correct, tf.float32))
