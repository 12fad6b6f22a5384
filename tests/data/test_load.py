"""What load does to every set: the fewest images, numbers of identities, joined splits, grey; and cheap imports."""

import subprocess
import sys
import types
from importlib import import_module

import numpy as np
import pytest

from dfv import data
from dfv.config.options.data import DATASETS
from dfv.config.schema import DataConfig
from dfv.data import DataError, ImageSet, Splits
from dfv.data.preprocessing import preprocess


class OnDisk:
    """Images that can be read by arrays of rows alone, as those on disk; counts what is read."""

    def __init__(self, images):
        self._images, self.shape, self.num_read = images, images.shape, 0

    def __len__(self):
        return len(self._images)

    def __getitem__(self, rows):
        assert isinstance(rows, np.ndarray) and rows.dtype.kind == "i"
        self.num_read += len(rows)
        return self._images[rows]


def image_set(identity, first=0, wrap=np.asarray, channels=3):
    """Image i of the set is filled with first + i, and its columns say so too."""
    numbers = np.arange(first, first + len(identity))
    images = np.broadcast_to(numbers[:, None, None, None], (len(identity), 2, 4, channels)).astype(np.uint8)
    identity = np.array(identity, np.int32)
    return ImageSet(wrap(images), identity, {"tens": identity // 10}, {"number": numbers.astype(np.float32)})


def splits(wrap=np.asarray):
    return Splits(
        image_set([30, 10, 10, 30, 20, 50, 50], 0, wrap),
        image_set([10, 20, 40], 100, wrap),
        image_set([15, 50, 20], 200, wrap),
        {"tens": 6},
    )


def numbers(part):
    """What the images show, which must agree with the factor beside them."""
    shown = part.images[np.arange(len(part))][:, 0, 0, 0]
    np.testing.assert_array_equal(shown, part.factors["number"])
    return shown.tolist()


def test_an_identity_with_too_few_images_is_refused_by_name():
    with pytest.raises(DataError, match="identity 20 has 1 image in split 'train'; at least 2 .*drop_small_identities"):
        preprocess(splits(), DataConfig())
    with pytest.raises(DataError, match="identity 10 has 2 images in split 'train'; at least 3"):
        preprocess(splits(), DataConfig(min_images_per_identity=3))


@pytest.mark.parametrize("wrap", [np.asarray, OnDisk])
def test_small_identities_are_dropped_everywhere_and_the_others_renumbered(wrap, caplog):
    with caplog.at_level("WARNING"):
        result = preprocess(splits(wrap), DataConfig(drop_small_identities=True))
    assert "Dropped 1 of 4 identities" in caplog.text and "20" in caplog.text
    assert numbers(result.train) == [0, 1, 2, 3, 5, 6]
    assert result.train.identity.tolist() == [1, 0, 0, 1, 2, 2]
    assert numbers(result.validation) == [100, 102] and result.validation.identity.tolist() == [0, 4]
    assert numbers(result.test) == [200, 201] and result.test.identity.tolist() == [3, 2]
    assert result.train.attributes["tens"].tolist() == [3, 1, 1, 3, 5, 5]
    assert result.num_identities == 3 and result.label_sizes == (3, 6)
    assert result.train.identity.dtype == np.int32


@pytest.mark.parametrize("wrap", [np.asarray, OnDisk])
def test_include_validation_joins_it_to_train_and_leaves_it_as_it_is(wrap):
    config = DataConfig(include_validation=True, drop_small_identities=True)
    result = preprocess(splits(wrap), config)
    assert numbers(result.train) == [0, 1, 2, 3, 4, 5, 6, 100, 101]  # 20 has two images now, 40 has one
    assert result.train.identity.tolist() == [2, 0, 0, 2, 1, 3, 3, 0, 1]
    assert numbers(result.validation) == [100, 101]
    backwards = np.array([8, 0, 7])
    assert result.train.images[backwards][:, 0, 0, 0].tolist() == [101, 0, 100]


@pytest.mark.parametrize("wrap", [np.asarray, OnDisk])
def test_grayscale_weighs_colours_by_luminance(wrap):
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], np.uint8).reshape(4, 1, 1, 3)
    part = ImageSet(wrap(colours), np.array([0, 0, 1, 1], np.int32))
    grey = preprocess(Splits(part, part, part), DataConfig(grayscale=True)).train
    assert grey.image_shape == (1, 1, 1)
    assert grey.images[np.arange(4)].ravel().tolist() == [76, 150, 29, 255]


def test_a_single_identity_is_refused():
    part = image_set([3, 3])
    with pytest.raises(DataError, match="1 identities; at least 2"):
        preprocess(Splits(part, part, part), DataConfig())


def test_load_asks_the_source_and_finishes_its_splits(monkeypatch):
    source = types.ModuleType("source")
    source.load = lambda config: splits()
    monkeypatch.setitem(sys.modules, "dfv.data.sources.toy_sprites", source)
    result = data.load(DataConfig(dataset="toy_sprites", drop_small_identities=True))
    assert result.num_identities == 3


def test_importing_dfv_data_does_not_import_what_is_slow():
    slow = "{'tensorflow', 'tensorflow_datasets', 'h5py', 'scipy', 'PIL'}"
    command = (
        f"import sys, dfv.data, dfv.data.sources.yaleb, dfv.data.sources.sprites; print(*({slow} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_every_dataset_of_the_config_has_a_source_that_loads_it():
    for name in DATASETS:
        assert callable(import_module(f"dfv.data.sources.{name}").load)
