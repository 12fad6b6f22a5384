"""The server that the conformance tests ask: a real TensorFlow Serving where one is at hand, otherwise the stand-in.

TENSORFLOW_MODEL_SERVER=/usr/bin/tensorflow_model_server     starts that program on the tests' own export
DFV_SERVING=REST_ADDRESS,GRPC_ADDRESS,FOLDER                 asks a running server, such as the Docker image's, that
                                                             serves FOLDER, for example
                                                             http://127.0.0.1:8501,127.0.0.1:8500,models/quickstart
"""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import serving_stand_in


class Server(NamedTuple):
    """Addresses, the model's folder, and the stand-in itself if it is one."""

    rest: str
    grpc: str | None
    place: Path
    stand_in: "serving_stand_in.StandIn | None" = None


@contextmanager
def any_server(place: Path) -> Iterator[Server]:
    """The server that the environment names, or the stand-in."""
    if "DFV_SERVING" in os.environ:
        rest, grpc, folder = os.environ["DFV_SERVING"].split(",")
        yield Server(rest, grpc, Path(folder).resolve())
    elif "TENSORFLOW_MODEL_SERVER" in os.environ:
        with _program(os.environ["TENSORFLOW_MODEL_SERVER"], place) as server:
            yield server
    else:
        with stand_in_server(place) as server:
            yield server


@contextmanager
def stand_in_server(place: Path) -> Iterator[Server]:
    """The stand-in over REST and, with the `serving` extra, gRPC."""
    stand_in = serving_stand_in.StandIn(place)
    with serving_stand_in.rest_server(stand_in) as rest:
        try:
            import tensorflow_serving.apis.predict_pb2  # noqa: F401
        except ImportError:
            yield Server(rest, None, place, stand_in)
            return
        with serving_stand_in.grpc_server(stand_in) as grpc:
            yield Server(rest, grpc, place, stand_in)


@contextmanager
def _program(binary: str, place: Path) -> Iterator[Server]:
    ports = [_free_port() for _ in range(2)]
    config = place.parent / "local_models.config"
    config.write_text((place / "models.config").read_text().replace(f'"/models/{place.name}"', f'"{place}"'))
    command = [binary, f"--port={ports[0]}", f"--rest_api_port={ports[1]}", f"--model_config_file={config}"]
    command += ["--allow_version_labels_for_unavailable_models=true", "--enable_batching"]
    process = subprocess.Popen([*command, f"--batching_parameters_file={place / 'batching.config'}"])
    try:
        rest = f"http://127.0.0.1:{ports[1]}"
        _wait(f"{rest}/v1/models/{place.name}", process)
        yield Server(rest, f"127.0.0.1:{ports[0]}", place)
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if b"AVAILABLE" in answer.read():
                    return
        except OSError:
            assert process.poll() is None, "the server ended"
        time.sleep(0.5)
    raise TimeoutError(url)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
