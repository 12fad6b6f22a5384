"""A run's errors on validation triplets."""

import itertools
import logging

import tensorflow as tf

from dfv.model.disentangler import Disentangler
from dfv.training.callbacks.step_callback import steps_taken
from dfv.training.distribution import TripletSource
from dfv.training.interruptions import read_batches

LOGGER = logging.getLogger(__name__)

VALIDATION_BATCHES = 16


class Validation:
    """Mean errors of a model on validation triplets, which are the same at every call."""

    def __init__(self, model: Disentangler, source: TripletSource):
        self.model, self.strategy = model, source.strategy
        self.batches = source.batches("validation", first_step=0)
        self._trace()

    def _trace(self) -> None:
        self._step = tf.function(lambda batch: self.strategy.run(self.model.test_step, args=(batch,)), autograph=False)

    def errors(self) -> dict[str, float]:
        """Each error by its name; logged too."""
        means = self.model.validation_means
        for mean in means:
            mean.reset_state()
        for batch in itertools.islice(read_batches(self.batches), VALIDATION_BATCHES):
            self._step(batch)
        values = {mean.name: float(mean.result()) for mean in means}
        shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        LOGGER.info("Step %d, validation: %s", steps_taken(self.model), shown)
        return values

    def after_fit(self) -> None:
        """Logs the errors again, with the latent transform that has just been fitted."""
        self._trace()
        self.errors()
