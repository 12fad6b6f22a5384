"""What drives the identity out of z. Ours: additions to the paper, each off at weight 0.

The first two terms compare the codes of a batch with each other, so they take the codes of the *global* batch.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dfv.model import replicas

BANDWIDTHS = (0.1, 0.25, 0.5, 1.0, 2.0)
STATISTICS_MOMENTUM = 0.95
EMBEDDING_DIM, TEMPERATURE = 64, 0.1


def kernel(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """k(a_i, b_j), [N, M]: the sum over h of exp(-|a_i - b_j|^2 / (2 h D)), for a [N, D] and b [M, D]."""
    squares = tf.reduce_sum(a**2, -1)[:, None] + tf.reduce_sum(b**2, -1)[None, :]
    distances = tf.nn.relu(squares - 2.0 * tf.matmul(a, b, transpose_b=True)) / a.shape[-1]
    return tf.add_n([tf.exp(distances / (-2.0 * bandwidth)) for bandwidth in BANDWIDTHS])


def same_identity_pairs(identity: tf.Tensor) -> tf.Tensor:
    """[N, N] float32, 1 where two different examples share their identity [N] int32."""
    same = tf.cast(identity[:, None] == identity[None, :], tf.float32)
    return tf.linalg.set_diag(same, tf.zeros_like(same[0]))


def _mean_over(values: tf.Tensor, pairs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values * pairs) / tf.reduce_sum(pairs)


def prior_per_identity(z: tf.Tensor, identity: tf.Tensor, prior: tf.Tensor) -> tf.Tensor:
    """E[k(z, z') | same identity] - 2 E[k(z, p)], a scalar; z [N, D] ~ q(z | x), prior [N, D] ~ N(0, I).

    Up to a constant the mean over identities of the squared maximum mean discrepancy between their z and the prior:
    least where every identity's z has the prior's distribution, so that z is independent of the identity.
    """
    return _mean_over(kernel(z, z), same_identity_pairs(identity)) - 2.0 * tf.reduce_mean(kernel(z, prior))


def kernel_on_means(mean: tf.Tensor, identity: tf.Tensor) -> tf.Tensor:
    """E[k(m, m') | same identity] - E[k(m, m') | any two], a scalar; m the means [N, D] standardised over the batch."""
    centre, variance = tf.nn.moments(mean, axes=[0])
    similarity = kernel(*[(mean - centre) * tf.math.rsqrt(variance + 1e-6)] * 2)
    any_two = tf.linalg.set_diag(tf.ones_like(similarity), tf.zeros_like(similarity[0]))
    return _mean_over(similarity, same_identity_pairs(identity)) - _mean_over(similarity, any_two)


class ZClassifiers(layers.Layer):
    """The third player: one classifier of the labels reads the mean of z, another its sample.

    Codes are those of a batch of triplets, [x1; x1'; x2], N = 3 B rows. The mean is standardised by running
    statistics, the sample is read as it is: one network for both is blinded to the means. Past batches' codes are kept
    and trained on with the current ones, so that the encoder cannot run away from what the classifiers knew a moment
    ago.
    """

    def __init__(self, z_dim: int, label_sizes: tuple[int, ...], replay_batches: int, codes_per_batch: int):
        super().__init__(name="z_classifiers")
        self.label_sizes, self.replay_batches, self.codes_per_batch = label_sizes, replay_batches, codes_per_batch
        self.on_mean = self._network(z_dim)
        self.on_sample = self._network(z_dim)
        self.centre = self._state((z_dim,), "zeros")
        self.variance = self._state((z_dim,), "ones")
        kept = replay_batches * codes_per_batch
        self.kept_means = self._state((kept, z_dim), "zeros")
        self.kept_samples = self._state((kept, z_dim), "zeros")
        self.kept_labels = self._state((kept, len(label_sizes)), "zeros", "int32")
        self.built = True

    def _network(self, z_dim: int) -> keras.Sequential:
        hidden = [layers.Dense(256, activation="relu") for _ in range(2)]
        return keras.Sequential([keras.Input((z_dim,)), *hidden, layers.Dense(self._num_outputs())])

    def _num_outputs(self) -> int:
        return sum(self.label_sizes)

    def _state(self, shape: tuple[int, ...], initializer: str, dtype: str = "float32") -> keras.Variable:
        # Every replica writes the same values, computed from the codes of the global batch.
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=False, aggregation="only_first_replica"
        )

    def call(self, mean: tf.Tensor, sample: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Log-probability, nats, of the true labels [N, L] int32 from the mean and from the sample [N, D]; both [N].

        The mean over the labels where there are several.
        """
        standardised = (mean - self.centre) * tf.math.rsqrt(self.variance + 1e-6)
        return self._log_prob(self.on_mean(standardised), labels), self._log_prob(self.on_sample(sample), labels)

    def _log_prob(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        heads = tf.split(logits, self.label_sizes, axis=-1)
        losses = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels[:, column], head) for column, head in enumerate(heads)
        ]
        return -tf.add_n(losses) / len(losses)

    def learn(
        self,
        codes: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
        optimizer: keras.optimizers.Optimizer,
        num_updates: int,
        step: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains both classifiers on the (means, samples, labels) of the global batch and on as many kept ones.

        Gives the cross-entropy of each, nats, at the last update.
        """
        self._remember(*codes, step)
        for update in range(num_updates):
            kept = self._draw(step, seed + update) if self.replay_batches else codes
            batch = [tf.concat(pair, 0) for pair in zip(codes, kept, strict=True)] if self.replay_batches else codes
            with tf.GradientTape() as tape:
                losses = [-tf.reduce_mean(log_prob) for log_prob in self(*batch)]
                loss = replicas.share(losses)
            optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return losses[0], losses[1]

    def _remember(self, mean: tf.Tensor, sample: tf.Tensor, labels: tf.Tensor, step: tf.Tensor) -> None:
        """Moves the running statistics towards this batch's and keeps its codes in the oldest one's place."""
        centre, variance = tf.nn.moments(mean, axes=[0])
        for statistic, value in ((self.centre, centre), (self.variance, variance)):
            statistic.assign(STATISTICS_MOMENTUM * statistic.value + (1.0 - STATISTICS_MOMENTUM) * value)
        if self.replay_batches:
            if mean.shape[0] not in (None, self.codes_per_batch):
                expected, received = self.codes_per_batch // 3, mean.shape[0] // 3
                raise ValueError(f"expected the config's batch_size, {expected} triplets; received {received}.")
            start = tf.cast(step % self.replay_batches, tf.int32) * self.codes_per_batch
            rows = (start + tf.range(self.codes_per_batch))[:, None]
            for kept, values in ((self.kept_means, mean), (self.kept_samples, sample), (self.kept_labels, labels)):
                kept.assign(tf.tensor_scatter_nd_update(kept.value, rows, values))

    def _draw(self, step: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Kept (means, samples, labels) of as many triplets as a batch has, from the batches kept so far."""
        triplets = self.codes_per_batch // 3
        filled = tf.cast(tf.minimum(step + 1, self.replay_batches), tf.int32) * triplets
        drawn = tf.random.stateless_uniform((triplets,), seed, 0, filled, dtype=tf.int32)
        first = drawn // triplets * self.codes_per_batch + drawn % triplets
        rows = tf.concat([first, first + triplets, first + 2 * triplets], 0)
        return tuple(tf.gather(kept.value, rows) for kept in (self.kept_means, self.kept_samples, self.kept_labels))


class ZPairCritics(ZClassifiers):
    """The third player for any number of identities: two embeddings, of the mean and of the sample of z, trained so
    that codes of the same identity are alike. Nothing in it grows with the number of identities.
    """

    def _num_outputs(self) -> int:
        return EMBEDDING_DIM

    def _log_prob(self, embeddings: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Log-probability that the code most like each code is of its identity, for those that have one such; [M]."""
        unit = tf.math.l2_normalize(embeddings, -1)
        likeness = tf.matmul(unit, unit, transpose_b=True) / TEMPERATURE
        likeness = tf.linalg.set_diag(likeness, tf.fill(tf.shape(likeness)[:1], -np.inf))
        same = same_identity_pairs(labels[:, 0]) > 0
        of_identity = tf.reduce_logsumexp(tf.where(same, likeness, -np.inf), -1) - tf.reduce_logsumexp(likeness, -1)
        return tf.boolean_mask(of_identity, tf.reduce_any(same, -1))
