"""Training of a run, from its last checkpoint if there is one."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dfv import data
from dfv.config.schema import Config
from dfv.data.dataset import Splits
from dfv.model.disentangler import Disentangler
from dfv.model.image_grids import GRID_IMAGES, one_of_each, save_pictures
from dfv.program import has_terminal
from dfv.training import callbacks as duties
from dfv.training.callbacks.step_callback import RowCallback, steps_taken
from dfv.training.distribution import TripletSource, is_chief, make_deterministic, make_logical_cpus, make_strategy
from dfv.training.errors import Stopped
from dfv.training.interruptions import read_batches, within_memory, workers_together
from dfv.training.pretraining import pretrain_s
from dfv.training.run_flags import FLAGS_FILE, check_same_run, write_flags
from dfv.training.run_folder import IMAGES_FILE, check_same_images, locked, write_whole, writing
from dfv.training.start_from import carry_over, find_start
from dfv.training.training_record import add_training
from dfv.training.validation import Validation

LOGGER = logging.getLogger(__name__)


def train(config: Config, run_dir: str | Path, callbacks: Sequence[keras.callbacks.Callback] = ()) -> Disentangler:
    """Trains until `num_steps`, from the newest checkpoint of the run folder if it has one.

    callbacks: additional Keras callbacks. An epoch is `validation_steps` steps; a resumed run may begin in the middle
    of an epoch. Logs contain each term and `loss`, and at the end of an epoch also those with prefix `val_`.

    Raises ConfigError, DataError or RunError for errors that the user can correct, and Stopped on SIGTERM or Ctrl-C.
    """
    run_dir = Path(run_dir)
    make_logical_cpus(config.training)
    make_deterministic(config.training)
    strategy = make_strategy(config.training)
    with locked(run_dir) if is_chief(strategy) else contextlib.nullcontext():
        start = find_start(config, run_dir)
        if (run_dir / FLAGS_FILE).exists():
            check_same_run(run_dir, config)
        splits = data.load(config.data)
        check_same_images(run_dir, splits.digest)
        with within_memory(config):
            with strategy.scope():
                model = Disentangler(config, splits.train.image_shape, splits.label_sizes)
                model.compile()
                if start is not None:
                    carry_over(start, model)
            return Trainer(model, config, splits, run_dir, strategy, callbacks).run()


class Trainer:
    """The loop over the steps of a run, for every strategy; callbacks do everything else.

    It replaces `model.fit`, which fails under MultiWorkerMirroredStrategy in Keras 3.15.
    """

    def __init__(
        self,
        model: Disentangler,
        config: Config,
        splits: Splits,
        run_dir: Path,
        strategy: tf.distribute.Strategy,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ):
        self.model, self.config, self.run_dir, self.strategy = model, config, run_dir, strategy
        self.splits, self.is_chief, self._needs_logs = splits, is_chief(strategy), bool(callbacks)
        self.source = TripletSource(config, splits, strategy)
        self.validation = Validation(model, self.source)
        # AutoGraph would rewrite all that a step calls, which takes longer than tracing it; no step needs that.
        self.train_step = tf.function(
            lambda batch: strategy.run(model.train_step, args=(batch,)),
            autograph=False,
            jit_compile=config.training.jit_compile,
        )
        self.stop = duties.StopOnSignal()
        self.checkpointing = self._checkpointing()
        # The user's callbacks come where the rows are written, and before what is saved.
        every = [*self._reports(), *callbacks, self.stop]
        every += [duties.KeepBest(run_dir, self.stop)] if config.training.keep == "best" else []
        every += [duties.FitLatentTransform(splits.train, self.stop, self.validation.after_fit), self.checkpointing]
        self.callbacks = keras.callbacks.CallbackList(every, add_history=True, model=model)
        self.checkpointing.set_model(model)
        self.restored_step = self.checkpointing.restore()

    def _checkpointing(self) -> duties.Checkpointing:
        training = self.config.training
        # Workers must agree on when to save, so their clocks cannot decide.
        minutes = 0.0 if training.strategy == "multi_worker" else training.checkpoint_minutes
        return duties.Checkpointing(
            self.run_dir, training.checkpoint_steps, minutes, training.num_checkpoints, self.is_chief
        )

    def _reports(self) -> list[keras.callbacks.Callback]:
        training = self.config.training
        check = duties.CheckFinite(training.log_steps)
        if not self.is_chief:  # it writes nothing, yet takes part in reading the means
            return [check, RowCallback(training.log_steps), RowCallback(training.log_steps)]
        images = one_of_each(self.splits.validation, GRID_IMAGES, seed=0)
        table = duties.MetricsCsv(self.run_dir, training.log_steps)
        summaries = duties.Summaries(self.run_dir / "tensorboard", training.log_steps, images)
        shown = training.progress and has_terminal()
        return [check, table, summaries, *([duties.Progress(training.num_steps, table)] if shown else [])]

    def run(self) -> Disentangler:
        """Runs the remaining steps, saves, and returns the model."""
        if self.is_chief:
            with writing(self.run_dir):
                write_flags(self.run_dir, self.config)
                write_whole(self.run_dir / IMAGES_FILE, f"{self.splits.digest}\n".encode())
        if self.restored_step:
            LOGGER.info("Resuming %s at step %d.", self.run_dir, self.restored_step)
        several, started = self.config.training.strategy == "multi_worker", time.monotonic()
        with workers_together(several, lambda: steps_taken(self.model)):
            self._prepare()
            try:
                self._train()
            finally:
                self.stop.restore_handlers()
        if self.is_chief and steps_taken(self.model) > (self.restored_step or 0):
            with writing(self.run_dir):
                add_training(self.run_dir, (time.monotonic() - started) / 60)
        if self.stop.received is not None:
            raise Stopped(self.run_dir, steps_taken(self.model), self.stop.received, self.is_chief, several)
        self._pictures()
        return self.model

    def _prepare(self) -> None:
        """Pre-trains s, if asked for, and saves weights that are not random, in a run that has not begun."""
        training = self.config.training
        if self.restored_step is not None:
            return
        if training.pretrain_s_steps:
            pretrain_s(self.model, read_batches(self.source.batches("train", 0)), self.strategy)
        if training.pretrain_s_steps or training.start_from:  # which may be gone when the run is resumed
            self.checkpointing.save()

    def _train(self) -> None:
        num_steps, epoch_steps = self.config.training.num_steps, self.config.training.validation_steps
        self.callbacks.set_params({"epochs": -(-num_steps // epoch_steps), "steps": epoch_steps, "verbose": 0})
        self.model.stop_training = False
        self.callbacks.on_train_begin()
        # Another callback may have restored the model.
        step = steps_taken(self.model)
        batches, logs = read_batches(self.source.batches("train", step)), None
        while step < num_steps and not self.model.stop_training:
            steps = range(step % epoch_steps, min(epoch_steps, step % epoch_steps + num_steps - step))
            logs = self.one_epoch(step // epoch_steps, steps, batches)
            step = steps_taken(self.model)
        self.callbacks.on_train_end(logs)

    def one_epoch(self, epoch: int, steps: range, batches: Iterator[Any]) -> dict[str, float]:
        """Runs these steps of an epoch, validates, and returns the logs, as `fit` does."""
        self.model.reset_metrics()
        self.callbacks.on_epoch_begin(epoch)
        for number in steps:
            self.one_step(number, batches)
            if self.stop.received is not None and number != steps[-1]:
                return self._logs()  # the continued run ends this epoch
            if self.model.stop_training:
                break
        logs = self._logs() | {f"val_{name}": value for name, value in self.validation.errors().items()}
        self.callbacks.on_epoch_end(epoch, logs)
        return logs

    def one_step(self, number: int, batches: Iterator[Any]) -> None:
        """Runs step `number` of the epoch, with its callbacks."""
        self.callbacks.on_train_batch_begin(number)
        self.train_step(next(batches))
        # Reading the logs waits for the device, and only a user's callbacks look at them.
        self.callbacks.on_train_batch_end(number, self._logs() if self._needs_logs else None)

    def _logs(self) -> dict[str, float]:
        """The mean of each term over the steps of the epoch."""
        return {name: float(value) for name, value in self.model.means.result().items()}

    def _pictures(self) -> None:
        if self.is_chief:
            with writing(self.run_dir):
                save_pictures(self.model, self.splits.validation, self.run_dir)
            LOGGER.info("Swaps and reconstructions of validation images and the model are in %s.", self.run_dir)
