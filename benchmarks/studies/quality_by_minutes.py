"""Quality against minutes of training: a run of dfv, and Algorithm 1 in PyTorch, on the same cores.

    python -m benchmarks.studies.quality_by_minutes --flagfile=configs/mnist.flags --out=FOLDER

Trains the run of dfv.main's flags, then the paper's losses in PyTorch, written as public re-implementations write them,
for as many minutes; one after the other, with all cores. Weights are kept after each of --minutes and at the end of the
run, and measured by the same evaluation. Writes a folder with results.json for each, table.md and quality.png; what is
there already is not done again. PyTorch comes with the extra `benchmark`.
"""

import dataclasses
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import benchmark
from benchmarks.pytorch import training as pytorch
from benchmarks.pytorch.reference import check_supported
from benchmarks.studies.quality_chart import draw
from dfv import data
from dfv.config.command_line import CONFIG_GROUPS, Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.config.schema import Config
from dfv.evaluation import evaluate
from dfv.evaluation.evaluated_run import as_arguments, text_flags, without_defaults
from dfv.evaluation.report.comparison import compare
from dfv.evaluation.results import RESULTS_FILE
from dfv.main import parse_config
from dfv.model.codec import Codec
from dfv.model.disentangler import Disentangler
from dfv.model.latent.fit import fit_latent
from dfv.provenance import Provenance, current_provenance
from dfv.training.callbacks.step_callback import StepCallback
from dfv.training.model_files import load
from dfv.training.trainer import train
from dfv.training.training_record import read_training

MODULE = "benchmarks.studies.quality_by_minutes"
DFV, PYTORCH = "dfv", "PyTorch"
SUFFIX = ".weights.h5"


@dataclass(frozen=True)
class Options(Checked):
    """What the run is compared with, and when both are measured."""

    recipe: str = option("configs/mnist_paper.flags", "Run file of the PyTorch training, with the paper's losses only.")
    minutes: str = option("5,15,30", "Minutes of training after which both are measured, in addition to the run's end.")
    split: str = option("test", "Split that is evaluated.", choices=("validation", "test"))
    seeds: int = option(1, "Number of times that each probe is trained.", at_least=1)
    out: str = option("", "Folder of the run, the kept weights and the results.", is_path=True, required=True)


class KeepWeights(StepCallback):
    """Saves the weights of the model in training to a folder after each of these minutes."""

    def __init__(self, folder: Path, minutes: list[float]):
        super().__init__()
        self.folder, self.left = folder, sorted(minutes)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.left and time.monotonic() - self.began >= 60 * self.left[0]:
            self.model.save_weights(kept_file(self.folder, self.left.pop(0), self.step))


def kept_file(folder: Path, minutes: float, steps: int | str) -> Path:
    """The file for the weights after this number of minutes and of steps."""
    return folder / f"{minutes:g}-{steps}{SUFFIX}"


def read_minutes(text: str) -> list[float]:
    """The ascending numbers of a comma-separated list; raises ConfigError."""
    try:
        minutes = sorted({float(part) for part in text.split(",")})
    except ValueError:
        minutes = []
    if not minutes or minutes[0] <= 0:
        raise ConfigError(f"--minutes expects positive numbers separated by commas, such as 5,15,30; got {text}.")
    return minutes


def train_dfv(config: Config, out: Path, minutes: list[float]) -> float:
    """Trains the run in `out/dfv`, or finishes it; returns the minutes that it took, fit of z included."""
    run_dir, kept = out / DFV, out / "weights" / DFV
    if not (run_dir / "model.keras").exists():
        kept.mkdir(parents=True, exist_ok=True)
        train(config, run_dir, [KeepWeights(kept, minutes)])
    record = read_training(run_dir)
    if record is None:
        raise ConfigError(f"--out={out}: {run_dir} does not say how long its training took; give another folder.")
    return record.minutes


