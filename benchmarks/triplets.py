"""How fast triplets come from memory and from records on disk, and what memory they take.

    python -m benchmarks.triplets

Writes up to 2 GB of records into a temporary folder (TMPDIR) and removes them. What is read from disk has been
written just before, so it mostly comes from the operating system's cache.
"""

import ctypes
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Iterator

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from dfv.config import DataConfig  # noqa: E402
from dfv.data.image_set import ImageSet  # noqa: E402
from dfv.data.records import store  # noqa: E402
from dfv.data.triplets import triplets  # noqa: E402

BATCH_SIZE = 64
NUM_BATCHES, NUM_ROUNDS = 500, 5
SIZES = (20_000, 200_000, 2_000_000)
IMAGES_PER_IDENTITY = 10


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


def resident_mib() -> float:
    """What is in use: the memory that the C library holds for later is given back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def reset_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_mib() -> float:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


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


def measure_scale(folder: str) -> None:
    """Images of 32x32 on disk, 10 of each identity: what grows with their number."""
    columns = ("images of 32x32 in records", "writing, s", "start, s", "memory, MiB", "per image, bytes", "peak, MiB")
    print("\n|", " | ".join((*columns, "triplets/s")), "|\n" + "|---" * 7 + "|")
    for num_images in SIZES:
        num_identities = num_images // IMAGES_PER_IDENTITY
        began = time.perf_counter()
        stored_set(num_images, 32, num_identities, 0, folder)
        writing = time.perf_counter() - began
        reset_peak()
        before, began = resident_mib(), time.perf_counter()
        image_set = stored_set(num_images, 32, num_identities, 0, folder)
        batches = iter(triplets(image_set, batch_size=BATCH_SIZE, seed=0))
        next(batches)
        start = time.perf_counter() - began
        speed, _ = rate(batches, NUM_BATCHES)
        peak, steady = peak_mib() - before, resident_mib() - before
        per_image = steady * 2**20 / num_images
        figures = f"{writing:.1f} | {start:.2f} | {steady:.1f} | {per_image:.1f} | {peak:.1f} | {speed:,.0f}"
        print(f"| {num_images:,} | {figures} |")
        del batches, image_set


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        measure_speed(temporary)
        measure_scale(temporary)
