"""Keras' callbacks in a run of the program, and the program's callbacks in `fit`."""

import csv
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

import dfv
from dfv import data
from dfv.config.schema import Config
from dfv.data.pipeline import triplets
from dfv.model.disentangler import Disentangler
from dfv.training import callbacks as duties
from dfv.training.checkpoints import all_variables, last_step
from dfv.training.errors import TrainingError
from dfv.training.trainer import train
from tests.training.runs import SMALLEST

FLAGS = SMALLEST | {"num_steps": 8, "validation_steps": 4, "checkpoint_steps": 100, "log_steps": 3}


@pytest.fixture(scope="module")
def splits():
    return data.load(Config.of(**FLAGS).data)


def compiled(splits, **flags):
    model = Disentangler(Config.of(**FLAGS | flags), splits.train.image_shape, splits.label_sizes)
    model.compile()
    return model


def batches(split, first_step=0):
    return triplets(split, batch_size=FLAGS["batch_size"], seed=0, first_step=first_step)


def fit(model, splits, callbacks, epochs=2, first_step=0, steps=4):
    return model.fit(
        batches(splits.train, first_step),
        steps_per_epoch=steps,
        epochs=epochs,
        validation_data=batches(splits.validation).take(2),
        callbacks=callbacks,
        verbose=0,
    )


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


class Recorder(keras.callbacks.Callback):
    """What it was called with."""

    def __init__(self):
        super().__init__()
        self.batches, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append((batch, dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, dict(logs)))


def test_a_users_callbacks_run_in_the_program_as_their_documentation_says(tmp_path):
    recorder = Recorder()
    backup, best = tmp_path / "backup", tmp_path / "best.keras"
    used = [
        recorder,
        keras.callbacks.EarlyStopping(patience=0, min_delta=1e6, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(best, save_best_only=True),
        keras.callbacks.ReduceLROnPlateau(patience=0, min_delta=1e6, factor=0.5),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TensorBoard(tmp_path / "events"),
        keras.callbacks.BackupAndRestore(backup),
        keras.callbacks.TerminateOnNaN(),
    ]
    model = train(Config.of(**FLAGS | {"num_steps": 20}), tmp_path / "run", callbacks=used)
    # Epochs of 4 steps; no epoch is better than the first by 1e6, so the second is the last.
    assert [batch for batch, _ in recorder.batches] == [0, 1, 2, 3] * 2
    assert [epoch for epoch, _ in recorder.epochs] == [0, 1]
    assert last_step(tmp_path / "run") == 8 == int(model.generator_optimizer.iterations.numpy())
    assert set(recorder.epochs[0][1]) >= {"loss", "kl", "val_loss", "val_kl", "val_reconstruction", "val_swap_same"}
    assert "loss" in recorder.batches[0][1]
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.5 * 2e-4)
    logged = rows_of(tmp_path / "log.csv")
    seen = [logs["val_loss"] for _, logs in recorder.epochs]
    assert [float(row["val_loss"]) for row in logged] == pytest.approx(seen)
    assert any((tmp_path / "events").iterdir())
    best_model = keras.models.load_model(best)
    assert int(best_model.generator_optimizer.iterations.numpy()) == 4 * (1 + int(np.argmin(seen)))


