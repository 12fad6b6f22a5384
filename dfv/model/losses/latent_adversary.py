"""The latent adversary: classifiers that predict the identity from z; the encoder is trained against them.

Not in the paper.
"""

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import layers

from dfv.model import replicas

STATISTICS_MOMENTUM = 0.95
HIDDEN_LAYERS, UNITS = 2, 256


class LatentBatch(NamedTuple):
    """z of the global batch [x1; x1'; x2]: means and samples [N, z_dim] float32, all labels [N, L] int32; N = 3 B."""

    mean: tf.Tensor
    sample: tf.Tensor
    labels: tf.Tensor

    @property
    def identity(self) -> tf.Tensor:
        """The first column of the labels, [N] int32."""
        return self.labels[:, 0]

    def label_columns(self, columns: slice) -> "LatentBatch":
        """The same codes with only these columns of the labels."""
        return self._replace(labels=self.labels[:, columns])


class LatentAdversary(layers.Layer):
    """Two classifiers of the labels: one takes the mean of z, the other a sample.

    z_dim: the dimension of z.
    label_sizes: the number of classes of each column of the labels.
    num_replay_batches: number of past batches whose codes are also trained on, so that the encoder cannot return to
      codes that the classifiers no longer recognise; 0: none.
    codes_per_batch: codes in a global batch, 3 B.

    Means are standardised by running statistics, samples are not. A single network for both would learn to ignore the
    means.
    """

    def __init__(self, z_dim: int, label_sizes: tuple[int, ...], num_replay_batches: int, codes_per_batch: int):
        super().__init__(name="latent_adversary", dtype="float32")
        self.label_sizes, self.codes_per_batch = label_sizes, codes_per_batch
        self.num_replay_batches = num_replay_batches
        self.on_mean = self._network(z_dim)
        self.on_sample = self._network(z_dim)
        self.centre = self._state((z_dim,), "zeros")
        self.variance = self._state((z_dim,), "ones")
        kept = num_replay_batches * codes_per_batch
        self.kept_means = self._state((kept, z_dim), "zeros")
        self.kept_samples = self._state((kept, z_dim), "zeros")
        self.kept_labels = self._state((kept, len(label_sizes)), "zeros", "int32")
        self.built = True

    def _network(self, z_dim: int) -> keras.Sequential:
        hidden = [layers.Dense(UNITS, activation="relu", dtype="float32") for _ in range(HIDDEN_LAYERS)]
        return keras.Sequential([keras.Input((z_dim,)), *hidden, layers.Dense(self._num_outputs(), dtype="float32")])

    def _num_outputs(self) -> int:
        return sum(self.label_sizes)

    def _state(self, shape: tuple[int, ...], initializer: str, dtype: str = "float32") -> keras.Variable:
        # Every replica writes the same values, computed from the codes of the global batch.
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=False, aggregation="only_first_replica"
        )

    @property
    def label_free_weights(self) -> list[keras.Variable]:
        """The statistics, and the weights of the classifiers up to the layer that has an output for each class."""
        hidden = [layer for network in (self.on_mean, self.on_sample) for layer in network.layers[:-1]]
        return [self.centre, self.variance, *(weight for layer in hidden for weight in layer.weights)]

    def load_own_variables(self, store: Any) -> None:
        """Loads the statistics and the replay; raises ValueError for a file with their earlier name."""
        if not len(store):
            raise ValueError(
                "The file has no weights under the name latent_adversary: an earlier version of dfv stored them as"
                " z_classifiers. The model.keras of a run folder is not affected, and neither are checkpoints; a"
                " Disentangler that was saved with its latent adversary is to be loaded by the version that saved it."
            )
        super().load_own_variables(store)

    def call(self, codes: LatentBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """Log-probability, nats, of the true labels, predicted from the mean and from the sample; both [N] float32.

        With several labels, the mean over them.
        """
        standardised = (codes.mean - self.centre) * tf.math.rsqrt(self.variance + 1e-6)
        on_mean, on_sample = self.on_mean(standardised), self.on_sample(codes.sample)
        return self._log_prob(on_mean, codes.labels), self._log_prob(on_sample, codes.labels)

    def log_likelihood(self, codes: LatentBatch) -> tf.Tensor:
        """The encoder's loss, a scalar: the sum of the means of both outputs of `call`."""
        return tf.add_n([tf.reduce_mean(log_prob) for log_prob in self(codes)])

    def _log_prob(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        heads = tf.split(logits, self.label_sizes, axis=-1)
        losses = [
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels[:, column], head) for column, head in enumerate(heads)
        ]
        return -tf.add_n(losses) / len(losses)

    def learn(
        self,
        codes: LatentBatch,
        optimizer: keras.optimizers.Optimizer,
        num_updates: int,
        step: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Trains both classifiers on the codes of the global batch and on as many codes of past batches.

        Returns the cross-entropy of each, a scalar in nats, at the last of `num_updates` updates.
        """
        self._remember(codes, step)
        for update in range(num_updates):
            batch = codes
            if self.num_replay_batches:
                kept = self._draw(step, seed + update)
                batch = LatentBatch(*(tf.concat(pair, 0) for pair in zip(codes, kept, strict=True)))
            with tf.GradientTape() as tape:
                losses = [-tf.reduce_mean(log_prob) for log_prob in self(batch)]
                loss = replicas.share(losses)
            optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return losses[0], losses[1]

    def _remember(self, codes: LatentBatch, step: tf.Tensor) -> None:
        """Moves the running statistics towards this batch's and keeps its codes in the oldest one's place."""
        centre, variance = tf.nn.moments(codes.mean, axes=[0])
        for statistic, value in ((self.centre, centre), (self.variance, variance)):
            statistic.assign(STATISTICS_MOMENTUM * statistic.value + (1.0 - STATISTICS_MOMENTUM) * value)
        if self.num_replay_batches:
            start = tf.cast(step % self.num_replay_batches, tf.int32) * self.codes_per_batch
            rows = (start + tf.range(self.codes_per_batch))[:, None]
            for kept, values in zip((self.kept_means, self.kept_samples, self.kept_labels), codes, strict=True):
                kept.assign(tf.tensor_scatter_nd_update(kept.value, rows, self._of_config_size(values)))

    def _of_config_size(self, values: tf.Tensor) -> tf.Tensor:
        """[codes_per_batch, ...] of a batch of any size: triplets beyond are left out, those that lack repeated."""
        if values.shape[0] == self.codes_per_batch:
            return values
        by_image = tf.reshape(values, (3, -1, *values.shape[1:]))
        triplets = tf.range(self.codes_per_batch // 3) % tf.shape(by_image)[1]
        return tf.reshape(tf.gather(by_image, triplets, axis=1), (self.codes_per_batch, *values.shape[1:]))

    def _draw(self, step: tf.Tensor, seed: tf.Tensor) -> LatentBatch:
        """Kept codes of as many triplets as a batch has, drawn whole from the batches kept so far."""
        triplets = self.codes_per_batch // 3
        filled = tf.cast(tf.minimum(step + 1, self.num_replay_batches), tf.int32) * triplets
        drawn = tf.random.stateless_uniform((triplets,), seed, 0, filled, dtype=tf.int32)
        first = drawn // triplets * self.codes_per_batch + drawn % triplets
        rows = tf.concat([first, first + triplets, first + 2 * triplets], 0)
        kept = self.kept_means, self.kept_samples, self.kept_labels
        return LatentBatch(*(tf.gather(values.value, rows) for values in kept))
