"""Lists of images: what CSV and JSON Lines say, and what is said of lists that cannot be read."""

import json

import numpy as np
import pytest

from dfv import data
from dfv.data.dataset import SPLITS, DataError
from dfv.data.sources.image_folder.image_list import read_list
from tests.data.sources.image_folders import config, fill, plain, values, write

HEADER = "path,identity,attribute_hair,factor_angle,factor_light,factor_frame,note"
LINES = ["a/1.png,anna,dark,0.5,on,10,x", "2.png,ben,fair,-1,off,9,", '"b, c.png",anna,dark,2,on,10,y']


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def as_json(lines, **changes):
    rows = [{"path": name, "identity": who, **changes} for name, who in lines]
    return "\n\n".join(map(json.dumps, rows))


def test_a_table_has_paths_identities_attributes_and_factors(tmp_path):
    for suffix, start in ((".csv", ""), (".CSV", "\N{ZERO WIDTH NO-BREAK SPACE}")):
        table = read_list(written(tmp_path / f"list{suffix}", start + "\r\n".join([HEADER, *LINES, ",,,,,,", ""])))
        assert table.paths == ["a/1.png", "2.png", "b, c.png"] and table.identities == ["anna", "ben", "anna"]
        assert {name: column.tolist() for name, column in table.attributes.items()} == {"hair": [0, 1, 0]}
        assert {name: column.tolist() for name, column in table.factors.items()} == {
            "angle": [0.5, -1, 2], "light": [1, 0, 1], "frame": [1, 0, 1]
        }  # fmt: skip
        assert [column.dtype for column in table.factors.values()] == [np.float32, np.int32, np.int32]


def test_tabs_and_json_lines_say_the_same_as_commas(tmp_path):
    lines = [("1.png", "7"), ("2.png", "8")]
    tabs = read_list(written(tmp_path / "list.tsv", "path\tidentity\n1.png\t7\n2.png\t8\n"))
    rows = read_list(written(tmp_path / "list.jsonl", as_json(lines, factor_x=0.5)))
    numbers = read_list(written(tmp_path / "numbers.jsonl", as_json([("1.png", 7), ("2.png", 8)])))
    assert tabs.paths == rows.paths == numbers.paths == ["1.png", "2.png"]
    assert tabs.identities == rows.identities == numbers.identities == ["7", "8"]
    np.testing.assert_array_equal(rows.factors["x"], np.float32([0.5, 0.5]))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.txt", "", r"suffix '.txt', not one of .csv, .tsv, .jsonl"),
        ("list.csv", "", "has no path and no identity, but no images"),
        ("list.csv", "path;identity\n1.png;anna\n", "has no path and no identity, but path;identity"),
        ("list.csv", "path,who\n1.png,anna\n", "has no identity, but path, who"),
        ("list.csv", "path,identity\n1.png,anna\n2.png\n", "line 3 has another number of values"),
        ("list.csv", "path,identity\n1.png,anna,7\n", "line 2 has another number of values"),
        ("list.csv", "path,identity,identity \n1.png,anna,x\n", "the header has identity twice"),
        ("list.csv", "path,identity\n1.png,\n2.png, \n3.png,ben\n", "has no identity in lines 2, 3. Expected a line"),
        ("list.csv", "path,identity,factor_x\n1.png,a,1\n2.png,b,\n", "has no factor_x in line 3"),
        ("list.csv", "path,identity,factor_x\n1.png,a,1\n2.png,b,nan\n", "factor_x: expected finite numbers, got nan"),
        ("list.csv", "path,identity\n1.png,anna\n2.png,anna\n", "of one identity only, 'anna'"),
        ("list.csv", "path,identity\n1.png,anna\n1.png,ben\n", "has 1.png twice, in lines 2 and 3"),
        (
            "list.csv",
            "path,identity,attribute_age\n1.png,a,1\n2.png,b,1\n3.png,a,2\n",
            "attribute_age of identity a is 1 in line 2 and 2 in line 4.*Name the column factor_age",
        ),
        ("list.jsonl", '{"path": "1.png", "identity": "a"}\n{"path": ', "line 2 is not JSON"),
        ("list.jsonl", "[" * 100_000, "line 1 is not JSON"),
        ("list.jsonl", "[1]", "line 1 is not an object"),
        ("list.jsonl", '{"path": "1.png", "identity": ["a"]}', "line 1: identity is not a text or a number"),
        ("list.jsonl", '{"path": "1.png", "identity": null}', "has no identity in line 1"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path, name, text, message):
    with pytest.raises(DataError, match=f"(?s){name}.*{message}"):
        read_list(written(tmp_path / name, text))


