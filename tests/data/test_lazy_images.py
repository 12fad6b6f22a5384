"""Images that are read when they are indexed: every kind gives what an array of the same images gives."""

import pickle

import numpy as np
import pytest

from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import ImageSet
from dfv.data.image_operations import to_grey
from dfv.data.lazy_images import LazyImages, SelectedImages, grey_images, join_images, select_images

NUM_IMAGES = 12
IMAGES = np.random.default_rng(0).integers(0, 256, (NUM_IMAGES, 3, 4, 3), np.uint8)
BACKWARDS = np.arange(NUM_IMAGES)[::-1]


class Counted(LazyImages):
    """Images as if they were on disk, which counts how many are read."""

    def __init__(self, images):
        self._images, self.shape, self.num_read = images, images.shape, 0

    def _read(self, rows):
        self.num_read += len(rows)
        return self._images[rows]


def recorded(folder):
    return store(IMAGES, NUM_IMAGES, IMAGES.shape[1:], DataConfig(memory_limit_mb=0, cache_dir=str(folder)), "set")


KINDS = {
    "records": (lambda records: records, IMAGES),
    "selected": (lambda records: select_images(records, BACKWARDS), IMAGES[::-1]),
    "selected array": (lambda records: select_images(IMAGES, BACKWARDS), IMAGES[::-1]),
    "selected twice": (lambda records: select_images(records, BACKWARDS).select(np.arange(2, 12)), IMAGES[-3::-1]),
    "joined": (lambda records: join_images(records, IMAGES), np.concatenate([IMAGES, IMAGES])),
    "grey": (grey_images, to_grey(IMAGES)),
}


@pytest.fixture(params=KINDS)
def pair(request, tmp_path):
    make, expected = KINDS[request.param]
    return make(recorded(tmp_path)), expected


@pytest.mark.parametrize(
    "rows",
    [
        [3],
        [9, 0, 7, 7],
        np.array([2, 1], np.int32),
        np.array([5], np.uint8),
        [],
        slice(None),
        slice(2, 5),
        slice(8, 99),
        slice(-3, None),
        slice(None, None, -2),
    ],
)
def test_every_kind_is_indexed_as_an_array_is(pair, rows):
    images, expected = pair
    assert images.shape == expected.shape and len(images) == len(expected)
    read = images[rows if isinstance(rows, slice) else np.asarray(rows)]
    assert isinstance(read, np.ndarray) and read.dtype == np.uint8
    np.testing.assert_array_equal(read, expected[rows if isinstance(rows, slice) else np.asarray(rows, int)])


def test_as_an_array_and_pickled_it_is_all_of_them(pair):
    images, expected = pair
    np.testing.assert_array_equal(np.asarray(images), expected)
    assert np.asarray(images, np.float32).dtype == np.float32
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(images))[:], expected)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (np.ones(NUM_IMAGES, bool), TypeError, "of bool.*np.flatnonzero"),
        (np.array([0.0]), TypeError, r"expected a slice or \[n\] integers, got \(1,\) of float64"),
        (np.array([[0]]), TypeError, r"got \(1, 1\)"),
        (np.array(3), TypeError, r"got \(\)"),
        (np.array([-1]), IndexError, r"expected numbers from 0 to \d+, got -1 to -1"),
        (np.array([0, 24]), IndexError, "got 0 to 24"),
    ],
)
def test_other_rows_are_refused_by_every_kind_and_by_select(pair, rows, error, message):
    images, _ = pair
    with pytest.raises(error, match=message):
        images[rows]
    with pytest.raises(error, match=message):
        ImageSet(images, np.zeros(len(images), np.int32)).select(rows)


def test_nothing_is_read_but_the_rows_asked_for():
    on_disk = Counted(IMAGES)
    view = grey_images(select_images(join_images(on_disk, on_disk), np.arange(6, 18)))
    assert view.shape == (12, 3, 4, 1) and len(view) == 12 and on_disk.num_read == 0
    np.testing.assert_array_equal(view[np.array([0, 8])], to_grey(IMAGES[[6, 2]]))
    assert on_disk.num_read == 2


def test_a_selection_has_its_rows_labels_and_reads_images_only_when_indexed():
    on_disk, numbers = Counted(IMAGES), np.arange(NUM_IMAGES)
    whole = ImageSet(on_disk, numbers.astype(np.int32), {"half": numbers // 6}, {"angle": numbers / 2})
    some = whole.select(BACKWARDS).select(slice(1, 4))
    assert on_disk.num_read == 0 and some.image_shape == (3, 4, 3)
    assert some.identity.tolist() == [10, 9, 8]
    assert some.attributes["half"].tolist() == [1, 1, 1] and some.factors["angle"].tolist() == [5, 4.5, 4]
    loaded = some.load_into_memory()
    assert isinstance(loaded.images, np.ndarray) and on_disk.num_read == 3
    np.testing.assert_array_equal(loaded.images, IMAGES[[10, 9, 8]])
    assert loaded.identity is some.identity and len(some.select(np.array([], int))) == 0


def test_a_selection_of_an_array_shares_its_memory():
    selected = ImageSet(IMAGES, np.zeros(NUM_IMAGES, np.int32)).select(BACKWARDS).images
    assert isinstance(selected, SelectedImages)
    changed = IMAGES.copy()
    view = select_images(changed, np.array([4]))
    changed[4] = 7
    assert (view[:] == 7).all()
    whole = ImageSet(changed, np.zeros(NUM_IMAGES, np.int32))
    assert whole.load_into_memory().images is changed
