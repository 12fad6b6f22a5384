"""Stops training after the current step on SIGTERM or Ctrl-C."""

import signal
import threading
from types import FrameType
from typing import Any

import keras


class StopOnSignal(keras.callbacks.Callback):
    """Sets `model.stop_training` on SIGTERM or Ctrl-C, so that the run is saved before it stops.

    `received` is the number of the signal, None until one arrives. A second signal is passed to the previous handler.
    Outside the main thread, where Python does not allow signal handlers, this callback does nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.received = None
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.received is not None:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.restore_handlers()

    def restore_handlers(self) -> None:
        """Restores the previous handlers; call this also if training ends by an exception."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self.restore_handlers()
