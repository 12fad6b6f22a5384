"""Learns what varies (z) and what stays (s) from images grouped by identity.

    python -m dfv.main --flagfile=quickstart.flags
    python -m dfv.main --flagfile=yaleb.flags --data_dir=... --manual_dir=... --mode=evaluate

Modes:
  train               trains until --num_steps in --run_dir; started again, it continues where it was left.
  evaluate            computes Table 1, the figures and a report of a trained run, from its test images.
  train_and_evaluate  one after the other.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from absl import flags

from dfv.config.fields import ASK_FOR_HELP, Role, describe_range, expand_home, parse_flags
from dfv.config.flag_files import expand
from dfv.config.schema import FREE_TO_CHANGE, Config, ConfigError, names_by_role, option_fields
from dfv.data.dataset import DataError
from dfv.training.run_folder import RunError, check_same_images, find_model, flag_text, load, writing

LOGGER = logging.getLogger("dfv.main")
MODES = ("train", "evaluate", "train_and_evaluate")
EVALUATED = ("test", "validation")
HEADINGS = {
    "data": "Data",
    "network": "Networks",
    "latent": "Latent transform",
    "loss": "Losses",
    "training": "Training",
}


def define_flags() -> flags.FlagValues:
    """Every option of a config as a flag, and what is no part of a run's definition."""
    values = flags.FlagValues()
    flags.DEFINE_enum("mode", "train", MODES, "What to do.", flag_values=values)
    flags.DEFINE_string("run_dir", None, "The run's folder.", flag_values=values)
    flags.DEFINE_enum("evaluate_split", "test", EVALUATED, "The images to score.", flag_values=values)
    flags.DEFINE_integer("probe_seeds", 3, "Seeds of each probe.", 1, 100, flag_values=values)
    kinds: dict[object, Callable] = {
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        bool: flags.DEFINE_boolean,
        str: flags.DEFINE_string,
    }
    for _, field in option_fields():
        define = kinds.get(field.type, flags.DEFINE_list)
        default = field.default if field.type in kinds else flag_text(field.default)
        define(field.name, default, field.metadata["help"], flag_values=values)
    return values


def help_text() -> str:
    """What the program does, and every flag with its default, unit and range."""
    lines = [
        __doc__ or "",
        "The run:",
        "  --mode=train  one of train, evaluate, train_and_evaluate",
        "  --run_dir=runs/NAME  the run's folder; NAME is the run file's. To evaluate, a shipped model's name will do.",
        "  --evaluate_split=test  the images that score: test, or validation to choose by, reported in RUN/validation.",
        "  --probe_seeds=3  how many times each probe is trained, 1 to 100.",
        "  --flagfile=FILE  a run file, one flag a line; one not here, NAME or configs/NAME, is the package's.",
    ]
    group_before = None
    for group, field in option_fields():
        if group != group_before:
            lines += ["", f"{HEADINGS[group]}:"]
        wanted = describe_range(field)
        text = field.metadata["help"] + (f" [{wanted}]" if wanted else "")
        lines += [f"  --{field.name}={flag_text(field.default)}", f"      {text}"]
        group_before = group
    return "\n".join(lines)


def config_of(values: flags.FlagValues) -> Config:
    """The config that the flags say; raises ConfigError."""
    return Config.of(**{field.name: _value(values, field) for _, field in option_fields()})


def _value(values: flags.FlagValues, field) -> object:
    value = values[field.name].value
    if not isinstance(value, list):
        return value
    try:
        return tuple(int(part) for part in value)
    except ValueError as error:
        raise ConfigError(
            f"--{field.name} expects whole numbers separated by commas; got {','.join(value)}."
        ) from error


def parse_config(values: flags.FlagValues, arguments: list[str]) -> tuple[Config, str | None]:
    """Sets the values; gives the config that they say and the run file's name, if there is one; raises ConfigError."""
    expanded, run_file = expand(arguments)
    parse_flags(values, expanded, "dfv.main")
    return config_of(values), run_file


def run(arguments: list[str]) -> None:
    """Does what the arguments ask for; raises what `main` turns into a message."""
    values = define_flags()
    config, run_file = parse_config(values, arguments)
    run_dir = expand_home("run_dir", values.run_dir or f"runs/{run_file or config.data.dataset}")
    if values.mode == "train_and_evaluate" and config.training.strategy == "multi_worker":
        raise ConfigError("--strategy=multi_worker only trains: use --mode=train, then --mode=evaluate in one process.")
    if values.mode != "evaluate":
        from dfv.training.trainer import train

        started = time.monotonic()
        train(config, run_dir)
        LOGGER.info("Trained in %.0f s: %s", time.monotonic() - started, run_dir)
    if values.mode != "train":
        evaluate_run(run_dir, values)


def evaluate_run(run_dir: Path, values: flags.FlagValues) -> None:
    """Evaluates a run as it was trained; only where its data lie may be said anew."""
    find_model(run_dir)
    from dfv import data
    from dfv.evaluation import evaluate
    from dfv.training.checkpoints import check_finished

    model = load(run_dir)
    check_finished(run_dir, model)
    given = {field.name: _value(values, field) for _, field in option_fields() if values[field.name].present}
    trained = model.config.as_flags()
    changed = [name for name in given if given[name] != trained[name] and name not in FREE_TO_CHANGE]
    if changed:
        listed = "; ".join(f"--{name} was {flag_text(trained[name])}" for name in changed)
        raise RunError(f"{run_dir} was trained with other flags: {listed}. Leave these out, or name its own run file.")
    config = model.config.replace(**{name: given[name] for name in given if name in names_by_role(Role.DATA_LOCATION)})
    out_dir = run_dir if run_dir.is_dir() else Path("runs") / f"{run_dir.name}_shipped"
    out_dir = out_dir if values.evaluate_split == "test" else out_dir / values.evaluate_split
    with writing(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
    splits = data.load(config.data)
    if splits.train.image_shape != model.image_shape:
        shapes = " and ".join("x".join(map(str, shape)) for shape in (model.image_shape, splits.train.image_shape))
        raise RunError(f"expected images of the model's shape; its own and these are {shapes}. Name the data it had.")
    check_same_images(run_dir, splits.digest)
    started, shown = time.monotonic(), values.progress and sys.stderr.isatty()
    evaluate(model, splits, config, out_dir, seeds=values.probe_seeds, progress=shown, split=values.evaluate_split)
    LOGGER.info("Evaluated in %.0f s: %s", time.monotonic() - started, out_dir / "report.html")


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, 2 for what the user can mend, 128 + the signal after a stop."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if ASK_FOR_HELP & set(arguments):
        print(help_text())
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.WARNING)
    logging.getLogger("dfv").setLevel(logging.INFO)
    try:
        run(arguments)
    except (ConfigError, DataError, RunError) as error:
        print(f"dfv: {error}", file=sys.stderr)
        return getattr(error, "exit_status", 2)
    except KeyboardInterrupt:
        kept = "what was saved is whole, and the same command goes on from there; an evaluation starts anew."
        print(f"dfv: stopped; {kept}", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
