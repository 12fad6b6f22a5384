"""The job `train`: from a config and a run folder to a trained model, continued where it was left."""

import contextlib
import itertools
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tqdm import tqdm

from dfv import data
from dfv.config.schema import Config
from dfv.data.dataset import DataError, Splits
from dfv.data.pipeline import triplets
from dfv.model.disentangler import Disentangler
from dfv.model.image_grids import GRID_IMAGES, one_of_each, save_pictures, swap_grid
from dfv.model.latent import fitting as z_fitting
from dfv.model.pretraining import pretrain_s
from dfv.training import run_folder as runs
from dfv.training.checkpoints import Checkpoints
from dfv.training.distribution import is_chief, make_deterministic, make_logical_cpus, make_strategy
from dfv.training.interruptions import read_batches, stop_requests, within_memory

LOGGER = logging.getLogger(__name__)

WORKER_IS_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)
VALIDATION_BATCHES = 16


def train(config: Config, run_dir: Path) -> Disentangler:
    """Trains until `num_steps`, from the newest checkpoint of the run folder if it has one.

    Raises ConfigError, DataError, or RunError for what the user can mend, and Stopped after SIGTERM or Ctrl-C.
    """
    make_logical_cpus(config.training)
    make_deterministic(config.training)
    strategy = make_strategy(config.training)
    with runs.locked(run_dir) if is_chief(strategy) else contextlib.nullcontext():
        if (run_dir / runs.FLAGS_FILE).exists():
            runs.check_same_run(run_dir, config)
        splits = data.load(config.data)
        runs.check_same_images(run_dir, splits.digest)
        with within_memory(config):
            with strategy.scope():
                model = Disentangler(config, splits.train.image_shape, splits.label_sizes)
                model.compile()
            return Loop(model, config, splits, run_dir, strategy).run()


