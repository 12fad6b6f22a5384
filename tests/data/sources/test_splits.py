"""Which images, or identities, are held out."""

import numpy as np
import pytest

from dfv.data.dataset import SPLITS
from dfv.data.sources.image_folder.splits import split_across, split_within


def names_of(counts):
    names = [f"id{number}/{image}.png" for number, count in enumerate(counts) for image in range(count)]
    return names, np.repeat(np.arange(len(counts)), counts)


def test_split_within_is_a_tenth_of_each_identity():
    counts = np.random.default_rng(0).integers(1, 60, size=40)
    names, identity = names_of(counts)
    splits = split_within(names, identity, 0)
    for split in ("validation", "test"):
        held_out = np.bincount(identity[splits == split], minlength=40)
        assert (np.abs(held_out - counts / 10) < 2).all() and (held_out % 2 == 0).all()
        assert abs(held_out.sum() - counts.sum() / 10) < 6


@pytest.mark.parametrize("count", range(1, 8))
def test_split_within_leaves_two_images_in_train(count):
    names, identity = names_of([count] * 60)
    splits = split_within(names, identity, 0)
    in_train = np.bincount(identity[splits == "train"], minlength=60)
    assert in_train.min() >= min(count, 2)


def test_splits_depend_on_names_and_index_alone():
    names, identity = names_of([30, 20])
    splits = split_within(names, identity, 0)
    shuffled = np.random.default_rng(0).permutation(50)
    again = split_within([names[row] for row in shuffled], identity[shuffled], 0)
    np.testing.assert_array_equal(again, splits[shuffled])
    assert (split_within(names, identity, 1) != splits).any()
    folders = [f"id{number}" for number in range(30)]
    assert (split_across(folders, 0) != split_across(folders, 1)).any()


@pytest.mark.parametrize("counts", [[4] * 5, [5] * 4, [10, 10], [8] * 10, [6] * 40, [10] * 50, [200, 12], [9, 70, 8]])
def test_small_sets_hold_out_pairs_of_two_identities(counts):
    names, identity = names_of(counts)
    splits = split_within(names, identity, 0)
    for split in ("validation", "test"):
        _, held_out = np.unique(identity[splits == split], return_counts=True)
        assert len(held_out) >= 2 and (held_out >= 2).all()
    assert np.bincount(identity[splits == "train"], minlength=len(counts)).min() >= 2


@pytest.mark.parametrize(("count", "held_out"), [(6, 2), (14, 2), (26, 3), (100, 10)])
def test_split_across_sizes(count, held_out):
    splits = split_across([f"id{number}" for number in range(count)], 3)
    assert [(splits == name).sum() for name in SPLITS] == [count - 2 * held_out, held_out, held_out]
