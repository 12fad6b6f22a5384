"""toy_sprites: the drawing, who is in which split, and the true image of any swap."""

import itertools

import numpy as np
import pytest

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data.sources.toy_sprites import (
    ATTRIBUTES,
    FACTORS,
    Characters,
    Poses,
    characters,
    load,
    poses,
    render,
    true_swap,
)
from dfv.data.sources.toy_sprites.characters import ATTRIBUTE_SIZES, FACTOR_SIZES, NUM_COMBINATIONS, combinations

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def splits():
    return load(DataConfig(toy_characters=120))


def sample(count, **changed):
    """Characters and poses of all kinds, drawn at random, with some attributes and factors set."""
    rng = np.random.default_rng(0)
    values = {name: rng.integers(size, size=count) for name, size in {**ATTRIBUTE_SIZES, **FACTOR_SIZES}.items()}
    values |= {name: np.full(count, value) for name, value in changed.items()}
    who = Characters(np.arange(count), **{name: values[name] for name in ATTRIBUTES})
    return who, Poses(**{name: values[name] for name in FACTORS})


def test_images_and_labels(splits):
    assert len(ATTRIBUTES) >= 5 and len(FACTORS) >= 3
    for name in SPLITS:
        part = getattr(splits, name)
        assert part.images.shape == (120 * 20, 32, 32, 3) and part.images.dtype == np.uint8
        assert part.identity.dtype == np.int32
        for sizes, columns in ((ATTRIBUTE_SIZES, part.attributes), (FACTOR_SIZES, part.factors)):
            assert list(columns) == list(sizes)
            for label, values in columns.items():
                assert values.dtype == np.int32 and set(values) == set(range(sizes[label]))
    assert splits.attribute_sizes == ATTRIBUTE_SIZES


def test_identities_are_numbered_through_the_splits_and_keep_their_attributes(splits):
    for name, first in zip(SPLITS, (0, 120, 240), strict=True):
        part = getattr(splits, name)
        np.testing.assert_array_equal(part.identity, np.repeat(np.arange(first, first + 120), 20))
        for values in part.attributes.values():
            assert (values.reshape(120, 20) == values.reshape(120, 20)[:, :1]).all()


def test_two_loads_give_the_same_bits(splits):
    again = load(DataConfig(toy_characters=120))
    for name in SPLITS:
        np.testing.assert_array_equal(getattr(splits, name).images, getattr(again, name).images)


def test_training_characters_do_not_depend_on_how_many_there_are(splits):
    few = load(DataConfig(toy_characters=5)).train
    np.testing.assert_array_equal(few.images, splits.train.images[: len(few)])


def test_the_drawing_is_the_same_on_every_machine():
    """A change of the drawing changes this sum: change it too, and the version in the records' name."""
    images = render(characters("train", np.arange(64)), poses(np.arange(64), 1))
    assert images.sum(dtype=np.int64) == 28277213


def test_true_image_of_an_own_pose_is_the_stored_image(splits):
    for name in SPLITS:
        part = getattr(splits, name)
        np.testing.assert_array_equal(true_swap(part, part), part.images)


def test_true_swap_takes_the_character_of_one_and_the_pose_of_the_other(splits):
    rows = np.random.default_rng(0).integers(len(splits.test), size=(2, 50))
    s_sources, z_sources = splits.test.select(rows[0]), splits.train.select(rows[1])
    expected = [
        render(Characters(np.array([s_sources.identity[i]]), **{n: v[[i]] for n, v in s_sources.attributes.items()}),
               Poses(**{n: v[[i]] for n, v in z_sources.factors.items()}))[0]
        for i in range(50)
    ]  # fmt: skip
    np.testing.assert_array_equal(true_swap(s_sources, z_sources), expected)


def test_true_swap_in_grey_at_another_size_and_with_validation_in_training():
    config = DataConfig(toy_characters=6, image_size=20, grayscale=True, include_validation=True)
    splits = data.load(config)
    assert splits.num_identities == 12 and splits.train.image_shape == (20, 20, 1)
    for name in SPLITS:
        part = getattr(splits, name)
        np.testing.assert_array_equal(true_swap(part, part), part.images)


def test_sets_on_disk_hold_the_same_images(splits, tmp_path):
    part = load(DataConfig(toy_characters=120, memory_limit_mb=0, cache_dir=str(tmp_path))).test
    assert not isinstance(part.images, np.ndarray)
    np.testing.assert_array_equal(part.images[np.arange(len(part))], splits.test.images)


def test_each_image_is_drawn_by_itself():
    who, what = sample(40)
    rows = np.random.default_rng(1).permutation(40)[:7]
    np.testing.assert_array_equal(render(who.take(rows), what.take(rows)), render(who, what)[rows])


def test_combinations_of_attributes_are_held_out():
    found = [set(combinations(name).tolist()) for name in SPLITS]
    assert all(not one & other for one, other in itertools.combinations(found, 2))
    assert set.union(*found) == set(range(NUM_COMBINATIONS))
    assert [len(one) for one in found] == [692, 86, 86]


def test_each_value_of_each_attribute_is_in_each_split():
    for name in SPLITS:
        who = characters(name, np.arange(len(combinations(name))))
        for attribute, size in ATTRIBUTE_SIZES.items():
            counts = np.bincount(getattr(who, attribute), minlength=size)
            assert counts.min() > 0.5 * len(who) / size, (name, attribute)


@pytest.mark.parametrize("name", [*ATTRIBUTES, *FACTORS])
def test_each_value_can_be_seen(name):
    """Any two values differ in a good part of the image, whatever the others are: here, by 2 of 255 on average."""
    size = {**ATTRIBUTE_SIZES, **FACTOR_SIZES}[name]
    images = [render(*sample(300, **{name: value})).astype(float) for value in range(size)]
    for one, other in itertools.combinations(images, 2):
        difference = np.abs(one - other).mean((1, 2, 3))
        assert difference.mean() > 2 and difference.min() > 0.8


def test_characters_of_equal_attributes_differ_a_little():
    who, what = sample(100)
    twins = Characters(who.number + 1000, **{name: getattr(who, name) for name in ATTRIBUTES})
    difference = np.abs(render(who, what).astype(float) - render(twins, what)).mean((1, 2, 3))
    assert difference.min() > 0 and difference.mean() < 4


def test_poses_do_not_depend_on_the_character():
    """Each factor's distribution is the same for every value of every attribute, within five standard errors."""
    part = load(DataConfig(toy_characters=1000, image_size=8)).train
    for attribute, values in part.attributes.items():
        for value in range(ATTRIBUTE_SIZES[attribute]):
            for factor, size in FACTOR_SIZES.items():
                drawn = part.factors[factor][values == value]
                share = np.bincount(drawn, minlength=size) / len(drawn)
                np.testing.assert_allclose(share, 1 / size, atol=5 * (0.25 / len(drawn)) ** 0.5)


def test_a_characters_poses_differ_from_each_other_and_from_others():
    drawn = poses(np.arange(50), 20)
    codes = np.ravel_multi_index([getattr(drawn, name) for name in FACTORS], list(FACTOR_SIZES.values())).reshape(
        50, 20
    )
    assert all(len(set(row)) == 20 for row in codes)
    assert len({tuple(row) for row in codes}) == 50


def test_larger_images_show_the_same():
    """Reduced by area, an image of 128 pixels is the one of 32 but for the soft edges."""
    who, what = sample(20)
    reduced = render(who, what, 128).reshape(20, 32, 4, 32, 4, 3).mean((2, 4))
    assert np.abs(reduced - render(who, what)).mean() < 3
