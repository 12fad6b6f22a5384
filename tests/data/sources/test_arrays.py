"""Sets that are in memory already."""

import numpy as np
import pytest

import dfv.data
from dfv.config.schema import DataConfig
from dfv.data import DataError, from_arrays

IDENTITY = np.array(["ann"] * 20 + ["bob"] * 10 + ["cid"] * 10)


def number_images(count=40):
    return np.broadcast_to(np.arange(count)[:, None, None, None], (count, 4, 4, 1)).astype(np.uint8)


def load(**options):
    columns = {"attributes": {"beard": IDENTITY != "ann"}, "factors": {"angle": np.arange(40) / 2, "hat": IDENTITY}}
    columns["attributes"]["beard"] = columns["attributes"]["beard"].astype(int)
    return from_arrays(number_images(), IDENTITY, **{**columns, **options})


def shown(part):
    return part.images[:, 0, 0, 0]


def test_every_image_is_in_one_split_with_its_own_columns():
    splits = load(validation_fraction=0.1, test_fraction=0.3)
    parts = (splits.train, splits.validation, splits.test)
    assert sorted(np.concatenate([shown(part) for part in parts])) == list(range(40))
    names = np.array(["ann", "bob", "cid"])
    for part in parts:
        np.testing.assert_array_equal(names[part.identity], IDENTITY[shown(part)])
        np.testing.assert_array_equal(part.attributes["beard"], part.identity > 0)
        np.testing.assert_array_equal(part.factors["angle"], shown(part) / np.float32(2))
        np.testing.assert_array_equal(part.factors["hat"], part.identity)
    assert splits.attribute_sizes == {"beard": 2} and splits.num_identities == 3
    assert splits.train.factors["angle"].dtype == np.float32 and splits.train.factors["hat"].dtype == np.int32


def test_there_are_none_to_load_by_name():
    with pytest.raises(DataError, match="--dataset=arrays means images that a Python program passes in"):
        dfv.data.load(DataConfig(dataset="arrays"))


def test_fractions_hold_within_each_identity():
    splits = load(validation_fraction=0.2, test_fraction=0.3)
    assert np.bincount(splits.test.identity).tolist() == [6, 3, 3]
    assert np.bincount(splits.validation.identity).tolist() == [4, 2, 2]


def test_no_image_is_held_out_alone_where_two_can_be_spared():
    identity = np.repeat(["ann", "bob", "cid"], [10, 6, 24])
    splits = from_arrays(number_images(), identity, validation_fraction=0.15, test_fraction=0.1)
    assert np.bincount(splits.test.identity).tolist() == [2, 2, 2]
    assert np.bincount(splits.validation.identity).tolist() == [2, 2, 4]
    few = from_arrays(number_images(), identity, validation_fraction=0.2, test_fraction=0.4)
    assert np.bincount(few.test.identity).tolist() == [4, 2, 10]
    assert np.bincount(few.validation.identity).tolist() == [2, 2, 5]
    fewer = from_arrays(number_images(), np.repeat([0, 1], [36, 4]), validation_fraction=0.25, test_fraction=0.25)
    assert np.bincount(fewer.test.identity).tolist() == [9, 1]
    assert np.bincount(fewer.validation.identity).tolist() == [9, 1]
    fives = from_arrays(number_images(), np.repeat(np.arange(8), 5), validation_fraction=0.2, test_fraction=0.2)
    assert np.bincount(fives.test.identity).tolist() == [1] * 8
    assert np.bincount(fives.validation.identity).tolist() == [2] * 8


def test_the_seed_alone_decides_the_split():
    np.testing.assert_array_equal(shown(load(seed=1).test), shown(load(seed=1).test))
    assert set(shown(load(seed=1).test)) != set(shown(load(seed=2).test))


def test_integers_that_leave_gaps_are_renumbered_in_their_order():
    splits = from_arrays(number_images(), np.repeat([10**9, -5], 20))
    assert set(splits.train.identity[shown(splits.train) < 20]) == {1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": number_images().astype(np.float32)}, "images: expected .* uint8 .*got .*float32"),
        ({"images": number_images()[..., 0]}, r"got \(40, 4, 4\).*images\[..., None\]"),
        ({"images": np.zeros((40, 4, 4, 4), np.uint8)}, r"C = 1 or 3, got \(40, 4, 4, 4\)"),
        (
            {"images": [np.zeros((4, 4, 1)), np.zeros((5, 4, 1))]},
            "images: expected .*a list of parts of different shapes",
        ),
        ({"factors": {"wind": [[1], [1, 2]]}}, "wind: expected .*a list of parts of different shapes"),
        ({"identity": IDENTITY[:-1]}, r"identity: expected \[40\] .*got \(39,\)"),
        ({"identity": np.arange(40.0)}, "identity: expected .*got .*float64"),
        ({"attributes": {"wet": np.arange(40)}}, "wet: identity ann has several values.*factors"),
        ({"factors": {"wind": np.arange(39)}}, "wind: expected"),
        ({"factors": {"wind": np.where(IDENTITY == "bob", np.nan, 1)}}, "wind: expected finite .*nan at image 20"),
        ({"identity": np.arange(40)}, "identity 0 has 1 image in split 'train'"),
        ({"test_fraction": 0.95}, "with a sum below 1, got 0.1 and 0.95"),
    ],
)
def test_unfit_arrays_are_refused_by_name(change, message):
    arguments = {"images": number_images(), "identity": IDENTITY, **change}
    with pytest.raises(DataError, match=message):
        from_arrays(**arguments)
