"""Base classes of callbacks that need the step of the run, or report means over steps."""

import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def steps_taken(model: keras.Model) -> int:
    """The step of the run: the number of updates of the generator so far."""
    return int(model.generator_optimizer.iterations.numpy())


class StepCallback(keras.callbacks.Callback):
    """Callback with the step of the run, which continues from a restored checkpoint, also within an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.step = -1  # not known before the first epoch: other callbacks may restore the model in on_train_begin
        self._first_batch = 0
        self._step_before = -1

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.step = -1

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.step < 0:
            self.step = steps_taken(self.model)
            self.on_first_epoch()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._first_batch = batch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Counted, since reading the optimizer's counter would wait for the device. With `steps_per_execution` above 1
        # several steps lie between.
        self._step_before = self.step
        self.step += batch - self._first_batch + 1

    def has_passed_multiple_of(self, steps: int) -> bool:
        """Whether the steps since the previous `on_train_batch_end` include a multiple of this number."""
        return self.step // steps > self._step_before // steps

    def on_first_epoch(self) -> None:
        """Called once, when `step` is known."""


class RowCallback(StepCallback):
    """Computes a row of numbers every `log_steps` steps and at the end of an epoch.

    A row has the mean of each term over the steps since the previous row, `images_per_second`, and at the end of an
    epoch the logs that begin with `val_`. It is reported before the next step begins, when it is known whether the
    epoch has ended.

    Reading the means is a collective operation: each worker needs the same number of these callbacks.
    """

    def __init__(self, log_steps: int):
        super().__init__()
        self.log_steps = log_steps
        self.last_row: dict[str, float] = {}
        self._row: dict[str, float] = {}

    def report(self, row: dict[str, float]) -> None:
        """Called with each row, after step `self.step`; by default it is only stored in `last_row`."""

    def columns(self) -> list[str]:
        """The names of all numbers that a row may have."""
        validation = [f"val_{name}" for name in self.model.metrics_names]
        return ["images_per_second", *self.model.means.names, *validation]

    def on_first_epoch(self) -> None:
        self._window = np.zeros(len(self.model.means.names) + 1)  # of earlier epochs
        self._clock: tuple[float, int] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._since = np.zeros_like(self._window)  # the model's means begin again with each epoch
        self._epoch_has_ended = False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._flush()
        super().on_train_batch_begin(batch, logs)
        if self._clock is None:
            self._clock = time.monotonic(), self.step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.has_passed_multiple_of(self.log_steps):
            self._end_window()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._end_epoch()
        if self.step == self.model.config.training.num_steps and not self._row:
            self._end_window()
        self._row |= {name: float(value) for name, value in (logs or {}).items() if name.startswith("val_")}
        self._flush()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._end_epoch()  # `fit` validates before the epoch's end, and that resets the means

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._flush()

    def _end_epoch(self) -> None:
        if not self._epoch_has_ended:
            self._window += self._totals() - self._since
            self._epoch_has_ended = True

    def _totals(self) -> np.ndarray:
        """The sum of each term over the epoch so far, and the number of its steps."""
        means = self.model.means
        return np.append(tf.convert_to_tensor(means.total), tf.convert_to_tensor(means.count)).astype(np.float64)

    def _end_window(self) -> None:
        if not self._epoch_has_ended:
            totals = self._totals()
            self._window, self._since = self._window + totals - self._since, totals
        *sums, count = self._window
        self._window = np.zeros_like(self._window)
        self._row = dict(zip(self.model.means.names, (total / count for total in sums), strict=True))
        since, first_step = self._clock or (time.monotonic(), self.step)
        images = 3 * self.model.config.training.batch_size * (self.step - first_step)
        self._row["images_per_second"] = images / max(time.monotonic() - since, 1e-9)

    def _flush(self) -> None:
        if self._row:
            self.report(self._row)
            self.last_row, self._row, self._clock = self._row, {}, None
