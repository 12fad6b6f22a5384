"""Initial weights as a function of a seed."""

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Makes the initial weights of the layers built within a function of `seed`; leaves no global state behind."""
    state = random.getstate()
    random.seed(seed)  # Keras draws the seeds of its initializers here.
    try:
        yield
    finally:
        random.setstate(state)
