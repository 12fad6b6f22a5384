"""Sprites, from small files in the published layout."""

import re

import h5py
import numpy as np
import pytest
import scipy.io

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data import DataError
from dfv.data.sources.sprites import reader

LENGTHS = (7,) * 4 + (8,) * 4 + (9,) * 4 + (6,) * 4 + (13,) * 4 + (6,)  # the last is the animation that is left out
TRAIN, VALIDATION, TEST = (5, 0, 1), (3,), (4, 2)


def labels_of(number):
    return np.array([number % 2, number % 4, number % 3, number % 6, 0, 1, number % 2])


def flat_frames(number, animation):
    """[T, 10800] in [0, 1]: one pixel of each colour is lit, at index colour * 3600 + column * 60 + row."""
    frames = np.zeros((LENGTHS[animation], 3 * 60 * 60))
    for frame in range(len(frames)):
        row, column = number, 20 + animation
        frames[frame, 0 * 3600 + column * 60 + row] = (100 + frame) / 255
        frames[frame, 1 * 3600 + column * 60 + row] = number / 255
        frames[frame, 2 * 3600 + column * 60 + row] = 1.0
    return frames


def write_character(folder, number, labels=None, frames=flat_frames, num_animations=21):
    with h5py.File(folder / f"sprites_{number}.mat", "w", userblock_size=512) as file:
        file["labels"] = (labels_of(number) if labels is None else np.array(labels)).astype(np.float64)[:, None]
        references = np.empty((num_animations, 1), h5py.ref_dtype)
        for animation in range(num_animations):
            content = frames(number, animation)
            references[animation, 0] = file.create_dataset(f"#refs#/{animation}", data=content, compression=1).ref
        file.create_dataset("sprites", data=references, dtype=h5py.ref_dtype)


def write_splits(folder, train=TRAIN, validation=VALIDATION, test=TEST):
    indices = {"trainidx": train, "validx": validation, "testidx": test}
    scipy.io.savemat(folder / "sprites_splits.mat", {k: np.array(v, np.int32)[None] + 1 for k, v in indices.items()})


@pytest.fixture(scope="module")
def manual_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    (folder / "sprites").mkdir()
    for number in range(6):
        write_character(folder / "sprites", number)
    write_splits(folder / "sprites")
    return folder


@pytest.fixture(scope="module")
def config(manual_dir, tmp_path_factory):
    prepared = tmp_path_factory.mktemp("prepared")
    return DataConfig(dataset="sprites", data_dir=str(prepared), manual_dir=str(manual_dir))


@pytest.fixture(scope="module")
def splits(config):
    return data.load(config)


def test_splits_are_the_published_characters(splits):
    parts = (splits.train, splits.validation, splits.test)
    characters = [set(part.images[..., 1].max((1, 2))) for part in parts]
    assert characters == [set(TRAIN), set(VALIDATION), set(TEST)]
    assert [len(part) for part in parts] == [3 * 172, 172, 2 * 172]
    assert splits.num_identities == 3 and splits.validation.identity.min() == 4 and set(splits.test.identity) == {3, 5}


def test_an_image_shows_what_its_columns_say(splits):
    for part in (splits.train, splits.validation, splits.test):
        lit = part.images[..., 2] == 255
        assert np.all(lit.sum((1, 2)) == 1)
        _, row, column = np.nonzero(lit)
        number = part.images[lit][:, 1]
        np.testing.assert_array_equal(row, number)
        np.testing.assert_array_equal(column - 20, part.factors["animation"])
        np.testing.assert_array_equal(part.images[lit][:, 0].astype(int) - 100, part.factors["frame"])
        expected = np.array([labels_of(one) for one in number])
        np.testing.assert_array_equal(np.stack(list(part.attributes.values()), 1), expected)


def test_pose_is_unique_and_the_same_place_in_every_character(splits):
    places = np.stack([splits.train.factors[name] for name in ("animation", "frame", "pose")], 1)
    assert len(np.unique(places, axis=0)) == 172
    for identity in range(3):
        assert sorted(splits.train.factors["pose"][splits.train.identity == identity]) == list(range(172))
    assert places[7].tolist() == [1, 0, 7] and places[171].tolist() == [19, 12, 171]


def test_attributes_have_the_published_sizes(splits):
    sizes = {"gender": 2, "skin": 4, "armor": 3, "hair": 6, "arms": 2, "greaves": 2, "weapon": 2}
    assert splits.attribute_sizes == sizes
    assert all(values.dtype == np.int32 for values in {**splits.train.attributes, **splits.train.factors}.values())