def train_pytorch(recipe: Config, splits: data.Splits, out: Path, minutes: list[float]) -> None:
    """Trains Algorithm 1 in PyTorch and keeps its weights after each of these minutes."""
    kept = out / "weights" / PYTORCH
    if all(any(kept.glob(kept_file(kept, mark, "*").name)) for mark in minutes):
        return
    kept.mkdir(parents=True, exist_ok=True)
    model = Disentangler(recipe, splits.train.image_shape, splits.label_sizes)

    def keep(mark: float, steps: int) -> None:
        model.save_weights(kept_file(kept, mark, steps))

    pytorch.train(model, recipe, splits.train, minutes, keep)


@dataclass(frozen=True)
class Study:
    """What every measurement of a study needs: the images, the options, and the command that repeats the study."""

    splits: data.Splits
    options: Options
    command: str


def measure_kept(study: Study, config: Config, name: str) -> list[Path]:
    """Fits z and evaluates each of the kept weights of one training; returns the folders of the results."""
    splits, out, folders = study.splits, Path(study.options.out), []
    for file in sorted((out / "weights" / name).glob(f"*{SUFFIX}")):
        minutes, steps = file.name.removesuffix(SUFFIX).split("-")
        folders.append(out / f"{name}-{minutes}")
        if (folders[-1] / RESULTS_FILE).exists():
            continue
        model = Disentangler(config.replace(num_steps=int(steps)), splits.train.image_shape, splits.label_sizes)
        model.load_weights(file)
        began = time.monotonic()
        fit_latent(model, splits.train)
        record = current_provenance(float(minutes) + (time.monotonic() - began) / 60)
        measure(study, model, record, folders[-1])
    return folders


def measure_run(study: Study) -> Path:
    """Evaluates the finished run of dfv; returns the folder of its results."""
    run_dir = Path(study.options.out) / DFV
    if not (run_dir / RESULTS_FILE).exists():
        measure(study, load(run_dir), read_training(run_dir), run_dir)
    return run_dir


def measure(study: Study, model: Codec, training: Provenance | None, folder: Path) -> None:
    """Evaluates a model, and writes the results into a folder as those of the study."""
    options = study.options
    evaluation = {"seeds": options.seeds, "split": options.split, "progress": False}
    results = evaluate(model, study.splits, model.config, folder, training=training, **evaluation)
    run = dataclasses.replace(results.run, command=study.command)
    dataclasses.replace(results, run=run).write(folder / RESULTS_FILE)


def study_command(config: Config, options: Options) -> str:
    """The command of a study, without places of data and results."""
    flags = without_defaults(text_flags(config)) | {"recipe": options.recipe, "minutes": options.minutes}
    flags |= {"split": options.split, "seeds": str(options.seeds)}
    return " ".join([f"python -m {MODULE}", *as_arguments(flags), "--out=..."])


def run(arguments: Arguments) -> None:
    """Trains, measures, prints the tables and draws the chart; raises ConfigError, DataError or RunError."""
    config, options = arguments.config, arguments.record(Options)
    out, minutes = Path(options.out), read_minutes(options.minutes)
    recipe = parse_config([f"--flagfile={options.recipe}"])
    check_supported(recipe)
    if recipe.data.dataset != config.data.dataset:
        raise ConfigError(
            f"--recipe expects a run file of {config.data.dataset}; {options.recipe} is of {recipe.data.dataset}."
        )
    splits = data.load(config.data)
    total = train_dfv(config, out, minutes)
    train_pytorch(recipe, splits, out, [mark for mark in minutes if mark < total] + [round(total, 1)])
    study = Study(splits, options, study_command(config, options))
    folders = [*measure_kept(study, config, DFV), measure_run(study)]
    folders += measure_kept(study, recipe, PYTORCH)
    print(compare(folders, out))
    (out / "quality.png").write_bytes(draw(folders))


if __name__ == "__main__":
    sys.exit(benchmark(MODULE, __doc__, run, {"Study": Options, **CONFIG_GROUPS}))
