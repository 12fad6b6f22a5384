"""Initial weights as a function of a seed."""

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which the initial weights of layers are a function of `seed`; restores global state."""
    state = random.getstate()
    random.seed(seed)  # Keras draws the seeds of its initializers here.
    try:
        yield
    finally:
        random.setstate(state)
