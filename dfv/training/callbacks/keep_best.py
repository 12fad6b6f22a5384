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
FILE, LAST_FILE = "best_weights.npz", "last_weights.npz"


class KeepBest(keras.callbacks.Callback):
    """Keeps encoder and decoder of the epoch with the lowest `val_loss`, and restores them at the end of training.

    They are kept in a file of the run's folder, so that a resumed run ends with the same weights, and the last weights
    in another, from which a run with a larger `num_steps` goes on. Place it before FitLatentTransform.

    stop: if it has received a signal, training is not finished and nothing is restored.
    """

    def __init__(self, run_dir: str | Path, stop: StopOnSignal | None = None) -> None:
        super().__init__()
        self.path, self.last, self.stop = Path(run_dir) / FILE, Path(run_dir) / LAST_FILE, stop

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._lowest = float(_read(self.path)["val_loss"]) if self.path.exists() else float("inf")
        if self.last.exists() and (last := _read(self.last))["step"] == steps_taken(self.model):
            self._assign(last)  # the checkpoint of a finished run has the best ones

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("val_loss")
        if loss is None:
            raise ValueError("KeepBest needs val_loss in the logs; give validation data to fit.")
        if loss < self._lowest:
            self._lowest = loss
            self._write(self.path, loss)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if (self.stop is not None and self.stop.received is not None) or not self.path.exists():
            return
        self._write(self.last)
        best = _read(self.path)
        self._assign(best)
        LOGGER.info("The validation loss was lowest at step %d; its weights are kept.", best["step"])

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.encoder.variables, *self.model.decoder.variables]

    def _write(self, path: Path, val_loss: float = float("nan")) -> None:
        weights = {f"weight{number}": variable.numpy() for number, variable in enumerate(self._variables())}
        file = io.BytesIO()
        np.savez(file, step=steps_taken(self.model), val_loss=np.float64(val_loss), **weights)
        with writing(path.parent):
            write_whole(path, file.getvalue())

    def _assign(self, weights: dict[str, np.ndarray]) -> None:
        for number, variable in enumerate(self._variables()):
            variable.assign(weights[f"weight{number}"])


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        # np.load does not close a file that it opened itself and cannot read.
        with path.open("rb") as file, np.load(file) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} cannot be read ({error}); delete it to choose among later steps.") from error
