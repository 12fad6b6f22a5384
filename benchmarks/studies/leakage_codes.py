"""Codes for the leakage test: some whose result is known, and those of the shipped model quickstart.

    python -m benchmarks.studies.leakage_codes --code=directions --out=directions.npz
    python -m dfv.evaluation.leakage directions.npz

Prints the lowest error rate that any classifier can have, if it is known. docs/leakage.md explains the codes.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import integrate, stats

from benchmarks import benchmark
from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.data.dataset import SPLITS
from dfv.tensorflow_log import import_tensorflow

SIZES = {"train": 4_000, "validation": 1_000, "test": 4_000}
DIM, CLASSES, DISTANCE = 8, 4, 2.0
SCALES = np.array([1.0, 1.5])
Arrays = dict[str, np.ndarray]


def directions(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[N, DIM]: a standard normal whose mean is at DISTANCE from zero, along the axis of the label [N]."""
    return DISTANCE * np.eye(DIM)[labels] + rng.standard_normal((len(labels), DIM))


def error_of_directions() -> float:
    """The lowest error: the label's coordinate, N(DISTANCE, 1), must exceed those of other labels, N(0, 1)."""

    def density(x: float) -> float:
        return float(stats.norm.pdf(x - DISTANCE) * stats.norm.cdf(x) ** (CLASSES - 1))

    return 1 - float(integrate.quad(density, -10, 10 + DISTANCE)[0])


def scale(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[N, DIM]: a normal around zero whose standard deviation is SCALES[label], so that its mean tells nothing."""
    return SCALES[labels][:, None] * rng.standard_normal((len(labels), DIM))


def error_of_scale() -> float:
    """The lowest error: of comparing the squared norm with the value where both densities are equal."""
    low, high = SCALES**2
    threshold = DIM * np.log(high / low) / (1 / low - 1 / high)
    return float(stats.chi2.sf(threshold / low, DIM) + stats.chi2.cdf(threshold / high, DIM)) / 2


def removed_in_training(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """[N, DIM]: `directions`, but in `train` those of other images' labels."""
    return directions(rng.permutation(labels) if split == "train" else labels, rng)


KNOWN: dict[str, tuple[int, Callable[[], float]]] = {
    "directions": (CLASSES, error_of_directions),
    "scale": (len(SCALES), error_of_scale),
    "removed_in_training": (CLASSES, error_of_directions),
}


def known_codes(code: str, seed: int) -> Arrays:
    """The arrays of a file with one of the KNOWN codes."""
    rng, (num_classes, _) = np.random.default_rng(seed), KNOWN[code]
    arrays: Arrays = {}
    for split, size in SIZES.items():
        labels = rng.integers(num_classes, size=size)
        if code == "removed_in_training":
            codes = removed_in_training(labels, rng, split)
        else:
            codes = (directions if code == "directions" else scale)(labels, rng)
        arrays |= {f"{split}_codes": codes.astype(np.float32), f"{split}_labels": labels}
    return arrays


def quickstart_codes(code: str) -> Arrays:
    """The arrays of a file with the s or the mean of z of the model quickstart.

    Labels are the attributes of a character, groups the characters.
    """
    import dfv

    model = dfv.load("quickstart")
    splits, arrays = dfv.load_data(model.config.data), {}
    for name in SPLITS:
        part = getattr(splits, name)
        codes = model.encode(part.images[np.arange(len(part))])
        arrays |= {
            f"{name}_codes": codes.s if code == "quickstart_s" else codes.z.mean,
            f"{name}_labels": np.stack(list(part.attributes.values()), axis=1),
            f"{name}_groups": part.identity,
            **{f"{name}_factor_{factor}": values for factor, values in part.factors.items()},
        }
    return arrays


def fresh_only(arrays: Arrays) -> Arrays:
    """The test images alone, in arrays without splits; if there are groups, these are the labels."""
    test = {name.removeprefix("test_"): values for name, values in arrays.items() if name.startswith("test_")}
    test["labels"] = test.pop("groups", test["labels"])
    return test


@dataclass(frozen=True)
class Options(Checked):
    """The code, and the file that is written."""

    code: str = option("directions", "The code.", choices=(*KNOWN, "quickstart_z", "quickstart_s"))
    fresh_only: bool = option(False, "Write only the test images, without splits.")
    seed: int = option(0, "Seed of the known codes.", at_least=0)
    out: str = option("", "The .npz file.", is_path=True, required=True)


def run(arguments: Arguments) -> None:
    """Writes the file; raises ConfigError if it exists."""
    options = arguments.record(Options)
    if Path(options.out).exists():
        raise ConfigError(f"--out={options.out} exists; give another name.")
    if options.code in KNOWN:
        arrays = known_codes(options.code, options.seed)
        print(f"lowest possible error rate: {100 * KNOWN[options.code][1]():.2f} %")
    else:
        import_tensorflow()
        arrays = quickstart_codes(options.code)
    np.savez(options.out, **(fresh_only(arrays) if options.fresh_only else arrays))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.studies.leakage_codes", __doc__, run, {"Codes": Options}))
