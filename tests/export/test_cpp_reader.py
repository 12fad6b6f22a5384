"""A C++ program against TensorFlow's own library: the loader of TensorFlow Serving, which feeds inputs unchecked."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from export.verification import Arrays, compare

pytestmark = pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program, folder = tmp_path_factory.mktemp("cpp") / "reader", Path(tf.__file__).parent
    libraries = ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    source = Path(__file__).with_name("reader.cc")
    command = ["g++", "-O0", "-w", *tf.sysconfig.get_compile_flags(), str(source), "-o", str(program)]
    command += [f"-L{folder}", "-Wl,--no-as-needed", *libraries, f"-Wl,-rpath,{folder}"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return program


def run(reader: Path, saved_model: Path, folder: Path, inputs: Arrays) -> tuple[Arrays, str]:
    """The outputs by SIGNATURE/NAME, and what was said about signatures that failed."""
    for name, values in inputs.items():
        path = folder / f"{name}.pb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tf.make_tensor_proto(values).SerializeToString())
    finished = subprocess.run([reader, saved_model, folder], capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    outputs = {
        f"{path.parent.name}/{path.name.removesuffix('.out.pb')}": tf.make_ndarray(
            tensor_pb2.TensorProto.FromString(path.read_bytes())
        )
        for path in folder.glob("*/*.out.pb")
    }
    return outputs, finished.stdout


def test_every_signature_gives_what_python_gives(reader, exported, cases, tmp_path):
    inputs, expected = cases
    outputs, complaints = run(reader, exported, tmp_path, inputs)
    assert complaints == "" and outputs.keys() == expected.keys()
    for name, values in expected.items():
        received = outputs[name].astype("S") if outputs[name].dtype == object else outputs[name]
        difference, limit = compare(received, values)
        assert difference <= limit, name


def test_wrong_inputs_are_refused_by_the_graph_itself(reader, exported, cases, tmp_path):
    inputs, _ = cases
    image = inputs["encode/image"]
    wrong = {
        # Four images of a quarter: flattened unchecked, they would pass as one.
        "encode/image": np.zeros((4, 7, 5, 1), np.uint8),
        "reconstruct/image": image[0],
        "swap/image_s": image[:1],
        "swap/image_z": image,
        "decode/s": np.full((1, 5), np.nan, np.float32),
        "decode/z": inputs["decode/z"][:1],
        "sample/image_s": image,
        "sample/seed": np.int64(3),
        "interpolate/image_a": image.astype(np.float32),
        "interpolate/image_b": image,
        "interpolate/weight_s": np.zeros(3, np.float32),
        "interpolate/weight_z": np.zeros(3, np.float32),
        "encode_bytes/image_bytes": np.array([b"no image"]),
        "serving_default/image": np.zeros((5000, *image.shape[1:]), np.uint8),
    }
    outputs, complaints = run(reader, exported, tmp_path, wrong)
    assert not outputs
    for signature, message in {
        "encode": "not compatible with expected shape",
        "reconstruct": "not compatible with expected shape",
        "swap": "expected as many rows in each of image_s, image_z",
        "decode": "expected codes from",
        "sample": "not compatible with expected shape",
        "interpolate": "uint8",
        "encode_bytes": "something else in row",
        "serving_default": "expected at most 4096 rows",
    }.items():
        assert any(line.startswith(f"{signature}: ") and message in line for line in complaints.splitlines()), signature
