"""The weights that a run ends with are those of its lowest validation loss, also if it was interrupted."""

import csv
import signal

import keras
import numpy as np
import pytest

import dfv
from dfv.config.schema import Config
from dfv.training.callbacks.keep_best import FILE, KeepBest
from dfv.training.callbacks.stop_on_signal import StopOnSignal
from dfv.training.errors import RunError, Stopped
from dfv.training.trainer import train
from dfv.training.validation import Validation
from tests.training.runs import SMALLEST

FLAGS = SMALLEST | {"num_steps": 6, "validation_steps": 2, "keep": "best"}


class Weights:
    """A model of two numbers, and of the optimizer's step."""

    def __init__(self):
        self.encoder, self.decoder = keras.layers.Layer(), keras.layers.Layer()
        self.encoder.add_weight(shape=(), initializer="zeros", name="value")
        self.decoder.add_weight(shape=(), initializer="zeros", name="value")
        self.generator_optimizer = keras.optimizers.SGD()

    def set(self, value):
        for layer in (self.encoder, self.decoder):
            layer.variables[0].assign(value)

    @property
    def values(self):
        return [float(layer.variables[0].numpy()) for layer in (self.encoder, self.decoder)]


def run_epochs(folder, losses, stop=None, first=0):
    """Weights of epoch i are i."""
    model, callback = Weights(), KeepBest(folder, stop)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses, first):
        model.set(epoch)
        callback.on_epoch_end(epoch, {"val_loss": loss})
    callback.on_train_end()
    return model.values


def test_the_lowest_loss_decides_over_all_parts_of_a_run(tmp_path):
    assert run_epochs(tmp_path, [3.0, 1.0, 2.0]) == [1, 1]
    assert run_epochs(tmp_path, [2.5, 1.5], first=3) == [1, 1]
    assert run_epochs(tmp_path, [2.5, 0.5, float("nan")], first=5) == [6, 6]


def test_a_lengthened_run_goes_on_from_its_last_weights(tmp_path):
    assert run_epochs(tmp_path, [3.0, 1.0, 2.0]) == [1, 1]
    model, callback = Weights(), KeepBest(tmp_path)
    model.set(1)  # as its checkpoint has them
    callback.set_model(model)
    callback.on_train_begin()
    assert model.values == [2, 2]
    model.generator_optimizer.iterations.assign(7)  # a later checkpoint, of its own weights
    model.set(5)
    callback.on_train_begin()
    assert model.values == [5, 5]


def test_a_stopped_run_goes_on_from_its_last_weights(tmp_path):
    stop = StopOnSignal()
    stop.received = signal.SIGTERM
    assert run_epochs(tmp_path, [1.0, 2.0], stop) == [1, 1]


def test_what_is_missing_or_damaged_is_said(tmp_path):
    callback = KeepBest(tmp_path)
    callback.set_model(Weights())
    callback.on_train_begin()
    with pytest.raises(ValueError, match="give validation data"):
        callback.on_epoch_end(0, {"loss": 1.0})
    for damaged in (b"", b"PK", b"PK\x03\x04 cut off"):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(RunError, match=f"{FILE} cannot be read"):
            callback.on_train_begin()


class StopAfter(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.wanted, self.count = step, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        if self.count == self.wanted:
            signal.raise_signal(signal.SIGTERM)


def test_a_resumed_run_keeps_the_same_weights_and_saves_them(tmp_path, monkeypatch):
    # Losses that are lowest in the middle, before the interruption.
    losses = {2: 1.0, 4: 0.5, 6: 2.0}
    errors = Validation.errors

    def known(validation):
        step = int(validation.model.generator_optimizer.iterations.numpy())
        return errors(validation) | {"loss": losses[step]}

    monkeypatch.setattr(Validation, "errors", known)
    config = Config.of(**FLAGS, shared_variance=True, pca_dim=2)
    whole = train(config, tmp_path / "whole")
    with pytest.raises(Stopped):
        train(config, tmp_path / "parts", [StopAfter(5)])
    resumed = train(config, tmp_path / "parts")
    four = train(config.replace(num_steps=4), tmp_path / "four")
    loaded = dfv.load(tmp_path / "parts")
    for part in ("decoder", "latent"):  # PCA is fitted to the weights that are kept
        for variables in zip(*(getattr(model, part).variables for model in (whole, resumed, four)), strict=True):
            for variable in variables[1:]:
                if "fitted_at" not in variable.path:
                    np.testing.assert_array_equal(variable, variables[0], err_msg=variable.path)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    np.testing.assert_allclose(loaded.encode(images).z.mean, whole.encode(images).z.mean[:, :2], atol=1e-4)
    with (tmp_path / "parts" / "metrics.csv").open() as file:
        assert [float(row["val_loss"]) for row in csv.DictReader(file) if row["val_loss"]] == list(losses.values())
