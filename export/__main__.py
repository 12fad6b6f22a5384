"""Writes a trained model as a SavedModel for TensorFlow Serving and every other TensorFlow program.

    python -m export --run_dir=runs/yaleb --export_dir=models/yaleb
    python -m export --run_dir=quickstart --export_dir=models/quickstart

Flags:
  --run_dir=RUN         a run's folder, or the name of a model that comes with the package.
  --export_dir=FOLDER   the model's folder; its last part names the model, and versions are folders within.
  --version=N           a whole number from 1; the next one if left out. No version is ever written over.
  --float_images        images are float32 in [0, 1], in and out, instead of uint8.
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from absl import flags

from dfv.config.fields import ASK_FOR_HELP, ConfigError, parse_flags
from dfv.training.run_folder import RunError
from export import ExportError

LOGGER = logging.getLogger("export")
RESULTS_FILE = "results.json"


def define_flags() -> flags.FlagValues:
    """The flags of this command alone."""
    values = flags.FlagValues()
    flags.DEFINE_string("run_dir", None, "A run's folder or a shipped model's name.", flag_values=values)
    flags.DEFINE_string("export_dir", None, "The model's folder.", flag_values=values)
    flags.DEFINE_integer("version", None, "The version.", lower_bound=1, upper_bound=2**63 - 1, flag_values=values)
    flags.DEFINE_boolean("float_images", False, "float32 images instead of uint8.", flag_values=values)
    return values


def run(arguments: list[str]) -> None:
    """Does what the arguments ask for; raises what `main` turns into a message."""
    values = define_flags()
    parse_flags(values, arguments, "export")
    for name in ("run_dir", "export_dir"):
        if not values[name].value:
            raise ExportError(f"--{name} is missing; `python -m export --help` shows an example.")
    from dfv.training.run_folder import find_model, load

    run_dir = find_model(values.run_dir).parent
    from dfv.training.checkpoints import check_finished
    from export.versions import checked_place, export_model

    checked_place(values.export_dir)
    model = load(values.run_dir)
    check_finished(run_dir, model)
    results = read_results(run_dir, model.config.training.num_steps)
    folder = export_model(model, values.export_dir, values.version, values.float_images, results)
    print(f"{folder}: README.md beside it says how to serve and load it.")


def read_results(run_dir: Path, num_steps: int) -> dict[str, Any] | None:
    """What an evaluation after this many steps wrote into the run's folder; None before one."""
    try:
        results = json.loads((run_dir / RESULTS_FILE).read_text(encoding="utf-8"))
        if results["run"]["flags"]["num_steps"] == num_steps:
            return results
        LOGGER.warning("The run was trained on after its evaluation, which is left out of the card: evaluate it again.")
        return None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ExportError(f"{run_dir / RESULTS_FILE} cannot be read ({error}); evaluate the run again.") from error


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, or 2 for what the user can mend."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if ASK_FOR_HELP & set(arguments):
        print(__doc__)
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("export").setLevel(logging.INFO)
    try:
        run(arguments)
    except (ExportError, RunError, ConfigError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("export: stopped; nothing was exported.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
