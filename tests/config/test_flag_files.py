"""Run files are found from anywhere, may include others, and a wrong one is named."""

from pathlib import Path

import pytest

from dfv.config import flag_files as flagfiles
from dfv.config.flag_files import expand
from dfv.config.schema import ConfigError


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "base.flags").write_text("--seed=1\n")
    monkeypatch.setattr(flagfiles, "SHIPPED", (folder,))
    monkeypatch.chdir(tmp_path)
    return folder


def test_flags_take_the_run_files_place_so_that_later_ones_win(shipped, tmp_path):
    (tmp_path / "run.flags").write_text("# a comment\n\n// another\n--seed=2\n  --s_dim=3  \n")
    arguments, name = expand(["--z_dim=1", "--flagfile=run.flags", "--seed=5"])
    assert arguments == ["--z_dim=1", "--seed=2", "--s_dim=3", "--seed=5"]
    assert name == "run"


def test_a_byte_order_mark_is_skipped(shipped, tmp_path):
    (tmp_path / "run.flags").write_bytes(b"\xef\xbb\xbf--seed=2\r\n--s_dim=3\r\n")
    assert expand(["--flagfile=run.flags"])[0] == ["--seed=2", "--s_dim=3"]


def test_two_word_form(shipped):
    assert expand(["--flagfile", "base.flags"]) == (["--seed=1"], "base")


def test_a_missing_file_is_looked_up_among_those_shipped(shipped):
    assert expand(["--flagfile=configs/base.flags"]) == (["--seed=1"], "base")


@pytest.mark.parametrize("name", ["mine/base.flags", "other/configs/base.flags", "~/mine/base.flags", "/base.flags"])
def test_a_missing_file_of_another_folder_is_no_shipped_one(shipped, name):
    with pytest.raises(ConfigError, match=f"--flagfile='{name}' is not a file"):
        expand([f"--flagfile={name}"])


def test_home_is_expanded(shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "base.flags").write_text("--seed=3\n")
    assert expand(["--flagfile=~/base.flags"]) == (["--seed=3"], "base")


def test_a_file_at_hand_comes_before_a_shipped_one(shipped, tmp_path):
    (tmp_path / "base.flags").write_text("--seed=7\n")
    assert expand(["--flagfile=base.flags"])[0] == ["--seed=7"]


def test_an_included_file_is_looked_up_beside_the_including_one_then_among_those_shipped(shipped, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "outer.flags").write_text("--flagfile=inner.flags\n--flagfile=base.flags\n--s_dim=4\n")
    (tmp_path / "sub" / "inner.flags").write_text("--z_dim=9\n")
    assert expand(["--flagfile=sub/outer.flags"]) == (["--z_dim=9", "--seed=1", "--s_dim=4"], "outer")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"--flagfile=self.flags", "includes itself"),
        (b"seed=3", "line 1: expected --name=value"),
        (b"--seed=1\nrm -rf", "line 2"),
        (b"\xff\xfe\x00", "cannot be read as text"),
        (b"--flagfile=nowhere.flags", "included by"),
        (b"--flagfile=a\0b", "is not a file"),
        (b"#" * (flagfiles.LARGEST_FILE + 1), "larger than"),
    ],
)
def test_a_wrong_file_is_named(shipped, tmp_path, content, message):
    (tmp_path / "self.flags").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        expand(["--flagfile=self.flags"])


def test_a_file_that_is_nowhere_lists_those_shipped(shipped):
    with pytest.raises(ConfigError, match="nowhere.flags.*base.flags"):
        expand(["--flagfile=nowhere.flags"])
    with pytest.raises(ConfigError, match="is not a file"):
        expand(["--flagfile"])
