"""Serves a web page for an exported model: swaps, interpolations, samples and a swap grid.

python -m export.demo --model=models/yaleb
"""

import logging
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dfv.config.command_line import Arguments
from dfv.config.fields import Checked, ConfigError, option
from dfv.keras_backend import check_backend
from dfv.program import Program
from export import ExportError
from export.demo.address import check_address
from export.demo.model_folder import newest_version
from export.demo.model_process import ModelProcess

LOGGER = logging.getLogger("export.demo")


@dataclass(frozen=True)
class DemoOptions(Checked):
    """Model and images of the page, and its address."""

    model: str = option(
        "",
        "Folder of an exported model, written by `python -m export`; the newest version is used.",
        is_path=True,
        required=True,
    )
    images: str = option(
        "",
        "Folder of PNG and JPEG files to choose from, including subfolders; any number. Default: the example images"
        " exported with the model.",
        is_path=True,
    )
    host: str = option(
        "127.0.0.1", "Address to listen on. With 0.0.0.0, anyone who can reach this computer can open the page."
    )
    port: int = option(7860, "Port to listen on.", at_least=1, at_most=65535)


def run(arguments: Arguments) -> None:
    """Serves the page until it is stopped; raises ConfigError or ExportError."""
    options = arguments.record(DemoOptions)
    # Set before the page's library is imported, so that it sends nothing to other computers.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", DO_NOT_TRACK="1")
    # Nor by a proxy to this one: the library asks the page whether it is there.
    os.environ.update(no_proxy="*", NO_PROXY="*")
    LOGGER.info("Loading %s", options.model)
    check_address(options.host, options.port)
    check_backend()
    newest_version(Path(options.model))
    # The library's default is one folder for all users of the computer, which belongs to the first of them.
    with tempfile.TemporaryDirectory(prefix="dfv-demo-") as folder:
        os.environ.setdefault("GRADIO_TEMP_DIR", folder)
        with ModelProcess(Path(options.model)) as model:
            _serve(options, model)


def _serve(options: DemoOptions, model: ModelProcess) -> None:
    try:
        from export.demo.page import serve
    except ImportError as error:
        raise ExportError(f"the page needs `pip install -e '.[demo]'` in dfv's folder ({error}).") from error
    images = Path(options.images) if options.images else None
    try:
        serve(model, Path(options.model).resolve().name, images, options.host, options.port)
    except OSError as error:
        raise ExportError(f"the page cannot be served at {options.host}, port {options.port} ({error}).") from error


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