def test_prepared_files_are_enough_and_size_and_colour_follow_the_config(splits, config, tmp_path):
    small = data.load(DataConfig(**{**vars(config), "manual_dir": str(tmp_path), "image_size": 30, "grayscale": True}))
    assert small.test.images.shape == (344, 30, 30, 1)


def test_the_folder_itself_may_be_given(manual_dir):
    assert reader.find(manual_dir / "sprites") == reader.find(manual_dir) == manual_dir / "sprites"


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_missing_files_end_in_the_expected_tree(tmp_path, folder):
    (tmp_path / "other.txt").touch()
    manual_dir = tmp_path / folder
    config = DataConfig(dataset="sprites", data_dir=str(tmp_path / "prepared"), manual_dir=str(manual_dir))
    with pytest.raises(DataError, match="sprites_0.mat ... sprites_671.mat\n.*scottreed.info.*--manual_dir"):
        data.load(config)


def test_without_a_manual_dir_tfds_own_is_expected(tmp_path):
    expected = re.escape(str(tmp_path / "downloads" / "manual" / "sprites" / "sprites_splits.mat"))
    with pytest.raises(DataError, match=expected):
        data.load(DataConfig(dataset="sprites", data_dir=str(tmp_path)))


def test_a_character_without_a_file_is_named(tmp_path):
    write_splits(tmp_path)
    config = DataConfig(dataset="sprites", data_dir=str(tmp_path / "prepared"), manual_dir=str(tmp_path))
    with pytest.raises(DataError, match=r"sprites_\d.mat: missing, but listed in sprites_splits.mat"):
        data.load(config)


def test_a_truncated_file_is_named(tmp_path):
    write_character(tmp_path, 3)
    path = tmp_path / "sprites_3.mat"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(
        DataError, match="sprites_3.mat: not a complete MATLAB 7.3 file.*Unpack the published archive again"
    ):
        reader.read_character(tmp_path, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": (0, 4, 0, 0, 0, 0, 0)}, r"invalid labels; expected labels below \[2, 4, .*, got \[0.0, 4"),
        ({"labels": (0, 0, 0, 0, 0, 0.5, 0)}, "invalid labels"),
        ({"labels": (0, 0, 0)}, "invalid labels"),
        ({"frames": lambda number, animation: flat_frames(number, animation)[1:]}, "expected 20 animations"),
        ({"frames": lambda number, animation: flat_frames(number, animation)[:, :-1]}, "expected 20 animations"),
        ({"num_animations": 19}, "expected 20 animations"),
        ({"frames": lambda number, animation: flat_frames(number, animation) * 255}, "expected pixels that are mult"),
        ({"frames": lambda number, animation: flat_frames(number, animation) / 2}, "expected pixels that are mult"),
    ],
)
def test_wrong_content_is_named(tmp_path, options, message):
    write_character(tmp_path, 3, **options)
    with pytest.raises(DataError, match="sprites_3.mat: " + message):
        reader.read_character(tmp_path, 3)


@pytest.mark.parametrize("splits", [{"train": (0, 1, 3)}, {"test": (4, -1)}])
def test_a_split_that_names_a_character_twice_or_none_is_refused(tmp_path, splits):
    write_splits(tmp_path, **splits)
    with pytest.raises(DataError, match="sprites_splits.mat: expected each character in one split"):
        reader.read_splits(tmp_path)


def test_a_damaged_split_file_is_named(tmp_path):
    (tmp_path / "sprites_splits.mat").write_bytes(b"MATLAB")
    with pytest.raises(DataError, match="sprites_splits.mat: cannot be read"):
        reader.read_splits(tmp_path)


def test_files_other_than_the_published_are_told_apart(tmp_path, caplog):
    from dfv.data.sources.published_digests import warn_if_changed

    for number in (0, 1):
        write_character(tmp_path, number)
    digests = {f"sprites_{number}.mat": reader.read_character(tmp_path, number).digest for number in (0, 1)}
    (tmp_path / "digests.tsv").write_text("".join(f"{name}\t{digest}\n" for name, digest in digests.items()))
    write_character(tmp_path, 1, labels=labels_of(0))
    changed = {**digests, "sprites_1.mat": reader.read_character(tmp_path, 1).digest}
    with caplog.at_level("WARNING"):
        warn_if_changed(digests, tmp_path / "digests.tsv")
        assert not caplog.records
        warn_if_changed(changed, tmp_path / "digests.tsv")
    assert "1 of 2 differ from the published files: sprites_1.mat." in caplog.text
