"""The dtype of what is built: given by the config alone, not by Keras' global policy."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def float32_policy() -> Iterator[None]:
    """Builds layers in float32 where they name no dtype of their own; puts the global policy back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