class Loop:
    """The steps of one run, and what is written between them."""

    def __init__(
        self, model: Disentangler, config: Config, splits: Splits, run_dir: Path, strategy: tf.distribute.Strategy
    ):
        self.model, self.config, self.run_dir, self.strategy = model, config, run_dir, strategy
        self.splits, self.is_chief = splits, is_chief(strategy)
        self.checkpoints = Checkpoints(model, run_dir, config.training.num_checkpoints, self.is_chief)
        self._restore()
        self.saved_at = time.monotonic()
        self._restart_clock()
        self.validation_batches = self.triplets("validation", first_step=0)
        self.grid_images = one_of_each(splits.validation, GRID_IMAGES, seed=0)
        # AutoGraph would rewrite all that a step calls, which takes longer than tracing it; no step needs that.
        self.train_step = tf.function(
            lambda batch: strategy.run(model.train_step, args=(batch,)),
            autograph=False,
            jit_compile=config.training.jit_compile,
        )
        self.test_step = tf.function(lambda batch: strategy.run(model.test_step, args=(batch,)), autograph=False)
        if self.is_chief:
            with runs.writing(run_dir):
                self._open_logs()

    def _restore(self) -> None:
        """Goes on from the newest checkpoint, if any, without what was fitted to z at the end of fewer steps."""
        fitted, wanted = z_fitting.fitted_parts(self.model), self.config.training.num_steps
        unfitted = [part.get_weights() for part in fitted]
        restored = self.checkpoints.restore()
        self.step, self.is_new = restored or 0, restored is None
        if self.step > wanted:
            raise runs.RunError(
                f"{self.run_dir} is at step {self.step} already, past --num_steps={wanted}; give at least"
                f" --num_steps={self.step}, or another --run_dir."
            )
        if self.step < wanted:
            for part, weights in zip(fitted, unfitted, strict=True):
                part.set_weights(weights)

    def _open_logs(self) -> None:
        runs.write_flags(self.run_dir, self.config)
        runs.write_whole(self.run_dir / runs.IMAGES_FILE, f"{self.splits.digest}\n".encode())
        validation = [f"validation_{name}" for name in self.model.validation_means.names]
        columns = ["images_per_second", *self.model.means.names, *validation]
        self.model_file = runs.ModelFile(self.model, self.run_dir)
        self.table = runs.MetricsTable(self.run_dir / runs.METRICS_FILE, columns, self.step)
        self.summaries = tf.summary.create_file_writer(str(self.run_dir / "tensorboard"))

    def run(self) -> Disentangler:
        """Every step that is left; then the model and its pictures."""
        if self.step:
            LOGGER.info("Continuing %s at step %d.", self.run_dir, self.step)
        with self._workers_together():
            self._pretrain()
            self._train()
            self._fit_z()
        self._pictures()
        return self.model

    def _pretrain(self) -> None:
        """The supplement's embedding, in a run that asks for it and has not begun."""
        if self.is_new and self.config.training.pretrain_s_steps:
            pretrain_s(self.model, read_batches(self.triplets("train", 0)), self.strategy)
            self.checkpoint()

    def _train(self) -> None:
        """Steps until the last one, or until a signal asks to stop."""
        with stop_requests() as stop, self._progress() as progress:
            batches = read_batches(self.triplets("train", self.step))
            self._restart_clock()
            while self.step < self.config.training.num_steps:
                self.one_step(batches, progress)
                if stop:
                    self.checkpoint()
                    several = self.config.training.strategy == "multi_worker"
                    raise runs.Stopped(self.run_dir, self.step, stop[0], self.is_chief, several)
        self.checkpoint()

    def _fit_z(self) -> None:
        """What z goes through in use, unless it was fitted before."""
        if not z_fitting.is_fitted(self.model, self.step):
            z_fitting.fit_z(self.model, self.splits.train, self.step)
            self.validate()
            self.checkpoint()

    def one_step(self, batches: Iterator, progress: tqdm) -> None:
        """A step and what is due after it."""
        self.train_step(next(batches))
        self.step += 1
        progress.update()
        self._after_step(progress)

    def _after_step(self, progress: tqdm) -> None:
        """Logs, validates and saves where this step is due for it."""
        training, last = self.config.training, self.step == self.config.training.num_steps
        row: dict[str, float] = {}
        if self.step % training.log_steps == 0 or last:
            row = self._means(self.model.means)
            row["images_per_second"] = self._images_per_second()
            shown = {name: f"{row[name]:.3g}" for name in ("reconstruction", "swap_same", "kl") if name in row}
            progress.set_postfix(images_per_s=f"{row['images_per_second']:.0f}", **shown)
        if self.step % training.validation_steps == 0 or last:
            row |= self.validate()
        if row:
            self._check_finite()
            self._log(row)
            self._restart_clock()
        overdue = training.checkpoint_minutes and time.monotonic() - self.saved_at > 60 * training.checkpoint_minutes
        # Workers must agree on when to save, so their clocks cannot decide.
        if self.step % training.checkpoint_steps == 0 or overdue and training.strategy != "multi_worker":
            self.checkpoint()

    def triplets(self, split: str, first_step: int) -> tf.data.Dataset:
        """Batches of a split's triplets as the config's flags say, each worker's share of them.

        Training's alone are augmented: the errors on the others' are those of the images as they are.
        """
        flags, augmented = self.config.data, split == "train"

        def of_pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
            try:
                return triplets(
                    getattr(self.splits, split),
                    batch_size=self.config.training.batch_size,
                    seed=self.config.training.seed,
                    first_step=first_step,
                    x2_any_identity=flags.x2_any_identity,
                    augment_shift=flags.augment_shift if augmented else 0,
                    augment_flip=flags.augment_flip and augmented,
                    input_context=context,
                )
            except DataError as error:
                raise DataError(f"split '{split}': {error}") from error

        return self.strategy.distribute_datasets_from_function(of_pipeline)

    def validate(self) -> dict[str, float]:
        """Mean errors on validation triplets, the same at every call."""
        for batch in itertools.islice(read_batches(self.validation_batches), VALIDATION_BATCHES):
            self.test_step(batch)
        means = self._means(self.model.validation_means)
        LOGGER.info("Step %d, validation: %s", self.step, ", ".join(f"{k} {v:.4g}" for k, v in means.items()))
        return {f"validation_{name}": value for name, value in means.items()}

    def _means(self, metric) -> dict[str, float]:
        values = {name: float(value) for name, value in metric.result().items()}
        metric.reset_state()
        return values

    def _restart_clock(self) -> None:
        self.clock = time.monotonic(), self.step

    def _images_per_second(self) -> float:
        since, step = self.clock
        images = 3 * self.config.training.batch_size * (self.step - step)
        return images / max(time.monotonic() - since, 1e-9)

    def _check_finite(self) -> None:
        step, term = (int(value) for value in self.model.first_non_finite.found.numpy())
        if step >= 0:
            raise runs.TrainingError(
                f"the loss is not finite: {self.model.means.names[term]} at step {step}. The last checkpoint stays; "
                "try a lower --generator_learning_rate or a lower weight of that term."
            )

    def _log(self, row: dict[str, float]) -> None:
        if not self.is_chief:
            return
        with runs.writing(self.run_dir), self.summaries.as_default(step=self.step):
            self.table.add(self.step, row)
            for name, value in row.items():
                tf.summary.scalar(name, value)
            if "validation_kl" in row:
                tf.summary.image("swap_grid", swap_grid(self.model, self.grid_images)[None])
            self.summaries.flush()

    def checkpoint(self) -> None:
        """Saves the model, then all that a continued run needs: a run with its last checkpoint has its last model."""
        self._check_finite()
        with runs.writing(self.run_dir):
            if self.is_chief:
                self.model_file.save()
            self.checkpoints.save(self.step)
        self.saved_at = time.monotonic()

    def _pictures(self) -> None:
        if self.is_chief:
            with runs.writing(self.run_dir):
                save_pictures(self.model, self.splits.validation, self.run_dir)
            LOGGER.info("Pictures of validation images and the model are in %s.", self.run_dir)

    @contextlib.contextmanager
    def _workers_together(self) -> Iterator[None]:
        """Turns what TensorFlow says when another worker is gone into what the user can do."""
        try:
            yield
        except WORKER_IS_GONE as error:
            if self.config.training.strategy != "multi_worker":
                raise
            raise runs.TrainingError(
                f"another worker stopped answering after step {self.step} ({error.message.splitlines()[0][:200]}). "
                "Start all workers again: they continue from the last checkpoint, if there is one."
            ) from error

    @contextlib.contextmanager
    def _progress(self) -> Iterator[tqdm]:
        hidden = not (self.config.training.progress and self.is_chief and sys.stderr.isatty())
        with tqdm(total=self.config.training.num_steps, initial=self.step, unit="step", disable=hidden) as bar:
            yield bar
