"""The study of quality by minutes keeps weights at the right time, measures them, and draws a chart."""

import dataclasses
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dfv.config.fields import ConfigError
from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.evaluation.results import RESULTS_FILE, Results
from dfv.model.disentangler import Disentangler
from dfv.training.model_files import SHIPPED_MODELS

pytest.importorskip("torch", reason="PyTorch is not installed; it comes with the extra `benchmark`")

from benchmarks.pytorch import training
from benchmarks.studies import quality_by_minutes, quality_chart


@pytest.fixture
def clock(monkeypatch):
    """A clock that each reading moves on by ten seconds."""
    readings = iter(range(0, 10_000, 10))
    fake = SimpleNamespace(monotonic=lambda: float(next(readings)))
    for module in (training, quality_by_minutes):
        monkeypatch.setattr(module, "time", fake)
    return fake


def test_pytorch_is_trained_until_each_of_the_minutes(clock):
    random = np.random.default_rng(0)
    images = ImageSet(random.integers(0, 256, (40, 12, 12, 1), np.uint8), np.arange(40, dtype=np.int32) % 4)
    config = Config.of(widths=(4, 6), adversary_widths=(3, 5), s_dim=3, z_dim=5, batch_size=4)
    model = Disentangler(config, (12, 12, 1), (4,))
    kept = {}

    def keep(minutes, steps):
        kept[minutes] = steps, model.decoder.from_s.kernel.numpy()

    before = model.decoder.from_s.kernel.numpy()
    training.train(model, config, images, [0.5, 1.0], keep)
    # Readings are ten seconds apart: two steps in the first half minute, one in the second, which begins at 40 s.
    assert {minutes: steps for minutes, (steps, _) in kept.items()} == {0.5: 2, 1.0: 3}
    assert not np.array_equal(before, kept[0.5][1]) and not np.array_equal(kept[0.5][1], kept[1.0][1])


def test_weights_of_a_run_are_kept_once_after_each_of_the_minutes(clock, tmp_path):
    saved = []
    callback = quality_by_minutes.KeepWeights(tmp_path, [1.0, 0.25])
    callback.set_model(SimpleNamespace(save_weights=lambda path: saved.append((clock.monotonic(), path.name))))
    callback.on_train_begin()
    callback.step = 100  # of a resumed run
    for step in range(12):
        callback.on_train_batch_begin(step)
        callback.on_train_batch_end(step)
    assert [name for _, name in saved] == ["0.25-102.weights.h5", "1-105.weights.h5"]
    assert [seconds for seconds, _ in saved] == [30, 70]  # the reading after the one that reached 15 and 60 s


def test_kept_weights_are_measured_as_those_of_their_steps(monkeypatch, tmp_path):
    config, measured = Config.of(widths=(4, 6), adversary_widths=(3, 5), s_dim=3, z_dim=5, num_steps=900), {}
    images = ImageSet(np.zeros((8, 12, 12, 1), np.uint8), np.arange(8, dtype=np.int32) % 4)
    kept = tmp_path / "weights" / "dfv"
    kept.mkdir(parents=True)
    model = Disentangler(config, (12, 12, 1), (4,))
    model.save_weights(quality_by_minutes.kept_file(kept, 2.5, 70))

    def evaluate(model, splits, config, folder, *, training, **options):
        measured[folder.name] = config.training.num_steps, training.minutes, model.decoder.from_s.kernel.numpy()
        folder.mkdir()
        return Results.read(SHIPPED_MODELS / "quickstart" / RESULTS_FILE)

    monkeypatch.setattr(quality_by_minutes, "evaluate", evaluate)
    options = quality_by_minutes.Options(out=str(tmp_path), minutes="2.5")
    command = quality_by_minutes.study_command(config, options)
    assert "--widths=4,6 " in command and "--minutes=2.5 " in command and str(tmp_path) not in command
    study = quality_by_minutes.Study(SimpleNamespace(train=images, label_sizes=(4,)), options, command)
    assert quality_by_minutes.measure_kept(study, config, "dfv") == [tmp_path / "dfv-2.5"]
    assert Results.read(tmp_path / "dfv-2.5" / RESULTS_FILE).run.command == command
    steps, minutes, kernel = measured["dfv-2.5"]
    assert steps == 70 and minutes == pytest.approx(2.5, abs=0.1)
    np.testing.assert_array_equal(kernel, model.decoder.from_s.kernel)


def test_minutes_are_positive_numbers():
    assert quality_by_minutes.read_minutes("30,5,2.5") == [2.5, 5, 30]
    for text in ("", "5,", "0,5", "five"):
        with pytest.raises(ConfigError, match=r"--minutes expects positive numbers separated by commas"):
            quality_by_minutes.read_minutes(text)


def test_the_chart_needs_the_minutes_of_every_result(tmp_path):
    results = Results.read(SHIPPED_MODELS / "quickstart" / RESULTS_FILE)
    for name in ("dfv", "PyTorch-5", "PyTorch-15"):
        (tmp_path / name).mkdir()
        results.write(tmp_path / name / RESULTS_FILE)
    folders = sorted(tmp_path.iterdir())
    with Image.open(io.BytesIO(quality_chart.draw(folders))) as picture:
        assert picture.width > 2 * picture.height
    without = dataclasses.replace(results, run=dataclasses.replace(results.run, training=None))
    without.write(folders[0] / RESULTS_FILE)
    with pytest.raises(ValueError, match="does not say how long its training took"):
        quality_chart.draw(folders)
