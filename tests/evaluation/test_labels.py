"""Labels of identities, attributes and known factors."""

import dataclasses

import numpy as np
import pytest

from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.evaluation.evaluation_splits import has_unseen_identities
from dfv.evaluation.labels import factor_labels, identity_labels, matched_factors, without_twin


def test_known_identities_are_predicted_and_attributes_of_unseen_ones(make_splits):
    known, unseen = make_splits(), make_splits(unseen=True)
    assert not has_unseen_identities(known) and has_unseen_identities(unseen)
    assert identity_labels(known).names == ("identity",) and identity_labels(known).num_classes == (6,)
    labels = identity_labels(unseen)
    assert labels.names == ("parity", "third") and labels.num_classes == (2, 3)
    np.testing.assert_array_equal(labels.test[:, 1], unseen.test.identity % 3)


def test_unseen_identities_without_attributes_have_no_labels(make_splits):
    assert identity_labels(dataclasses.replace(make_splits(unseen=True), attribute_sizes={})) is None


def _angles(values: list[float]) -> ImageSet:
    count = len(values)
    factors = {"angle": np.array(values, np.float32), "still": np.zeros(count, np.int32)}
    factors |= {"zoom": np.full(count, 1.5, np.float32), "class": np.full(count, 2, np.int32)}
    return ImageSet(np.zeros((count, 2, 2, 1), np.uint8), np.zeros(count, np.int32), factors=factors)


def test_measures_are_binned_by_training_quantiles_and_constant_factors_left_out():
    labels = factor_labels(Splits(_angles(list(range(70))), _angles([-5, 12]), _angles([100, 35])))
    assert labels.names == ("angle",) and labels.num_classes == (7,)
    np.testing.assert_array_equal(np.bincount(labels.train[:, 0]), [10] * 7)
    assert labels.validation[:, 0].tolist() == [0, 1] and labels.test[:, 0].tolist() == [6, 3]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_measure_that_is_not_finite_raises_an_error(split, value):
    parts = {name: _angles([0, 1, 2]) for name in ("train", "validation", "test")}
    with pytest.raises(DataError, match=f"angle of split '{split}': expected finite .*, got {value} at image 1"):
        factor_labels(Splits(**parts | {split: _angles([0, value, 2])}))


def test_twins_differ_in_the_weapon_alone():
    def part(attributes: list[tuple[int, int]]) -> ImageSet:
        hair, weapon = np.array(attributes).T
        count = len(attributes)
        identity = 10 * count + np.arange(count)
        return ImageSet(np.zeros((count, 2, 2, 1), np.uint8), identity, {"hair": hair, "weapon": weapon})

    splits = Splits(part([(0, 0), (1, 1)]), part([(3, 0)]), part([(1, 0), (2, 1), (3, 1)]), {"hair": 4, "weapon": 2})
    assert without_twin(splits.train, splits).tolist() == [False, True, True]
    assert without_twin(part([(0, 0), (1, 1), (3, 1)]), splits).tolist() == [False, True, False]


def test_images_of_the_same_factors_are_one_group_unless_few_have_a_match():
    def numbers(**factors: list[float]) -> list[int]:
        columns = {name: np.array(values) for name, values in factors.items()}
        part = ImageSet(np.zeros((4, 2, 2, 1), np.uint8), np.zeros(4, int), factors=columns)
        return matched_factors(part).tolist()

    assert numbers(pose=[0, 1, 0, 1], angle=[0.5, 0.5, 0.5, 0.5]) == [0, 1, 0, 1]
    assert numbers(pose=[0, 0, 1, 1], angle=[0.5, -1, 0.5, 0.5]) == [1, 0, 2, 2]
    assert numbers(angle=[1.5, 2.5, 3.5, 4.5]) == [0, 0, 0, 0] == numbers()
