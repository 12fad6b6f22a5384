"""How fast images are encoded and nearest neighbours found, and what memory a search takes.

    python -m benchmarks.evaluation

The search is the evaluation's own: exact, by scikit-learn, which goes through the codes in pieces.
"""

import functools
import sys

import numpy as np

from benchmarks import benchmark, memory, timing
from benchmarks.export import MODELS
from dfv.config.command_line import Arguments
from dfv.evaluation.metrics.retrieval import nearest
from dfv.model.codec import Codec

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
            search_once = functools.partial(nearest, codes, queries, NEIGHBOURS)
            memory.reset_peak()
            before = memory.resident_mib()
            timings = timing.interleaved({"search": search_once}, SEARCH_ROUNDS, calls=1)
            rates = [QUERIES / one.wall for one in timings["search"]]
            held, beside = codes.nbytes / 2**20, memory.peak_mib() - before
            cells = [f"{size:,} x {dimension}", f"{np.median(rates):,.0f}", timing.spread(rates)]
            rows.append([*cells, f"{held:,.0f}", f"{beside:,.0f}"])
            del codes, search_once
    return timing.table(["codes", "queries/s, median", "middle half", "codes, MiB", "search beside them, MiB"], rows)


def run(arguments: Arguments) -> None:
    """Prints both tables."""
    print(timing.circumstances(["tensorflow", "keras", "scikit-learn"]) + "\n")
    print(encoding() + "\n", flush=True)
    print(search())


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.evaluation", __doc__, run))
