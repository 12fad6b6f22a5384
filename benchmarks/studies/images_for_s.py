"""What several images of an identity for s are worth: swaps of test images with the mean s of 1, 2 and 5 of them.

    python -m benchmarks.studies.images_for_s --run_dir=quickstart
    python -m benchmarks.studies.images_for_s --run_dir=mnist --data_dir=...

Prints how similar swaps are to the true images, for data sets that have them, with the standard error of the difference
to one image; and how often a classifier that was trained on real images finds the identity, or its attributes, of the s
source in the swap.
"""

import sys
from dataclasses import dataclass

import numpy as np

from benchmarks import benchmark, timing
from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, Role, option
from dfv.data import load as load_data
from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation.labels import identity_labels
from dfv.evaluation.metrics.analogies import KNOWN_FOR, true_swaps
from dfv.evaluation.metrics.image_similarity import squared_error, ssim
from dfv.evaluation.metrics.oracle_classifier import train_oracle
from dfv.evaluation.sampling import SampleSizes, pairs_of_other_identity
from dfv.model.codec import Codec
from dfv.training.model_files import load

NUMBERS = (1, 2, 5)


@dataclass(frozen=True)
class Options(Checked):
    """Model, data and sample."""

    run_dir: str = option("quickstart", "Folder of a run, or the name of a shipped model.", is_path=True)
    data_dir: str = option("", "Folder of prepared TensorFlow Datasets.", is_path=True, role=Role.DATA_LOCATION)
    manual_dir: str = option("", "Folder of downloaded files.", is_path=True, role=Role.DATA_LOCATION)
    pairs: int = option(5_000, "Number of pairs of test images of different identities.", at_least=2)
    seed: int = option(0, "Seed of pairs and of the further images for s.", at_least=0)


def images_of_identity(identity: np.ndarray, rows: np.ndarray, number: int, seed: int) -> np.ndarray:
    """[len(rows), number] int: each row, then other rows of its identity [N], drawn without replacement."""
    random = np.random.default_rng(seed)
    members = {label: np.flatnonzero(identity == label) for label in np.unique(identity[rows])}
    others = (np.setdiff1d(members[identity[row]], row) for row in rows)
    drawn = [random.permutation(rest)[: number - 1] for rest in others]
    return np.column_stack([rows, drawn])


def swaps(model: Codec, test: ImageSet, options: Options) -> tuple[dict[int, np.ndarray], np.ndarray, np.ndarray]:
    """Returns the swaps by number of images for s, and the rows of the s sources and of the z sources."""
    s_rows, z_rows = pairs_of_other_identity(test.identity, options.pairs, options.seed)
    codes = model.encode(test.images[np.arange(len(test))])
    rows = images_of_identity(test.identity, s_rows, max(NUMBERS), options.seed)
    z = codes.z.mean[z_rows]
    return {number: model.decode(codes.s[rows[:, :number]].mean(1), z) for number in NUMBERS}, s_rows, z_rows


def shown(swapped: dict[int, np.ndarray], splits: Splits, s_rows: np.ndarray) -> dict[int, np.ndarray]:
    """Returns for each number whether the classifier finds each label of the s source, [N, L] bool."""
    labels = identity_labels(splits)
    if labels is None:
        return {}
    oracle = train_oracle(splits, labels, SampleSizes())
    return {number: oracle.predict(images) == labels.test[s_rows] for number, images in swapped.items()}


def table(model: Codec, splits: Splits, dataset: str, options: Options) -> str:
    """Returns the figures, a row for each number of images for s."""
    test = splits.test
    swapped, s_rows, z_rows = swaps(model, test, options)
    truth = true_swaps(dataset, test, test.select(s_rows), test.select(z_rows)) if dataset in KNOWN_FOR else None
    found = shown(swapped, splits, s_rows)
    rows, first = [], {}
    for number, images in swapped.items():
        cells = [str(number)]
        measured = {} if truth is None else {"mse": squared_error(images, truth), "ssim": ssim(images, truth)}
        if number in found:
            measured["shown"] = found[number].mean(1) * 100
        for name, values in measured.items():
            cells.append(_cell(values, first.setdefault(name, values), 2 if name == "shown" else 5))
        rows.append(cells)
    names = ["MSE", "SSIM"] * (truth is not None) + ["swap shows s source, %"] * bool(found)
    return timing.table(["images for s", *names], rows)


def _cell(values: np.ndarray, first: np.ndarray, digits: int) -> str:
    """The mean and, for others than the first values, the difference of the pairs to these with its standard error."""
    mean = f"{np.mean(values):.{digits}f}"
    if values is first:
        return mean
    error = np.std(values - first) / np.sqrt(len(values))
    return f"{mean} ({np.mean(values - first):+.{digits}f} ± {error:.{digits}f})"


def run(arguments: Arguments) -> None:
    """Prints the table."""
    options = arguments.record(Options)
    model = load(options.run_dir)
    config = model.config.replace(data_dir=options.data_dir, manual_dir=options.manual_dir).data
    print(timing.circumstances(["tensorflow", "keras"]) + "\n")
    print(table(model, load_data(config), config.dataset, options))


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.studies.images_for_s", __doc__, run, {"Swaps": Options}))
