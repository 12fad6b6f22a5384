"""model.keras: the file of a trained model, in a run folder or shipped with the package."""

import json
import os
import zipfile
import zlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dfv.config.paths import expand_home
from dfv.config.renamed import current_names
from dfv.config.schema import Config
from dfv.keras_backend import check_backend
from dfv.training.errors import RunError

if TYPE_CHECKING:
    from dfv.model.codec import Codec
    from dfv.model.disentangler import Disentangler

MODEL_FILE = "model.keras"
SHIPPED_MODELS = Path(__file__).parents[1] / "pretrained"
SAVED_MODEL = "saved_model.pb"  # the file of an exported model


class ModelFile:
    """model.keras of a run: its codec, for inference; written atomically."""

    def __init__(self, model: "Disentangler", run_dir: Path):
        self._model, self._path = model, run_dir / MODEL_FILE

    @cached_property
    def _copy(self) -> "Codec":
        from dfv.model.codec import Codec

        return Codec.from_config(self._model.get_config())

    def save(self) -> None:
        """Writes the current weights; once the run is finished, the PCA is folded into the networks."""
        aside = self._path.with_name(f".{os.getpid()}-{MODEL_FILE}")
        try:
            # A model whose transform needs no fit counts as fitted at every checkpoint; only a fit is worth a new copy.
            is_final = self._model.latent.needs_fit and self._model.latent.is_fitted()
            (self._model.folded() if is_final else self._updated_copy()).save(aside)
            aside.replace(self._path)
        finally:
            aside.unlink(missing_ok=True)

    def _updated_copy(self) -> "Codec":
        for part in ("encoder", "decoder"):
            getattr(self._copy, part).set_weights(getattr(self._model, part).get_weights())
        return self._copy


def find_run(name: str | Path) -> Path:
    """Returns the run folder of this name or, if there is none, the folder of the shipped model of this name."""
    run_dir = expand_home("run_dir", name)
    if os.path.isdir(run_dir):  # Path.is_dir raises for some paths that cannot be read
        return run_dir
    if str(name) in shipped_names():
        return SHIPPED_MODELS / name
    raise RunError(f"{name} is neither a run folder nor a shipped model ({', '.join(shipped_names()) or 'none'}).")


def find_model(name: str | Path) -> Path:
    """Returns the model file of a run folder or of a shipped model; raises RunError if there is none."""
    run_dir = find_run(name)
    path = run_dir / MODEL_FILE
    if not os.path.exists(path):
        if any(found for pattern in (SAVED_MODEL, f"*/{SAVED_MODEL}") for found in run_dir.glob(pattern)):
            raise RunError(
                f"{name} is an exported model, which servers, python -m export.demo and tf.saved_model.load read;"
                " expected a run folder, such as the one that it was exported from."
            )
        raise RunError(f"{name} has no {MODEL_FILE} yet: train it, or wait for its first checkpoint.")
    return path


def shipped_names() -> list[str]:
    """Returns the names of the shipped models."""
    return sorted(path.parent.name for path in SHIPPED_MODELS.glob(f"*/{MODEL_FILE}"))


def read_settings(name: str | Path) -> tuple[Config, tuple[int, int, int]]:
    """Returns the config and the image shape of a trained model, without TensorFlow; raises RunError as `load`."""
    path = find_model(name)
    try:
        with zipfile.ZipFile(path) as file:
            settings = json.loads(file.read("config.json"))["config"]
        height, width, channels = settings["image_shape"]
        return Config.of(**current_names(settings["flags"])), (height, width, channels)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path} is not a model that this version can load ({error}).") from error


def load(name: str | Path) -> "Codec":
    """Returns the trained model of a run folder, or a shipped model by name; raises RunError if there is none."""
    check_backend()
    import keras

    from dfv.model.codec import Codec  # registers the class

    path = find_model(name)
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise RunError(f"{path} is not a model that this version can load ({error}).") from error
    if not isinstance(model, Codec):
        raise RunError(f"{path} holds a {type(model).__name__}, not a dfv model.")
    return model