def test_a_missing_list_and_one_that_is_no_text(tmp_path):
    with pytest.raises(DataError, match=r"gone.csv cannot be read .*No such file.*Expected a line"):
        read_list(tmp_path / "gone.csv")
    (tmp_path / "list.csv").write_bytes(b"path,identity\n\xff,a\n")
    with pytest.raises(DataError, match=r"list.csv is not UTF-8 text .*byte 0xff.*'CSV UTF-8'"):
        read_list(tmp_path / "list.csv")


def listed_images(folder):
    """A list, in reverse order, of flat images, whose identity is the value's tens, by what `fill` wrote."""
    lines = ["path,identity,attribute_kind,factor_value"]
    for path in sorted(fill(folder, [10, 10, 10]).glob("*/*.png")):
        value = 10 * int(path.parent.name[2:]) + int(path.stem)
        flat = path.rename(folder / f"{value}.png")
        lines.insert(1, f"{flat.name},who{value // 10},{'even' if value // 10 % 2 == 0 else 'odd'},{value / 2}")
    return "\n".join(lines)


def test_images_of_a_list_are_loaded_with_their_labels(tmp_path):
    text = listed_images(tmp_path / "images")
    lists = [written(tmp_path / "images" / "list.csv", text), written(tmp_path / "list.csv", text)]
    for path, folder in zip(lists, ["", tmp_path / "images"], strict=True):
        splits = data.load(config(folder, image_list=str(path)))
        assert splits.identity_names == ("who0", "who1", "who2") and splits.attribute_sizes == {"kind": 2}
        assert sorted(value for name in SPLITS for value in values(getattr(splits, name))) == list(range(30))
        for part in (splits.train, splits.validation, splits.test):
            shown = np.array(values(part))
            np.testing.assert_array_equal(part.identity, shown // 10)
            np.testing.assert_array_equal(part.attributes["kind"], shown // 10 % 2)
            np.testing.assert_array_equal(part.factors["value"], np.float32(shown / 2))


def test_paths_of_windows_and_of_other_unicode_forms_are_found(tmp_path):
    for number in range(20):
        write(tmp_path / "a" / f"Jose\N{COMBINING ACUTE ACCENT}{number}.png", plain(number))
    lines = [f"a\\Jos\N{LATIN SMALL LETTER E WITH ACUTE}{number}.png,{number % 2}" for number in range(20)]
    path = written(tmp_path / "list.csv", "\n".join(["path,identity", *lines]))
    splits = data.load(config("", image_list=str(path)))
    for part in (splits.train, splits.validation, splits.test):
        np.testing.assert_array_equal(part.identity, np.array(values(part)) % 2)


def test_a_list_for_another_folder_names_image_dir(tmp_path):
    path = written(tmp_path / "list.csv", "path,identity\n1.png,anna\n2.png,ben\n")
    with pytest.raises(DataError, match="none of its 2 images exists, such as .*1.png. Set --image_dir"):
        data.load(config("", image_list=str(path)))


def test_a_listed_file_that_is_missing_is_named_or_left_out(tmp_path, caplog):
    path = written(tmp_path / "images" / "list.csv", listed_images(tmp_path / "images"))
    (tmp_path / "images" / "15.png").unlink()
    with pytest.raises(DataError, match="15.png: No such file"):
        data.load(config("", image_list=str(path)))
    splits = data.load(config("", image_list=str(path), skip_bad_images=True))
    shown = np.concatenate([values(getattr(splits, name)) for name in SPLITS])
    halves = np.concatenate([getattr(splits, name).factors["value"] for name in SPLITS])
    np.testing.assert_array_equal(halves, np.float32(shown / 2))
    assert len(shown) == 29 and "15.png: No such file" in caplog.text
