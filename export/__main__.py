"""Writes a trained model as a SavedModel for TensorFlow Serving and any other TensorFlow program.

python -m export --run_dir=runs/yaleb --export_dir=models/yaleb
python -m export --run_dir=quickstart --export_dir=models/quickstart
python -m export --run_dir=quickstart --export_dir=models/quickstart --format=onnx    # encoder and decoder alone
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.program import Program
from dfv.tensorflow_log import import_tensorflow
from dfv.training.errors import RunError
from export import ExportError

if TYPE_CHECKING:
    from dfv.evaluation.results import Results

LOGGER = logging.getLogger("export")


@dataclass(frozen=True)
class ExportOptions(Checked):
    """Model to export and where to write it."""

    run_dir: str = option("", "Folder of a run, or the name of a shipped model.", is_path=True, required=True)
    export_dir: str = option(
        "",
        "Folder of the exported model, with a folder for each version. Its last part is the model's name.",
        is_path=True,
        required=True,
    )
    version: int | None = option(
        None,
        "Version number to write, which must not exist yet; default: the next one.",
        at_least=1,
        at_most=2**63 - 1,
    )
    format: str = option(
        "saved_model",
        "saved_model: all signatures, for TensorFlow. litert, onnx: encoder and decoder as two files, for LiteRT or"
        " ONNX Runtime, in a folder of that name below --export_dir; these need the extra `runtimes`.",
        choices=("saved_model", "litert", "onnx"),
    )
    float_images: bool = option(False, "Take and return images as float32 in [0, 1] instead of uint8.")


def run(arguments: Arguments) -> None:
    """Exports the model; raises ExportError, RunError or ConfigError."""
    options = arguments.record(ExportOptions)
    from dfv.training.model_files import find_model, load

    run_dir = find_model(options.run_dir).parent
    LOGGER.info("Exporting %s to %s", run_dir, options.export_dir)
    import_tensorflow()
    from dfv.training.checkpoints import check_finished
    from export.runtimes import check_installed, export_networks
    from export.versions import CARD_FILE, checked_place, export_model

    checked_place(options.export_dir)
    if options.format != "saved_model":
        check_installed(options.format)
    model = load(options.run_dir)
    check_finished(run_dir, model)
    results = read_results(run_dir, model.config.training.num_steps)
    place, more = options.export_dir, (options.version, options.float_images, results)
    if options.format == "saved_model":
        folder = export_model(model, place, *more)
        print(f"Wrote {folder}; the README.md in the same folder explains how to serve and load the model.")
    else:
        folder = export_networks(model, place, options.format, *more)
        print(f"Wrote {folder}; its {CARD_FILE} shows how to run the files.")


def read_results(run_dir: Path, num_steps: int) -> "Results | None":
    """Returns the results of an evaluation after this many steps; None if there is none."""
    from dfv.evaluation.results import RESULTS_FILE, Results

    path = run_dir / RESULTS_FILE
    if not path.exists():
        return None
    results = Results.read(path)
    if results.run.num_steps == num_steps:
        return results
    LOGGER.warning(
        "The run was trained further after its evaluation, whose results are left out of the model card; evaluate it"
        " again to include them."
    )
    return None


PROGRAM = Program(
    module="export",
    name="export",
    description=__doc__ or "",
    groups={"Export": ExportOptions},
    run=run,
    errors=(ConfigError, ExportError, RunError),
    stopped="stopped; nothing was exported.",
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
