"""image_folder: who is in which split, what images are read, and what is said when it cannot work."""

import os

import numpy as np
import pytest

from dfv import data
from dfv.config.schema import ConfigError, DataConfig
from dfv.data.dataset import SPLITS, DataError
from dfv.data.sources.image_folder import load
from tests.data.sources.image_folders import config, fill, plain, values, write


def test_load_within(tmp_path):
    splits = load(config(fill(tmp_path, [10, 10, 10])))
    assert [len(getattr(splits, name)) for name in SPLITS] == [22, 4, 4]
    assert sorted(v for name in SPLITS for v in values(getattr(splits, name))) == list(range(30))
    for name in SPLITS:
        part = getattr(splits, name)
        assert part.image_shape == (8, 8, 3) and part.identity.dtype == np.int32
        np.testing.assert_array_equal(np.array(values(part)) // 10, part.identity)
        assert len(set(part.identity)) == (3 if name == "train" else 2)


def test_load_across_numbers_unseen_identities_last(tmp_path):
    splits = load(config(fill(tmp_path, [3] * 12), split_by="across"))
    who = {name: np.unique(getattr(splits, name).identity).tolist() for name in SPLITS}
    assert who["train"] == list(range(8)) and sorted(who["validation"] + who["test"]) == [8, 9, 10, 11]
    folders = [np.unique(np.array(values(getattr(splits, name))) // 10) for name in SPLITS]
    assert sorted(np.concatenate(folders)) == list(range(12))
    np.testing.assert_array_equal(np.array(values(splits.train)) // 10, folders[0][splits.train.identity])
    names = [splits.name_of(identity) for identity in splits.test.identity]
    assert names == [f"id{value // 10:02d}" for value in values(splits.test)]


def test_load_through_the_common_entry(tmp_path):
    fill(tmp_path, [1, 10, 10])
    with pytest.raises(DataError, match="identity id00 has 1 image in split 'train'"):
        data.load(config(tmp_path))
    splits = data.load(config(tmp_path, drop_small_identities=True))
    assert splits.num_identities == 2 and splits.identity_names == ("id01", "id02")


def test_size_and_grey(tmp_path):
    fill(tmp_path, [10, 10])
    assert load(config(tmp_path, image_size=0)).train.image_shape == (64, 64, 3)
    assert load(config(tmp_path, grayscale=True)).train.image_shape == (8, 8, 1)
    for number in range(8):
        write(tmp_path / "grey" / f"{number}.png", np.full((8, 8), number, np.uint8))
    assert load(config(tmp_path)).train.image_shape == (8, 8, 3)
    grey = tmp_path / "all"
    for number in range(20):
        write(grey / f"{number % 2}" / f"{number}.pgm", np.full((8, 8), number, np.uint8))
    assert load(config(grey)).train.image_shape == (8, 8, 1)


def test_records_are_written_again_when_a_file_changes(tmp_path):
    folder, on_disk = tmp_path / "images", {"memory_limit_mb": 0, "cache_dir": str(tmp_path / "cache")}
    fill(folder, [10, 10])
    for _ in range(2):
        splits = load(config(folder, **on_disk))
        assert not isinstance(splits.train.images, np.ndarray)
        assert sorted(v for name in SPLITS for v in values(getattr(splits, name))) == list(range(20))
    path, other = folder / "id00" / "5.png", folder / "id00" / "6.png"
    assert path.stat().st_size == other.stat().st_size
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(0, 0))
    splits = load(config(folder, **on_disk))
    images = sorted(v for name in SPLITS for v in values(getattr(splits, name)))
    assert images == [0, 1, 2, 3, 4, 6, *range(6, 20)]


def test_records_of_another_fit_are_others(tmp_path):
    folder, on_disk = fill(tmp_path / "images", [10, 10]), {"memory_limit_mb": 0, "cache_dir": str(tmp_path / "cache")}
    for number, path in enumerate(sorted(folder.glob("*/*.png"))):
        write(path, plain((10, number, 0), 8, 4))
    seen = {fit: load(config(folder, fit=fit, **on_disk)).train.images[:] for fit in ("crop", "pad", "stretch")}
    assert (seen["crop"][..., 0] == 10).all() and (seen["stretch"][..., 0] == 10).all()
    assert (seen["pad"][:, :, 2:6, 0] == 10).all() and (seen["pad"][:, :, [0, 1, 6, 7]] == 255).all()


def test_an_image_more_is_another_set_and_the_same_folder_the_same(tmp_path):
    fill(tmp_path, [10, 10])
    first, on_disk = (
        load(config(tmp_path)),
        load(config(tmp_path, memory_limit_mb=0, cache_dir=str(tmp_path / ".cache"))),
    )
    assert first.digest == load(config(tmp_path)).digest == on_disk.digest
    assert first.digest != load(config(tmp_path, split_index=1)).digest
    write(tmp_path / "id00" / "new.png", plain((11, 0, 0)))
    assert first.digest != load(config(tmp_path)).digest


def test_all_bad_files_are_named_at_once(tmp_path):
    fill(tmp_path, [12, 12])
    whole = write(tmp_path / "id00" / "whole.jpg", plain(0, 64, 64)).read_bytes()
    (tmp_path / "id01" / "half.jpg").write_bytes(whole[: len(whole) // 2])  # its header is fine
    with pytest.raises(DataError, match=r"(?s)half\.jpg: cannot be read.*Set --skip_bad_images to continue without it"):
        load(config(tmp_path))
    (tmp_path / "id00" / "text.png").write_text("no image")
    with pytest.raises(DataError, match=r"(?s)^2 files cannot be used:.*text\.png: cannot.*half\.jpg: cannot be read"):
        load(config(tmp_path))
    for number in range(30):
        (tmp_path / "id00" / f"bad{number}.png").touch()
    with pytest.raises(DataError, match="32 files cannot be used") as error:
        load(config(tmp_path))
    assert len(str(error.value).splitlines()) == 23 and "... and 12 more" in str(error.value)
    assert str(error.value).endswith("Set --skip_bad_images to continue without them.")


def test_bad_files_are_left_out_if_wanted(tmp_path, caplog):
    fill(tmp_path, [10, 10, 1])
    expected = load(config(tmp_path)).digest
    for name in ("id00/text.png", "id01/empty.jpg", "only_bad/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    splits = load(config(tmp_path, skip_bad_images=True))
    assert splits.digest == expected and splits.identity_names == ("id00", "id01", "id02")
    assert "Left out 3 of 24 files. 3 files cannot be used:" in caplog.text and "only_bad/1.png: cannot" in caplog.text
    caplog.clear()
    assert load(config(fill(tmp_path / "good", [10, 10]), skip_bad_images=True)).num_identities == 2
    assert "Left out" not in caplog.text


def test_files_that_are_left_out_do_not_count(tmp_path):
    fill(tmp_path, [10, 10])
    for path in sorted((tmp_path / "id00").iterdir())[1:]:
        path.write_text("no image")
    with pytest.raises(DataError, match="11 images are too few to hold out"):
        load(config(tmp_path, skip_bad_images=True))
    (tmp_path / "id00" / "0.png").write_text("no image")
    with pytest.raises(DataError, match="10 of 20 files can be read as images, of 1 identities; expected at least two"):
        load(config(tmp_path, skip_bad_images=True))


def test_a_colour_file_among_grey_ones_is_named(tmp_path, caplog):
    for number in range(20):
        write(tmp_path / f"{number % 2}" / f"{number}.png", np.full((8, 8), number, np.uint8))
    write(tmp_path / "0" / "colour.png", plain(0))
    with caplog.at_level("WARNING"):
        assert load(config(tmp_path)).train.image_shape == (8, 8, 3)
    assert "0/colour.png: images are read as RGB, since 1 of 21 files" in caplog.text


@pytest.mark.parametrize(("highest", "is_reported"), [(1023, True), (4095, True), (16383, True), (65535, False)])
def test_files_of_fewer_than_sixteen_bits_are_reported(tmp_path, caplog, highest, is_reported):
    for number in range(20):
        value = highest if number == 13 else 100 + number
        write(tmp_path / f"{number % 2}" / f"{number}.png", np.full((8, 8), value, np.uint16))
    with caplog.at_level("WARNING"):
        load(config(tmp_path))
    assert (f"19 other 16-bit files have no value above {highest}" in caplog.text) == is_reported


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    folder = fill(tmp_path, [10, 10])
    os.mkfifo(folder / "id00" / "pipe.png")
    with pytest.raises(DataError, match="pipe.png: is not a file"):
        load(config(folder))


def test_a_pattern_that_finds_the_folders_gives_the_same_splits(tmp_path):
    folder = fill(tmp_path, [10, 10, 10])
    splits = load(config(folder, identity_pattern="^(?P<identity>[^/]+)/"))
    assert splits.digest == load(config(folder)).digest and splits.identity_names == ("id00", "id01", "id02")


def make_flat(folder):
    write(folder / "1.png", plain(0))


def make_file(folder):
    folder.write_text("")


def make_heic(folder):
    write(folder / "anna" / "1.png", plain(0)).rename(folder / "anna" / "1.heic")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "does not exist"),
        (make_file, "is not a folder"),
        (lambda folder: folder.mkdir(), "has no images"),
        (lambda folder: (folder / "anna").mkdir(parents=True), "has no images"),
        (make_flat, "has 1 image.* no folders"),
        (lambda folder: fill(folder, [8]), "has images in one folder only, 'id00'"),
        (make_heic, "has no images .*; skipped were 1 .heic, 1 folder without images .anna.\\."),
    ],
)
def test_a_wrong_tree_is_answered_with_the_right_one(tmp_path, make, message):
    folder = tmp_path / "images"
    make(folder)
    with pytest.raises(DataError, match=f"(?s)images {message}.*images/anna/1.jpg.*--image_dir"):
        load(config(folder))


def test_a_folder_that_cannot_be(tmp_path):
    with pytest.raises(DataError, match="xxx does not exist. Expected one folder"):
        load(config(tmp_path / ("x" * 300)))
    with pytest.raises(ConfigError, match="--image_dir=~nosuchuser/x: expected a home"):
        load(config("~nosuchuser/x"))


def test_too_few_to_hold_any_out(tmp_path):
    fill(tmp_path, [2, 3])
    with pytest.raises(DataError, match="5 images are too few"):
        load(config(tmp_path))
    with pytest.raises(DataError, match="across needs at least 6 identities, got 2"):
        load(config(tmp_path, split_by="across"))
    with pytest.raises(DataError, match="image_dir"):
        load(DataConfig(dataset="image_folder"))
