"""Opens a local page over an exported model: swaps, interpolations, samples and a grid.

    python -m export.demo --model=models/yaleb

Flags:
  --model=FOLDER    a model's folder, as `python -m export` wrote it; its newest version is used.
  --images=FOLDER   PNG and JPEG files to choose from, in it or in its folders; the model's own if left out.
  --host=127.0.0.1  who may open it; 0.0.0.0: everyone who can reach this computer.
  --port=7860       the port.
"""

import os
import sys
from pathlib import Path

from absl import flags

from dfv.config.fields import ASK_FOR_HELP, ConfigError, parse_flags
from export import ExportError


def define_flags() -> flags.FlagValues:
    """The flags of this command alone."""
    values = flags.FlagValues()
    flags.DEFINE_string("model", None, "The model's folder.", flag_values=values)
    flags.DEFINE_string("images", None, "A folder of images.", flag_values=values)
    flags.DEFINE_string("host", "127.0.0.1", "The address to listen on.", flag_values=values)
    flags.DEFINE_integer("port", 7860, "The port.", lower_bound=1, upper_bound=65535, flag_values=values)
    return values


def run(arguments: list[str]) -> None:
    """Serves the page; raises what `main` turns into a message."""
    values = define_flags()
    parse_flags(values, arguments, "export.demo")
    if not values.model:
        raise ExportError("expected --model=FOLDER, a folder that `python -m export` wrote.")
    # Set before the page's library is imported: nothing is to leave this computer.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", DO_NOT_TRACK="1")
    from export.demo.exported_model import newest

    newest(Path(values.model))
    try:
        from export.demo.page import launch
    except ModuleNotFoundError as error:
        raise ExportError(f"the page needs `pip install -e '.[demo]'` in dfv's folder ({error}).") from error
    try:
        launch(Path(values.model), Path(values.images) if values.images else None, values.host, values.port)
    except OSError as error:
        raise ExportError(f"--port={values.port} cannot be used ({error}); give another.") from error


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0, or 2 for what the user can mend."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if ASK_FOR_HELP & set(arguments):
        print(__doc__)
        return 0
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        run(arguments)
    except (ExportError, ConfigError) as error:
        print(f"export.demo: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
