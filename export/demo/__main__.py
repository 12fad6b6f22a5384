"""Serves a local page for an exported model: swaps, interpolations, samples and a swap grid.

python -m export.demo --model=models/yaleb
"""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.program import Program
from dfv.tensorflow_log import import_tensorflow
from export import ExportError

LOGGER = logging.getLogger("export.demo")


@dataclass(frozen=True)
class DemoOptions(Checked):
    """Which model the page shows, and who can open it."""

    model: str = option(
        "",
        "Folder of an exported model, as `python -m export` wrote it; the newest version is shown.",
        is_path=True,
        required=True,
    )
    images: str = option(
        "",
        "Folder of PNG and JPEG files to choose from, with its subfolders; if left out, the model's own examples.",
        is_path=True,
    )
    host: str = option("127.0.0.1", "Address to listen on. 0.0.0.0: everyone who can reach this computer.")
    port: int = option(7860, "Port to listen on.", at_least=1, at_most=65535)


def run(arguments: Arguments) -> None:
    """Serves the page until it is stopped; raises ConfigError or ExportError."""
    options = arguments.record(DemoOptions)
    # Set before the page's library is imported: nothing is to leave this computer.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", DO_NOT_TRACK="1")
    LOGGER.info("Opening %s at http://%s:%d", options.model, options.host, options.port)
    import_tensorflow()
    from export.demo.exported_model import newest

    newest(Path(options.model))
    try:
        from export.demo.page import launch
    except ModuleNotFoundError as error:
        raise ExportError(f"the page needs `pip install -e '.[demo]'` in dfv's folder ({error}).") from error
    images = Path(options.images) if options.images else None
    try:
        launch(Path(options.model), images, options.host, options.port)
    except OSError as error:
        raise ExportError(f"--port={options.port} cannot be used ({error}); give another.") from error


PROGRAM = Program(
    module="export.demo",
    name="export.demo",
    description=__doc__ or "",
    groups={"Page": DemoOptions},
    run=run,
    errors=(ConfigError, ExportError),
)
main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
