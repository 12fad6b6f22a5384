"""Help, mistakes, files that cannot be read, and outputs that must not be replaced."""

import subprocess
import sys

import pytest

from dfv.apply.__main__ import main


def test_help_and_mistakes_need_no_tensorflow():
    script = (
        "import sys; from dfv.apply.__main__ import main; main(['--help']); print(main(['--mode=sample',"
        " '--run_dir=mnist', '--images_s=no', '--out=o']), 'tensorflow' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.stdout.splitlines()[-1] == "2 False" and "--one_s_per_folder=false" in answer.stdout
    assert answer.stderr == "apply: --images_s=no does not exist; expected an image file, or a folder of images.\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--run_dir=mnist --out=a", "--mode expects one of encode, "),
        ("--mode=encode", "--run_dir is missing"),
        ("--mode=encode --run_dir=mnist", "--out is missing"),
        (
            "--mode=encode --run_dir=mnist --out=a.csv",
            "--images is missing: --mode=encode takes its images from --images.",
        ),
        ("--mode=swap --run_dir=mnist --out=a --images_s=b", "--images_z is missing"),
        ("--mode=swap --run_dir=mnist --out=a --images=b", "from --images_s, --images_z, not from --images."),
        ("--mode=encode --run_dir=mnist --out=a --images=b", "expected an --out that ends in .npz or .csv, got a."),
        ("--mode=grid --run_dir=mnist --out=a.jpg --images=b", "expected an --out that ends in .png, got a.jpg."),
        ("--mode=grid --run_dir=mnist --out=a.png --images=b --one_s_per_folder", "does not work with --mode=grid"),
        ("--mode=encode --run_dir=nobody --out=a.csv --images=b", "nobody is neither a run folder nor a shipped model"),
        ("--mode=encode --run_dir=mnist --out=a.csv --images=.", "--images=. has no images (.bmp, "),
        ("--mode=sample --run_dir=mnist --out=a --images_s=. --num_samples=0", "--num_samples expects 1 to 10000"),
    ],
)
def test_a_mistake_ends_in_one_message(flags, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(flags.split()) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and error.startswith("apply: ")
    assert not list(tmp_path.iterdir())


def test_all_files_that_cannot_be_read_are_listed_and_nothing_is_written(apply, folder, tmp_path, capsys):
    (folder / "ben/1.png").write_bytes(b"no image")
    (folder / "anna/2.bmp").write_bytes((folder / "anna/2.bmp").read_bytes()[:99])
    assert apply("reconstruct", images=folder, out=tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert "2 files cannot be used:" in error and "Set --skip_bad_images to continue without them." in error
    assert "ben/1.png" in error and "anna/2.bmp" in error
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_read_are_left_out_if_wanted(apply, folder, tmp_path, caplog):
    (folder / "ben/1.png").write_bytes(b"no image")
    assert apply("reconstruct", images=folder, out=tmp_path / "out", skip_bad_images=True) == 0
    assert "ben/1.png: cannot be read as an image" in caplog.text
    assert len(list((tmp_path / "out").rglob("*.png"))) == 4


def test_if_all_files_are_left_out_there_is_nothing_to_do(apply, folder, tmp_path, capsys):
    (folder / "ben/1.png").write_bytes(b"no image")
    assert apply("reconstruct", images=folder / "ben/1.png", out=tmp_path / "out", skip_bad_images=True) == 2
    assert "ben/1.png: cannot be read as an image" in capsys.readouterr().err


def test_a_folder_with_files_is_written_to_only_if_wanted(apply, folder, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    assert apply("reconstruct", images=folder / "anna", out=out) == 0
    before = (out / "1.png").read_bytes()
    (out / "1.png").write_text("mine")
    (out / "9.png").write_text("mine")
    assert apply("reconstruct", images=folder / "anna", out=out) == 2
    assert "is not empty; nothing was written. Give another --out, or add --overwrite." in capsys.readouterr().err
    assert (out / "1.png").read_text() == "mine"
    assert apply("reconstruct", images=folder / "anna", out=out, overwrite=True) == 0
    assert (out / "1.png").read_bytes() == before and (out / "9.png").read_text() == "mine"
    assert sorted(path.name for path in out.iterdir()) == ["1.png", "2.png", "9.png"]


def test_a_file_is_replaced_only_if_wanted(apply, folder, tmp_path, capsys):
    table = tmp_path / "codes.csv"
    table.write_text("mine")
    assert apply("encode", images=folder, out=table) == 2
    assert "codes.csv exists; nothing was written" in capsys.readouterr().err and table.read_text() == "mine"
    assert apply("encode", images=folder, out=table, overwrite=True) == 0
    assert table.read_text().startswith("path,s_0")


@pytest.mark.parametrize("place", ["photos", "photos/new", "."])
def test_images_are_not_written_among_the_users_own(place, apply, folder, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    assert apply("reconstruct", images=folder, out=tmp_path / place, overwrite=True) == 2
    assert f"--images={folder} overlap; nothing was written" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("mode", "name", "message"),
    [
        ("reconstruct", "file", "is a file; this mode writes a folder"),
        ("encode", "folder.csv", "is a folder; this mode writes a file"),
        ("reconstruct", "file/deeper", "cannot be written"),
        ("reconstruct", "a" * 300, "cannot be written"),
    ],
)
def test_an_output_of_the_wrong_kind_is_refused(mode, name, message, apply, folder, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    assert apply(mode, images=folder, out=tmp_path / name, overwrite=True) == 2
    error = capsys.readouterr().err
    assert f"--out={tmp_path / name} {message}" in error


def test_a_grid_needs_two_images_and_a_search_another_one(apply, folder, tmp_path, capsys):
    file = folder / "anna/1.png"
    assert apply("grid", images=file, out=tmp_path / "grid.png") == 2
    assert "a grid needs at least two images; got 1." in capsys.readouterr().err
    assert apply("nearest", images=file, out=tmp_path / "out") == 2
    assert "no image other than the query" in capsys.readouterr().err


def test_an_unfinished_run_is_refused(apply, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("dfv.training.checkpoints.last_step", lambda run_dir: 3)
    assert apply("encode", images=folder, out=tmp_path / "codes.csv") == 2
    assert "is not finished: it stopped at step 3" in capsys.readouterr().err
