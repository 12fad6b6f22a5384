"""The command's words: help, and one clear message for every mistake."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

import export.versions
from dfv.evaluation.results import Results
from dfv.training.model_files import SHIPPED_MODELS, ModelFile
from dfv.training.run_flags import write_flags
from export.__main__ import main


def test_help_is_quick_and_needs_no_tensorflow(processor_seconds_of_children):
    script = "import sys; from export.__main__ import main; main(['--help']); sys.exit('tensorflow' in sys.modules)"
    command = [sys.executable, "-c", script]
    subprocess.run(command, capture_output=True)  # byte-compiles
    before = processor_seconds_of_children()
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0 and processor_seconds_of_children() - before < 1
    assert all(flag in finished.stdout for flag in ("--run_dir", "--export_dir", "--version", "--float_images"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--run_dir is missing"),
        (["--run_dir=quickstart"], "--export_dir is missing"),
        (["--run_dir=nowhere", "--export_dir=m/x"], "nowhere is neither a run folder nor a shipped model"),
        (["--run_dir=.", "--export_dir=m/x"], "has no model.keras yet"),
        (["--run_dir=quickstart", f"--export_dir=m/{'a' * 201}"], "up to 200 letters, digits"),
        (["--version=0", "--run_dir=a", "--export_dir=b"], "version"),
        (["--version=one", "--run_dir=a", "--export_dir=b"], "version"),
        (["--mode=train"], "mode"),
        (["run"], "expected only flags"),
    ],
)
def test_a_mistake_ends_in_one_message(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and error.startswith("export: ")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def run_dir(model, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    write_flags(folder, model.config)
    ModelFile(model, folder).save()
    return folder


def test_a_run_is_exported(model, run_dir, tmp_path, capsys, monkeypatch):
    checked, check = [], export.versions.check
    monkeypatch.setattr(export.versions, "check", lambda *arguments: (check(*arguments), checked.append(arguments)))
    assert main([f"--run_dir={run_dir}", f"--export_dir={tmp_path}/models/faces", "--version=3", "--float_images"]) == 0
    assert f"{tmp_path}/models/faces/3" in capsys.readouterr().out
    assert checked[0][2] is True and (tmp_path / "models/faces/3/saved_model.pb").exists()


def test_an_unfinished_run_is_not_exported(run_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("dfv.training.checkpoints.last_step", lambda run_dir: 3)
    assert main([f"--run_dir={run_dir}", f"--export_dir={tmp_path}/models/faces"]) == 2
    assert "is not finished: it stopped at step 3" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("more_steps", [0, 1])
def test_an_evaluation_of_fewer_steps_is_left_out_of_the_card(model, run_dir, tmp_path, monkeypatch, more_steps):
    shipped = Results.read(SHIPPED_MODELS / "quickstart" / "results.json")
    run = replace(shipped.run, num_steps=model.config.training.num_steps - more_steps)
    results = replace(shipped, run=run)
    results.write(run_dir / "results.json")
    carded = []
    monkeypatch.setattr(export.versions, "export_model", lambda *given: carded.append(given[-1]))
    assert main([f"--run_dir={run_dir}", f"--export_dir={tmp_path}/models/faces"]) == 0
    assert [card and card.to_json() for card in carded] == [None if more_steps else results.to_json()]


def test_a_broken_evaluation_is_named(run_dir, tmp_path, capsys):
    (run_dir / "results.json").write_text(json.dumps({})[:1])
    assert main([f"--run_dir={run_dir}", f"--export_dir={tmp_path}/models/faces"]) == 2
    assert "results.json cannot be read" in capsys.readouterr().err
