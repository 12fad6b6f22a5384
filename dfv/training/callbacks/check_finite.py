"""Stops a run whose loss is not finite, and names the term."""

from typing import Any

import keras

from dfv.training.callbacks.step_callback import StepCallback
from dfv.training.errors import TrainingError


def check_finite(model: keras.Model) -> None:
    """Raises TrainingError if a term was not finite in any step so far."""
    step, term = (int(value) for value in model.first_non_finite.found.numpy())
    if step >= 0:
        raise TrainingError(
            f"the loss is not finite: {model.means.names[term]} at step {step}. The last checkpoint is kept;"
            " try a lower --generator_learning_rate or a lower weight of that term."
        )


class CheckFinite(StepCallback):
    """Raises TrainingError, every `log_steps` steps and after each epoch, if a term of a loss was not finite."""

    def __init__(self, log_steps: int):
        super().__init__()
        self.log_steps = log_steps

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.has_passed_multiple_of(self.log_steps):
            check_finite(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        check_finite(self.model)
