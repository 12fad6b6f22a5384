"""Tiny models without an adversary, which knows nothing of the latent transform."""

from collections.abc import Callable
from functools import partial

import pytest

from dfv.model.disentangler import Disentangler


@pytest.fixture(scope="session")
def tiny_model(tiny_model: Callable[..., Disentangler]) -> Callable[..., Disentangler]:
    return partial(tiny_model, swap_other_weight=0.0, prior_sample_weight=0.0)
