"""Saves checkpoints of a run, and resumes it from them."""

import time
from pathlib import Path
from typing import Any

from dfv.training.callbacks.check_finite import check_finite
from dfv.training.callbacks.step_callback import StepCallback, steps_taken
from dfv.training.checkpoints import Checkpoints
from dfv.training.errors import RunError
from dfv.training.model_files import ModelFile
from dfv.training.run_folder import writing


class Checkpointing(StepCallback):
    """Writes `checkpoints/` and `model.keras` in a run's folder, and restores the newest checkpoint before training.

    every_steps: number of steps between checkpoints.
    every_minutes: maximum number of minutes between checkpoints; 0: no limit.
    keep: number of most recent checkpoints to keep.
    is_chief: whether this worker writes the files that are kept.

    A checkpoint is also saved at the end of training. A resumed run ends with the same weights as an uninterrupted
    one: a checkpoint has the weights, statistics, optimizer state and replay of every player.
    """

    def __init__(
        self,
        run_dir: str | Path,
        every_steps: int,
        every_minutes: float = 0.0,
        keep: int = 3,
        is_chief: bool = True,
    ) -> None:
        super().__init__()
        self.run_dir, self.every_steps, self.every_minutes = Path(run_dir), every_steps, every_minutes
        self.keep, self.is_chief = keep, is_chief
        self._is_restored = False
        self._is_due = False

    def restore(self) -> int | None:
        """Restores the newest checkpoint and returns its step; None if there is none.

        Raises RunError if no checkpoint fits, or if the newest is past the config's `num_steps`.
        """
        wanted = self.model.config.training.num_steps
        self._checkpoints = Checkpoints(self.model, self.run_dir, self.keep, self.is_chief)
        step = self._checkpoints.restore()
        if step is not None and step > wanted:
            raise RunError(
                f"{self.run_dir} is at step {step} already, past --num_steps={wanted}; give at least"
                f" --num_steps={step}, or another --run_dir."
            )
        if step is not None and step < wanted:
            self.model.latent.reset()  # it was fitted to the codes of an earlier end
        self._model_file = ModelFile(self.model, self.run_dir)
        self._saved_at, self._is_restored = time.monotonic(), True
        return step

    def save(self) -> None:
        """Saves the model, then the checkpoint, so that the model is never older than the last checkpoint."""
        check_finite(self.model)
        with writing(self.run_dir):
            if self.is_chief:
                self._model_file.save()
            self._checkpoints.save(steps_taken(self.model))
        self._is_due, self._saved_at = False, time.monotonic()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if not self._is_restored:
            self.restore()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Only now have the other callbacks written what belongs to the last step.
        self._save_if_due()
        super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        overdue = self.every_minutes and time.monotonic() - self._saved_at > 60 * self.every_minutes
        self._is_due = self._is_due or self.has_passed_multiple_of(self.every_steps) or bool(overdue)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._is_due = self._is_due or self.step == self.model.config.training.num_steps
        self._save_if_due()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.save()  # the latent transform was fitted, or another callback restored its best weights

    def _save_if_due(self) -> None:
        if self._is_due:
            self.save()
