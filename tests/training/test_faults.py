"""What stops a run from outside: a message that says what to do, and nothing that was saved is lost."""

import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import dfv
from dfv.evaluation.results import Results
from dfv.main import main
from export.serving.config_files import versions
from tests.training.runs import DETERMINISTIC, SMALLEST, TINY, as_arguments, start, weights_of

KILLS = int(os.environ.get("DFV_KILLS", "5"))
LONG = SMALLEST | {"num_steps": 12, "checkpoint_steps": 3}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run with checkpoints of its steps 3 and 6."""
    run_dir = tmp_path_factory.mktemp("trained") / "run"
    assert main(as_arguments(LONG | {"num_steps": 6}, run_dir)) == 0
    return run_dir


@pytest.fixture
def half_done(trained, tmp_path) -> Path:
    """A copy to break."""
    return shutil.copytree(trained, tmp_path / "run")


def trained_with_files_of_at_most(num_bytes: int, run_dir: Path) -> subprocess.CompletedProcess:
    """Continues the run in a process whose files cannot grow further, as on a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))

    command = [sys.executable, "-m", "dfv.main", *as_arguments(LONG, run_dir)]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=600)


def test_a_disk_that_fills_up_leaves_the_last_checkpoint_and_says_so(half_done):
    finished = trained_with_files_of_at_most(20_000, half_done)
    assert finished.returncode == 2
    assert "cannot be written" in finished.stderr and "then run the same command again" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert dfv.load(half_done).encode(np.zeros((1, 16, 16, 3), np.uint8)).s.shape == (1, 4)
    assert main(as_arguments(LONG, half_done)) == 0
    assert tf.train.latest_checkpoint(half_done / "checkpoints").endswith("-12")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system of its own")
def test_a_run_folder_on_a_file_system_that_turned_read_only(half_done):
    mounted = subprocess.run(["mount", "--bind", half_done, half_done], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr!r}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", half_done], check=True)
        process = start(LONG, half_done)
        said, _ = process.communicate(timeout=600)
    finally:
        subprocess.run(["umount", half_done], check=True)
    assert process.returncode == 2 and "cannot be written (Read-only file system)" in said and "Traceback" not in said


def test_a_truncated_checkpoint_gives_way_to_the_one_before(half_done, caplog):
    newest = half_done / "checkpoints" / "ckpt-6.data-00000-of-00001"
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    assert main(as_arguments(LONG, half_done)) == 0
    assert "ckpt-6 is damaged" in caplog.text and "at step 3" in caplog.text


def moments(seconds: float) -> np.ndarray:
    """When to kill: KILLS times from 1 to `seconds` seconds, the same at every call."""
    return np.random.default_rng(0).uniform(1, seconds, KILLS)


def killed(process: subprocess.Popen, seconds: float) -> None:
    """Kills it after so many seconds, unless it has ended by then; it has not ended in a traceback."""
    time.sleep(seconds)
    process.kill()
    said, _ = process.communicate()
    assert "Traceback" not in said, said


@pytest.mark.slow
def test_kills_at_random_moments_end_with_the_weights_of_an_uninterrupted_run(tmp_path):
    """Each restart continues, whatever was being written."""
    flags = TINY | DETERMINISTIC | {"num_steps": 60 * KILLS, "checkpoint_steps": 7, "validation_steps": 20}
    assert start(flags, tmp_path / "whole").wait(600) == 0
    for seconds in moments(12):
        killed(start(flags, tmp_path / "broken"), seconds)
    assert start(flags, tmp_path / "broken").wait(600) == 0
    pairs = zip(weights_of(tmp_path / "whole"), weights_of(tmp_path / "broken"), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_kills_of_an_evaluation_leave_a_run_that_evaluates_as_before(half_done):
    evaluated = functools.partial(start, LONG | {"num_steps": 6}, half_done, "--mode=evaluate", "--probe_seeds=1")
    began = time.monotonic()
    assert evaluated().wait(600) == 0
    needed, whole = time.monotonic() - began, Results.read(half_done / "results.json")
    for seconds in moments(needed):
        killed(evaluated(), seconds)
        assert Results.read(half_done / "results.json").run.command == whole.run.command
    assert evaluated().wait(600) == 0
    assert Results.read(half_done / "results.json").reconstruction == whole.reconstruction


@pytest.mark.slow
def test_kills_of_an_export_leave_whole_versions_alone(half_done, tmp_path):
    place = tmp_path / "models" / "tiny"

    def export() -> subprocess.Popen:
        command = [sys.executable, "-m", "export", f"--run_dir={half_done}", f"--export_dir={place}"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    began = time.monotonic()
    assert export().wait(600) == 0
    for seconds in moments(time.monotonic() - began):
        killed(export(), seconds)
        for version in versions(place):
            assert set(tf.saved_model.load(str(place / str(version))).signatures) >= {"encode", "swap", "sample"}
    before = len(versions(place))
    assert export().wait(600) == 0
    assert len(versions(place)) == before + 1
