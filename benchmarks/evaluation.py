"""How fast images are encoded and nearest neighbours found, and what memory a search takes.

    python -m benchmarks.evaluation

The search is the evaluation's own: exact, by scikit-learn, which goes through the codes in pieces.
"""

import functools
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

from benchmarks import memory, timing  # noqa: E402
from dfv.config import Config  # noqa: E402
from dfv.evaluation.retrieval import nearest  # noqa: E402
from dfv.model.codec import Codec  # noqa: E402

MODELS = {
    "MNIST, three 5x5, 28x28": (Config.of(s_dim=16, z_dim=16), (28, 28, 1)),
    "YaleB, six 3x3, 64x64": (Config.of(backbone="six_3x3"), (64, 64, 1)),
}
IMAGES, ROUNDS = 2_048, 7
SIZES, DIMENSIONS, QUERIES, NEIGHBOURS = (10_000, 100_000, 1_000_000), (64, 512), 1_000, 10
SEARCH_ROUNDS = 3


def encoding() -> str:
    """A table of images a second from uint8 images in memory to NumPy codes, as evaluation encodes them."""
    calls = {}
    for name, (config, shape) in MODELS.items():
        images = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape), np.uint8)
        calls[name] = functools.partial(Codec(config, shape, (10,)).encode, images)
    rows = []
    for name, seconds in timing.interleaved(calls, ROUNDS, calls=1).items():
        rates = [IMAGES / one.wall for one in seconds]
        rows.append([name, f"{np.median(rates):,.0f}", timing.spread(rates)])
    return timing.table(["encoded by", "images/s, median", "middle half"], rows)


def search() -> str:
    """A table of queries a second, each for its ten nearest, and of the memory beside the codes."""
    rows = []
    for dimension in DIMENSIONS:
        for size in SIZES:
            random = np.random.default_rng(0)
            codes = random.standard_normal((size, dimension), np.float32)
            queries = random.choice(size, QUERIES, replace=False)
            nearest(codes[:QUERIES], np.arange(QUERIES), NEIGHBOURS)
            memory.reset_peak()
            before, rates = memory.resident_mib(), []
            for _ in range(SEARCH_ROUNDS):
                began = time.perf_counter()
                nearest(codes, queries, NEIGHBOURS)
                rates.append(QUERIES / (time.perf_counter() - began))
            held, beside = codes.nbytes / 2**20, memory.peak_mib() - before
            cells = [f"{size:,} x {dimension}", f"{np.median(rates):,.0f}", timing.spread(rates)]
            rows.append([*cells, f"{held:,.0f}", f"{beside:,.0f}"])
            del codes
    return timing.table(["codes", "queries/s, median", "middle half", "codes, MiB", "search beside them, MiB"], rows)


if __name__ == "__main__":
    print(timing.circumstances(["tensorflow", "keras", "scikit-learn"]) + "\n")
    print(encoding() + "\n", flush=True)
    print(search())
