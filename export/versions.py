"""Writes a version of an exported model to a temporary folder, compares it with the Python model, and publishes it."""

import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from dfv.config.paths import expand_home
from dfv.evaluation.results import Results
from dfv.model.codec import Codec
from dfv.model.latent.transform import NOT_FITTED
from export import ExportError, example_images
from export import model_card as card
from export.extra_files import FIT_FILE
from export.serving import config_files, warmup
from export.signatures import DEFAULT, DEFAULT_IS, max_rows, signatures, traced
from export.verification import check

LOGGER = logging.getLogger("export")

CARD_FILE = "model_card.md"


def export_model(
    model: Codec,
    export_dir: str | Path,
    version: int | None = None,
    float_images: bool = False,
    results: Results | None = None,
) -> Path:
    """Writes `export_dir`/VERSION and the server's files next to it; returns the version's folder.

    version: a number that does not exist yet; the next one if None.
    float_images: take and return images as float32 in [0, 1] instead of uint8.
    results: of an evaluation, for the model card.
    Raises ExportError, or ConfigError if the home directory for ~ is unknown; `export_dir` is then unchanged.
    """
    place, model = checked_place(export_dir), for_inference(model)
    final = new_version(place, version)
    with temporary_folder(place) as scratch:
        staged = scratch / final.name
        save(model, staged, float_images)
        check(staged, model, float_images)
        warmup.write(staged, place.name, signatures(model, float_images))
        example_images.write(staged, model.config.data)
        (staged / FIT_FILE).parent.mkdir(exist_ok=True)
        (staged / FIT_FILE).write_text(model.config.data.fit_in_training, encoding="utf-8")
        (staged / CARD_FILE).write_text(card.of(model, place.name, staged, results), encoding="utf-8")
        appear(staged, final)
        try:
            config_files.write(place, int(final.name), model, float_images)
        except BaseException:
            shutil.rmtree(final, ignore_errors=True)  # models.config does not name it
            raise
    LOGGER.info("Wrote %s", final)
    return final


def save(model: Codec, folder: Path, float_images: bool) -> None:
    """Writes the bare SavedModel."""
    limit, offered = max_rows(model.image_shape), signatures(model, float_images)
    functions = {name: traced(signature, limit) for name, signature in offered.items() if name != DEFAULT}
    functions[DEFAULT] = functions[DEFAULT_IS]
    save_functions(model, folder, functions)


def save_functions(model: Codec, folder: Path, functions: dict[str, Callable[..., Any]]) -> None:
    """Writes a SavedModel with these functions of the model as its signatures."""
    exported = tf.Module()
    # Keras models tracked by a tf.Module break its saving: only their variables are.
    parts = (model.encoder, model.decoder, model.latent)
    exported.weights = [variable.value for part in parts for variable in part.variables]
    tf.saved_model.save(exported, str(folder), signatures=functions)


def for_inference(model: Codec) -> Codec:
    """Returns the model with the PCA of its latent transform folded into its networks; raises ExportError."""
    if not model.latent.is_fitted():
        raise ExportError(NOT_FITTED)
    return model if model.latent.pca is None else model.folded()


def checked_place(export_dir: str | Path) -> Path:
    """Returns the absolute path of the model's folder; raises ExportError if it cannot be used.

    The folder's name is the model's name; it has a folder for each version.
    """
    place = expand_home("export_dir", export_dir).absolute()
    try:
        place = place.resolve()
        file = next((path for path in (place, *place.parents) if path.exists() and not path.is_dir()), None)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise ExportError(
            f"--export_dir={export_dir} cannot be used ({_cause(error)}); give another folder."
        ) from error
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", place.name):
        named = "its last part is the model's name: up to 200 letters, digits, _ . -"
        raise ExportError(f"--export_dir={export_dir}: {named}")
    if place.name.isdigit():
        raise ExportError(
            f"--export_dir={export_dir} ends in a version's number; expected the model's folder. Leave the number out,"
            " or give it as --version."
        )
    if file:
        raise ExportError(f"--export_dir={export_dir}: {file} is a file, expected a folder; give another.")
    return place


def next_version(place: Path) -> int:
    """Returns the newest version in the folder plus one; 1 if there is none."""
    return max(config_files.versions(place), default=0) + 1


def new_version(place: Path, version: int | None) -> Path:
    """Returns the folder of a version, of the next one if None; raises ExportError if it exists or is no version."""
    if version is not None and not (isinstance(version, int) and 1 <= version < 2**63):
        raise ExportError(f"version: expected an integer from 1 to 2^63 - 1; got {version!r}.")
    final = place / str(next_version(place) if version is None else version)
    if final.exists():
        raise ExportError(f"{final} exists, and versions are not overwritten; give another --version, or omit it.")
    return final


@contextmanager
def temporary_folder(place: Path) -> Iterator[Path]:
    """A folder that servers ignore, on the same disk as `place`; deleted at the end."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise ExportError(f"{place.parent} cannot be written ({_cause(error)}); give another --export_dir.") from error
    try:
        yield scratch
    except (OSError, tf.errors.OpError) as error:  # TensorFlow's own, where it writes the files
        raise ExportError(f"nothing was exported: {_cause(error)}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _cause(error: Exception) -> str:
    """Returns an error's reason with the path that it is about, without the system's number for it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(getattr(error, "message", error))


def appear(staged: Path, final: Path) -> None:
    """Publishes a version that is complete; raises ExportError if it cannot be."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(final)
    except OSError as error:
        raise ExportError(f"{final} could not be published ({error.strerror}); run the export again.") from error
