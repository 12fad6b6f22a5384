"""Errors from outside a run: out of memory, unreadable images, lost workers."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from dfv.config.schema import Config
from dfv.data.dataset import DataError
from dfv.training.errors import TrainingError

WORKER_IS_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


@contextlib.contextmanager
def within_memory(config: Config) -> Iterator[None]:
    """Context that converts out-of-memory errors of TensorFlow and NumPy into a RunError that says what to do."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        reason = str(getattr(error, "message", error)).splitlines() or [type(error).__name__]
        raise TrainingError(
            f"not enough memory ({reason[0][:400]}). Lower --batch_size={config.training.batch_size}, --widths or"
            " --image_size; a run with other flags needs another --run_dir."
        ) from error


def read_batches(batches: Iterable[Any]) -> Iterator[Any]:
    """Yields the batches of triplets; raises DataError for images that cannot be read."""
    try:
        yield from batches
    except tf.errors.InvalidArgumentError as error:
        # tf.data turns every exception into this one; the first line has its name and message.
        first_line = error.message.splitlines()[0]
        if "DataError: " not in first_line:
            raise
        raise DataError(first_line.split("DataError: ", 1)[1]) from error


@contextlib.contextmanager
def workers_together(several: bool, step: Callable[[], int]) -> Iterator[None]:
    """Context that converts TensorFlow's errors after the loss of a worker into a RunError that says what to do."""
    try:
        yield
    except WORKER_IS_GONE as error:
        if not several:
            raise
        raise TrainingError(
            f"another worker stopped answering after step {step()} ({error.message.splitlines()[0][:200]}). "
            "Start all workers again; they resume from the last checkpoint, if there is one."
        ) from error
