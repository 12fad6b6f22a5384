"""The program's words: help, and one clear message for every mistake before anything is loaded."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

import dfv
from dfv.config.schema import Config, option_fields
from dfv.main import main, parse_config
from dfv.program import Program
from dfv.training.run_flags import read_flags, write_flags


def run_program(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "dfv.main", *arguments], capture_output=True, text=True, timeout=600)


def test_help_is_quick_and_lists_every_flag(processor_seconds_of_children):
    run_program("--help")  # byte-compiles
    before = processor_seconds_of_children()
    answer = run_program("--help")
    assert processor_seconds_of_children() - before < 1.0
    assert answer.returncode == 0
    assert all(f"--{field.name}=" in answer.stdout for _, field in option_fields())
    assert "train_and_evaluate" in answer.stdout


def test_a_mistake_is_told_without_loading_tensorflow():
    script = "import sys; from dfv.main import main; print(main(['--s_dim=0']), 'tensorflow' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.stdout.split() == ["2", "False"]
    assert answer.stderr.strip() == "dfv: --s_dim expects at least 1; got 0."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--no_such_flag=1"], "no_such_flag"),
        (["--s_dim=many"], "s_dim"),
        (["--widths=8,x,8"], "--widths expects whole numbers"),
        (["--kl_weight=nan"], "--kl_weight"),
        (["--kl_weight=-1"], "at least 0"),
        (["--mode=test"], "mode"),
        (["--dataset=cifar"], "one of toy_sprites"),
        (["--dataset=image_folder"], "--image_dir"),
        (["--jit_compile", "--strategy=mirrored"], "--strategy=one_device"),
        (["--flagfile=nowhere.flags"], "nowhere.flags"),
        (["train"], "expected only flags"),
        (["--mode=evaluate", "--run_dir=nowhere"], "neither a run folder nor a shipped model"),
        (["--mode=evaluate", f"--run_dir={'x' * 300}"], "neither a run folder nor a shipped model"),
        ([f"--flagfile={'x' * 300}"], "is not a file"),
        (["--flagfile=~nosuchuser/x.flags"], "--flagfile=~nosuchuser/x.flags: expected a home"),
        (["--run_dir=~nosuchuser/x"], "--run_dir=~nosuchuser/x: expected a home"),
        (["--flagfile=mnist.flags", "--image_dir=x"], "needs --dataset=image_folder; got --dataset=mnist"),
        (["--dataset=toy_sprites", "--image_list=x.csv"], "needs --dataset=image_folder; got --dataset=toy_sprites"),
        (["--mode=train_and_evaluate", "--strategy=multi_worker"], "--mode=train, then --mode=evaluate"),
    ],
)
def test_a_mistake_ends_in_one_message(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and error.startswith("dfv: ") and "\n" not in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["train", "evaluate", "train_and_evaluate"])
def test_a_mode_does_what_its_name_says(monkeypatch, tmp_path, mode):
    done = []
    for action in ("train", "evaluate"):
        monkeypatch.setattr(f"dfv.main.{action}_run", lambda run_dir, *_, action=action: done.append((action, run_dir)))
    assert main([f"--mode={mode}", f"--run_dir={tmp_path}/run"]) == 0
    assert done == [(action, tmp_path / "run") for action in mode.split("_and_")]


def test_the_flags_of_a_run_read_back_as_the_same_config(tmp_path):
    config = Config.of(
        dataset="mnist",
        widths=(3, 4, 5, 6),
        adversary_widths=(),
        kl_weight=0.1 + 0.2,
        reconstruct_all=True,
        data_dir="/a b/ü",
    )
    write_flags(tmp_path, config)
    assert read_flags(tmp_path) == config
    assert parse_config([f"--flagfile={tmp_path}/config.flags"]) == config


@pytest.mark.parametrize(
    ("arguments", "asked", "folder"),
    [
        ([], ("test", 3, False), "run"),
        (
            ["--evaluate_split=validation", "--probe_seeds=1", "--stronger_probes"],
            ("validation", 1, True),
            "run/validation",
        ),
    ],
)
def test_the_split_the_seeds_and_the_probes_of_an_evaluation_are_flags(
    monkeypatch, tmp_path, caplog, arguments, asked, folder
):
    caplog.set_level("INFO", "dfv")
    (tmp_path / "run").mkdir()
    evaluated = []
    _model_of(monkeypatch, (16, 16, 3))
    monkeypatch.setattr(
        "dfv.evaluation.evaluate",
        lambda model, splits, config, out_dir, seeds, split, stronger_probes, **_: evaluated.append(
            (split, seeds, stronger_probes, out_dir)
        ),
    )
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}/run", *arguments]) == 0
    assert evaluated == [(*asked, tmp_path / folder)] and (tmp_path / folder).is_dir()
    assert str(tmp_path / folder / "report.html") in caplog.text


def test_images_of_another_shape_than_the_models_are_refused(monkeypatch, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    _model_of(monkeypatch, (16, 16, 1))
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}/run"]) == 2
    assert "the model and the data have 16x16x1 and 16x16x3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("step", "fitted_at", "message"), [(3, 3, "stopped at step 3 of 10000"), (10_000, 9_000, "not finished")]
)
def test_an_unfinished_run_is_not_evaluated(monkeypatch, tmp_path, capsys, step, fitted_at, message):
    _model_of(monkeypatch, (16, 16, 3), fitted_at)
    monkeypatch.setattr("dfv.training.checkpoints.last_step", lambda run_dir: step)
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}"]) == 2
    assert message in capsys.readouterr().err


def test_the_steps_of_an_evaluated_run_are_those_it_was_trained_for(monkeypatch, tmp_path):
    evaluated = []
    _model_of(monkeypatch, (16, 16, 3))
    monkeypatch.setattr("dfv.evaluation.evaluate", lambda model, splits, config, *_, **__: evaluated.append(config))
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}", "--num_steps=77", "--data_dir=there"]) == 0
    assert evaluated[0].training.num_steps == 10_000 and evaluated[0].data.data_dir == str(Path("there").absolute())


def test_flags_of_an_evaluation_may_repeat_some_of_the_runs(monkeypatch, tmp_path, capsys):
    """--pca_dim needs --shared_variance, which the run has."""
    evaluated = []
    _model_of(monkeypatch, (16, 16, 3), shared_variance=True, pca_dim=8)
    monkeypatch.setattr("dfv.evaluation.evaluate", lambda model, splits, config, *_, **__: evaluated.append(config))
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}", "--pca_dim=8"]) == 0
    assert evaluated[0].latent.pca_dim == 8 and evaluated[0].network.shared_variance
    assert main(["--mode=evaluate", f"--run_dir={tmp_path}", "--pca_dim=9"]) == 2
    assert "was trained with other flags: --pca_dim was 8." in capsys.readouterr().err


def _model_of(monkeypatch, image_shape, fitted_at=-1, **flags):
    model = SimpleNamespace(
        config=Config.of(toy_characters=20, image_size=16, **flags),
        image_shape=image_shape,
        latent=SimpleNamespace(is_fitted=lambda step: step == fitted_at),
    )
    monkeypatch.setattr("dfv.main.find_model", lambda run_dir: run_dir)
    monkeypatch.setattr("dfv.main.load", lambda run_dir: model)


@pytest.mark.parametrize("module", ["dfv", "dfv.main", "export", "export.demo"])
def test_every_program_shows_its_help_and_version(module):
    command = [sys.executable, "-m", module]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "") and "--flagfile=FILE" in shown.stdout
    version = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert (version.returncode, version.stdout) == (0, f"dfv {dfv.__version__}\n")


def test_a_terminated_program_removes_its_temporary_files(capsys):
    before, folders = signal.getsignal(signal.SIGTERM), []

    def run(arguments):
        with tempfile.TemporaryDirectory() as folder:
            folders.append(Path(folder))
            signal.raise_signal(signal.SIGTERM)
            pytest.fail("went on")

    program = Program(module="dfv.main", name="name", description="", groups={}, run=run, stopped="stopped early.")
    assert program.main([]) == 128 + signal.SIGTERM
    assert not folders[0].exists() and capsys.readouterr().err == "name: stopped early.\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_ends_early_gets_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    answer = subprocess.run([sys.executable, "-m", "dfv", "--help"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert answer.stderr == b"" and answer.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("run_dir", "runs/a\nb"),
        ("run_dir", "runs/\udcff"),
        ("run_dir", ""),
        ("image_dir", "my images "),
        ("data_dir", "a\u2028b"),
        ("cache_dir", "\udcff"),
    ],
)
def test_a_path_that_config_flags_could_not_repeat_is_refused(flag, value, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([f"--{flag}={value}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"dfv: --{flag} ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_paths_of_data_are_absolute_in_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    places = ["--image_dir=sub/../my ü", "--data_dir=gs://bucket/sets", "--manual_dir=~/manual", "--cache_dir="]
    config = parse_config(["--dataset=image_folder", *places])
    assert config.data.image_dir == f"{tmp_path}/sub/../my ü"  # links make .. mean another folder
    assert config.data.data_dir == "gs://bucket/sets" and config.data.cache_dir == ""
    assert config.data.manual_dir == f"{tmp_path}/home/manual"
    write_flags(tmp_path, config)
    monkeypatch.chdir("/")
    assert parse_config([f"--flagfile={tmp_path}/config.flags"]) == read_flags(tmp_path) == config


def test_the_first_line_comes_before_tensorflow(monkeypatch, tmp_path):
    script = (
        "import sys\n"
        "from dfv import main\n"
        "def stop():\n"
        "    print('tensorflow' in sys.modules)\n"
        "    raise KeyboardInterrupt\n"
        "main.import_tensorflow = stop\n"
        f"print(main.main(['--run_dir={tmp_path}/run', '--num_steps=7']))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "130"]
    assert f"Training on toy_sprites to step 7, in {tmp_path}/run" in answer.stderr
