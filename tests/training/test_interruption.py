"""Runs that are killed, or asked to stop, go on as if nothing had happened."""

import os
import shutil
import signal
import time

import numpy as np
import pytest

from dfv.training.checkpoints import last_step
from tests.training.runs import DETERMINISTIC, SMALLEST, TINY, start, wait_for, weights_of


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path):
    """What a stopped process has written so far is what a killed one leaves; it then goes on to the end itself."""
    flags = TINY | DETERMINISTIC | {"num_steps": 20, "checkpoint_steps": 5, "validation_steps": 10}
    process = start(flags, tmp_path / "whole")
    wait_for(tmp_path / "whole" / "checkpoints" / "checkpoint")  # written last, and names the newest
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    shutil.copytree(tmp_path / "whole", tmp_path / "broken")
    written = last_step(tmp_path / "broken")
    assert written in (5, 10, 15)
    process.send_signal(signal.SIGCONT)
    assert process.wait(600) == 0
    resumed = start(flags, tmp_path / "broken")
    said, _ = resumed.communicate(timeout=600)
    assert resumed.returncode == 0 and f"at step {written}" in said
    pairs = zip(weights_of(tmp_path / "whole"), weights_of(tmp_path / "broken"), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_stop_request_saves_and_says_so(tmp_path, number):
    process = start(SMALLEST | {"num_steps": 100_000, "checkpoint_steps": 100_000, "log_steps": 1}, tmp_path / "run")
    metrics = tmp_path / "run" / "metrics.csv"
    wait_for(metrics)
    while len(metrics.read_text().splitlines()) < 3:
        time.sleep(0.02)
    process.send_signal(number)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 128 + number
    assert "stopped at step" in output and "Traceback" not in output
    assert list((tmp_path / "run" / "checkpoints").glob("ckpt-*.index"))
    assert os.path.exists(tmp_path / "run" / "model.keras")
