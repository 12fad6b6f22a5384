"""What is said about codes and labels that cannot be tested."""

import dataclasses

import numpy as np
import pytest

from dfv.data.dataset import DataError
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.leakage import LabelledCodes
from dfv.evaluation.leakage.checks import check

RNG = np.random.default_rng(0)


def codes_of(number: int, **more) -> LabelledCodes:
    return LabelledCodes(**{"codes": RNG.standard_normal((number, 3)), "labels": np.arange(number) % 2} | more)


def splits_with(split: str = "train", **more) -> BySplit[LabelledCodes]:
    parts = BySplit(codes_of(12), codes_of(6), codes_of(8))
    return dataclasses.replace(parts, **{split: dataclasses.replace(getattr(parts, split), **more)})


def grouped(*groups: list[str]) -> BySplit[LabelledCodes]:
    return BySplit(*(codes_of(len(names), groups=np.array(names)) for names in groups))


def message(splits: BySplit[LabelledCodes]) -> str:
    with pytest.raises(DataError) as raised:
        check(splits)
    return str(raised.value)


def test_lists_and_every_type_of_labels_are_accepted():
    check(splits_with())
    for dtype in ("i1", "u8", "U9", "S9", "?"):
        check(BySplit(*(codes_of(number, labels=(np.arange(number) % 2).astype(dtype)) for number in (12, 6, 8))))
    lists = LabelledCodes([[0.5], [1], [2], [3]], ["a", "b"] * 2, ["x", "x", "y", "y"], {"pose": [0.5, 1, 2, 3]})
    check(BySplit(*(dataclasses.replace(lists, groups=np.array(list(names))) for names in ("abab", "cdcd", "efef"))))


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"codes": np.zeros((12, 2, 3))}, r"train codes: expected [N, D] floats, got (12, 2, 3) float64. Flatten"),
        ({"codes": np.zeros(12)}, "train codes: expected [N, D] floats, got (12,) float64."),
        ({"codes": np.full((12, 3), "a")}, "train codes: expected [N, D] floats, got (12, 3) <U1."),
        ({"codes": np.zeros((0, 3))}, "train codes: expected [N, D] floats, got (0, 3) float64."),
        (
            {"labels": np.zeros(11, int)},
            "train labels: expected [12] or [12, L] integers or strings, as many as codes;",
        ),
        ({"labels": np.zeros(12)}, "got (12,) float64."),
        ({"labels": np.zeros((12, 0), int)}, "got (12, 0) int64."),
        ({"groups": np.zeros((12, 2), int)}, "train groups: expected [12] integers or strings, as many as codes;"),
        ({"factors": {"pose": np.array([None] * 12)}}, "train factor pose: expected [12] integers, strings or floats,"),
        ({"factors": {"pose": np.array([0.5] * 11 + [np.inf])}}, "train factor pose: expected finite numbers."),
    ],
)
def test_wrong_arrays_are_named_with_what_was_expected(wrong, expected):
    assert expected in message(splits_with(**wrong))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_codes_that_are_not_finite_as_float32_are_counted(value):
    codes = np.zeros((8, 3))
    codes[5:7, 1] = value
    assert "test codes: expected finite numbers" in message(splits_with("test", codes=codes))
    assert "2 rows have others, first row 5." in message(splits_with("test", codes=codes))


def test_all_wrong_arrays_are_reported_together():
    text = message(splits_with(codes=np.zeros((12, 1, 3)), labels=np.zeros(3)))
    assert "train codes" in text and "labels" not in text  # how many labels are right is not known
    splits = BySplit(codes_of(12, labels=np.zeros(5)), codes_of(6), codes_of(8, codes=np.zeros(8)))
    assert "\n  train labels" in message(splits) and "\n  test codes" in message(splits)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"codes": np.zeros((8, 4))}, "test has codes of 4 dimensions, train has codes of 3 dimensions;"),
        ({"labels": np.full(8, "a")}, "test has labels [N, 1] of strings, train has labels [N, 1] of integers;"),
        ({"labels": np.zeros((8, 2), int)}, "test has labels [N, 2] of integers,"),
        ({"groups": np.arange(8)}, "test has groups of integers, train has no groups;"),
        ({"factors": {"pose": np.arange(8)}}, "test has factors pose (integers), train has no factors;"),
    ],
)
def test_splits_have_the_same_arrays(wrong, expected):
    assert expected in message(splits_with("test", **wrong))


def test_labels_are_in_train_at_least_twice():
    labels = np.arange(12) % 2
    labels[3] = 7
    text = message(splits_with(labels=labels))
    assert "expected at least 2 train codes of each label; 7 occurs once." in text
    text = message(splits_with("validation", labels=np.array([0, 1, 9, 8, 7, 6])))
    assert (
        "validation has values of the label that train lacks, and no probe can predict them: 6, 7, 8 and 1 more."
        in text
    )


def test_several_labels_and_enough_test_codes_are_needed():
    text = message(BySplit(codes_of(12, labels=np.zeros(12, int)), codes_of(6), codes_of(3, labels=np.ones(3, int))))
    assert "all train codes have 0." in text and "all test codes have 1." in text
    assert "expected at least 4 test codes, got 3." in text


def test_the_column_of_a_wrong_label_is_named():
    labels = [np.stack([np.arange(number) % 2, np.zeros(number, int)], axis=1) for number in (12, 6, 8)]
    text = message(BySplit(*(codes_of(len(part), labels=part) for part in labels)))
    assert "several values of the label in column 1;" in text and "column 0" not in text


def test_each_group_is_in_one_split():
    check(grouped(["a", "b"] * 2, ["c", "d"], ["e", "f"] * 2))
    text = message(grouped(["a", "b"] * 2, ["c", "b"], ["a", "f"] * 2))
    assert "train and validation share b." in text and "train and test share a." in text
    assert "validation and test" not in text
