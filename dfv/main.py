"""Trains and evaluates models that disentangle the identity of an image (s) from everything else (z).

    python -m dfv.main --flagfile=quickstart.flags
    python -m dfv.main --image_dir=my_images
    python -m dfv.main --flagfile=yaleb.flags --data_dir=... --manual_dir=... --mode=evaluate

Modes:
  train               trains for --num_steps steps; resumes from the last checkpoint if there is one.
  evaluate            evaluates a trained run on its test images; writes tables, figures and a report.
  train_and_evaluate  trains, then evaluates.
"""

import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dfv.config.command_line import CONFIG_GROUPS, Arguments, Groups, parse
from dfv.config.fields import Checked, Role, option
from dfv.config.flag_files import flag_text
from dfv.config.schema import Config, ConfigError, DataConfig, TrainingConfig, names_by_role
from dfv.data.dataset import DataError, Splits
from dfv.program import Program, has_terminal
from dfv.tensorflow_log import import_tensorflow
from dfv.training.errors import RunError
from dfv.training.model_files import find_model, find_run, load
from dfv.training.run_flags import changed_flags
from dfv.training.run_folder import check_same_images, make_writable
from dfv.training.start_from import inherited_options

LOGGER = logging.getLogger("dfv.main")


@dataclass(frozen=True)
class RunOptions(Checked):
    """What to do with a run; not part of its config."""

    mode: str = option("train", "Action; see above.", choices=("train", "evaluate", "train_and_evaluate"))
    run_dir: str = option(
        "",
        "Folder of the run; default: runs/NAME, where NAME is the name of the run file, or else of the image folder,"
        " image list or data set. --mode=evaluate also accepts the name of a shipped model.",
        is_path=True,
    )
    evaluate_split: str = option(
        "test",
        "Split to evaluate. validation: for tuning; the report is written to RUN_DIR/validation.",
        choices=("test", "validation"),
    )
    probe_seeds: int = option(
        3, "Number of random seeds; each probe is trained once per seed.", at_least=1, at_most=100
    )
    stronger_probes: bool = option(
        False,
        "Predict the identity by a deep network and boosted trees too; published results do not include them.",
    )


GROUPS: Groups = {"Run": RunOptions, **CONFIG_GROUPS}


def parse_config(arguments: list[str]) -> Config:
    """Returns the config given by a command line of this program; raises ConfigError."""
    return parse(arguments, GROUPS, "dfv.main").config


def run(arguments: Arguments) -> None:
    """Trains, evaluates or both; raises ConfigError, DataError or RunError."""
    options = arguments.record(RunOptions)
    is_own_folder = bool({"image_dir", "image_list"} & arguments.given) and "dataset" not in arguments.given
    data = arguments.record(DataConfig)
    source = _name_of(data) if is_own_folder else data.dataset
    name = arguments.run_file or source
    run_dir = Path(options.run_dir or f"runs/{name}")
    if options.mode != "evaluate":
        config = _trained_config(arguments, run_dir, data if is_own_folder else None)
        if options.mode == "train_and_evaluate" and config.training.strategy == "multi_worker":
            raise ConfigError(
                "--strategy=multi_worker only trains: use --mode=train, then --mode=evaluate in one process."
            )
        train_run(run_dir, config)
    if options.mode != "train":
        evaluate_run(run_dir, options, arguments)


def _name_of(own_images: DataConfig) -> str:
    # Of .. and /, which Path leaves as they are.
    folder = Path(os.path.normpath(own_images.image_dir)).name if own_images.image_dir else ""
    return folder or Path(own_images.image_list).stem or own_images.dataset


def _trained_config(arguments: Arguments, run_dir: Path, own_folder: DataConfig | None) -> Config:
    given = arguments.given_options
    if start_from := given.get("start_from"):
        given = inherited_options(start_from, run_dir) | given
        LOGGER.info("Networks, image size and colour are those of %s.", start_from)
    return Config.of(**given) if own_folder is None else _config_for_folder(given, own_folder)


def _config_for_folder(given: dict[str, Any], data: DataConfig) -> Config:
    from dfv.automatic_options import automatic_config
    from dfv.data.sources.image_folder.survey import survey

    return automatic_config(given, survey(data))


def train_run(run_dir: Path, config: Config) -> None:
    """Trains a run, or resumes it."""
    source = config.data.image_list or config.data.image_dir or config.data.tfds_name or config.data.dataset
    LOGGER.info("Training on %s to step %d, in %s", source, config.training.num_steps, run_dir)
    import_tensorflow()
    from dfv.training.trainer import train

    started = time.monotonic()
    train(config, run_dir)
    LOGGER.info("Trained in %.0f s: %s", time.monotonic() - started, run_dir)


def evaluate_run(run_dir: Path, options: RunOptions, arguments: Arguments) -> None:
    """Evaluates a run with the config it was trained with, except for the location of the data."""
    find_model(run_dir)
    out_dir = run_dir if run_dir.is_dir() else Path("runs") / f"{run_dir.name}_shipped"
    out_dir = out_dir if options.evaluate_split == "test" else out_dir / options.evaluate_split
    run_dir = find_run(run_dir)
    LOGGER.info("Evaluating %s on its %s images; writing the report to %s", run_dir, options.evaluate_split, out_dir)
    import_tensorflow()
    from dfv import data
    from dfv.evaluation import evaluate
    from dfv.training.checkpoints import check_finished
    from dfv.training.training_record import read_training

    model = load(run_dir)
    check_finished(run_dir, model)
    config = _evaluated_config(run_dir, model.config, arguments.given_options)
    make_writable(out_dir)
    splits = data.load(config.data)
    _check_data(run_dir, model.image_shape, splits)
    started, shown = time.monotonic(), arguments.record(TrainingConfig).progress and has_terminal()
    evaluate(
        model,
        splits,
        config,
        out_dir,
        seeds=options.probe_seeds,
        progress=shown,
        split=options.evaluate_split,
        training=read_training(run_dir),
        stronger_probes=options.stronger_probes,
    )
    LOGGER.info("Evaluated in %.0f s: %s", time.monotonic() - started, out_dir / "report.html")


def _check_data(run_dir: Path, image_shape: tuple[int, int, int], splits: Splits) -> None:
    """Raises RunError unless these are the images that the model was trained on."""
    if splits.train.image_shape != image_shape:
        shapes = " and ".join("x".join(map(str, shape)) for shape in (image_shape, splits.train.image_shape))
        raise RunError(
            f"expected images of the model's shape; the model and the data have {shapes}. Give the data that the model"
            " was trained on."
        )
    check_same_images(run_dir, splits.digest)


def _evaluated_config(run_dir: Path, trained: Config, given: dict[str, Any]) -> Config:
    """Returns the trained config with the given data location; raises RunError for any other change."""
    if changed := changed_flags(trained, given):
        before = trained.as_flags()
        listed = "; ".join(f"--{name} was {flag_text(before[name])}" for name in changed)
        raise RunError(
            f"{run_dir} was trained with other flags: {listed}. Omit them, or give the run file of this run."
        )
    return trained.replace(**{name: given[name] for name in names_by_role(Role.DATA_LOCATION) & given.keys()})


PROGRAM = Program(
    module="dfv.main",
    name="dfv",
    description=__doc__ or "",
    groups=GROUPS,
    run=run,
    errors=(ConfigError, DataError, RunError),
    stopped="stopped. All saved files are complete. The same command resumes training; an evaluation starts over.",
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
