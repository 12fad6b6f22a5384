"""Which images train probes, stop their training, and are evaluated."""

import dataclasses

import numpy as np
import pytest

from dfv.config.schema import ConfigError, DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.evaluation.evaluation_splits import evaluation_splits
from dfv.evaluation.labels import identity_labels


def _rows(whole: ImageSet, part: ImageSet) -> set[bytes]:
    return {image.tobytes() for image in part.images[np.arange(len(part))]}


@pytest.mark.parametrize("unseen", [False, True])
def test_tuning_evaluates_on_validation_and_never_on_test(make_splits, unseen):
    splits = make_splits(unseen)
    tuning = evaluation_splits(splits, DataConfig(), "validation")
    assert _rows(tuning.test, tuning.test) == _rows(splits.validation, splits.validation)
    trained, stopping = _rows(splits.train, tuning.train), _rows(splits.train, tuning.validation)
    assert not trained & stopping and trained | stopping == _rows(splits.train, splits.train)
    shared = set(tuning.train.identity) & set(tuning.validation.identity)
    assert shared == (set() if unseen else set(range(6)))


def test_identities_of_every_value_of_the_first_attribute_are_held_out(make_splits):
    tuning = evaluation_splits(make_splits(unseen=True), DataConfig(), "validation")
    assert set(tuning.validation.attributes["parity"]) == {0, 1}


def test_validation_images_that_the_model_was_trained_on_are_removed_from_train(make_splits):
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
    unlabelled = dataclasses.replace(splits.validation, identity=splits.validation.identity + 6)
    with pytest.raises(DataError, match="'validation' .* 'train' lacks"):
        evaluation_splits(dataclasses.replace(splits, validation=unlabelled), DataConfig())
    unseen = make_splits(unseen=True)
    assert evaluation_splits(unseen, DataConfig()).validation is unseen.validation


def test_the_only_identity_of_an_attribute_is_not_held_out():
    def part(names: list[int], hair: list[int]) -> ImageSet:
        return ImageSet(np.zeros((len(names), 2, 2, 1), np.uint8), np.array(names), {"hair": np.array(hair)})

    train, validation = part([0, 1, 2], [0, 0, 1]), part([3, 4] * 2, [0, 1] * 2)
    tuning = evaluation_splits(Splits(train, validation, validation, {"hair": 2}), DataConfig(), "validation")
    assert 2 in tuning.train.identity and set(tuning.validation.identity) < {0, 1}
    train = part([0, 1, 2], [0, 1, 2])
    tuning = evaluation_splits(Splits(train, validation, validation, {"hair": 3}), DataConfig(), "validation")
    assert len(tuning.train) == 2 and len(tuning.validation) == 1


def test_splits_that_are_too_small_raise_an_error(make_splits):
    splits = make_splits()
    empty, one = (splits.test.select(rows) for rows in (np.arange(0), np.flatnonzero(splits.test.identity == 2)))
    with pytest.raises(DataError, match="'validation' has no images"):
        evaluation_splits(dataclasses.replace(splits, validation=empty), DataConfig())
    with pytest.raises(DataError, match="expected at least 4 images .* 'test' has 3"):
        evaluation_splits(dataclasses.replace(splits, test=splits.test.select(np.array([0, 30, 60]))), DataConfig())
    with pytest.raises(DataError, match="'test' has one identity"):
        evaluation_splits(dataclasses.replace(splits, test=one), DataConfig())
    with pytest.raises(ConfigError, match="train"):
        evaluation_splits(splits, DataConfig(), "train")
