"""model.keras with weights in half precision and without paths; it is loaded as any other, in single precision."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np

from dfv.config.schema import option_fields
from dfv.training.errors import RunError
from dfv.training.run_folder import write_whole


def write_in_half_precision(source: Path, target: Path) -> None:
    """Writes the model file `source` to `target`, with float32 weights as float16 and the paths of its config empty.

    Raises RunError for weights outside of float16's range.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".h5"):
                data = _halved(data)
            elif name == "config.json":
                data = _without_places(data)
            new.writestr(name, data)
    write_whole(target, content.getvalue())


def _halved(weights: bytes) -> bytes:
    content = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(content, "w") as new:
        new.attrs.update(old.attrs)

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                copied = new.require_group(name)
            else:
                copied = new.create_dataset(name, data=_as_float16(name, item[()]))
            copied.attrs.update(item.attrs)

        old.visititems(copy)
    return content.getvalue()


def _as_float16(name: str, value: np.ndarray) -> np.ndarray:
    if value.dtype != np.float32:
        return value
    if not (np.abs(value) <= np.finfo(np.float16).max).all():
        raise RunError(f"{name} has values that half precision cannot hold, up to {np.abs(value).max():.3g}.")
    return value.astype(np.float16)


def places() -> list[str]:
    """Names of the options that say where something is stored: data, or the model that training started from."""
    return [field.name for _, field in option_fields() if field.metadata["is_path"]] + ["start_from"]


def _without_places(config: bytes) -> bytes:
    settings = json.loads(config)
    settings["config"]["flags"].update(dict.fromkeys(places(), ""))
    return json.dumps(settings).encode()
