"""Which images train, stop and score, and what is predicted."""

import dataclasses

import numpy as np
import pytest

from dfv.config.schema import ConfigError, DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.evaluation.evaluation_splits import evaluation_splits, has_unseen_identities
from dfv.evaluation.labels import factor_labels, identity_labels, matched_factors, without_twin


def _rows(whole: ImageSet, part: ImageSet) -> set[bytes]:
    return {image.tobytes() for image in part.images[np.arange(len(part))]}


@pytest.mark.parametrize("unseen", [False, True])
def test_tuning_looks_at_validation_and_never_at_test(make_splits, unseen):
    splits = make_splits(unseen)
    tuning = evaluation_splits(splits, DataConfig(), "validation")
    assert _rows(tuning.test, tuning.test) == _rows(splits.validation, splits.validation)
    trained, stopping = _rows(splits.train, tuning.train), _rows(splits.train, tuning.validation)
    assert not trained & stopping and trained | stopping == _rows(splits.train, splits.train)
    shared = set(tuning.train.identity) & set(tuning.validation.identity)
    assert shared == (set() if unseen else set(range(6)))


def test_a_part_of_every_first_attribute_is_held_out(make_splits):
    tuning = evaluation_splits(make_splits(unseen=True), DataConfig(), "validation")
    assert set(tuning.validation.attributes["parity"]) == {0, 1}


def test_validation_images_that_were_trained_on_are_taken_out(make_splits):
    splits = make_splits()
    joined = ImageSet(
        np.concatenate([splits.train.images, splits.validation.images]),
        np.concatenate([splits.train.identity, splits.validation.identity]),
    )
    config = DataConfig(include_validation=True)
    train = evaluation_splits(dataclasses.replace(splits, train=joined), config).train
    np.testing.assert_array_equal(train.images[np.arange(len(train))], splits.train.images)
    with pytest.raises(ConfigError, match="include_validation"):
        evaluation_splits(splits, config, "validation")


def test_validation_images_without_a_label_in_training_are_left_out(make_splits):
    splits = make_splits()
    unlabelled = dataclasses.replace(splits.validation, identity=splits.validation.identity + 1)
    scored = evaluation_splits(dataclasses.replace(splits, validation=unlabelled), DataConfig())
    assert set(scored.validation.identity) == set(range(1, 6)) and len(scored.validation) == 75
    assert identity_labels(scored).validation.max() < identity_labels(scored).num_classes[0]
    with pytest.raises(DataError, match="'validation' .* 'train' lacks"):
        unlabelled = dataclasses.replace(splits.validation, identity=splits.validation.identity + 6)
        evaluation_splits(dataclasses.replace(splits, validation=unlabelled), DataConfig())
    unseen = make_splits(unseen=True)
    assert evaluation_splits(unseen, DataConfig()).validation is unseen.validation


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
    return ImageSet(np.zeros((count, 2, 2, 1), np.uint8), np.zeros(count, np.int32), factors=factors)


def test_measures_become_bins_of_training_values_and_constant_factors_go():
    labels = factor_labels(Splits(_angles(list(range(70))), _angles([-5, 12]), _angles([100, 35])))
    assert labels.names == ("angle",) and labels.num_classes == (7,)
    np.testing.assert_array_equal(np.bincount(labels.train[:, 0]), [10] * 7)
    assert labels.validation[:, 0].tolist() == [0, 1] and labels.test[:, 0].tolist() == [6, 3]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_measure_that_is_not_finite_has_no_bin(split, value):
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


def test_the_only_identity_of_an_attribute_is_not_held_out():
    def part(names: list[int], hair: list[int]) -> ImageSet:
        return ImageSet(np.zeros((len(names), 2, 2, 1), np.uint8), np.array(names), {"hair": np.array(hair)})

    train, validation = part([0, 1, 2], [0, 0, 1]), part([3, 4] * 2, [0, 1] * 2)
    tuning = evaluation_splits(Splits(train, validation, validation, {"hair": 2}), DataConfig(), "validation")
    assert 2 in tuning.train.identity and set(tuning.validation.identity) < {0, 1}
    train = part([0, 1, 2], [0, 1, 2])
    tuning = evaluation_splits(Splits(train, validation, validation, {"hair": 3}), DataConfig(), "validation")
    assert len(tuning.train) == 2 and len(tuning.validation) == 1


def test_images_of_equal_factors_have_one_number_unless_few_are_equal():
    def numbers(**factors: list[float]) -> list[int]:
        columns = {name: np.array(values) for name, values in factors.items()}
        part = ImageSet(np.zeros((4, 2, 2, 1), np.uint8), np.zeros(4, int), factors=columns)
        return matched_factors(part).tolist()

    assert numbers(pose=[0, 1, 0, 1], angle=[0.5, 0.5, 0.5, 0.5]) == [0, 1, 0, 1]
    assert numbers(pose=[0, 0, 1, 1], angle=[0.5, -1, 0.5, 0.5]) == [1, 0, 2, 2]
    assert numbers(angle=[1.5, 2.5, 3.5, 4.5]) == [0, 0, 0, 0] == numbers()


def test_what_cannot_be_evaluated_is_refused(make_splits):
    splits = make_splits()
    empty, one = (splits.test.select(rows) for rows in (np.arange(0), np.flatnonzero(splits.test.identity == 2)))
    with pytest.raises(DataError, match="'validation' has no images"):
        evaluation_splits(dataclasses.replace(splits, validation=empty), DataConfig())
    with pytest.raises(DataError, match="expected 4 images .* 'test' has 3"):
        evaluation_splits(dataclasses.replace(splits, test=splits.test.select(np.array([0, 30, 60]))), DataConfig())
    with pytest.raises(DataError, match="'test' has one identity"):
        evaluation_splits(dataclasses.replace(splits, test=one), DataConfig())
    with pytest.raises(ConfigError, match="train"):
        evaluation_splits(splits, DataConfig(), "train")
