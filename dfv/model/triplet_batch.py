"""What enters a step: images, labels and noise; everything random is a function of the global batch."""

from typing import NamedTuple

import tensorflow as tf

from dfv.model import replicas
from dfv.model.codec import to_float

POSTERIOR_NOISE, PRIOR_NOISE, PRIOR_TERM_NOISE, REPLAY_DRAWS = range(4)


class Triplet(NamedTuple):
    """x1, x1_same, x2: [B, H, W, C] float32 in [-1, 1]; labels1, labels2: [B, L] int32, column 0 the identity."""

    x1: tf.Tensor
    x1_same: tf.Tensor
    x2: tf.Tensor
    labels1: tf.Tensor
    labels2: tf.Tensor

    @property
    def images(self) -> tf.Tensor:
        """[x1; x1'; x2], [3 B, H, W, C]."""
        return tf.concat([self.x1, self.x1_same, self.x2], 0)

    @property
    def labels(self) -> tf.Tensor:
        """The labels of `images`, [3 B, L]."""
        return tf.concat([self.labels1, self.labels1, self.labels2], 0)

    @property
    def global_batch(self) -> int:
        """Triplets over all replicas."""
        return (self.x1.shape[0] or tf.shape(self.x1)[0]) * replicas.num_replicas()


def read(data: dict[str, tf.Tensor]) -> Triplet:
    """The triplet of an element of `dfv.data.pipeline`."""
    x1, x1_same, x2 = (to_float(data[name]) for name in ("x1", "x1_same", "x2"))
    return Triplet(x1, x1_same, x2, data["labels1"], data["labels2"])


class Noise:
    """The draws of one step: functions of (seed, step, position in the global batch)."""

    def __init__(self, seed: int, step: tf.Tensor, triplet: Triplet, z_dim: int):
        self._seed, self._step, self._batch, self._z_dim = seed, step, triplet.global_batch, z_dim

    def seed(self, purpose: int) -> tf.Tensor:
        """The seed [2] of the stateless draws for one purpose."""
        return tf.random.experimental.stateless_fold_in(tf.constant([self._seed, purpose], tf.int64), self._step)

    def _normal(self, purpose: int, groups: int) -> tf.Tensor:
        return tf.random.stateless_normal((groups, self._batch, self._z_dim), self.seed(purpose))

    def posterior(self, groups: int) -> tf.Tensor:
        """N(0, I) for this replica's images: `groups` times x1, x1', x2, [groups B, z_dim]."""
        return tf.reshape(replicas.own_rows(self._normal(POSTERIOR_NOISE, groups)), (-1, self._z_dim))

    def prior(self) -> tf.Tensor:
        """z ~ N(0, I) of this replica's prior samples, [B, z_dim]."""
        return replicas.own_rows(self._normal(PRIOR_NOISE, 1))[0]

    def prior_of_global_batch(self) -> tf.Tensor:
        """z ~ N(0, I), as many as the global batch has images, [3 G, z_dim]."""
        return tf.reshape(self._normal(PRIOR_TERM_NOISE, 3), (-1, self._z_dim))
