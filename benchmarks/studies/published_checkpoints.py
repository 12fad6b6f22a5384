"""Evaluates a published PyTorch checkpoint for MNIST by the evaluation of dfv's own models, on the same images.

    python -m benchmarks.studies.published_checkpoints --checkpoints=FOLDER --out=FOLDER

FOLDER is `checkpoints` of a clone of one of two repositories (benchmarks/pytorch/published.py names them). PyTorch
comes with the extra `benchmark`. The models were trained on all 60,000 training images, of which dfv takes some for
validation: only test images are fresh.
"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import benchmark
from benchmarks.pytorch.published import DIM, PublishedCodec
from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, Role, option
from dfv.config.schema import Config
from dfv.data import load as load_data
from dfv.evaluation import evaluate
from dfv.evaluation.results import RESULTS_FILE


@dataclass(frozen=True)
class Options(Checked):
    """The checkpoint, the data and the results."""

    checkpoints: str = option("", "Folder with the files encoder and decoder.", is_path=True, required=True)
    data_dir: str = option("", "Folder of prepared TensorFlow Datasets.", is_path=True, role=Role.DATA_LOCATION)
    seeds: int = option(3, "Number of times that each probe is trained.", at_least=1)
    out: str = option("", "Folder of results.json, report.html and figures.", is_path=True, required=True)


def run(arguments: Arguments) -> None:
    """Writes the results; raises ConfigError or DataError."""
    options = arguments.record(Options)
    config = Config.of(dataset="mnist", s_dim=DIM, z_dim=DIM, data_dir=options.data_dir)
    model = PublishedCodec(Path(options.checkpoints), config)
    results = evaluate(model, load_data(config.data), config, options.out, seeds=options.seeds)
    command = f"python -m benchmarks.studies.published_checkpoints --checkpoints=... --seeds={options.seeds}"
    # dfv did not train it, so that flags and steps say nothing about it.
    record = dataclasses.replace(results.run, flags={}, num_steps=0, command=command)
    dataclasses.replace(results, run=record).write(Path(options.out) / RESULTS_FILE)


if __name__ == "__main__":
    sys.exit(benchmark("benchmarks.studies.published_checkpoints", __doc__, run, {"Evaluation": Options}))
