"""A latent adversary for any number of identities. Not in the paper."""

import keras
import numpy as np
import tensorflow as tf

from dfv.model.losses.latent_adversary import LatentAdversary
from dfv.model.losses.mmd import same_identity_pairs

EMBEDDING_DIM, TEMPERATURE = 64, 0.1


class PairCritic(LatentAdversary):
    """Two contrastive embeddings, of the mean and of the sample of z, that are close for codes of one identity.

    The number of weights does not depend on the number of identities.
    """

    @property
    def label_free_weights(self) -> list[keras.Variable]:
        """All weights, and the statistics, but not the replay."""
        outputs = [weight for network in (self.on_mean, self.on_sample) for weight in network.layers[-1].weights]
        return [*super().label_free_weights, *outputs]

    def _num_outputs(self) -> int:
        return EMBEDDING_DIM

    def _log_prob(self, embeddings: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Log of the softmax similarity that falls on codes of the same identity; [M] codes that have such a pair."""
        unit = tf.math.l2_normalize(embeddings, -1)
        similarity = tf.matmul(unit, unit, transpose_b=True) / TEMPERATURE
        similarity = tf.linalg.set_diag(similarity, tf.fill(tf.shape(similarity)[:1], -np.inf))
        same = same_identity_pairs(labels[:, 0]) > 0
        of_identity = tf.reduce_logsumexp(tf.where(same, similarity, -np.inf), -1) - tf.reduce_logsumexp(similarity, -1)
        return tf.boolean_mask(of_identity, tf.reduce_any(same, -1))
