"""Running means of the losses' terms, and the first term that was not finite."""

from collections.abc import Sequence

import keras
import tensorflow as tf


class TermMeans(keras.metrics.Metric):
    """Means since the last reset of terms [T], given in the order of their names; `result` is a dict."""

    def __init__(self, names: Sequence[str], name: str):
        super().__init__(name=name)
        self.names = tuple(names)
        self.total = self.add_variable((len(self.names),), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: tf.Tensor) -> None:
        """Adds one step's terms, [T] float32."""
        self.total.assign_add(values)
        self.count.assign_add(1.0)

    def result(self) -> dict[str, tf.Tensor]:
        """The mean of each term by its name."""
        means = tf.convert_to_tensor(self.total) / tf.maximum(tf.convert_to_tensor(self.count), 1.0)
        return dict(zip(self.names, tf.unstack(means, len(self.names)), strict=True))


class FirstNonFinite(keras.layers.Layer):
    """Stores the step and the index of the first term that was not finite; -1 if all terms were finite."""

    def __init__(self) -> None:
        super().__init__(name="first_non_finite", dtype="float32")
        self.found = self.add_weight(
            shape=(2,),
            initializer=keras.initializers.Constant(-1),
            dtype="int64",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.built = True

    def call(self, values: tf.Tensor, step: tf.Tensor) -> None:
        """Checks the terms [T] of one step."""
        wrong = tf.logical_not(tf.math.is_finite(values))
        now = tf.stack([tf.cast(step, tf.int64), tf.argmax(wrong)])
        is_first = tf.logical_and(tf.reduce_any(wrong), self.found[0] < 0)
        self.found.assign(tf.where(is_first, now, tf.convert_to_tensor(self.found)))
