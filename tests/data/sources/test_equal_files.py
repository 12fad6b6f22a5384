"""Files with the same content: found, said, and never on both sides of a split."""

import shutil

import numpy as np
import pytest
from PIL import Image

from dfv.data.dataset import SPLITS
from dfv.data.sources.image_folder import load
from dfv.data.sources.image_folder.equal_files import first_equal, leave_out_shared, split_within_unequal
from dfv.data.sources.image_folder.splits import split_within
from tests.data.sources.image_folders import config, fill, plain, values, write


def contents(splits):
    return {name: set(values(getattr(splits, name))) for name in SPLITS}


def is_disjoint(sets):
    return sum(map(len, sets)) == len(set().union(*sets))


def test_the_first_file_of_equal_bytes_is_found_and_only_files_of_equal_size_are_read(tmp_path, monkeypatch):
    paths = [tmp_path / name for name in "abcde"]
    for path, content in zip(paths, (b"one", b"two", b"one", b"longer", b"two"), strict=True):
        path.write_bytes(content)
    np.testing.assert_array_equal(first_equal(paths), [0, 1, 0, 3, 1])
    paths[3].chmod(0)
    read, original = [], type(tmp_path).read_bytes
    monkeypatch.setattr(type(tmp_path), "read_bytes", lambda path: read.append(path.name) or original(path))
    first_equal(paths)
    assert read == ["a", "b", "c", "e"]


def test_without_copies_the_split_is_that_of_split_within():
    names, identity = np.array([f"{n}.png" for n in range(60)]), np.arange(60) // 20
    np.testing.assert_array_equal(
        split_within_unequal(names, identity, np.arange(60), 3), split_within(names, identity, 3)
    )


@pytest.mark.parametrize("split_index", range(4))
def test_copies_under_other_names_are_in_the_split_of_their_originals(tmp_path, caplog, split_index):
    for path in sorted(fill(tmp_path, [10, 10, 10]).glob("*/*.png")):
        shutil.copy(path, path.with_name(f"copy_of_{path.name}"))
    splits = load(config(tmp_path, split_index=split_index))
    assert [len(getattr(splits, name)) for name in SPLITS] == [44, 8, 8]
    assert is_disjoint(list(contents(splits).values()))
    assert "30 of 60 files are such copies" in caplog.text and "another identity" not in caplog.text


def test_copies_in_another_format_are_reported_with_both_files(tmp_path, caplog):
    for path in sorted(fill(tmp_path, [10, 10, 10]).glob("*/*.png")):
        Image.open(path).save(path.with_suffix(".bmp"))
    splits = load(config(tmp_path))
    assert not is_disjoint(list(contents(splits).values()))
    seen = contents(splits)["train"] & contents(splits)["test"]
    assert f"{len(seen)} of {len(splits.test)} test images have the same pixels as a training image" in caplog.text
    assert ".png and " in caplog.text or ".bmp and " in caplog.text


@pytest.mark.parametrize("split_index", range(4))
def test_images_under_two_identities_are_only_in_train_within_identities(tmp_path, caplog, split_index):
    folder = fill(tmp_path, [10, 10, 10])
    shutil.copytree(folder / "id01", folder / "twin")
    splits = load(config(folder, split_index=split_index))
    held_out = contents(splits)["validation"] | contents(splits)["test"]
    assert held_out and not held_out & set(range(10, 20))
    assert "this holds for 10 files" in caplog.text and "Delete one of each" in caplog.text
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 40


@pytest.mark.parametrize("split_index", range(4))
def test_images_under_two_identities_are_left_out_of_held_out_identities(tmp_path, split_index):
    folder = fill(tmp_path, [3] * 12)
    for person in sorted(folder.iterdir()):
        write(person / "no_photo.png", plain((255, 255, 255)))
    splits = load(config(folder, split_by="across", split_index=split_index))
    found = contents(splits)
    assert 255 in found["train"] and 255 not in found["validation"] | found["test"]
    assert is_disjoint([found["validation"], found["test"], found["train"]])
    assert set.union(*found.values()) == {10 * who + n for who in range(12) for n in range(3)} | {255}


def test_leave_out_shared_keeps_copies_of_one_identity():
    splits = np.array(["train", "test", "test", "validation", "test"])
    identity, first = np.array([0, 1, 1, 2, 1]), np.array([0, 1, 1, 0, 4])
    np.testing.assert_array_equal(leave_out_shared(splits, identity, first), ["train", "test", "test", "", "test"])
