"""Worker processes on this machine follow one process with the same global batch."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import dfv
from tests.training.runs import SMALLEST, TINY, as_arguments, wait_for

STEPS = TINY | {"generator_optimizer": "sgd", "adversary_optimizer": "sgd", "generator_learning_rate": 0.01}
STEPS |= {"adversary_learning_rate": 0.01, "mean_kernel_weight": 0.1, "adversary_max_accuracy": 0.9}
ENDLESS = SMALLEST | {"num_steps": 100_000, "checkpoint_steps": 5, "checkpoint_minutes": 0}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(run_dir: Path, log: Path, flags: dict, cluster: dict | None = None) -> subprocess.Popen:
    environment = os.environ | ({"TF_CONFIG": json.dumps(cluster)} if cluster else {})
    command = [sys.executable, "-m", "dfv.main", *as_arguments(flags, run_dir)]
    with log.open("w") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)


def start_worker(index: int, workers: list[str], folder: Path, flags: dict) -> subprocess.Popen:
    cluster = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
    together = flags | {"strategy": "multi_worker"}
    return start(folder / "together", folder / f"worker{index}.log", together, cluster)


def start_workers(number: int, folder: Path, flags: dict) -> list[subprocess.Popen]:
    workers = [f"127.0.0.1:{free_port()}" for _ in range(number)]
    return [start_worker(index, workers, folder, flags) for index in range(number)]


def two_in_training(folder: Path) -> list[subprocess.Popen]:
    processes = start_workers(2, folder, ENDLESS)
    wait_for(folder / "together" / "checkpoints" / "ckpt-5.index")
    return processes


# In 20 steps a rounding error may cross a ReLU's kink: one process whose weights begin 1e-7 off ends up to 8e-4 off,
# in one of eight tries, and 6e-7 off in the others. The weights themselves move by up to 0.04.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "steps", "tolerance"),
    [(2, 5, 2e-5), (2, 20, 2e-3), (4, 20, 2e-3)],
)
def test_workers_give_the_weights_of_one_process(number, steps, tolerance, tmp_path):
    flags = STEPS | {"num_steps": steps, "batch_size": 8}
    alone = start(tmp_path / "alone", tmp_path / "alone.log", flags)
    processes = start_workers(number, tmp_path, flags)
    for process in (alone, *processes):
        process.wait(600)
    logs = {path.name: path.read_text()[-2000:] for path in tmp_path.glob("*.log")}
    assert all(process.returncode == 0 for process in (alone, *processes)), logs
    pairs = zip(dfv.load(tmp_path / "alone").weights, dfv.load(tmp_path / "together").weights, strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(other.numpy(), one.numpy(), atol=tolerance, err_msg=one.path)


def test_a_killed_worker_stops_the_other_and_all_continue_together(tmp_path):
    processes = two_in_training(tmp_path)
    processes[1].kill()
    processes[1].wait()
    assert processes[0].wait(600) == 2
    said = (tmp_path / "worker0.log").read_text()
    assert "another worker stopped answering after step" in said and "Start all workers again" in said
    assert "Traceback" not in said
    saved = int(tf.train.latest_checkpoint(tmp_path / "together" / "checkpoints").rsplit("-", 1)[1])
    processes = start_workers(2, tmp_path, ENDLESS | {"num_steps": saved + 2})
    for process in processes:
        process.wait(600)
    assert f"at step {saved}" in (tmp_path / "worker0.log").read_text()
    assert tf.train.latest_checkpoint(tmp_path / "together" / "checkpoints").endswith(f"-{saved + 2}")


@pytest.mark.slow
def test_a_worker_asked_to_stop_claims_no_checkpoint_of_its_own(tmp_path):
    processes = two_in_training(tmp_path)
    processes[1].terminate()
    assert processes[1].wait(600) == 128 + signal.SIGTERM
    assert processes[0].wait(600) == 2
    said = (tmp_path / "worker1.log").read_text()
    assert "not saved: the first worker keeps" in said and "start all workers again" in said and "Traceback" not in said
