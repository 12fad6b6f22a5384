"""Tiny models and their steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.model.disentangler import Disentangler
from dfv.training.checkpoints import all_variables

IMAGE_SHAPE, LABEL_SIZES = (12, 12, 1), (3, 2, 4)
# Every level adds to the time of tracing.
TINY = {"widths": (4, 6), "adversary_widths": (4, 6), "s_dim": 5, "z_dim": 6, "batch_size": 8, "seed": 11}
ADDITIONS = {
    "reconstruct_all": True,
    "adversary_sees_prior_samples": True,
    "real_label": 0.9,
    "adversary_labels": "attributes",
    "shared_variance": True,
    "pca_dim": 4,
    "flow_layers": 3,
    "flow_units": 8,
    "codebook_size": 5,
    "identity_classifier_weight": 0.4,
    "swap_identity_weight": 0.7,
    "identity_mmd_weight": 0.5,
    "mean_kernel_weight": 0.3,
    "latent_adversary_weight": 0.2,
    "latent_adversary_labels": "attributes",
    "num_latent_adversary_updates": 2,
    "num_replay_batches": 2,
}


@pytest.fixture(scope="session")
def additions() -> dict[str, Any]:
    """Flags that turn on every addition to the paper."""
    return ADDITIONS


@pytest.fixture(scope="session")
def tiny_model() -> Callable[..., Disentangler]:
    """Makes a compiled model for images of 12x12x1 and labels of 3, 2 and 4 classes; flags change its config."""
    return _tiny_model


def _tiny_model(**flags: Any) -> Disentangler:
    model = Disentangler(Config.of(**TINY | flags), IMAGE_SHAPE, LABEL_SIZES)
    model.compile()
    return model


@pytest.fixture(scope="session")
def trained_on() -> ImageSet:
    """300 noisy images of three identities, each of its own lightness."""
    identity = np.arange(300, dtype=np.int32) % 3
    noise = np.random.default_rng(0).integers(0, 96, (300, 12, 12, 1))
    return ImageSet((noise + 80 * identity[:, None, None, None]).astype(np.uint8), identity)


class Stepper:
    """A model that can be taken back to its start, so that tests share what was built and traced."""

    def __init__(self, model: Disentangler):
        self.model = model
        self.step = tf.function(model.train_step, autograph=False)
        self._start = [tf.identity(variable.value) for variable in all_variables(model)]

    def at_start(self, **learning_rates: float) -> "Stepper":
        """Every variable as it was made; `generator=0.0` gives that player's optimizer another learning rate."""
        for variable, value in zip(all_variables(self.model), self._start, strict=True):
            variable.assign(value)
        self.model.reset_metrics()
        for player, rate in learning_rates.items():
            getattr(self.model, f"{player}_optimizer").learning_rate = rate
        return self


@pytest.fixture(scope="session")
def paper() -> Stepper:
    """Algorithm 1 alone."""
    return Stepper(_tiny_model())


@pytest.fixture(scope="session")
def everything() -> Stepper:
    """All three players and every addition."""
    return Stepper(_tiny_model(**ADDITIONS))
