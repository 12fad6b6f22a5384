"""How long an exported `encode` takes beside the Keras encoder compiled by tf.function, and what the files weigh.

    python -m benchmarks.export

Both take uint8 images that are there already, on one device; the signature checks its input and runs from the files.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks import benchmark, memory, timing
from dfv.config.command_line import Arguments
from dfv.config.schema import Config
from dfv.model.codec import Codec
from dfv.model.conversions import to_float
from export.versions import save

MODELS = {
    "MNIST, three 5x5, 28x28": (Config.of(s_dim=16, z_dim=16), (28, 28, 1)),
    "YaleB, six 3x3, 64x64": (Config.of(backbone="six_3x3"), (64, 64, 1)),
}
SIZES, LIMITS = (1, 8, 64, 256), {1: "1.2", 64: "1.05"}
ROUNDS, IMAGES_A_ROUND = 15, 640


def latency(model: Codec, saved_model: Path, name: str) -> list[list[str]]:
    """Rows of the table: milliseconds of both, interleaved, and their ratio."""
    loaded = tf.saved_model.load(str(saved_model))
    encode = loaded.signatures["encode"]
    compiled = tf.function(lambda image: model.encoded(to_float(image)), reduce_retracing=True)
    rows = []
    for size in SIZES:
        image = tf.constant(np.random.default_rng(0).integers(0, 256, (size, *model.image_shape), np.uint8))
        cases = {"keras": lambda image=image: compiled(image), "export": lambda image=image: encode(image=image)}
        timings = timing.interleaved(cases, ROUNDS, calls=max(3, min(200, IMAGES_A_ROUND // size)))
        keras, export = (timing.median(timings[case]) for case in cases)
        ratio = np.median(timing.ratios(timings["export"], timings["keras"]))
        cells = [name, str(size), f"{1e3 * keras.wall:.2f}", f"{1e3 * export.wall:.2f}", f"{size / export.wall:,.0f}"]
        rows.append([*cells, f"{ratio:.2f}", LIMITS.get(size, ""), f"{export.cpu / keras.cpu:.2f}"])
    return rows


def weight(model: Codec, saved_model: Path) -> str:
    """Bytes of the variables' file beside those of encoder and decoder."""
    written = sum(path.stat().st_size for path in (saved_model / "variables").glob("*.data*"))
    variables = 4 * memory.num_weights([*model.encoder.variables, *model.decoder.variables])
    graph = (saved_model / "saved_model.pb").stat().st_size
    return f"variables {written:,} bytes for {variables:,} of weights, graph {graph:,}"


def run(arguments: Arguments) -> None:
    """Prints the table."""
    rows = []
    for name, (config, shape) in MODELS.items():
        model = Codec(config, shape, (10,))
        with tempfile.TemporaryDirectory() as folder:
            save(model, Path(folder, "1"), float_images=False)
            rows += latency(model, Path(folder, "1"), name)
            print(f"{name}: {weight(model, Path(folder, '1'))}")
    header = ["model", "images", "Keras, ms", "export, ms", "images/s", "ratio", "at most", "ratio of CPU time"]
    print(timing.table(header, rows))
    print(timing.circumstances(["tensorflow", "keras"]))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.export", __doc__, run))
