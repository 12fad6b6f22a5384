"""Extended Yale B, from small files in the published layout."""

import collections
import zipfile

import numpy as np
import pytest

from dfv import data
from dfv.config.schema import DataConfig
from dfv.data import DataError
from dfv.data.sources.yaleb import reader, split_of

LIGHTS = [(azimuth, elevation) for azimuth in (-130, -5, 0, 60) for elevation in (-40, 0, 20, 90)]
SUBJECTS = (11, 13, 39)


def pgm(pixels):
    return b"P5\n%d %d\n255\n" % pixels.shape[::-1] + pixels.tobytes()


def file_name(subject, azimuth, elevation, pose=0):
    return f"yaleB{subject:02d}/yaleB{subject:02d}_P{pose:02d}A{azimuth:+04d}E{elevation:+03d}.pgm"


def photograph(subject, azimuth, elevation, pose=0, shape=(192, 168)):
    """The upper third shows the subject, the middle one the azimuth, the lowest the elevation and, right, the pose."""
    pixels = np.full(shape, subject, np.uint8)
    pixels[shape[0] // 3 :] = azimuth + 130
    pixels[2 * shape[0] // 3 :] = elevation + 90
    pixels[2 * shape[0] // 3 :, shape[1] // 2 :] = pose
    return pixels


def published_files(poses=(0,), shape=(192, 168)):
    """path -> content, with what the published archive holds besides."""
    files = {}
    for subject in (1, *SUBJECTS):
        for azimuth, elevation in LIGHTS:
            for pose in poses:
                content = pgm(photograph(subject, azimuth, elevation, pose, shape))
                files[file_name(subject, azimuth, elevation, pose)] = content
        folder = f"yaleB{subject:02d}/yaleB{subject:02d}_P00"
        files[folder + "_Ambient.pgm"] = pgm(np.zeros((480, 640), np.uint8))
        files[folder + "A+050E-40.pgm.bad"] = b"spoilt"
        files[folder + ".info"] = b"text"
    return files


def write_tree(manual_dir, files):
    for name, content in files.items():
        path = manual_dir / "yaleb" / "CroppedYale" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return manual_dir


def write_zip(manual_dir, files):
    (manual_dir / "yaleb").mkdir(parents=True)
    with zipfile.ZipFile(manual_dir / "yaleb" / "CroppedYale.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr("CroppedYale/" + name, content)
    return manual_dir


def load(tmp_path, manual_dir, **options):
    return data.load(DataConfig(dataset="yaleb", data_dir=str(tmp_path), manual_dir=str(manual_dir), **options))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return tmp_path_factory.mktemp("prepared"), write_zip(tmp_path_factory.mktemp("manual"), published_files())


@pytest.fixture(scope="module")
def splits(folders):
    return load(*folders)


def test_every_photograph_is_in_one_split_with_its_own_labels(splits):
    seen = collections.Counter()
    for part in (splits.train, splits.validation, splits.test):
        subject, azimuth, elevation, _pose = part.images[:, [5, 32, 60, 60], [5, 5, 5, 60], 0].T.astype(int)
        np.testing.assert_array_equal(np.array(SUBJECTS)[part.identity], subject)
        np.testing.assert_array_equal(part.factors["azimuth"], azimuth - 130)
        np.testing.assert_array_equal(part.factors["elevation"], elevation - 90)
        seen.update(zip(subject, azimuth - 130, elevation - 90, strict=True))
    assert set(seen) == {(subject, *light) for subject in SUBJECTS for light in LIGHTS} and set(seen.values()) == {1}


def test_form_of_the_splits(splits):
    assert splits.train.image_shape == (64, 64, 1) and splits.num_identities == 3
    assert set(splits.train.factors) == {"azimuth", "elevation"} and not splits.train.attributes
    assert splits.train.factors["azimuth"].dtype == np.float32
    # Of 16 photographs round(16 * 180 / 780) = 4, and of the other 12 a tenth.
    assert [np.bincount(p.identity).tolist() for p in (splits.train, splits.validation, splits.test)] == [
        [11] * 3, [1] * 3, [4] * 3
    ]  # fmt: skip


def test_another_split_index_is_another_split_of_the_same_prepared_files(splits, folders, tmp_path):
    other = load(folders[0], tmp_path, split_index=1, image_size=32)
    assert other.test.images.shape == (12, 32, 32, 1)
    lights = [np.sort(part.factors["azimuth"] * 100 + part.factors["elevation"]) for part in (splits.test, other.test)]
    assert np.any(lights[0] != lights[1])


def test_the_split_depends_on_each_name_alone_and_has_the_papers_ratio():
    names = np.array([file_name(subject, a, e)[8:] for subject in range(11, 39) for a in range(8) for e in range(8)])
    subject = np.repeat(np.arange(28), 64)
    splits = split_of(names, subject, 0)
    shuffled = np.random.default_rng(0).permutation(len(names))
    np.testing.assert_array_equal(split_of(names[shuffled], subject[shuffled], 0), splits[shuffled])
    for one in range(28):
        assert collections.Counter(splits[subject == one]) == {"train": 44, "validation": 5, "test": 15}
    # Two splits drawn independently share 15 / 64 of their test photographs.
    other = split_of(names, subject, 1)
    assert np.mean(other[splits == "test"] == "test") == pytest.approx(15 / 64, abs=0.06)


def test_the_tree_is_read_as_the_zip_file_is(folders, tmp_path):
    write_tree(tmp_path, published_files())
    from_tree, from_zip = list(reader.read(tmp_path)), list(reader.read(folders[1]))
    assert len(from_tree) == len(from_zip) == len(SUBJECTS) * len(LIGHTS)
    assert reader.digests(from_tree) == reader.digests(from_zip)


def test_uncropped_photographs_with_their_poses(tmp_path):
    manual_dir = write_tree(tmp_path / "manual", published_files(poses=(0, 3, 8), shape=(480, 640)))
    splits = load(tmp_path / "prepared", manual_dir, image_size=24)
    np.testing.assert_array_equal(np.array([0, 3, 8])[splits.train.factors["pose"]], splits.train.images[:, 22, 22, 0])
    assert splits.train.factors["pose"].dtype == np.int32 and set(splits.train.factors["pose"]) == {0, 1, 2}


def test_members_that_climb_out_of_a_zip_file_write_nothing(tmp_path):
    files = {**published_files(), "../../../yaleB12/yaleB12_P00A+000E+00.pgm": pgm(photograph(12, 0, 0))}
    manual_dir = write_zip(tmp_path / "manual", files)
    before = sorted(tmp_path.rglob("*"))
    assert sum(one.subject == "yaleB12" for one in reader.read(manual_dir)) == 1
    assert sorted(tmp_path.rglob("*")) == before


GOOD = photograph(11, 0, 0)
BAD_FILES = {
    "truncated": (file_name(11, 0, 0), pgm(GOOD)[:-100], "not a complete PGM image.*Unpack the published archive"),
    "no image": (file_name(11, 0, 0), b"no image", "not a complete PGM image"),
    "narrow": (file_name(13, 0, 0), pgm(GOOD[:, 1:]), "expected 168x192 pixels, got 167x192.*Replace it"),
    "small": (file_name(11, 0, 0), pgm(GOOD[:9, :9]), "expected 168x192 or 640x480 pixels, got 9x9"),
    "uncropped": (file_name(13, 0, 0), pgm(np.zeros((480, 640), np.uint8)), "expected 168x192 pixels, got 640x480"),
    "16 bits": (file_name(13, 0, 0), b"P5\n168 192\n65535\n" + bytes(2 * 168 * 192), "expected 8-bit grey pixels"),
    "two subjects": ("yaleB11/yaleB13_P00A+000E+00.pgm", pgm(GOOD), "invalid name; expected yaleBNN"),
    "no subject": ("yaleB14/yaleB14_P00A+000E+00.pgm", pgm(GOOD), "invalid name; expected yaleBNN"),
    "no light": ("yaleB11/yaleB11_P00.pgm", pgm(GOOD), "invalid name; expected yaleBNN"),
    "azimuth": ("yaleB11/yaleB11_P00A+190E+00.pgm", pgm(GOOD), "invalid name; expected an azimuth within 180.*got 190"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("write", [write_tree, write_zip])
def test_a_bad_file_is_named(tmp_path, write, kind):
    name, content, message = BAD_FILES[kind]
    write(tmp_path, {**published_files(), name: content})
    with pytest.raises(DataError, match=name.replace("+", r"\+") + ": " + message):
        list(reader.read(tmp_path))


def test_a_bad_file_ends_the_load_with_nothing_prepared(tmp_path):
    manual_dir = write_zip(tmp_path / "manual", {**published_files(), file_name(11, 0, 0): b"no image"})
    with pytest.raises(DataError, match="yaleB11_P00A.000E.00.pgm: not a complete PGM image"):
        load(tmp_path / "prepared", manual_dir)
    assert not (tmp_path / "prepared" / "yaleb" / "1.0.0").exists()


@pytest.mark.parametrize("content", [b"no zip file", None])
def test_a_damaged_zip_file_is_named(tmp_path, content):
    archive = write_zip(tmp_path, published_files()) / "yaleb" / "CroppedYale.zip"
    archive.write_bytes(content or archive.read_bytes()[:100_000])
    with pytest.raises(DataError, match="CroppedYale.zip: not a complete zip file.*Download it again"):
        list(reader.read(tmp_path))


@pytest.mark.parametrize("files", [{}, {"yaleB01/yaleB01_P00A+000E+00.pgm": pgm(photograph(1, 0, 0))}])
def test_missing_files_end_in_the_expected_tree(tmp_path, files):
    manual_dir = write_tree(tmp_path / "manual", files)
    with pytest.raises(DataError, match="Expected one of\n.*CroppedYale.zip\n.*\n.*vision.ucsd.edu.*--manual_dir"):
        load(tmp_path / "prepared", manual_dir)


def test_photographs_other_than_the_published_are_told(folders, tmp_path, caplog):
    with caplog.at_level("WARNING"):
        load(tmp_path, folders[1])
    assert "yaleb is not prepared under" in caplog.text
    assert "yaleb: 28 of 28 differ from the published files: yaleB11, yaleB12" in caplog.text
