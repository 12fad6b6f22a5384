"""Ends a training with the weights of the lowest validation loss."""

import io
import logging
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dfv.training.callbacks.step_callback import steps_taken
from dfv.training.callbacks.stop_on_signal import StopOnSignal
from dfv.training.errors import RunError
from dfv.training.run_folder import write_whole, writing

LOGGER = logging.getLogger(__name__)
FILE = "best_weights.npz"


class KeepBest(keras.callbacks.Callback):
    """Keeps encoder and decoder of the epoch with the lowest `val_loss`, and restores them at the end of training.

    They are kept in a file of the run's folder, so that a resumed run ends with the same weights. The adversaries and
    the optimizers keep their last state. Place it before FitLatentTransform.

    stop: if it has received a signal, training is not finished and nothing is restored.
    """

    def __init__(self, run_dir: str | Path, stop: StopOnSignal | None = None) -> None:
        super().__init__()
        self.path, self.stop = Path(run_dir) / FILE, stop

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._lowest = float(self._read()["val_loss"]) if self.path.exists() else float("inf")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("val_loss")
        if loss is None:
            raise ValueError("KeepBest needs val_loss in the logs; give validation data to fit.")
        if loss < self._lowest:
            self._lowest = loss
            values = {f"weight{number}": variable.numpy() for number, variable in enumerate(self._variables())}
            file = io.BytesIO()
            np.savez(file, val_loss=np.float64(loss), step=steps_taken(self.model), **values)
            with writing(self.path.parent):
                write_whole(self.path, file.getvalue())

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if (self.stop is not None and self.stop.received is not None) or not self.path.exists():
            return
        best = self._read()
        for number, variable in enumerate(self._variables()):
            variable.assign(best[f"weight{number}"])
        LOGGER.info("The validation loss was lowest at step %d; its weights are kept.", best["step"])

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.encoder.variables, *self.model.decoder.variables]

    def _read(self) -> dict[str, np.ndarray]:
        try:
            # np.load does not close a file that it opened itself and cannot read.
            with self.path.open("rb") as file, np.load(file) as arrays:
                return dict(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{self.path} cannot be read ({error}); delete it to choose among later steps.") from error
