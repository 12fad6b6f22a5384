"""A swap grid after every epoch, as a PNG file."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from dfv.model.image_grids import save_png, swap_grid


class SwapGrid(keras.callbacks.Callback):
    """Writes the swap grid of some images [N, H, W, C] uint8 after every epoch: FOLDER/swap_grid_0001.png."""

    def __init__(self, folder: str | Path, images: np.ndarray):
        super().__init__()
        self.folder, self.images = Path(folder), images

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        save_png(self.folder / f"swap_grid_{epoch + 1:04d}.png", swap_grid(self.model, self.images))
