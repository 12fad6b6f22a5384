"""TensorBoard: the means of the losses, and a swap grid after every epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from dfv.model.image_grids import swap_grid
from dfv.training.callbacks.step_callback import RowCallback
from dfv.training.run_folder import writing


class Summaries(RowCallback):
    """Writes event files for TensorBoard: one scalar for each number of a row, at the step of the run.

    images: [N, H, W, C] uint8 shown in the swap grid after every epoch; None: no swap grid.
    """

    def __init__(self, folder: str | Path, log_steps: int, images: np.ndarray | None = None):
        super().__init__(log_steps)
        self.folder, self.images = Path(folder), images

    def on_first_epoch(self) -> None:
        super().on_first_epoch()
        with writing(self.folder):
            self._writer = tf.summary.create_file_writer(str(self.folder))

    def report(self, row: dict[str, float]) -> None:
        with writing(self.folder), self._writer.as_default(step=self.step):
            for name, value in row.items():
                tf.summary.scalar(name, value)
            self._writer.flush()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        if self.images is not None:
            with writing(self.folder), self._writer.as_default(step=self.step):
                tf.summary.image("swap_grid", swap_grid(self.model, self.images)[None])
                self._writer.flush()
