"""Adds a finished run to the models that come with the package, with weights in half precision.

python -m dfv.pretrained --run_dir=runs/yaleb --name=yaleb
python -m dfv.main --mode=evaluate --run_dir=yaleb --manual_dir=...    # then copy runs/yaleb_shipped/results.json
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.pretrained.half_precision import places, write_in_half_precision
from dfv.program import Program
from dfv.tensorflow_log import import_tensorflow
from dfv.training.errors import RunError

LOGGER = logging.getLogger("dfv.pretrained")


@dataclass(frozen=True)
class ShippingOptions(Checked):
    """Run to add, and its name as a model of the package."""

    run_dir: str = option("", "Folder of a finished run.", is_path=True, required=True)
    name: str = option("", "Name of the model: `dfv.load(NAME)` loads it. An earlier one is replaced.", required=True)


def ship(run_dir: Path, folder: Path) -> None:
    """Writes model, flags (without paths), time and digest of the images of a run to `folder`; raises RunError.

    Results of an earlier model in this folder are deleted.
    """
    from dfv.evaluation.results import RESULTS_FILE
    from dfv.training.checkpoints import check_finished
    from dfv.training.model_files import MODEL_FILE, find_model, load
    from dfv.training.run_flags import FLAGS_FILE
    from dfv.training.run_folder import IMAGES_FILE, make_writable, write_whole
    from dfv.training.training_record import TRAINING_FILE

    run_dir = find_model(run_dir).parent
    if missing := [name for name in (FLAGS_FILE, TRAINING_FILE, IMAGES_FILE) if not (run_dir / name).exists()]:
        raise RunError(f"{run_dir} lacks {', '.join(missing)}, so it is not known how it was trained; train it again.")
    check_finished(run_dir, load(run_dir))
    make_writable(folder)
    write_in_half_precision(run_dir / MODEL_FILE, folder / MODEL_FILE)
    (folder / RESULTS_FILE).unlink(missing_ok=True)
    write_whole(folder / FLAGS_FILE, _without_places((run_dir / FLAGS_FILE).read_text(encoding="utf-8")).encode())
    for name in (TRAINING_FILE, IMAGES_FILE):
        write_whole(folder / name, (run_dir / name).read_bytes())


def _without_places(flags: str) -> str:
    names = {f"--{name}" for name in places()}
    lines = (line.split("=")[0] + "=" if line.split("=")[0] in names else line for line in flags.splitlines())
    return "\n".join([*lines, ""])


def run(arguments: Arguments) -> None:
    """Adds the run; raises ConfigError or RunError."""
    options = arguments.record(ShippingOptions)
    if not options.name.isidentifier():
        raise ConfigError(f"--name: expected letters, digits and underscores, got {options.name!r}.")
    import_tensorflow()
    folder = Path(__file__).parent / options.name
    ship(Path(options.run_dir), folder)
    LOGGER.info("Wrote %s; evaluate it by this name, add its results.json, and write its README.md.", folder)


PROGRAM = Program(
    module="dfv.pretrained",
    name="dfv.pretrained",
    description=__doc__ or "",
    groups={"Shipping": ShippingOptions},
    run=run,
    errors=(ConfigError, RunError),
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
