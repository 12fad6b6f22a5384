"""Parameters, file size, memory and time of a training step by image size, with the default number of resolutions.

    python -m benchmarks.image_sizes --s_dim=64 --z_dim=512 --backbone=six_3x3

Takes the options of a run. Images are random, in colour. Each size is measured in a process of its own.
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks import benchmark, memory, timing
from dfv.config.command_line import CONFIG_GROUPS, Arguments
from dfv.config.fields import Checked, option
from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets
from dfv.model.disentangler import Disentangler

NUM_IDENTITIES = 30


@dataclass(frozen=True)
class SizeOptions(Checked):
    """What is measured."""

    sizes: tuple[int, ...] = option((16, 32, 64, 128, 256), "Sides of the square images, in pixels.")
    calls: int = option(7, "Steps that are timed, after one that is not.", at_least=1)


def measure(config: Config, size: int, calls: int) -> list[str]:
    """Returns a row of the table; the peak of memory is that of this process."""
    images = np.random.default_rng(0).integers(0, 256, (2 * NUM_IDENTITIES, size, size, 3), np.uint8)
    image_set = ImageSet(images, np.repeat(np.arange(NUM_IDENTITIES, dtype=np.int32), 2))
    model = Disentangler(config, (size, size, 3), (NUM_IDENTITIES,))
    model.compile()
    batches = iter(triplets(image_set, batch_size=config.training.batch_size, seed=0))
    step = tf.function(model.train_step)
    seconds = timing.interleaved({"step": lambda: step(next(batches))}, 1, calls)["step"]
    parts = (model.encoder, model.decoder, model.adversary)
    in_dense = sum(memory.num_weights(layer.trainable_variables) for part in parts[:2] for layer in _dense_layers(part))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.keras")
        model.save(file)
        megabytes = file.stat().st_size / 1e6
    numbers = [*(memory.num_weights(part.trainable_variables) for part in parts), in_dense]
    millions = [f"{number / 1e6:.2f}" for number in numbers]
    return [
        f"{size}x{size}",
        *millions,
        f"{megabytes:.1f}",
        f"{memory.peak_mib():,.0f}",
        f"{1e3 * seconds[0].wall:,.0f}",
    ]


def _dense_layers(part: keras.Layer) -> list[keras.Layer]:
    return [layer for layer in part._flatten_layers() if any(len(v.shape) == 2 for v in layer._trainable_variables)]


def run(arguments: Arguments) -> None:
    """Prints the table with what it was measured on."""
    options, config = arguments.record(SizeOptions), arguments.config
    print(timing.circumstances(["tensorflow", "keras"]))
    rows = []
    for size in options.sizes:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            rows.append(process.submit(measure, config, size, options.calls).result())
    weights = ["encoder, M weights", "decoder", "adversary", "of encoder and decoder, fully connected"]
    print(timing.table(["images", *weights, "saved with optimizers, MB", "peak memory, MiB", "step, ms"], rows))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.image_sizes", __doc__, run, {"Benchmark": SizeOptions, **CONFIG_GROUPS}))
