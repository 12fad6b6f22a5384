"""A version written aside, held against the Python model, and renamed into its place; then what lies beside it."""

import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from dfv.config.paths import expand_home
from dfv.evaluation.results import Results
from dfv.model.codec import Codec
from dfv.model.latent.transform import NOT_FITTED
from export import ExportError, example_images
from export import model_card as card
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
    """Writes `export_dir`/VERSION and the server's files beside it; gives the version's folder.

    version: the next integer if None. float_images: float32 in [0, 1] in and out, instead of uint8.
    results: what an evaluation wrote, for the model card. Raises ExportError; the folder then is as it was.
    """
    place = checked_place(export_dir)
    if not model.latent.is_fitted():
        raise ExportError(NOT_FITTED)
    model = model.folded()
    number = next_version(place) if version is None else version
    final = place / str(number)
    if final.exists():
        raise ExportError(f"{final} exists, and no version is written over; give another --version or leave it out.")
    with _aside(place) as scratch:
        staged = scratch / str(number)
        save(model, staged, float_images)
        check(staged, model, float_images)
        warmup.write(staged, place.name, signatures(model, float_images))
        example_images.write(staged, model.config.data)
        (staged / CARD_FILE).write_text(card.of(model, place.name, staged, results), encoding="utf-8")
        _appear(staged, final)
        try:
            config_files.write(place, number, model, float_images)
        except BaseException:
            shutil.rmtree(final, ignore_errors=True)  # models.config does not name it
            raise
    LOGGER.info("Wrote %s", final)
    return final


def save(model: Codec, folder: Path, float_images: bool) -> None:
    """Writes the bare SavedModel."""
    exported = tf.Module()
    # Keras models tracked by a tf.Module break its saving: only their variables are.
    parts = (model.encoder, model.decoder, model.latent)
    exported.weights = [variable.value for part in parts for variable in part.variables]
    limit, offered = max_rows(model.image_shape), signatures(model, float_images)
    functions = {name: traced(signature, limit) for name, signature in offered.items() if name != DEFAULT}
    functions[DEFAULT] = functions[DEFAULT_IS]
    tf.saved_model.save(exported, str(folder), signatures=functions)


def checked_place(export_dir: str | Path) -> Path:
    """The folder of the model's versions, whose name is the model's; raises ExportError if it cannot be one."""
    place = expand_home("export_dir", export_dir).resolve()
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", place.name):
        named = "its last part is the model's name: up to 200 of letters, digits, _ . -"
        raise ExportError(f"--export_dir={export_dir}: {named}")
    if place.name.isdigit():
        raise ExportError(f"--export_dir={export_dir} is a version's; leave its last part out, and see --version.")
    if place.exists() and not place.is_dir():
        raise ExportError(f"--export_dir={export_dir} is a file; give a folder.")
    return place


def next_version(place: Path) -> int:
    """One more than the greatest version there is; 1 if there is none."""
    return max(config_files.versions(place), default=0) + 1


@contextmanager
def _aside(place: Path) -> Iterator[Path]:
    """A folder that a server does not look at, on the same disk as `place`; removed in the end."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise ExportError(f"{place.parent} cannot be written ({error.strerror}); give another --export_dir.") from error
    try:
        yield scratch
    except OSError as error:
        raise ExportError(f"nothing was exported: {error}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _appear(staged: Path, final: Path) -> None:
    final.parent.mkdir(exist_ok=True)
    try:
        staged.rename(final)
    except OSError as error:
        raise ExportError(f"{final} could not be put in place ({error.strerror}); run the export again.") from error
