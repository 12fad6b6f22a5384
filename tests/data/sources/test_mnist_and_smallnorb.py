"""MNIST and small NORB, from small prepared sets under their own names."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data import DataError
from dfv.data.cache import RecordImages
from dfv.data.dataset import SPLITS
from tests.data.sources.prepared_sets import number_images, prepare
from tests.data.spelled_images import shown


@pytest.fixture(scope="module")
def mnist_dir(tmp_path_factory):
    features = {"image": tfds.features.Image(shape=(28, 28, 1)), "label": tfds.features.ClassLabel(num_classes=10)}
    columns = {
        split: (len(numbers), {"image": number_images(numbers), "label": numbers % 10})
        for split, numbers in {"train": np.arange(5040), "test": np.arange(30_000, 30_050)}.items()
    }
    return prepare(tmp_path_factory.mktemp("mnist"), "mnist", "3.0.1", features, columns)


def test_mnist_holds_out_the_last_5000_training_images(mnist_dir):
    splits = data.load(DataConfig(dataset="mnist", data_dir=mnist_dir))
    expected = {"train": np.arange(40), "validation": np.arange(40, 5040), "test": np.arange(30_000, 30_050)}
    for name, numbers in expected.items():
        part = getattr(splits, name)
        np.testing.assert_array_equal(shown(part.images), numbers)
        np.testing.assert_array_equal(part.identity, numbers % 10)
    assert splits.train.image_shape == (28, 28, 1) and splits.attribute_sizes == {}


@pytest.mark.parametrize("dataset", ["mnist", "smallnorb"])
def test_a_set_in_records_is_the_same_when_it_is_written_and_when_it_is_read(dataset, request, tmp_path):
    folder = request.getfixturevalue(f"{dataset}_dir")
    in_memory, *on_disk = (
        data.load(DataConfig(dataset=dataset, data_dir=folder, memory_limit_mb=limit, cache_dir=str(tmp_path)))
        for limit in (4096, 0, 0)
    )
    for splits in on_disk:
        assert isinstance(splits.train.images, RecordImages)
        for part in SPLITS:
            one, other = getattr(in_memory, part), getattr(splits, part)
            np.testing.assert_array_equal(other.images[:], one.images)
            np.testing.assert_array_equal(other.identity, one.identity)


def test_mnist_at_another_size(mnist_dir):
    splits = data.load(DataConfig(dataset="mnist", data_dir=mnist_dir, image_size=14))
    first = splits.validation.images[216]  # of number 256: pixels 1 and 0, and three 0 in the same area
    assert splits.validation.images.shape == (5000, 14, 14, 1) and first[0, 0, 0] == 0


def test_a_truncated_prepared_file_is_named(mnist_dir, tmp_path):
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    for path in Path(mnist_dir, "mnist", "3.0.1").iterdir():
        content = path.read_bytes()
        is_train = "train.tfrecord" in path.name
        (tmp_path / "mnist" / "3.0.1" / path.name).write_bytes(content[:-1000] if is_train else content)
    with pytest.raises(DataError, match="mnist-train.tfrecord-.* cannot be read to the end.*Delete that folder"):
        data.load(DataConfig(dataset="mnist", data_dir=str(tmp_path)))


@pytest.mark.parametrize("dataset", ["mnist", "smallnorb"])
def test_a_set_that_cannot_be_downloaded_ends_in_the_expected_tree(dataset, tmp_path, caplog):
    failure = mock.patch.object(tfds.core.DatasetBuilder, "download_and_prepare", side_effect=TimeoutError("no answer"))
    found = mock.patch("socket.getaddrinfo", return_value=[])
    config = DataConfig(dataset=dataset, data_dir=str(tmp_path))
    message = rf"failed \(TimeoutError: no answer\).*\n.*\n.*{dataset}-train.tfrecord-.*\n.*http.*--data_dir=DIR"
    with failure, found, caplog.at_level("WARNING"), pytest.raises(DataError, match=message):
        data.load(config)
    assert f"{dataset} is not prepared under {tmp_path}" in caplog.text and "downloading it" in caplog.text


def test_without_a_network_no_download_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr("dfv.data.sources.tfds_builders.getproxies", dict)
    no_address = mock.patch("socket.getaddrinfo", side_effect=OSError)
    download = mock.patch.object(tfds.core.DatasetBuilder, "download_and_prepare")
    with no_address, download as tried, pytest.raises(DataError, match="no network, no address of .*googleapis.com"):
        data.load(DataConfig(dataset="mnist", data_dir=str(tmp_path)))
    assert not tried.called


NORB_FEATURES = {
    "image": tfds.features.Image(shape=(96, 96, 1)),
    "image2": tfds.features.Image(shape=(96, 96, 1)),
    "instance": tfds.features.ClassLabel(num_classes=10),
    "label_category": tfds.features.ClassLabel(num_classes=5),
    "label_elevation": tfds.features.ClassLabel(num_classes=9),
    "label_azimuth": tfds.features.ClassLabel(num_classes=18),
    "label_lighting": tfds.features.ClassLabel(num_classes=6),
}


def norb_columns(instances, light_known):
    """Six shots of every toy in a mixed order; the image shows the shot's number, image2 that and 20,000."""
    instance, category, shot = (grid.ravel() for grid in np.meshgrid(instances, range(5), range(6), indexing="ij"))
    order = np.random.default_rng(0).permutation(len(instance))
    instance, category, shot = instance[order], category[order], shot[order]
    number = (category * 10 + instance) * 10 + shot
    return {
        "image": number_images(number, 96),
        "image2": number_images(number + 20_000, 96),
        "instance": instance,
        "label_category": category,
        "label_elevation": np.zeros_like(shot),
        "label_azimuth": shot * light_known,
        "label_lighting": np.zeros_like(shot),
    }


