"""Checks that Keras' backend is TensorFlow before Keras is imported, for a clear error message."""

import json
import os
import sys
from pathlib import Path

from dfv.config.fields import ConfigError


def check_backend() -> None:
    """Raises ConfigError if Keras computes, or would compute, with another backend than TensorFlow."""
    backend, source = _backend()
    if backend != "tensorflow":
        raise ConfigError(
            f"Keras' backend: expected tensorflow, which the training steps and the exported models require;"
            f" received {backend}, from {source}. Set KERAS_BACKEND=tensorflow before Python starts."
        )


def _backend() -> tuple[str, str]:
    if "keras" in sys.modules:
        import keras

        return keras.config.backend(), "the keras module that is imported already"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "the environment variable KERAS_BACKEND"
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        return json.loads(path.read_text()).get("backend", "tensorflow"), str(path)
    except (OSError, ValueError):
        return "tensorflow", "Keras' default"
