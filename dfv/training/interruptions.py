"""What ends a run from outside: too little memory, images that cannot be read, a request to stop."""

import contextlib
import signal
from collections.abc import Iterable, Iterator
from types import FrameType

import tensorflow as tf

from dfv.config.schema import Config
from dfv.data.dataset import DataError
from dfv.training import run_folder as runs


@contextlib.contextmanager
def within_memory(config: Config) -> Iterator[None]:
    """Turns what TensorFlow and NumPy say when memory runs out into what the user can do."""
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        reason = str(getattr(error, "message", error)).splitlines() or [type(error).__name__]
        raise runs.TrainingError(
            f"not enough memory ({reason[0][:400]}). Lower --batch_size={config.training.batch_size}, --widths or"
            " --image_size; a run with other flags needs another --run_dir."
        ) from error


def read_batches(batches: Iterable) -> Iterator:
    """The batches of triplets; raises DataError for images that cannot be read."""
    try:
        yield from batches
    except tf.errors.InvalidArgumentError as error:
        # tf.data turns every exception into this one; the first line has its name and message.
        first_line = error.message.splitlines()[0]
        if "DataError: " not in first_line:
            raise
        raise DataError(first_line.split("DataError: ", 1)[1]) from error


@contextlib.contextmanager
def stop_requests() -> Iterator[list[int]]:
    """A list that SIGTERM and Ctrl-C append their number to; the handlers before are put back."""
    requests: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        requests.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
