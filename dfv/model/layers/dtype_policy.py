"""The dtype of layers is set by the config, not by Keras' global policy."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def float32_policy() -> Iterator[None]:
    """Context in which layers without an explicit dtype are built in float32; restores the global policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
