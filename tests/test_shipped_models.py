"""The trained models that come with the package do what their cards say, by name and from any folder."""

import numpy as np
import pytest

import dfv
import dfv.data
from dfv.evaluation import Results, SampleSizes
from dfv.evaluation.encoded_images import encode
from dfv.evaluation.metrics.analogies import measure_analogies
from dfv.training.model_files import SHIPPED_MODELS, shipped_names
from dfv.training.run_flags import FLAGS_FILE, read_flags

NAMES = ("mnist", "norb", "quickstart", "sprites", "toy_sprites", "yaleb")


def test_they_are_small_and_whole():
    assert tuple(shipped_names()) == NAMES
    assert sum(path.stat().st_size for path in SHIPPED_MODELS.rglob("*.keras")) < 12_000_000
    for name in NAMES:
        files = {path.name for path in (SHIPPED_MODELS / name).iterdir()}
        assert {FLAGS_FILE, "results.json", "README.md"} <= files


@pytest.mark.parametrize("name", NAMES)
def test_a_name_loads_the_model_of_its_flags_and_results(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, results = dfv.load(name), Results.read(SHIPPED_MODELS / name / "results.json")
    assert read_flags(SHIPPED_MODELS / name) == model.config
    assert results.run.num_steps == model.config.training.num_steps
    images = np.random.default_rng(0).integers(0, 256, (2, *model.image_shape), np.uint8)
    assert model.swap(images, images[::-1]).shape == images.shape


def test_the_quick_starts_swaps_are_near_the_true_images():
    """Over the pixels where the truth differs from either parent, against copying the better one; unseen characters."""
    model = dfv.load("quickstart")
    test = dfv.data.load(dfv.Config.of(dataset="toy_sprites", toy_characters=30).data).test
    analogies = measure_analogies(model, "toy_sprites", test, encode(model, test, 600), SampleSizes(analogies=300))
    assert analogies.changed_ratio < 1 / 7


def test_mnists_swaps_keep_the_digit_of_s():
    """Digits drawn by hand below, since MNIST itself is not there: a one keeps its place, a zero its hole."""
    model = dfv.load("mnist")
    one, zero = np.zeros((2, 28, 28, 1), np.uint8)
    one[5:23, 13:15] = 255
    rows, columns = np.mgrid[:28, :28]
    radius = np.hypot((rows - 14) / 9, (columns - 14) / 6)
    zero[(radius > 0.75) & (radius < 1.1)] = 255
    images = model.swap(np.stack([one, zero]), np.stack([zero, one])).astype(float)
    assert images[0, 12:16, 12:16].mean() > 100 and images[1, 12:16, 12:16].mean() < 60
