"""The .npz file: what is read from it, how it is divided, and what is said about other files."""

import logging

import numpy as np
import pytest

from dfv.data.dataset import DataError
from dfv.evaluation.leakage import LabelledCodes, divide, read

RNG = np.random.default_rng(0)


def arrays(**more: np.ndarray) -> dict[str, np.ndarray]:
    found = {}
    for split, number in (("train", 12), ("validation", 6), ("test", 8)):
        found[f"{split}_codes"] = RNG.standard_normal((number, 3))
        found[f"{split}_labels"] = np.arange(number) % 2
    return found | more


@pytest.fixture
def saved(tmp_path):
    def save(content: dict[str, np.ndarray]):
        path = tmp_path / "codes.npz"
        np.savez(path, **content)
        return path

    return save


def message(path) -> str:
    with pytest.raises(DataError) as raised:
        read(path)
    return str(raised.value)


def test_the_arrays_of_every_split_are_read(saved, caplog):
    optional = {"train": 12, "validation": 6, "test": 8}
    groups = {f"{split}_groups": np.arange(number) + 100 * number for split, number in optional.items()}
    factors = {f"{split}_factor_light_angle": np.linspace(0, 1, number) for split, number in optional.items()}
    content = arrays(**groups, **factors, path=np.array(["a"]))
    with caplog.at_level(logging.WARNING):
        splits = read(saved(content))
    for name, part in zip(optional, splits, strict=True):
        np.testing.assert_array_equal(part.codes, content[f"{name}_codes"])
        np.testing.assert_array_equal(part.labels, content[f"{name}_labels"])
        np.testing.assert_array_equal(part.groups, content[f"{name}_groups"])
        np.testing.assert_array_equal(part.factors["light_angle"], content[f"{name}_factor_light_angle"])
    assert "Ignored these arrays" in caplog.text and caplog.text.strip().endswith(": path")


def test_arrays_without_splits_are_divided_within_each_label(saved):
    labels = np.array(["anna", "ben"])[np.arange(50) % 2]
    splits = read(saved({"codes": np.arange(100.0).reshape(50, 2), "labels": labels, "factor_pose": np.arange(50)}))
    assert [len(part) for part in splits] == [30, 10, 10]
    rows = np.concatenate([part.factors["pose"] for part in splits])
    assert sorted(rows) == list(range(50))
    for part, number in zip(splits, (15, 5, 5), strict=True):
        np.testing.assert_array_equal(part.codes[:, 0], 2 * part.factors["pose"])
        np.testing.assert_array_equal(part.labels, labels[part.factors["pose"]])
        assert np.sum(part.labels == "anna") == number


def test_codes_with_groups_are_not_divided():
    with pytest.raises(DataError, match="expected codes with groups in three splits"):
        divide(LabelledCodes(np.zeros((4, 2)), np.arange(4), np.arange(4)))
    with pytest.raises(DataError, match=r"labels: expected \[4\] or \[4, L\]"):
        divide(LabelledCodes(np.zeros((4, 2)), np.arange(3)))


def test_missing_and_misspelt_arrays_are_named(saved):
    content = arrays()
    del content["test_labels"]
    assert "codes.npz lacks test_labels: expected train_codes, train_labels" in message(saved(content))
    assert "has unknown arrays test_group, train_factor_: expected" in message(
        saved(arrays(test_group=np.arange(8), train_factor_=np.arange(12)))
    )
    assert "lacks train_codes, train_labels, validation_codes" in message(saved({"z": np.zeros(3)}))
    assert "got no arrays." in message(saved({}))


def test_files_that_are_no_npz_are_refused(tmp_path, saved):
    assert "cannot be read (No such file or directory)" in message(tmp_path / "none.npz")
    assert "cannot be read (Is a directory)" in message(tmp_path)
    (tmp_path / "text.npz").write_text("codes")
    assert "cannot be read as .npz" in message(tmp_path / "text.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    assert "cannot be read as .npz" in message(tmp_path / "empty.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "has one array without a name" in message(tmp_path / "one.npy")
    assert "not of Python objects" in message(saved(arrays(train_labels=np.array([{}] * 12))))
    whole = saved(arrays())
    whole.write_bytes(whole.read_bytes()[:900])
    assert "cannot be read as .npz" in message(whole)
    damaged = bytearray(saved(arrays()).read_bytes())
    damaged[200:210] = b"0123456789"
    whole.write_bytes(damaged)
    assert "cannot be read as .npz" in message(whole)


def test_contents_are_checked(saved):
    assert "test codes: expected finite numbers" in message(saved(arrays(test_codes=np.full((8, 3), np.nan))))
