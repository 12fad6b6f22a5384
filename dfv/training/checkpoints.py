"""Checkpoints: the complete state of a run; a crash during saving does not damage the previous checkpoint."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from dfv.model.codec import Codec
from dfv.model.disentangler import Disentangler
from dfv.training.errors import RunError
from dfv.training.model_files import MODEL_FILE

LOGGER = logging.getLogger(__name__)
FOLDER = "checkpoints"


# What TensorFlow raises for a checkpoint that is damaged or does not fit.
UNREADABLE = (tf.errors.OpError, AssertionError, ValueError, IndexError)


class Checkpoints:
    """The most recent checkpoints of a run folder."""

    def __init__(self, model: Disentangler, run_dir: Path, keep: int, is_chief: bool):
        self._checkpoint = _checkpoint(model)
        # Every worker takes part in saving; the chief's is the one that is kept.
        self._folder = run_dir / FOLDER
        if (run_dir / MODEL_FILE).exists() and not self._folder.exists():
            raise RunError(
                f"{run_dir} has a trained model but no {FOLDER}/ to resume from; training would start over and replace"
                f" it. Restore {FOLDER}/, or give another --run_dir, with --start_from={run_dir} to start from the"
                " model's weights."
            )
        self._folder.mkdir(parents=True, exist_ok=True)  # by which `check_finished` knows a run in training
        if is_chief:
            _mend_list(self._folder)
        self._scratch = None if is_chief else tempfile.TemporaryDirectory()
        folder = str(self._folder) if self._scratch is None else self._scratch.name
        self._manager = tf.train.CheckpointManager(self._checkpoint, folder, max_to_keep=keep)

    def save(self, step: int) -> None:
        """Writes the checkpoint of this step."""
        self._manager.save(checkpoint_number=step)

    def restore(self) -> int | None:
        """Restores the newest undamaged checkpoint and returns its step; None if none was written yet.

        Raises RunError if none of the existing checkpoints fits, since starting over would overwrite them.
        """
        paths = _paths(self._folder)
        for path in reversed(paths):
            try:
                self._checkpoint.restore(path).assert_existing_objects_matched()
                return _step(path)
            except UNREADABLE as error:
                LOGGER.warning("Checkpoint %s is damaged (%s); trying the previous one.", path, str(error)[:200])
        if paths:
            raise RunError(
                f"none of the {len(paths)} checkpoints in {self._folder} fits: they are damaged, or of images with"
                " other identities than there are now, or written by another version of dfv. Nothing was changed; move"
                " the run's folder away, or give another --run_dir."
            )
        return None


def last_step(run_dir: Path) -> int | None:
    """The step of the newest checkpoint; None without checkpoints, as for a shipped model."""
    paths = _paths(run_dir / FOLDER)
    return _step(paths[-1]) if paths else None


def _paths(folder: Path) -> list[str]:
    """The checkpoints, oldest first: TensorFlow's list or, if that is missing or damaged, those in the folder."""
    return _listed(folder) or sorted((str(file.with_suffix("")) for file in folder.glob("ckpt-*.index")), key=_step)


def _listed(folder: Path) -> list[str]:
    try:
        found = tf.train.get_checkpoint_state(str(folder))
    except ValueError:  # an empty file
        return []
    return list(found.all_model_checkpoint_paths) if found else []


def _mend_list(folder: Path) -> None:
    """Writes TensorFlow's list of the checkpoints again if it is missing or damaged, as after a power failure."""
    if _listed(folder):
        return
    (folder / "checkpoint").unlink(missing_ok=True)
    if paths := _paths(folder):
        LOGGER.warning("The list of checkpoints in %s was missing or damaged; found %d of them.", folder, len(paths))
        written = [Path(f"{path}.index").stat().st_mtime for path in paths]
        tf.compat.v1.train.update_checkpoint_state(
            str(folder), paths[-1], paths, all_model_checkpoint_timestamps=written
        )


def _checkpoint(model: Disentangler) -> tf.train.Checkpoint:
    # Keras keeps layers in lists that tf.train.Checkpoint does not follow, hence the variables themselves.
    return tf.train.Checkpoint(state=[variable.value for variable in all_variables(model)])


def read_newest(model: Disentangler, run_dir: Path) -> None:
    """Sets the model's variables to those of the newest checkpoint of a run; raises RunError if it is damaged."""
    folder = run_dir / FOLDER
    path = _paths(folder)[-1]
    try:
        # What it does not have is the counter of checkpoints.
        _checkpoint(model).restore(path).assert_existing_objects_matched().expect_partial()
    except UNREADABLE as error:
        raise RunError(
            f"the checkpoint {path} is damaged ({str(error)[:200]}). Restore it, or move {folder} away: then"
            " encoder and decoder are read from model.keras, and the adversaries start from random weights."
        ) from error


def _step(path: str) -> int:
    return int(path.rsplit("-", 1)[1])


def check_finished(run_dir: Path, model: Codec) -> None:
    """Raises RunError for a run that stopped before its last step, or before its latent transform was fitted."""
    step, wanted = last_step(run_dir), model.config.training.num_steps
    if step is None and (run_dir / FOLDER).exists():
        step = 0  # a shipped model, or one whose checkpoints were deleted to save space, has no such folder
    if step is not None and (step < wanted or not model.latent.is_fitted(step)):
        raise RunError(
            f"{run_dir} is not finished: it stopped at step {step} of {wanted}, or while its latent transform was"
            f" fitted. Resume it with its flags and --mode=train; to finish it at this step, add --num_steps={step}."
        )


def all_variables(model: Disentangler) -> list[Any]:
    """Weights, statistics, replay and optimizer state, in a fixed order."""
    optimizers = ("generator_optimizer", "adversary_optimizer", "latent_adversary_optimizer")
    players = [getattr(model, name) for name in optimizers if hasattr(model, name)]
    return [*model.variables, *(variable for player in players for variable in player.variables)]
