"""Fits the latent transform at the end of training."""

from collections.abc import Callable
from typing import Any

import keras

from dfv.data.dataset import ImageSet
from dfv.model.latent.fit import fit_latent
from dfv.training.callbacks.step_callback import steps_taken
from dfv.training.callbacks.stop_on_signal import StopOnSignal


class FitLatentTransform(keras.callbacks.Callback):
    """Fits the model's latent transform to the codes of these images, unless it was already fitted at this step.

    stop: if it has received a signal, training is not finished and nothing is fitted.
    after_fit: called after a fit.
    """

    def __init__(
        self, train: ImageSet, stop: StopOnSignal | None = None, after_fit: Callable[[], Any] | None = None
    ) -> None:
        super().__init__()
        self.train, self.stop, self.after_fit = train, stop, after_fit

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stop is not None and self.stop.received is not None:
            return
        step = steps_taken(self.model)
        if not self.model.latent.is_fitted(step):
            fit_latent(self.model, self.train, step)
            if self.after_fit is not None:
                self.after_fit()
