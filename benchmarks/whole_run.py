"""What a run takes beside the paper's step: its start, its memory, the loop around the step, the independence terms.

    python -m benchmarks.whole_run --flagfile=configs/mnist.flags

Takes any run file, and more flags after it; needs its data set.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks import benchmark, timing
from dfv import data
from dfv.config.command_line import CONFIG_GROUPS, Arguments
from dfv.config.schema import Config
from dfv.model.disentangler import Disentangler
from dfv.training.callbacks.metrics_csv import METRICS_FILE
from dfv.training.trainer import Trainer

STARTS, STEPS_FOR_MEMORY, ROUNDS = 3, 300, 5
INDEPENDENCE_WEIGHTS = ("identity_mmd_weight", "mean_kernel_weight", "latent_adversary_weight")
STEP, PAPERS, LOOP = "the step, one batch again and again", "the same without the independence terms", "in the loop"
VALIDATION, CHECKPOINT = "losses on validation images", "a checkpoint"


def start(arguments: list[str], folder: Path) -> list[float]:
    """Seconds from the program's start to the end of its first step, a few times."""
    return [_first_row(arguments, folder / str(number)) for number in range(STARTS)]


def _first_row(arguments: list[str], run_dir: Path) -> float:
    began = time.monotonic()
    # Two steps, since the last one's row waits for the losses on validation images.
    process = _program([*arguments, "--num_steps=2", "--log_steps=1", "--flow_steps=1"], run_dir)
    table = run_dir / METRICS_FILE
    while process.poll() is None and not (table.exists() and table.read_text().count("\n") > 1):
        time.sleep(0.02)
    seconds = time.monotonic() - began
    _finish(process)
    return seconds


def peak_memory(arguments: list[str], run_dir: Path) -> float:
    """MiB at most, of a run of some steps with validation, checkpoint, pictures and, where there is one, the flow."""
    process = _program([*arguments, f"--num_steps={STEPS_FOR_MEMORY}", "--flow_steps=250"], run_dir)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    _finish(process)
    return usage.ru_maxrss / 1024


def _program(arguments: list[str], run_dir: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "dfv.main", *arguments, f"--run_dir={run_dir}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _finish(process: subprocess.Popen) -> None:
    if process.wait():
        raise RuntimeError(f"the run ended with {process.returncode}: {' '.join(map(str, process.args))}")


def steps(config: Config, folder: Path) -> str:
    """A table of the step alone, in its loop, without the independence terms, and of what the loop does between."""
    splits, training = data.load(config.data), config.training
    models = {STEP: config, PAPERS: config.replace(**dict.fromkeys(INDEPENDENCE_WEIGHTS, 0.0))}
    loops = {name: _loop(one, splits, folder / name.split()[-1]) for name, one in models.items()}
    loop = loops[STEP]
    batches = iter(loop.source.batches("train", 0))
    batch = next(batches)
    loop.callbacks.on_epoch_begin(0)

    def turns() -> None:
        for number in range(training.log_steps):
            loop.one_step(number, batches)

    def plain(name: str) -> None:
        for _ in range(training.log_steps):
            loops[name].train_step(batch)

    calls = {STEP: lambda: plain(STEP), LOOP: turns, PAPERS: lambda: plain(PAPERS)}
    now_and_then = {VALIDATION: loop.validation.errors, CHECKPOINT: loop.checkpointing.save}
    timings = timing.interleaved(calls, ROUNDS, 1) | timing.interleaved(now_and_then, ROUNDS, 1)
    per_step = {LOOP: training.log_steps, STEP: training.log_steps, PAPERS: training.log_steps}
    per_step |= {VALIDATION: training.validation_steps, CHECKPOINT: training.checkpoint_steps}
    rows = []
    for name, seconds in timings.items():
        walls = [1e3 * one.wall / per_step[name] for one in seconds]
        shares = [100 * ratio for ratio in timing.ratios(seconds, timings[STEP])]
        shares = [share * training.log_steps / per_step[name] for share in shares]
        rows.append([name, f"{np.median(walls):.2f}", f"{np.median(shares):.1f} %", timing.spread(shares)])
    return timing.table(["spread over the steps between", "ms a step", "of the step", "middle half"], rows)


def _loop(config: Config, splits: data.Splits, run_dir: Path) -> Trainer:
    model = Disentangler(config, splits.train.image_shape, splits.label_sizes)
    model.compile()
    never = config.replace(validation_steps=10**9, checkpoint_steps=10**9, checkpoint_minutes=0.0, num_steps=10**9)
    run_dir.mkdir(parents=True)
    return Trainer(model, never, splits, run_dir, tf.distribute.get_strategy())


def run(given: Arguments) -> None:
    """Prints the measurements."""
    config, arguments = given.config, sys.argv[1:]
    print(timing.circumstances(["tensorflow", "keras"]))
    print(f"{config.data.dataset}, {config.training.batch_size} triplets a step\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        seconds = start(arguments, Path(folder))
        print(f"start to the first step's end: {np.median(seconds):.1f} s ({timing.spread(seconds)})")
        print(f"peak memory: {peak_memory(arguments, Path(folder, 'memory')):,.0f} MiB\n", flush=True)
        print(steps(config, Path(folder)))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.whole_run", __doc__, run, CONFIG_GROUPS))
