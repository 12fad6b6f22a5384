"""A TensorFlow Addons application, in an environment of its own, on one of our exports."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
import test_readers

from export.verification import compare

ADDONS = Path(__file__).parent / "addons"
pytestmark = [
    pytest.mark.addons,
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="TensorFlow Addons has nothing for Python 3.12 and later"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of the environment; DFV_ADDONS_PYTHON names one that is there already."""
    if "DFV_ADDONS_PYTHON" in os.environ:
        return os.environ["DFV_ADDONS_PYTHON"]
    folder = tmp_path_factory.mktemp("addons")
    venv.create(folder, with_pip=True)
    program = str(folder / "bin" / "python")
    subprocess.run([program, "-m", "pip", "install", "-q", "-r", ADDONS / "requirements.txt"], check=True)
    return program


def semihard_loss(identity: np.ndarray, embedding: np.ndarray, margin: float = 1.0) -> float:
    """FaceNet's loss in NumPy: each pair's nearest negative that is farther than its positive, else the farthest."""
    distance = np.sqrt(((embedding[:, None] - embedding) ** 2).sum(-1))
    losses = []
    for a in range(len(identity)):
        negatives = distance[a][identity != identity[a]]
        for p in range(len(identity)):
            if p != a and identity[p] == identity[a]:
                farther = negatives[negatives > distance[a, p]]
                losses.append(max(0.0, margin + distance[a, p] - (farther.min() if len(farther) else negatives.max())))
    return float(np.mean(losses))


def test_it_reads_the_model_and_learns_on_s(python, exported, model, tmp_path):
    images = np.random.default_rng(3).integers(0, 256, (12, *model.image_shape), np.uint8)
    identity = np.arange(12, dtype=np.int32) % 4
    np.savez(tmp_path / "images.npz", image=images, identity=identity)
    command = [python, "-I", ADDONS / "application.py", exported, tmp_path / "images.npz", tmp_path / "answers.npz"]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    answers = np.load(tmp_path / "answers.npz")
    assert answers["versions"].tolist() == ["2.15.1", "0.23.0"]
    s = model.encode(images).s
    np.testing.assert_allclose(answers["s"], s, atol=1e-4)
    expected = semihard_loss(identity, s / np.linalg.norm(s, axis=1, keepdims=True))
    np.testing.assert_allclose(answers["loss"], expected, rtol=1e-4)
    assert np.abs(answers["gradient"]).max() > 1e-3


def test_every_signature_gives_the_same_there(python, exported, cases, tmp_path):
    received = test_readers.stranger(exported, cases[0], tmp_path, python)
    assert received.keys() == cases[1].keys()
    for name, values in cases[1].items():
        difference, limit = compare(received[name], values)
        assert difference <= 10 * limit if values.dtype != np.uint8 else difference <= limit, name
