"""Images a second of dfv's training step and of the same networks and losses in plain PyTorch, in one run.

    python -m benchmarks.train_step --flagfile=configs/mnist_paper.flags

Takes any of the paper's run files, and more flags after it; images are random, so no data set is needed. PyTorch
comes with the extra `benchmark`. Both frameworks use as many threads as there are cores, in turns. On a busy machine
--threads=1 and the column of CPU time say more than the clock.
"""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import torch

from benchmarks import benchmark, memory, step_parts, timing
from benchmarks.noise import random_batch, shapes
from benchmarks.pytorch import networks, reference, weights
from dfv.config.command_line import CONFIG_GROUPS, Arguments
from dfv.config.fields import Checked, option
from dfv.config.schema import Config
from dfv.model.disentangler import Disentangler

DFV, SEPARATE, FUSED = "dfv", "PyTorch, separate passes", "PyTorch, fused"
PLAYERS = ("encoder", "decoder", "adversary")
TOLERANCE = 1e-4


@dataclass(frozen=True)
class TimingOptions(Checked):
    """How the steps are timed."""

    rounds: int = option(15, "Rounds; each times every implementation in turn.", at_least=1)
    calls: int = option(10, "Steps of each implementation in a round.", at_least=1)
    threads: int = option(os.cpu_count() or 1, "Threads of each framework.", at_least=1)
    parts: bool = option(True, "Also time the parts of dfv's step.")


GROUPS = {"Benchmark": TimingOptions, **CONFIG_GROUPS}


def read_options(arguments: Arguments) -> tuple[Config, TimingOptions]:
    """Returns the run's config and the benchmark's own options; raises ConfigError."""
    config = arguments.config
    reference.check_supported(config)
    return config, arguments.record(TimingOptions)


def make_ways(model: Disentangler, batch: dict[str, np.ndarray]) -> dict[str, Callable[[], dict]]:
    """A step in each way, from the same weights; each gives its terms."""
    config, columns = model.config, model.adversary_columns
    step, tensors = tf.function(model.train_step), {name: tf.constant(value) for name, value in batch.items()}
    ways: dict[str, Callable[[], dict]] = {DFV: lambda: step(tensors)}
    torch_batch = reference.Batch.of(batch, columns)
    for name, implementation in ((SEPARATE, reference.SeparatePasses), (FUSED, reference.Fused)):
        plain = implementation(config, model.image_shape, model.label_sizes[columns])
        weights.copy_to_pytorch(weights.all_pairs(model, plain))
        check_sizes(model, plain)
        ways[name] = functools.partial(plain.step_with_fresh_noise, torch_batch)
    return ways


def check_sizes(model: Disentangler, plain: reference.Training) -> None:
    """Raises RuntimeError unless each player has as many parameters in both frameworks."""
    for player in PLAYERS:
        ours = memory.num_weights(getattr(model, player).trainable_variables)
        theirs = networks.num_parameters(getattr(plain, player))
        if ours != theirs:
            raise RuntimeError(f"the {player} has {ours} parameters in TensorFlow but {theirs} in PyTorch.")


def compare(model: Disentangler, batch: dict[str, np.ndarray], rounds: int, calls: int) -> str:
    """A Markdown table of the three ways."""
    timings = timing.interleaved(make_ways(model, batch), rounds, calls)
    images, ours = 3 * model.config.training.batch_size, timing.median(timings[DFV])
    rows = []
    for name, seconds in timings.items():
        theirs, rates = timing.median(seconds), [images / one.wall for one in seconds]
        row = [name, f"{1e3 * theirs.wall:.1f}", f"{np.median(rates):,.0f}", timing.spread(rates)]
        rows.append([*row, f"{theirs.wall / ours.wall:.2f}", f"{1e3 * theirs.cpu:.1f}"])
    header = ["step", "ms, median", "images/s, median", "middle half", "dfv's images/s to these", "CPU ms, all cores"]
    return timing.table(header, rows)


def run(arguments: Arguments) -> None:
    """Prints both tables with what they were measured on."""
    config, values = read_options(arguments)
    tf.config.threading.set_intra_op_parallelism_threads(values.threads)
    tf.config.threading.set_inter_op_parallelism_threads(values.threads)
    torch.set_num_threads(values.threads)
    model = Disentangler(config, *shapes(config))
    model.compile()
    batch = random_batch(config)
    print(timing.circumstances(["tensorflow", "keras", "torch"]))
    print(f"{config.data.dataset}, {shapes(config)[0]}, {config.training.batch_size} triplets a step\n")
    print(compare(model, batch, values.rounds, values.calls), flush=True)
    if values.parts:
        tensors = {name: tf.constant(value) for name, value in batch.items()}
        print("\n" + step_parts.measure(model, tensors, values.rounds, values.calls))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.train_step", __doc__, run, GROUPS))
