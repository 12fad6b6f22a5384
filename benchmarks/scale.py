"""What grows with the number of images, and with that of identities: memory, start, and the training step.

    python -m benchmarks.scale

Writes 2 GB of records into a temporary folder (TMPDIR), removes them, and holds 2 GB of images in memory. What is read
from disk has been written just before, so where memory allows it comes from the operating system's cache.
"""

import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks import benchmark, memory, timing
from benchmarks.triplets import BATCH_SIZE, NUM_BATCHES, rate, stored_set
from dfv.config.command_line import Arguments
from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets
from dfv.model.disentangler import Disentangler

SIZES = (20_000, 200_000, 2_000_000)
IMAGES_PER_IDENTITY, IMAGE_SIZE = 10, 32
RECIPE = {"s_dim": 16, "z_dim": 16, "widths": (24, 48, 96), "adversary_widths": (24, 48, 96), "reconstruct_all": True}
RECIPE |= {"identity_mmd_weight": 1.0, "latent_adversary_weight": 0.01, "shared_variance": True}
PAIRS = {"adversary_labels": "pair", "latent_adversary_labels": "pair"}
IDENTITIES = {"tables and classifiers": (10, 1_000, 10_000), "pairs": (10, 1_000, 10_000, 200_000)}
ROUNDS, CALLS = 7, 10
IN_MEMORY_MB = 4_000


def records(folder: str) -> str:
    """A table of what a set of records takes to start and to hold, and how fast triplets come from it."""
    rows = []
    for num_images in SIZES:
        num_identities = num_images // IMAGES_PER_IDENTITY
        began = time.perf_counter()
        stored_set(num_images, IMAGE_SIZE, num_identities, 0, folder)
        writing = time.perf_counter() - began
        memory.reset_peak()
        before, began = memory.resident_mib(), time.perf_counter()
        image_set = stored_set(num_images, IMAGE_SIZE, num_identities, 0, folder)
        batches = iter(triplets(image_set, batch_size=BATCH_SIZE, seed=0))
        next(batches)
        start = time.perf_counter() - began
        speed, _ = rate(batches, NUM_BATCHES)
        peak, steady = memory.peak_mib() - before, memory.resident_mib() - before
        cells = [f"{num_images:,}", f"{writing:.1f}", f"{start:.2f}", f"{steady:.1f}"]
        rows.append([*cells, f"{steady * 2**20 / num_images:.1f}", f"{peak:.1f}", f"{speed:,.0f}"])
        del batches, image_set
    header = ["images of 32x32 in records", "writing, s", "start, s", "memory, MiB", "per image, bytes", "peak, MiB"]
    return timing.table([*header, "triplets/s"], rows)


def training(folder: str) -> str:
    """A table of steps a second on records beside those on the same number of images in memory."""
    rows = []
    for num_images in SIZES:
        num_identities = num_images // IMAGES_PER_IDENTITY
        model = _model(PAIRS, num_identities)
        step = tf.function(model.train_step)
        calls = {}
        for place, limit_mb in (("memory", IN_MEMORY_MB), ("records", 0)):
            image_set = stored_set(num_images, IMAGE_SIZE, num_identities, limit_mb, folder)
            calls[place] = _step_on(step, image_set)
        timings = timing.interleaved(calls, ROUNDS, CALLS)
        in_memory, on_disk = (1 / timing.median(timings[place]).wall for place in calls)
        ratios = timing.ratios(timings["memory"], timings["records"])
        cells = [f"{in_memory:.2f}", f"{on_disk:.2f}", f"{np.median(ratios):.3f}", timing.spread(ratios, 3)]
        rows.append([f"{num_images:,}", *cells])
        del calls, image_set
    header = ["images of 32x32", "steps/s from memory", "steps/s from records", "ratio, median", "middle half"]
    return timing.table(header, rows)


def identities() -> str:
    """A table of the step's time by the number of identities, with labels in tables and with pairs."""
    calls = {}
    for name, numbers in IDENTITIES.items():
        for number in numbers:
            images = np.random.default_rng(0).integers(0, 256, (2 * number, IMAGE_SIZE, IMAGE_SIZE, 1), np.uint8)
            image_set = ImageSet(images, np.repeat(np.arange(number, dtype=np.int32), 2))
            model = _model(PAIRS if name == "pairs" else {}, number)
            numbers_held = memory.num_weights(model.trainable_variables)
            calls[name, f"{number:,}", f"{numbers_held:,}"] = _step_on(tf.function(model.train_step), image_set)
    rows = []
    for name, seconds in timing.interleaved(calls, ROUNDS, CALLS // 2).items():
        walls = [1e3 * one.wall for one in seconds]
        rows.append([*name, f"{np.median(walls):,.0f}", timing.spread(walls)])
    return timing.table(["identities as", "number", "trained weights", "step, ms", "middle half"], rows)


def _model(flags: dict, num_identities: int) -> Disentangler:
    config = Config.of(**RECIPE, **flags, batch_size=BATCH_SIZE)
    model = Disentangler(config, (IMAGE_SIZE, IMAGE_SIZE, 1), (num_identities,))
    model.compile()
    return model


def _step_on(step: Callable, image_set: ImageSet) -> Callable[[], object]:
    batches = iter(triplets(image_set, batch_size=BATCH_SIZE, seed=0))
    return lambda: step(next(batches))


def run(arguments: Arguments) -> None:
    """Prints the three tables."""
    print(timing.circumstances(["tensorflow", "keras"]) + "\n")
    with tempfile.TemporaryDirectory() as temporary:
        print(records(temporary) + "\n", flush=True)
        print(training(temporary) + "\n", flush=True)
    print(identities())


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.scale", __doc__, run))
