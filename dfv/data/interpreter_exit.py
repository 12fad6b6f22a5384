"""Delays the interpreter's exit while threads of tf.data run Python code.

A thread that asks for the interpreter's lock while the interpreter is shutting down never gets it, and TensorFlow waits
for that thread when it deletes an iterator: without the delay, a program that ends while a buffer is being filled would
never end.
"""

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager

IDLE_SECONDS = 0.2  # buffers are assumed to be full after this long without a call
MAX_WAIT_SECONDS = 10.0

_running_calls: list[None] = []
_last_call_ended = [-IDLE_SECONDS]


@contextmanager
def delay_exit() -> Iterator[None]:
    """Delays the interpreter's exit while the body runs; for Python functions called by tf.data."""
    _running_calls.append(None)
    try:
        yield
    finally:
        _last_call_ended[0] = time.monotonic()
        _running_calls.pop()


@atexit.register
def wait_for_calls() -> None:
    """Returns once no call has run for IDLE_SECONDS, or after MAX_WAIT_SECONDS."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while (_running_calls or time.monotonic() < _last_call_ended[0] + IDLE_SECONDS) and time.monotonic() < deadline:
        time.sleep(IDLE_SECONDS / 10)
