"""model.keras: written by runs, found by the name of a run or of a model that comes with the package."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dfv.config.paths import expand_home
from dfv.keras_backend import check_backend
from dfv.training.errors import RunError

if TYPE_CHECKING:
    from dfv.model.codec import Codec
    from dfv.model.disentangler import Disentangler

MODEL_FILE = "model.keras"
SHIPPED_MODELS = Path(__file__).parents[1] / "pretrained"


class ModelFile:
    """model.keras of a run: its codec, for use once it is finished, written whole or not at all."""

    def __init__(self, model: "Disentangler", run_dir: Path):
        self._model, self._path = model, run_dir / MODEL_FILE

    @cached_property
    def _copy(self) -> "Codec":
        from dfv.model.codec import Codec

        return Codec.from_config(self._model.get_config())

    def save(self) -> None:
        """Writes the weights as they are now, with PCA folded into the networks once the run is finished."""
        aside = self._path.with_name(f".{os.getpid()}-{MODEL_FILE}")
        try:
            (self._model.folded() if self._model.latent.is_fitted() else self._unfitted()).save(aside)
            aside.replace(self._path)
        finally:
            aside.unlink(missing_ok=True)

    def _unfitted(self) -> "Codec":
        for part in ("encoder", "decoder"):
            getattr(self._copy, part).set_weights(getattr(self._model, part).get_weights())
        return self._copy


def find_run(name: str | Path) -> Path:
    """The run folder of this name or, where there is none, that of a model that comes with the package."""
    run_dir = expand_home("run_dir", name)
    if os.path.isdir(run_dir):  # Path.is_dir raises for some paths that cannot be read
        return run_dir
    if str(name) in shipped_names():
        return SHIPPED_MODELS / name
    raise RunError(f"{name} is neither a run folder nor a shipped model ({', '.join(shipped_names()) or 'none'}).")


def find_model(name: str | Path) -> Path:
    """The model file of a run folder or of a shipped model; raises RunError if there is none."""
    path = find_run(name) / MODEL_FILE
    if not os.path.exists(path):
        raise RunError(f"{name} has no {MODEL_FILE} yet: train it, or wait for its first checkpoint.")
    return path


def shipped_names() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.parent.name for path in SHIPPED_MODELS.glob(f"*/{MODEL_FILE}"))


def load(name: str | Path) -> "Codec":
    """The trained model of a run folder, or a shipped one by its name; raises RunError if there is none."""
    check_backend()
    import keras

    from dfv.model.codec import Codec  # registers the class

    path = find_model(name)
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise RunError(f"{path} is no model that this version can load ({error}).") from error
    if not isinstance(model, Codec):
        raise RunError(f"{path} holds a {type(model).__name__}, not a dfv model.")
    return model
