"""Images with the same pixels: kept in one split of arrays, and reported in splits that are given."""

import numpy as np
import pytest

import dfv
from dfv.data.dataset import ImageSet, Splits
from dfv.data.equal_images import first_equal, report_seen


def images_of(numbers):
    return np.broadcast_to(np.asarray(numbers, np.uint8)[:, None, None, None], (len(numbers), 4, 4, 1)).copy()


def test_first_equal_is_the_first_row_with_the_same_pixels():
    np.testing.assert_array_equal(first_equal(images_of([3, 1, 3, 2, 1, 3])), [0, 1, 0, 3, 1, 0])


@pytest.mark.parametrize("seed", range(5))
def test_copies_in_arrays_are_in_the_split_of_their_original(seed, caplog):
    numbers = np.concatenate([np.arange(40), np.arange(40)])
    splits = dfv.from_arrays(images_of(numbers), numbers % 4, seed=seed, test_fraction=0.2)
    shown = [set(part.images[:, 0, 0, 0].tolist()) for part in (splits.train, splits.validation, splits.test)]
    assert sum(map(len, shown)) == 40 and all(shown)
    assert "40 of 80 images are such copies, 0 of them of another identity" in caplog.text


def test_arrays_without_copies_are_split_as_before():
    splits = dfv.from_arrays(images_of(np.arange(40)), np.arange(40) % 4, seed=3)
    assert splits.test.images[:, 0, 0, 0].tolist() == [2, 11, 17, 20, 23, 30, 32, 33]


def test_held_out_images_that_were_trained_on_are_reported(caplog):
    train, validation, test = (
        ImageSet(images_of(numbers), np.zeros(len(numbers), np.int32)) for numbers in ([1, 2, 3], [4, 5], [6, 2, 1])
    )
    report_seen(Splits(train, validation, test))
    (record,) = caplog.records
    assert "2 of 3 test images have the same pixels as a training image, such as image 1" in record.getMessage()
