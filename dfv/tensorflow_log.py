"""Hides the lines that TensorFlow logs at every start on a machine without a GPU, which include an error."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dfv.keras_backend import check_backend

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# What TensorFlow logs at every start whatever the level, and where no GPU is, that there is none.
EXPECTED = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "oneDNN custom operations are on.",
)
EXPECTED_WITHOUT_GPU = ("Could not find cuda drivers", "failed call to cuInit", "Cannot dlopen some GPU libraries")
# A process of its own, so that what TensorFlow says before it ends the program is shown.
FILTER = """
import sys
for line in sys.stdin.buffer:
    if not any(part.encode() in line for part in sys.argv[1:]):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def import_tensorflow() -> None:
    """Imports TensorFlow and lets it look for GPUs, without the lines that it logs at every start.

    Other lines are shown; if TF_CPP_MIN_LOG_LEVEL is set, all lines are. Raises ConfigError if Keras would
    use another backend.
    """
    check_backend()
    if LEVEL in os.environ or "tensorflow" in sys.modules or sys.stderr is None:
        return
    os.environ[LEVEL] = "2"  # no information and warnings, from C++, now and later
    has_gpu = Path("/proc/driver/nvidia").exists() or Path("/dev/nvidiactl").exists()
    with _without_lines(EXPECTED if has_gpu else EXPECTED + EXPECTED_WITHOUT_GPU):
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")


@contextlib.contextmanager
def _without_lines(parts: tuple[str, ...]) -> Iterator[None]:
    """Drops the lines with one of these parts from what is written to file descriptor 2."""
    command = [sys.executable, "-I", "-S", "-c", FILTER, *parts]
    sys.stderr.flush()
    try:
        shown = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        os.dup2(process.stdin.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
