"""What TensorFlow logs at every start is dropped, and nothing else."""

import os
import subprocess
import sys

import pytest

from dfv.tensorflow_log import EXPECTED, EXPECTED_WITHOUT_GPU, LEVEL

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != LEVEL}


def log_of(script: str, **variables: str) -> str:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT | variables).stderr


def test_tensorflow_starts_quietly():
    script = "from dfv.tensorflow_log import import_tensorflow as i; i(); import tensorflow as tf; tf.constant(1)"
    assert log_of(script) == ""


def test_a_log_that_was_asked_for_is_shown():
    script = (
        "from dfv.tensorflow_log import import_tensorflow as i; i(); import sys; print('tensorflow' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT | {LEVEL: "0"}
    )
    assert answer.stdout == "False\n"  # it is imported later, and nothing comes between


@pytest.mark.parametrize("end", ["", "os.abort()", "os._exit(1)"])
def test_other_lines_are_shown_even_if_the_process_dies(end):
    script = f"""
import os
from dfv.tensorflow_log import EXPECTED, EXPECTED_WITHOUT_GPU, _without_lines
with _without_lines(EXPECTED + EXPECTED_WITHOUT_GPU):
    for part in EXPECTED + EXPECTED_WITHOUT_GPU:
        os.write(2, b"I0000 " + part.encode() + b" and so on\\n")
    os.write(2, b"this processor is not supported\\n")
    {end}
os.write(2, b"later\\n")
"""
    shown = "this processor is not supported\n"
    assert log_of(script) == shown + ("" if end else "later\n")
    assert EXPECTED and EXPECTED_WITHOUT_GPU
