"""A progress bar over the steps of a run."""

from typing import Any

from tqdm import tqdm

from dfv.training.callbacks.step_callback import RowCallback, StepCallback


class Progress(StepCallback):
    """Progress bar over `num_steps` steps, with some numbers from the last row of another callback."""

    def __init__(self, num_steps: int, rows: RowCallback):
        super().__init__()
        self.num_steps, self.rows = num_steps, rows

    def on_first_epoch(self) -> None:
        self._bar = tqdm(total=self.num_steps, initial=self.step, unit="step")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        names = ("images_per_second", "reconstruction", "swap_same", "kl")
        row = {name: f"{self.rows.last_row[name]:.3g}" for name in names if name in self.rows.last_row}
        self._bar.set_postfix(row, refresh=False)
        self._bar.update(self.step - self._bar.n)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.step >= 0:
            self._bar.close()
