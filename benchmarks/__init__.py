"""Measurements of speed, memory and scale. Importing this first sets what TensorFlow reads when it is imported."""

import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import dfv  # noqa: F401
from dfv.config.command_line import Arguments, Groups


def benchmark(
    module: str, description: str | None, run: Callable[[Arguments], None], groups: Groups | None = None
) -> int:
    """Runs a benchmark as a program with --help and messages for mistakes; returns the exit status."""
    from dfv.config.fields import ConfigError
    from dfv.data.dataset import DataError
    from dfv.program import Program
    from dfv.training.errors import RunError

    errors = (ConfigError, DataError, RunError)
    return Program(module, module, description or "", groups or {}, run, errors).main()
