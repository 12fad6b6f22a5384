"""Another backend than TensorFlow is refused before Keras is imported."""

import os
import subprocess
import sys

import pytest

MESSAGE = "Keras' backend: expected tensorflow"


def run(arguments, tmp_path, **environment):
    variables = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | environment
    return subprocess.run(
        [sys.executable, *arguments], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("backend", ["jax", "torch", "openvino"])
def test_a_program_ends_with_one_message(backend, tmp_path):
    arguments = ["-m", "dfv.main", "--dataset=toy_sprites", f"--run_dir={tmp_path}/run"]
    ended = run(arguments, tmp_path, KERAS_BACKEND=backend)
    assert ended.returncode == 2 and not (tmp_path / "run").exists()
    assert f"dfv: {MESSAGE}" in ended.stderr and f"received {backend}, from the environment variable" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["load('quickstart')", "Disentangler", "Codec"])
def test_python_ends_with_it_too(name, tmp_path):
    ended = run(["-c", f"import dfv; dfv.{name}"], tmp_path, KERAS_BACKEND="jax")
    assert ended.returncode == 1 and f"ConfigError: {MESSAGE}" in ended.stderr.splitlines()[-1]


def test_keras_own_file_is_read_and_named(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    ended = run(["-c", "import dfv; dfv.Codec"], tmp_path, KERAS_HOME=str(tmp_path))
    assert f"received torch, from {tmp_path}/keras.json" in ended.stderr.splitlines()[-1]
