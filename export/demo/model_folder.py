"""The folder of an exported model: its versions, and the files next to the SavedModel. Does not import TensorFlow."""

from pathlib import Path

from dfv.config.options.data import FITS
from dfv.training.model_files import SAVED_MODEL
from export import ExportError
from export.extra_files import FIT_FILE


def newest_version(model_dir: Path) -> Path:
    """Returns the folder of the newest version; raises ExportError if there is none."""
    try:
        versions = {int(path.name): path for path in model_dir.iterdir() if path.name.isdecimal() and _has_model(path)}
        if _has_model(model_dir):
            return model_dir
        is_run = (model_dir / "config.flags").exists()
    except OSError as error:
        raise ExportError(f"--model={model_dir} cannot be read as a folder ({error.strerror}).") from error
    if versions:
        return versions[max(versions)]
    run = f" It is a run: export it first, `python -m export --run_dir={model_dir} --export_dir=...`." if is_run else ""
    raise ExportError(
        f"--model={model_dir} has no exported model; expected a folder written by `python -m export`.{run}"
    )


def read_fit(folder: Path) -> str:
    """Returns how the model's image files are fitted, see DataConfig.fit."""
    try:
        fit = (folder / FIT_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        fit = ""
    return fit if fit in FITS else FITS[0]  # earlier versions had no such file, and cropped


def _has_model(folder: Path) -> bool:
    return (folder / SAVED_MODEL).exists()
