"""A softmax classifier of several label columns, trained with early stopping: probes and judges are made of it."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.initializers import GlorotUniform
from keras.optimizers.schedules import LearningRateSchedule

from dfv.data.lazy_images import Images
from dfv.evaluation.sampling import batches
from dfv.model.optimizers import FusedAdam

NUMBERS_AT_ONCE = 1 << 24  # of inputs, read from where they are


class Classifier(keras.Sequential):
    """A stack of layers under one softmax output for each column of labels, sizes[l] classes in column l.

    Inputs are [B, ...] of any type that the stack takes; labels [B, L] int32.
    """

    def __init__(
        self,
        stack: list[layers.Layer],
        input_shape: tuple[int, ...],
        sizes: tuple[int, ...],
        *,
        dtype: str = "float32",
        batch: int = 128,
        learning_rate: float | LearningRateSchedule = 1e-3,
    ):
        super().__init__([layers.Input(input_shape, dtype=dtype), *stack, layers.Dense(sum(sizes))])
        self.sizes, self.batch = sizes, batch
        self.adam = FusedAdam(learning_rate)
        self.adam.build(self.trainable_variables)
        self._everything = [*self.variables, *self.adam.variables]
        self._start = [variable.numpy() for variable in self._everything]

    def restart(self, seed: int) -> None:
        """Back to the start, with kernels drawn anew."""
        for variable, value in zip(self._everything, self._start, strict=True):
            variable.assign(value)
        kernels = [weight for weight in self.trainable_variables if weight.name == "kernel"]
        for i, kernel in enumerate(kernels):
            kernel.assign(GlorotUniform(len(kernels) * seed + i)(kernel.shape))

    def fit_until_best(
        self,
        train: tuple[Images, np.ndarray],
        validation: tuple[Images, np.ndarray],
        *,
        seed: int,
        max_epochs: int,
        patience: int,
        least_steps: int = 1,
    ) -> None:
        """Trains anew on (inputs, labels); keeps the epoch of fewest validation errors, of least loss among equals.

        It ends after `patience` epochs without a better one. An epoch goes through the data once, or more often
        where that takes fewer than least_steps.
        """
        self.restart(seed)
        rng, best, best_weights, waited = np.random.default_rng(seed), (np.inf, np.inf), self.get_weights(), 0
        for _ in range(max_epochs):
            self._train_epoch(*train, self._order(len(train[0]), rng, least_steps))
            score, waited = self.score(*validation), waited + 1
            if score < best:
                best, best_weights, waited = score, self.get_weights(), 0
            if waited == patience:
                break
        self.set_weights(best_weights)

    def _order(self, number: int, rng: np.random.Generator, least_steps: int) -> np.ndarray:
        """The rows of an epoch's batches, [steps, batch]; those left over are others next time."""
        size = min(self.batch, number)
        whole = number // size * size
        passes = math.ceil(least_steps * size / whole)
        return np.concatenate([rng.permutation(number)[:whole] for _ in range(passes)]).reshape(-1, size)

    def _train_epoch(self, inputs: Images, labels: np.ndarray, order: np.ndarray) -> None:
        shape = inputs.shape[1:]
        for rows in np.array_split(order, math.ceil(order.size * math.prod(shape) / NUMBERS_AT_ONCE)):
            read = inputs[rows.ravel()].reshape(*rows.shape, *shape)
            self._train_steps(tf.constant(read), tf.constant(labels[rows]))

    @tf.function(reduce_retracing=True)
    def _train_steps(self, inputs: tf.Tensor, labels: tf.Tensor) -> None:
        for batch in tf.range(tf.shape(inputs)[0]):
            with tf.GradientTape() as tape:
                logits = self(inputs[batch], training=True)
                loss = tf.reduce_mean(self._cross_entropy(logits, labels[batch]))
            self.adam.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)

    def _cross_entropy(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Nats, summed over the columns of labels, [B]."""
        columns = enumerate(tf.split(logits, self.sizes, axis=1))
        return tf.add_n([tf.nn.sparse_softmax_cross_entropy_with_logits(labels[:, i], column) for i, column in columns])

    @tf.function(autograph=False, reduce_retracing=True)
    def _logits(self, inputs: tf.Tensor) -> tf.Tensor:
        return self(inputs, training=False)

    def logits(self, inputs: Images) -> np.ndarray:
        """[N, sum of sizes] float32, of inputs that are read in batches."""
        size = min(1024, math.ceil(NUMBERS_AT_ONCE / math.prod(inputs.shape[1:])))
        return np.concatenate([self._logits(tf.constant(inputs[rows])).numpy() for rows in batches(len(inputs), size)])

    def score(self, inputs: Images, labels: np.ndarray) -> tuple[float, float]:
        """Error rate over all columns, and mean loss."""
        logits = self.logits(inputs)
        loss = tf.reduce_mean(self._cross_entropy(logits, labels))
        return float(np.mean(self._labels_of(logits) != labels)), float(loss)

    def predict_labels(self, inputs: Images) -> np.ndarray:
        """The likeliest class of each column, [N, L]."""
        return self._labels_of(self.logits(inputs))

    def _labels_of(self, logits: np.ndarray) -> np.ndarray:
        columns = np.split(logits, np.cumsum(self.sizes)[:-1], axis=1)
        return np.stack([column.argmax(1) for column in columns], axis=1)
