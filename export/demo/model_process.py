"""An exported model in a process of its own, so that it loads while the page's library is imported."""

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import numpy as np

from dfv.tensorflow_log import import_tensorflow
from export import ExportError

LOGGER = logging.getLogger("export.demo")


class ModelProcess:
    """Has the methods of ExportedModel, which run in another process, one call at a time; a context manager.

    image_shape, fit, examples_dir: see ExportedModel; known after `wait`.
    """

    image_shape: tuple[int, int, int]
    fit: str
    examples_dir: Path

    def __init__(self, model_dir: Path):
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads of this process hold
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, model_dir), daemon=True)
        self._process.start()
        theirs.close()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Waits until the model is loaded; raises ExportError if it cannot be."""
        self.image_shape, self.fit, self.examples_dir = self._call()

    def encode(self, files: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """See ExportedModel."""
        return self._call("encode", files)

    def decode(self, s: np.ndarray, z: np.ndarray) -> np.ndarray:
        """See ExportedModel."""
        return self._call("decode", s, z)

    def sample(self, files: list[str], seeds: np.ndarray) -> np.ndarray:
        """See ExportedModel."""
        return self._call("sample", files, seeds)

    def _call(self, *call: Any) -> Any:
        """Sends the name of a method and its arguments, if any, and returns the next answer."""
        try:
            with self._lock:
                if call:
                    self._connection.send(call)
                answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise ExportError("the process of the model has ended, perhaps for lack of memory; start again.") from error
        if isinstance(answer, ExportError):
            raise answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _answer(connection: Connection, model_dir: Path) -> None:
    """Loads the model, sends its description, and answers calls until the page's process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches both; the page's process ends this one
    import_tensorflow()
    from export.demo.exported_model import ExportedModel

    try:
        model = ExportedModel(model_dir)
    except ExportError as error:
        connection.send(error)
        return
    connection.send((model.image_shape, model.fit, model.examples_dir))
    while True:
        try:
            name, *arguments = connection.recv()
        except EOFError:
            return
        connection.send(_answered(getattr(model, name), arguments))


def _answered(method: Callable[..., Any], arguments: list[Any]) -> Any:
    try:
        return method(*arguments)
    except ExportError as error:
        return error
    except Exception as error:
        LOGGER.exception("The model has failed.")
        return ExportError(f"the model has failed ({error}).")
