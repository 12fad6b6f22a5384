"""Which images a triplet has: index arithmetic against lists, and sets without triplets."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.data import pipeline as module
from dfv.data.dataset import DataError, ImageSet
from dfv.data.pipeline import triplets
from dfv.data.triplet_sampler import TripletSampler
from tests.data.spelled_images import COUNTS, KEYS, batches, shown, spelled


def test_the_index_arithmetic_agrees_with_lists(image_set):
    """x1 by place; x1' counted on from x1 around its identity's block; x2 by place among all others."""
    identity, count = image_set.identity, np.array(COUNTS)
    places = sorted(range(len(identity)), key=lambda row: (count[identity[row]] < 2, identity[row], row))
    paired = [row for row in places if count[identity[row]] >= 2]
    batch = batches(image_set, 1, batch_size=200, first_step=7)[0]
    draws = module._draws((200, 3), 5, module.DRAW, tf.constant(7, tf.int64)).numpy()
    for position, (r1, r1_same, r2) in enumerate(draws.tolist()):
        x1 = paired[r1 % len(paired)]
        block = [row for row in places if identity[row] == identity[x1]]
        following = block[block.index(x1) + 1 :] + block[: block.index(x1)]
        others = [row for row in places if identity[row] != identity[x1]]
        expected = x1, following[r1_same % len(following)], others[r2 % len(others)]
        assert tuple(shown(batch[key])[position] for key in KEYS[:3]) == expected


def test_the_index_arithmetic_holds_beyond_32_bits():
    """Three identities of 10^9 images and more: an order that takes no memory, places against Python's integers."""
    count = np.array([10**9, 2 * 10**9 + 1, 3 * 10**9])
    start, num_images = np.cumsum(count) - count, int(count.sum())
    order, labels = np.broadcast_to(np.int64(0), num_images), np.zeros((3, 1), np.int32)
    source = TripletSampler(spelled(1), order, start, count, labels, num_images, False)
    draws = np.random.default_rng(0).integers(-(2**63), 2**63, (100, 3))
    places, block1, block2 = source.choose(draws)
    for position, (r1, r1_same, r2) in enumerate(draws.tolist()):
        x1, other = r1 % num_images, r2 % (num_images - int(count[block1[position]]))
        first, length = int(start[block1[position]]), int(count[block1[position]])
        x1_same = first + (x1 - first + 1 + r1_same % (length - 1)) % length
        x2 = other if other < first else other + length
        assert places.reshape(3, 100)[:, position].tolist() == [x1, x1_same, x2]
        assert first <= x1 < first + length and x1_same != x1
        assert start[block2[position]] <= x2 < start[block2[position]] + count[block2[position]]
    assert places.max() > 2**32


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ([0, 1, 2], "at least 2 images.*3 images of 3 identities"),
        ([], "at least 2 images"),
        ([4, 4, 4], "at least 2 identities.*identity 4.*--x2_any_identity"),
    ],
)
def test_a_set_without_triplets_is_refused(identity, message):
    with pytest.raises(DataError, match=message):
        triplets(ImageSet(spelled(len(identity)), np.array(identity, np.int32)), batch_size=2, seed=0)


def test_an_attribute_that_varies_within_an_identity_is_refused():
    identity, pose = np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 0, 0], np.int32)
    with pytest.raises(DataError, match="'pose' differs between images of one identity"):
        triplets(ImageSet(spelled(4), identity, {"pose": pose}), batch_size=2, seed=0)