def test_a_run_that_early_stopping_ends_saves_what_it_restored(tmp_path):
    class FirstEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                self.weights = self.model.encoder.get_weights()

    first, stopping = FirstEpoch(), keras.callbacks.EarlyStopping(min_delta=1e6, restore_best_weights=True)
    train(Config.of(**FLAGS | {"num_steps": 20}), tmp_path / "run", callbacks=[first, stopping])
    for model in (dfv.load(tmp_path / "run"), train(Config.of(**FLAGS), tmp_path / "run")):
        for one, other in zip(model.encoder.get_weights(), first.weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_programs_callbacks_write_in_fit_what_they_write_in_the_program(splits, tmp_path):
    run = train(Config.of(**FLAGS), tmp_path / "run")
    model = compiled(splits)
    images = splits.validation.images[:3]
    used = [
        duties.CheckFinite(3),
        duties.MetricsCsv(tmp_path / "fit", 3),
        duties.Summaries(tmp_path / "events", 3, images),
    ]
    used += [
        duties.StopOnSignal(),
        duties.FitLatentTransform(splits.train),
        duties.Checkpointing(tmp_path / "fit", 100),
    ]
    fit(model, splits, used)
    of_run, of_fit = rows_of(tmp_path / "run" / "metrics.csv"), rows_of(tmp_path / "fit" / "metrics.csv")
    assert [row["step"] for row in of_run] == [row["step"] for row in of_fit] == ["3", "4", "6", "8"]
    for one, other in zip(of_run, of_fit, strict=True):
        for name in model.active.term_names:
            assert (one[name] == "") == (other[name] == "")
            if one[name]:
                assert float(other[name]) == pytest.approx(float(one[name]), rel=1e-3), name
    assert last_step(tmp_path / "fit") == 8
    for one, other in zip(run.encoder.get_weights(), model.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert any((tmp_path / "events").iterdir())


def test_a_rows_means_are_those_of_the_steps_since_the_row_before_it_over_the_end_of_an_epoch(splits, tmp_path):
    model, steps = compiled(splits), []
    means = []

    class Each(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            means.append((batch + 1, logs["loss"]))

    fit(model, splits, [duties.MetricsCsv(tmp_path, 3), Each()])
    before = 0.0
    for count, mean in means:
        before = 0.0 if count == 1 else before
        steps.append(count * mean - before)
        before = count * mean
    rows = [float(row["loss"]) for row in rows_of(tmp_path / "metrics.csv") if row["loss"]]
    assert rows == pytest.approx([np.mean(steps[:3]), np.mean(steps[3:6]), np.mean(steps[6:])], rel=1e-4)


def test_fit_goes_on_from_a_checkpoint_bit_for_bit(splits, tmp_path):
    class Killed(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    whole, broken, again = (compiled(splits, generator_optimizer="sgd") for _ in range(3))
    fit(whole, splits, [], epochs=1)
    with pytest.raises(KeyboardInterrupt):
        fit(broken, splits, [Killed(), duties.Checkpointing(tmp_path, 2)], epochs=1)
    assert last_step(tmp_path) == 2
    fit(again, splits, [duties.Checkpointing(tmp_path, 2)], epochs=1, first_step=2, steps=2)
    for one, other in zip(all_variables(whole), all_variables(again), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_signal_ends_fit_after_the_step_and_nothing_is_fitted(splits, tmp_path):
    class Signalled(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                signal.raise_signal(signal.SIGTERM)

    fitted, stop = [], duties.StopOnSignal()
    before = signal.getsignal(signal.SIGTERM)
    model = compiled(splits)
    last = duties.FitLatentTransform(splits.train, stop, lambda: fitted.append(True))
    fit(model, splits, [Signalled(), stop, last])
    assert stop.received == signal.SIGTERM and not fitted
    assert int(model.generator_optimizer.iterations.numpy()) == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_loss_that_is_not_finite_ends_fit_and_names_the_term(splits):
    model = compiled(splits)
    model.encoder.z_head.bias.assign(np.full(model.encoder.z_head.bias.shape, np.nan))
    with pytest.raises(TrainingError, match=r"not finite: \w+ at step 0"):
        fit(model, splits, [duties.CheckFinite(2)])
    terminated = compiled(splits)
    terminated.encoder.z_head.bias.assign(np.full(model.encoder.z_head.bias.shape, np.nan))
    fit(terminated, splits, [keras.callbacks.TerminateOnNaN()])
    assert tf.equal(terminated.generator_optimizer.iterations.value, 1)
