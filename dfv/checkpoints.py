"""Everything that a run needs to go on, saved so that a crash leaves the previous checkpoint whole."""

import logging
import tempfile
from pathlib import Path

import tensorflow as tf

from dfv.model.disentangler import Disentangler
from dfv.runs import CHECKPOINTS, RunError

LOGGER = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of a run folder, the last few kept."""

    def __init__(self, model: Disentangler, run_dir: Path, keep: int, is_chief: bool):
        # Keras keeps layers in lists that tf.train.Checkpoint does not follow, hence the variables themselves.
        state = [variable.value for variable in all_variables(model)]
        self._checkpoint = tf.train.Checkpoint(state=state)
        # Every worker takes part in saving; the chief's is the one that is kept.
        self._folder = run_dir / CHECKPOINTS
        self._scratch = tempfile.TemporaryDirectory()
        folder = str(self._folder) if is_chief else self._scratch.name
        self._manager = tf.train.CheckpointManager(self._checkpoint, folder, max_to_keep=keep)

    def save(self, step: int) -> None:
        """Writes the checkpoint of this step."""
        self._manager.save(checkpoint_number=step)

    def restore(self) -> int | None:
        """Restores the newest checkpoint that is whole and gives its step; None where none was written yet.

        Raises RunError if there are some but none fits: to begin anew would write over what is there.
        """
        found = tf.train.get_checkpoint_state(str(self._folder))
        paths = list(found.all_model_checkpoint_paths) if found else []
        for path in reversed(paths):
            try:
                self._checkpoint.restore(path).assert_existing_objects_matched()
                return int(path.rsplit("-", 1)[1])
            except (tf.errors.OpError, AssertionError, ValueError, IndexError) as error:
                LOGGER.warning("Checkpoint %s is damaged (%s); taking the one before it.", path, str(error)[:200])
        if paths:
            raise RunError(
                f"none of the {len(paths)} checkpoints in {self._folder} fits: they are damaged, or of images with"
                " other identities than there are now, or written by another version of dfv. Nothing was changed; move"
                " the run's folder away, or give another --run_dir."
            )
        return None


def all_variables(model: Disentangler) -> list:
    """Weights, statistics, replay and optimizers' state, in a fixed order."""
    optimizers = ("generator_optimizer", "adversary_optimizer", "z_classifier_optimizer")
    players = [getattr(model, name) for name in optimizers if hasattr(model, name)]
    return [*model.variables, *(variable for player in players for variable in player.variables)]
