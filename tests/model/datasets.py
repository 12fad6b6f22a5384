"""Data sets that tests make themselves."""

import tensorflow as tf


def without_tuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Without tf.data's tuning thread: it may sleep for a minute, and whoever deletes an iterator waits for it."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