def norb(folder, light_known):
    toys = {"train": (4, 6, 7, 8, 9), "test": (0, 1, 2, 3, 5)}
    splits = {split: (150, norb_columns(instances, light_known)) for split, instances in toys.items()}
    return prepare(folder, "smallnorb", "2.0.0", NORB_FEATURES, splits)


@pytest.fixture(scope="module")
def smallnorb_dir(tmp_path_factory):
    return norb(tmp_path_factory.mktemp("norb"), light_known=True)


@pytest.fixture(scope="module")
def norb_splits(smallnorb_dir):
    return data.load(DataConfig(dataset="smallnorb", data_dir=smallnorb_dir))


def test_norb_holds_out_whole_toys(norb_splits):
    parts = (norb_splits.train, norb_splits.validation, norb_splits.test)
    instances = [set(shown(part.images) % 20_000 // 10 % 10) for part in parts]
    assert instances == [{4, 6, 7, 8}, {9}, {0, 1, 2, 3, 5}]
    assert [len(part) for part in parts] == [240, 60, 300]
    assert norb_splits.num_identities == 20 and norb_splits.attribute_sizes == {"category": 5}


def test_norb_labels_are_those_of_the_toy_shown(norb_splits):
    for part in (norb_splits.train, norb_splits.validation, norb_splits.test):
        number = shown(part.images)
        np.testing.assert_array_equal(part.factors["camera"], number >= 20_000)
        np.testing.assert_array_equal(part.attributes["category"], number % 20_000 // 100)
        np.testing.assert_array_equal(part.factors["azimuth"], number % 10)
        assert set(part.factors) == {"camera", "azimuth"}  # elevation and lighting are the same everywhere
        pairs = np.unique(np.stack([part.identity, number % 20_000 // 10]), axis=1)
        assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def test_norb_for_the_final_run_trains_on_all_toys(tmp_path):
    folder = norb(tmp_path, light_known=False)
    splits = data.load(DataConfig(dataset="smallnorb", data_dir=folder, include_validation=True, image_size=48))
    assert splits.num_identities == 25 and splits.train.images.shape == (300, 48, 48, 1)
    assert set(splits.validation.identity) < set(splits.train.identity) and set(splits.train.factors) == {"camera"}
