"""A softmax classifier of several label columns with early stopping: probes by networks, and oracle classifiers."""

import math
from collections.abc import Callable
from functools import cached_property, lru_cache, partial

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.initializers import GlorotUniform
from keras.optimizers.schedules import LearningRateSchedule

from dfv.data.lazy_images import Images
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData
from dfv.evaluation.sampling import batches
from dfv.model.layers.dtype_policy import float32_policy
from dfv.model.optimizers import FusedAdam

MAX_LOADED_NUMBERS = 1 << 24  # of inputs that are in memory at once
# Of the probes by networks: one hidden layer, none, or five: with the output, the six layers of DCoDR's classifier
# (Kahana and Hoshen, arXiv 2203.11284), whose hidden ones have batch normalization and a leaky ReLU.
HIDDEN_UNITS: dict[str, tuple[int, ...]] = {"network": (256,), "linear": (), "deep": (64,) * 5}
LEAK = 0.01
PATIENCE = 10
MIN_STEPS_PER_EPOCH = 50


class SoftmaxClassifier(keras.Sequential):
    """Layers, and on top of them one softmax output for each column of the labels.

    hidden: the layers before the outputs; they define the type of the inputs [B, ...].
    input_shape: of one input.
    num_classes: of each of the L columns; labels are [B, L] int32.
    dtype: of the inputs.
    """

    def __init__(
        self,
        hidden: list[layers.Layer],
        input_shape: tuple[int, ...],
        num_classes: tuple[int, ...],
        *,
        dtype: str = "float32",
        batch_size: int = 128,
        learning_rate: float | LearningRateSchedule = 1e-3,
    ):
        super().__init__([layers.Input(input_shape, dtype=dtype), *hidden, layers.Dense(sum(num_classes))])
        self.num_classes, self.batch_size = num_classes, batch_size
        self.adam = FusedAdam(learning_rate)
        self.adam.build(self.trainable_variables)
        self._state_variables = [*self.variables, *self.adam.variables]
        self._initial_values = [variable.numpy() for variable in self._state_variables]
        # With signatures, so that they are traced once, whatever the number of inputs.
        one, batch = (None, *input_shape), (None, None, *input_shape)
        labels = tf.TensorSpec((None, None, len(num_classes)), tf.int32)
        self._logits = tf.function(
            lambda inputs: self(inputs, training=False), input_signature=[tf.TensorSpec(one, dtype)], autograph=False
        )
        self._train_steps = tf.function(self._train_on_batches, input_signature=[tf.TensorSpec(batch, dtype), labels])

    def reinitialize(self, seed: int) -> None:
        """Sets all variables, the optimizer's too, to their initial values, and kernels to new random ones."""
        for variable, value in zip(self._state_variables, self._initial_values, strict=True):
            variable.assign(value)
        kernels = [weight for weight in self.trainable_variables if weight.name == "kernel"]
        for i, kernel in enumerate(kernels):
            kernel.assign(GlorotUniform(len(kernels) * seed + i)(kernel.shape))

    def fit_best_epoch(
        self,
        train: tuple[Images, np.ndarray],
        validation: tuple[Images, np.ndarray],
        *,
        seed: int,
        max_epochs: int,
        patience: int,
        min_steps: int = 1,
    ) -> None:
        """Trains from new weights and keeps those of the epoch with the lowest validation error, or loss if equal.

        train, validation: (inputs [N, ...], labels [N, L]).
        patience: the number of epochs without a lower validation error or loss after which training stops.
        min_steps: of an epoch; it passes over the training data several times if one pass is shorter.
        """
        self.reinitialize(seed)
        rng, best, best_weights, waited = np.random.default_rng(seed), (np.inf, np.inf), self.get_weights(), 0
        for _ in range(max_epochs):
            self._train_epoch(*train, self._order(len(train[0]), rng, min_steps))
            score, waited = self.score(*validation), waited + 1
            if score < best:
                best, best_weights, waited = score, self.get_weights(), 0
            if waited == patience:
                break
        self.set_weights(best_weights)

    def _order(self, number: int, rng: np.random.Generator, min_steps: int) -> np.ndarray:
        """The rows of an epoch's batches, [steps, batch_size], in random order; an incomplete batch is left out."""
        size = min(self.batch_size, number)
        whole = number // size * size
        passes = math.ceil(min_steps * size / whole)
        return np.concatenate([rng.permutation(number)[:whole] for _ in range(passes)]).reshape(-1, size)

    def _train_epoch(self, inputs: Images, labels: np.ndarray, order: np.ndarray) -> None:
        shape = inputs.shape[1:]
        for rows in np.array_split(order, math.ceil(order.size * math.prod(shape) / MAX_LOADED_NUMBERS)):
            loaded = inputs[rows.ravel()].reshape(*rows.shape, *shape)
            self._train_steps(tf.constant(loaded), tf.constant(labels[rows]))

    def _train_on_batches(self, inputs: tf.Tensor, labels: tf.Tensor) -> None:
        for batch in tf.range(tf.shape(inputs)[0]):
            with tf.GradientTape() as tape:
                logits = self(inputs[batch], training=True)
                loss = tf.reduce_mean(self._cross_entropy(logits, labels[batch]))
            self.adam.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)

    def _cross_entropy(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Cross-entropy summed over the columns of the labels, [B], nats."""
        columns = enumerate(tf.split(logits, self.num_classes, axis=1))
        return tf.add_n([tf.nn.sparse_softmax_cross_entropy_with_logits(labels[:, i], column) for i, column in columns])

    def logits(self, inputs: Images) -> np.ndarray:
        """[N, sum of num_classes] float32; inputs are read in batches."""
        return _in_batches(self._logits, inputs)

    def features(self, inputs: Images) -> np.ndarray:
        """[N, units] float32: outputs of the last hidden layer; inputs are read in batches."""
        return _in_batches(self._features, inputs)

    @cached_property
    def _features(self) -> Callable[[tf.Tensor], tf.Tensor]:
        hidden = keras.Model(self.inputs, self.layers[-2].output)
        return tf.function(partial(hidden, training=False), autograph=False, reduce_retracing=True)

    def score(self, inputs: Images, labels: np.ndarray) -> tuple[float, float]:
        """Error rate over all images and columns, and mean loss."""
        logits = self.logits(inputs)
        loss = tf.reduce_mean(self._cross_entropy(logits, labels))
        return float(np.mean(self._most_probable(logits) != labels)), float(loss)

    def predict_labels(self, inputs: Images) -> np.ndarray:
        """The class with the highest probability of each column, [N, L] int."""
        return self._most_probable(self.logits(inputs))

    def _most_probable(self, logits: np.ndarray) -> np.ndarray:
        columns = np.split(logits, np.cumsum(self.num_classes)[:-1], axis=1)
        return np.stack([column.argmax(1) for column in columns], axis=1)


def _in_batches(outputs: Callable[[tf.Tensor], tf.Tensor], inputs: Images) -> np.ndarray:
    size = min(1024, math.ceil(MAX_LOADED_NUMBERS / math.prod(inputs.shape[1:])))
    return np.concatenate([outputs(tf.constant(inputs[rows])).numpy() for rows in batches(len(inputs), size)])


def network_predictions(
    data: ProbeData, hidden_units: tuple[int, ...], *, seed: int, max_epochs: int
) -> BySplit[np.ndarray]:
    """Trains a classifier with these hidden layers and returns its predictions [N, L] for every split.

    One hidden layer has a ReLU, several ones have batch normalization and a leaky ReLU. The classifier is trained on
    standardized codes until `validation` errors have not decreased for PATIENCE epochs.
    """
    codes, labels = data.standardized_codes, data.labels
    classifier = _classifier(hidden_units, codes.train.shape[1], data.num_classes)
    classifier.fit_best_epoch(
        (codes.train, labels.train),
        (codes.validation, labels.validation),
        seed=seed,
        max_epochs=max_epochs,
        patience=PATIENCE,
        min_steps=MIN_STEPS_PER_EPOCH,
    )
    return BySplit(*(classifier.predict_labels(part) for part in codes))


@lru_cache(maxsize=8)
def _classifier(hidden_units: tuple[int, ...], code_dim: int, num_classes: tuple[int, ...]) -> SoftmaxClassifier:
    # Each fit reinitializes it: to trace a new one takes longer than to train it on a small set.
    learning_rate = 1e-3 if hidden_units else 1e-2
    with float32_policy():
        hidden = [layer for units in hidden_units for layer in _hidden_layer(units, deep=len(hidden_units) > 1)]
        return SoftmaxClassifier(hidden, (code_dim,), num_classes, learning_rate=learning_rate)


def _hidden_layer(units: int, deep: bool) -> list[layers.Layer]:
    if not deep:
        return [layers.Dense(units, "relu")]
    return [layers.Dense(units, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(LEAK)]
