"""Programs that have TensorFlow and nothing of ours: Python, saved_model_cli, a Keras layer."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from export.verification import Arrays, compare

STRANGER = """
import sys
sys.modules["dfv"] = sys.modules["export"] = None  # importing either would fail
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
given, answers = np.load(sys.argv[2]), {}
for name, signature in model.signatures.items():
    inputs = {key: tf.constant(given[f"{name}/{key}"]) for key in signature.structured_input_signature[1]}
    for key, value in signature(**inputs).items():
        value = value.numpy()
        answers[f"{name}/{key}"] = value.astype("S") if value.dtype == object else value
np.savez(sys.argv[3], **answers)
"""


def stranger(saved_model: Path, inputs: Arrays, folder: Path, python: str = sys.executable) -> Arrays:
    """The outputs of every signature in another Python, by SIGNATURE/NAME."""
    np.savez(folder / "in.npz", **inputs)
    command = [python, "-I", "-c", STRANGER, saved_model, folder / "in.npz", folder / "out.npz"]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return dict(np.load(folder / "out.npz"))


def test_a_new_process_with_tensorflow_alone(exported, cases, tmp_path):
    received = stranger(exported, cases[0], tmp_path)
    assert received.keys() == cases[1].keys()
    for name, values in cases[1].items():
        difference, limit = compare(received[name], values)
        assert difference <= limit, name


@pytest.fixture(scope="module")
def cli() -> str:
    return str(Path(sys.executable).with_name("saved_model_cli"))


def test_saved_model_cli_shows_it(cli, exported):
    command = [cli, "show", "--dir", exported, "--tag_set", "serve", "--signature_def", "sample_bytes"]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    words = ("inputs['image_s_bytes']", "inputs['seed']", "outputs['image_bytes']", "tensorflow/serving/predict")
    assert all(word in shown.stdout for word in words)


def test_saved_model_cli_runs_it(cli, exported, cases, tmp_path):
    np.savez(tmp_path / "in.npz", a=cases[0]["swap/image_s"], b=cases[0]["swap/image_z"])
    given = f"image_s={tmp_path}/in.npz[a];image_z={tmp_path}/in.npz[b]"
    command = [cli, "run", "--dir", exported, "--tag_set", "serve", "--signature_def", "swap", "--inputs", given]
    finished = subprocess.run([*command, "--outdir", tmp_path], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    difference, limit = compare(np.load(tmp_path / "image.npy"), cases[1]["swap/image"])
    assert difference <= limit


def test_a_layer_of_a_keras_model(exported, cases):
    image = keras.Input((13, 10, 1), dtype="uint8")
    codes = keras.layers.TFSMLayer(str(exported), call_endpoint="encode")(image)
    outputs = keras.layers.Dense(3, kernel_initializer="ones")(codes["s"])
    received = keras.Model(image, outputs).predict(cases[0]["encode/image"], verbose=0)
    np.testing.assert_allclose(received, cases[1]["encode/s"].sum(1, keepdims=True).repeat(3, 1), rtol=1e-4, atol=1e-4)
