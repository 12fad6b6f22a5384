"""How fast triplets come from memory and from records on disk.

    python -m benchmarks.triplets

Writes 50 MB of records into a temporary folder (TMPDIR) and removes them. What is read from disk has been written just
before, so it mostly comes from the operating system's cache.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from benchmarks import benchmark
from dfv.config.command_line import Arguments
from dfv.config.schema import DataConfig
from dfv.data.cache import store
from dfv.data.dataset import ImageSet
from dfv.data.pipeline import triplets

BATCH_SIZE = 64
NUM_BATCHES, NUM_ROUNDS = 500, 5


def noise(num_images: int, size: int) -> Iterator[np.ndarray]:
    generator = np.random.default_rng(0)
    for start in range(0, num_images, 1000):
        yield from generator.integers(0, 256, (min(1000, num_images - start), size, size, 1), np.uint8)


def stored_set(num_images: int, size: int, num_identities: int, memory_limit_mb: int, folder: str) -> ImageSet:
    config = DataConfig(memory_limit_mb=memory_limit_mb, cache_dir=folder)
    images = store(noise(num_images, size), num_images, (size, size, 1), config, "noise")
    return ImageSet(images, np.arange(num_images, dtype=np.int32) % num_identities)


def rate(batches: Iterator, num_batches: int) -> tuple[float, float]:
    """(triplets a second, microseconds of all cores' time a triplet)."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(num_batches):
        next(batches)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return num_batches * BATCH_SIZE / wall, cpu / (num_batches * BATCH_SIZE) * 1e6


def measure_speed(folder: str) -> None:
    """60,000 images of 28x28, 10 identities; medians of interleaved rounds."""
    augmented = {"augment_shift": 2, "augment_flip": True}
    in_memory = stored_set(60_000, 28, 10, 1000, folder)
    on_disk = stored_set(60_000, 28, 10, 0, folder)
    cases = {
        "memory": (in_memory, {}),
        "memory, shift and flip": (in_memory, augmented),
        "records": (on_disk, {}),
        "records, shift and flip": (on_disk, augmented),
    }
    pipelines = {
        name: iter(triplets(image_set, batch_size=BATCH_SIZE, seed=0, **options))
        for name, (image_set, options) in cases.items()
    }
    for pipeline in pipelines.values():
        rate(pipeline, 20)
    rounds = [{name: rate(pipeline, NUM_BATCHES) for name, pipeline in pipelines.items()} for _ in range(NUM_ROUNDS)]
    print("| 60,000 images of 28x28 from | triplets/s (lowest to highest) | CPU, us a triplet |\n|---|---|---|")
    for name in pipelines:
        speeds, cpu = zip(*(one[name] for one in rounds), strict=True)
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        print(f"| {name} | {statistics.median(speeds):,.0f} ({spread}) | {statistics.median(cpu):.1f} |")


def run(arguments: Arguments) -> None:
    """Prints the rates."""
    with tempfile.TemporaryDirectory() as temporary:
        measure_speed(temporary)


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.triplets", __doc__, run))
