"""Which files the page offers, under which names, and their thumbnails."""

import base64
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from export import ExportError
from export.demo.image_files import find_images, thumbnail_url


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_first_file_of_each_folder_comes_first(tmp_path):
    touch(tmp_path, "ann/1.png", "ann/2.PNG", "ann/notes.txt", "bob/1.jpg", "bob/deeper/1.png", "0.jpeg", "bob/2.jfif")
    expected = ["0.jpeg", "ann/1.png", "bob/1.jpg", "bob/deeper/1.png", "ann/2.PNG", "bob/2.jfif"]
    files = find_images(tmp_path)
    assert list(files.paths) == expected
    assert [files.path(name) for name in expected] == [tmp_path / name for name in expected]


def test_files_that_systems_leave_are_not_offered(tmp_path):
    touch(
        tmp_path, "a.jpg", "._a.jpg", ".hidden/b.png", "__MACOSX/c.png", "ann/@eaDir/d.jpg", "ann/.e.png", "Thumbs.db"
    )
    assert list(find_images(tmp_path).paths) == ["a.jpg"]


def test_search_ignores_case_and_spaces_around(tmp_path):
    touch(tmp_path, "Ann/1.png", "bob/ann.jpg", "bob/2.png")
    files = find_images(tmp_path)
    assert files.search(" ANN ") == ["Ann/1.png", "bob/ann.jpg"]
    assert files.search("") == list(files.paths)
    assert files.search("none") == []


def test_only_files_that_are_offered_have_a_path(tmp_path):
    touch(tmp_path, "ann/1.png", "secret.txt")
    for name in ("secret.txt", "../1.png", str(tmp_path / "ann/1.png")):
        with pytest.raises(ExportError, match="is not a file of this page"):
            find_images(tmp_path).path(name)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are not UTF-8")
def test_a_name_that_is_not_utf_8_is_offered_as_text(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    path.touch()
    assert find_images(tmp_path).path("\N{REPLACEMENT CHARACTER}.png") == path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.touch(), "is a file; give a folder"),
        (lambda path: path.mkdir(), "has no PNG or JPEG files"),
        (lambda path: touch(path, "a.webp"), "has no PNG or JPEG files"),
    ],
)
def test_a_wrong_folder_is_refused_with_its_cause(make, message, tmp_path):
    make(tmp_path / "images")
    with pytest.raises(ExportError, match=f"--images=.*images {message}"):
        find_images(tmp_path / "images")


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(ExportError, match="cannot be read .File name too long"):
        find_images(tmp_path / ("a" * 300))


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,")))))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("fit", "white", "blue"), [("crop", [], [0, 12]), ("pad", [0, 1, 2, 10, 11, 12], [3, 9]), ("stretch", [], [0, 12])]
)
def test_a_thumbnail_is_the_upright_image_as_the_model_gets_it(channels, fit, white, blue, tmp_path):
    # Upright 26 x 40, with a red left edge, of which a crop to 13 : 10 shows nothing; stored lying.
    image = np.zeros((26, 40, 3), np.uint8)
    image[..., 2], image[:, :4] = 200, (200, 0, 0)
    orientation = Image.Exif()
    orientation[0x0112] = 6  # to be turned clockwise
    Image.fromarray(np.rot90(image)).save(tmp_path / "a.jpg", exif=orientation, quality=100, subsampling=0)
    thumbnail = pixels(thumbnail_url(tmp_path / "a.jpg", (13, 10, channels), fit)).astype(int)
    assert thumbnail.shape == ((13, 10) if channels == 1 else (13, 10, 3))
    middle, is_red = thumbnail[:, 5], thumbnail[6, 0] - thumbnail[6, 5]
    assert (middle[white] > 250).all() and (middle[blue].max(-1) < 220).all()
    assert (np.abs(is_red).max() > 20) == (fit != "crop")


def test_the_thumbnail_of_a_file_that_is_no_image_is_grey(tmp_path):
    touch(tmp_path, "a.png")
    assert (pixels(thumbnail_url(tmp_path / "a.png", (13, 10, 1), "crop")) == 128).all()
