"""Keras' own callbacks at their defaults, in `fit` and in a run of the program, as their documentation says."""

import csv
import warnings

import keras
import numpy as np
import pytest
from keras import callbacks

from dfv.config.schema import Config
from dfv.training.trainer import train
from tests.training.test_callbacks import FLAGS, compiled, fit, splits  # noqa: F401


class Killed(callbacks.Callback):
    """Ends training in the middle of the second epoch, once."""

    def __init__(self):
        super().__init__()
        self.epoch, self.epochs, self.done = -1, [], False

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.epochs.append(epoch)

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch, self.done) == (1, 1, False):
            self.done = True
            raise InterruptedError


def fail(model):
    model.encoder.z_head.bias.assign(np.full(model.encoder.z_head.bias.shape, np.nan))


def test_defaults_follow_the_validation_loss_in_fit_without_a_warning(splits, tmp_path):  # noqa: F811
    model, rate = compiled(splits), 2e-4
    plateau = callbacks.ReduceLROnPlateau(patience=1, min_delta=1e6)
    early = callbacks.EarlyStopping(patience=2, min_delta=1e6)
    best = callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    used = [plateau, early, best, callbacks.CSVLogger(tmp_path / "log.csv"), callbacks.TensorBoard(tmp_path / "events")]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*(conditioned on|available).*")
        history = fit(model, splits, used, epochs=9, steps=2).history
    assert len(history["val_loss"]) == 3  # no epoch is better than the first by 1e6
    assert history["learning_rate"] == pytest.approx([rate, rate, 0.1 * rate])
    saved = keras.models.load_model(tmp_path / "best.keras")
    assert int(saved.optimizer.iterations.numpy()) == 2 * (1 + int(np.argmin(history["val_loss"])))
    with (tmp_path / "log.csv").open() as file:
        logged = list(csv.DictReader(file))
    for name, values in history.items():
        assert [float(row[name]) for row in logged] == pytest.approx(values), name
    assert {path.name for path in (tmp_path / "events").iterdir()} >= {"train", "validation"}


def test_callbacks_read_the_training_loss_too(splits):  # noqa: F811
    early = callbacks.EarlyStopping("loss", patience=1, min_delta=1e6)
    assert len(fit(compiled(splits), splits, [early], epochs=5, steps=1).history["loss"]) == 2


def test_terminate_on_nan_ends_a_run_before_its_next_step(tmp_path):
    class Broken(callbacks.Callback):
        steps = 0

        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                fail(self.model)

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1

    broken = Broken()
    with pytest.raises(RuntimeError, match="the loss is not finite"):  # as every run says at its end
        train(Config.of(**FLAGS), tmp_path, callbacks=[broken, callbacks.TerminateOnNaN()])
    assert broken.steps == 2


def test_backup_and_restore_continues_fit_from_the_last_epoch(splits, tmp_path):  # noqa: F811
    killed = Killed()
    with pytest.raises(InterruptedError):
        fit(compiled(splits), splits, [callbacks.BackupAndRestore(tmp_path / "backup"), killed])
    model = compiled(splits)
    fit(model, splits, [callbacks.BackupAndRestore(tmp_path / "backup"), killed], first_step=4)
    assert killed.epochs == [0, 1, 1] and int(model.generator_optimizer.iterations.numpy()) == 8
    whole = compiled(splits)
    fit(whole, splits, [])
    for one, other in zip(model.encoder.get_weights(), whole.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_backup_and_restore_continues_a_run_that_has_no_checkpoint(tmp_path):
    killed = Killed()
    with pytest.raises(InterruptedError):
        train(Config.of(**FLAGS), tmp_path / "run", callbacks=[callbacks.BackupAndRestore(tmp_path / "backup"), killed])
    again = [callbacks.BackupAndRestore(tmp_path / "backup"), killed]
    model = train(Config.of(**FLAGS), tmp_path / "run", callbacks=again)
    whole = train(Config.of(**FLAGS), tmp_path / "whole")
    assert killed.epochs == [0, 1, 1]
    for one, other in zip(model.encoder.get_weights(), whole.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
