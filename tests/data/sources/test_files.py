"""Which files of a folder are images, and whose: by folders, or by a pattern."""

import re

import pytest

from dfv.data.dataset import DataError
from dfv.data.sources.image_folder.files import find, find_by_pattern, is_ignored
from dfv.data.sources.image_folder.labelled_files import find_labelled_files
from tests.data.sources.image_folders import config, fill, plain, write


def test_nested_folders_and_what_is_skipped(tmp_path, caplog):
    folder = fill(tmp_path / "images", [2, 2])
    write(folder / "id00" / "b" / "c" / "deep.png", plain(0))
    write(folder / "id00" / ".hidden.png", plain(0))
    write(folder / "id00" / ".git" / "object.png", plain(0))
    write(folder / ".thumbnails" / "1.png", plain(0))
    write(folder / "outside.png", plain(0))
    (folder / "id01" / "notes.txt").touch()
    (folder / "id01" / "photo.heic").touch()
    (folder / "empty").mkdir()
    with caplog.at_level("WARNING"):
        found = find(folder)
    assert found == {"id00": ["id00/0.png", "id00/1.png", "id00/b/c/deep.png"], "id01": ["id01/0.png", "id01/1.png"]}
    (line,) = [record.getMessage() for record in caplog.records]
    for part in ("1 hidden", "1 .txt", "1 .heic", "1 folder without images (empty)", "1 image outside"):
        assert part in line


def test_files_of_the_system_are_not_images(tmp_path, caplog):
    folder = fill(tmp_path / "images", [2, 2])
    for name in ("__MACOSX/id00/0.png", "id00/__MACOSX/0.png", "id00/@eaDir/0.png", "id00/._0.png", "lost/._1.jpg",
                 "lost+found/1.png", "System Volume Information/1.png"):  # fmt: skip
        write(folder / name, plain(0))
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini"):
        (folder / "id01" / name).touch()
    write(folder / "id01" / "photo.png", plain(0)).rename(folder / "id01" / "photo.JFIF")
    with caplog.at_level("WARNING"):
        found = find(folder)
    assert found == {"id00": ["id00/0.png", "id00/1.png"], "id01": ["id01/0.png", "id01/1.png", "id01/photo.JFIF"]}
    assert "1 folder without images (lost)" in caplog.text and "2 system file" in caplog.text
    assert [is_ignored(name) for name in ("._a.jpg", "Thumbs.db", "__MACOSX", "a.jpg")] == [True, True, True, False]


def test_identities_whose_names_look_the_same_are_reported(tmp_path, caplog):
    folder = tmp_path / "images"
    for name in ("Jos\N{LATIN SMALL LETTER E WITH ACUTE}", "Jose\N{COMBINING ACUTE ACCENT}", "anna", "Anna", "anna "):
        write(folder / name / "1.png", plain(0))
    find_labelled_files(config(folder))
    assert r"'Jose\u0301' and 'Jos\xe9' are different identities" in caplog.text and "2 such names" in caplog.text


def test_folders_that_are_splits_are_not_taken_for_identities(tmp_path):
    for name in ("train", "Test"):
        fill(tmp_path / name, [10, 10])
    with pytest.raises(DataError, match="folders of Test, train, which look like splits") as refused:
        find(tmp_path)
    below, these = re.findall("--identity_pattern='(.*?)'", str(refused.value))
    assert list(find_by_pattern(tmp_path, below)) == ["id00", "id01"]
    assert list(find_by_pattern(tmp_path, these)) == ["Test", "train"]
    fill(tmp_path / "other", [10])
    assert list(find(tmp_path)) == ["Test", "other", "train"]


def test_links_are_followed_once(tmp_path):
    folder = fill(tmp_path / "images", [2, 2])
    write(tmp_path / "elsewhere" / "other.png", plain(0))
    (folder / "id02").symlink_to(tmp_path / "elsewhere")
    for name, target in {"all": folder, "self": folder / "id00", "x": tmp_path / "elsewhere"}.items():
        (folder / "id00" / name).symlink_to(target)
    (folder / "id00" / "y").symlink_to(tmp_path / "elsewhere")
    found = find(folder)
    assert found["id00"] == ["id00/0.png", "id00/1.png", "id00/x/other.png"]
    assert found["id02"] == ["id02/other.png"]


def test_identities_by_a_pattern(tmp_path, caplog):
    folder = tmp_path / "images"
    for name in ("2023/anna_1.png", "2024/anna_2.png", "2024/ben-x_1.png", "2024/group.png", ".cache/anna_3.png"):
        write(folder / name, plain(0))
    (folder / "notes.txt").touch()
    with caplog.at_level("WARNING"):
        found = find_by_pattern(folder, r"(?P<identity>[^/]+)_\d+\.png$")
    assert found == {"anna": ["2023/anna_1.png", "2024/anna_2.png"], "ben-x": ["2024/ben-x_1.png"]}
    assert "1 image that does not match --identity_pattern (such as 2024/group.png)" in caplog.text
    assert "1 .txt" in caplog.text
    assert set(find_by_pattern(folder, r"^(?P<identity>[^/]+)/")) == {"2023", "2024"}
    for pattern, message in {
        r"^(?P<identity>\d+)_": "matches none of 4 images, such as 2023/anna_1.png",
        r"(?P<identity>anna)": "finds one identity only, 'anna'",
    }.items():
        with pytest.raises(DataError, match=message):
            find_by_pattern(folder, pattern)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no images"):
        find_by_pattern(tmp_path / "empty", "(?P<identity>.)")
