"""Two worker processes on this machine follow one process with the same global batch."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

import dfv
from tests.test_training import TINY, as_arguments

STEPS = {"num_steps": 5, "generator_optimizer": "sgd", "adversary_optimizer": "sgd", "generator_learning_rate": 0.01}
STEPS |= {"adversary_learning_rate": 0.01, "kernel_weight": 0.1, "adversary_max_accuracy": 0.9}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(run_dir: Path, log: Path, extra: dict, cluster: dict | None = None) -> subprocess.Popen:
    environment = os.environ | ({"TF_CONFIG": json.dumps(cluster)} if cluster else {})
    command = [sys.executable, "-m", "dfv.main", *as_arguments(TINY | STEPS | extra, run_dir)]
    with log.open("w") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)


def test_two_workers_give_the_weights_of_one_process(tmp_path):
    alone = start(tmp_path / "alone", tmp_path / "alone.log", {})
    workers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    processes = [
        start(
            tmp_path / "together",
            tmp_path / f"worker{index}.log",
            {"strategy": "multi_worker"},
            {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    for process in (alone, *processes):
        process.wait(240)
    logs = {path.name: path.read_text()[-2000:] for path in tmp_path.glob("*.log")}
    assert all(process.returncode == 0 for process in (alone, *processes)), logs
    pairs = zip(dfv.load(tmp_path / "alone").weights, dfv.load(tmp_path / "together").weights, strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(other.numpy(), one.numpy(), atol=2e-5, err_msg=one.path)
