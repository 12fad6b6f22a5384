"""Python that tf.data calls, and the end of the interpreter.

A thread that asks for the interpreter's lock once that is ending never gets it, while TensorFlow, taking an iterator
down, waits for the thread: a program that ends while a buffer is being filled would never end.
"""

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds: after so long without a read buffers are taken for full, which is a guess; waited for at most.
QUIET, LONGEST = 0.2, 10.0

_under_way: list[None] = []
_ended_at = [-QUIET]


@contextmanager
def reading() -> Iterator[None]:
    """Around whatever a pipeline calls: while such calls go on, the interpreter's end is put off."""
    _under_way.append(None)
    try:
        yield
    finally:
        _ended_at[0] = time.monotonic()
        _under_way.pop()


@atexit.register
def _let_buffers_fill() -> None:
    deadline = time.monotonic() + LONGEST
    while (_under_way or time.monotonic() < _ended_at[0] + QUIET) and time.monotonic() < deadline:
        time.sleep(QUIET / 10)
