"""An in-process stand-in for TensorFlow Serving, for tests only: its REST and gRPC APIs over the same SavedModel.

It is not TensorFlow Serving. It keeps to what was read in that server's sources: inputs are matched by name, types by
the graph, shapes by nobody; JSON in rows or columns; `*_bytes` outputs in base64.
"""

import base64
import functools
import gzip
import json
import re
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import config_pb2

from export.verification import Arrays

ROUTE = re.compile(r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?(?P<what>.*)")


GZIP_LIMIT = 100 * 2**20  # kMaxUncompressedBytes in tensorflow_serving/util/net_http/compression/gzip_zlib.h


class Fault(Exception):
    """A refusal: the HTTP status, the gRPC status' name, and the words."""

    def __init__(self, http: int, grpc: str, message: str):
        super().__init__(message)
        self.http, self.grpc, self.message = http, grpc, message


def invalid(message: str) -> Fault:
    return Fault(400, "INVALID_ARGUMENT", message)


class Version:
    """One version, run by a session that checks no shapes, as the server's does."""

    def __init__(self, folder: Path):
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self.session, ["serve"], str(folder))
        self.signatures = {k: v for k, v in loaded.signature_def.items() if v.method_name.endswith("/predict")}
        self._callables = {name: self._callable(signature) for name, signature in self.signatures.items()}

    def _callable(self, signature: Any) -> Any:
        options = config_pb2.CallableOptions(
            feed=[signature.inputs[name].name for name in sorted(signature.inputs)],
            fetch=[signature.outputs[name].name for name in sorted(signature.outputs)],
        )
        return self.session._make_callable_from_options(options)

    def predict(self, name: str, inputs: Arrays) -> Arrays:
        signature = self.signature(name)
        missing, extra = signature.inputs.keys() - inputs.keys(), inputs.keys() - signature.inputs.keys()
        if missing or extra:
            raise invalid(f"input does not match signature. Sent extra: {sorted(extra)}. Missing: {sorted(missing)}.")
        for key, value in inputs.items():
            expected = tf.as_dtype(signature.inputs[key].dtype)
            if (value.dtype.kind in "SO") != (expected == tf.string) or (
                value.dtype.kind not in "SO" and value.dtype != expected
            ):
                raise invalid(f"Expects arg {key} to be {expected.name} but {value.dtype} is provided")
        try:
            outputs = self._callables[name](*(inputs[key] for key in sorted(inputs)))
        except tf.errors.OpError as error:
            raise invalid(error.message) from error
        return dict(zip(sorted(signature.outputs), outputs, strict=True))

    def signature(self, name: str) -> Any:
        if name not in self.signatures:
            raise Fault(404, "NOT_FOUND", f'Serving signature key "{name}" not found.')
        return self.signatures[name]


@functools.cache
def loaded(folder: Path) -> Version:
    """A version, which all stand-ins of this process share."""
    return Version(folder)


class StandIn:
    """The versions below a model's folder, with the labels of its models.config."""

    def __init__(self, place: Path):
        self.name = place.name
        self.versions = {int(path.name): loaded(path) for path in place.iterdir() if path.name.isdecimal()}
        labels = re.findall(r'key: "(\w+)" value: (\d+)', (place / "models.config").read_text())
        self.labels = {label: int(version) for label, version in labels}
        self.asked: list[tuple[int | None, str | None]] = []  # the version and the label of each request
        self.failures: list[Fault] = []  # given instead of the next answers
        self.received: list[tuple[str | None, int]] = []  # each POST's Content-Encoding, and its bytes on the wire
        self.sent: list[tuple[str | None, int]] = []  # the same of each answer
        self.unpacks = True  # whether it understands a request in gzip
        # Whether it answers in gzip where the client accepts that: TensorFlow Serving does not, proxies before it may.
        self.packs_answers = False

    def version(self, model: str, version: int | None, label: str | None) -> Version:
        self.asked.append((version, label or None))
        if self.failures:
            raise self.failures.pop(0)
        number = self.labels.get(label, 0) if label else version if version is not None else max(self.versions)
        if model != self.name or number not in self.versions:
            raise Fault(404, "NOT_FOUND", f"Servable not found for request: {model}, {label or version}")
        return self.versions[number]

    def rest(self, path: str, body: bytes | None) -> dict[str, Any]:
        """The answer to GET (no body) or POST."""
        route = ROUTE.fullmatch(path)
        if not route:
            raise Fault(404, "NOT_FOUND", "Malformed request")
        number = int(route["version"]) if route["version"] else None
        version = self.version(route["model"], number, route["label"])
        if body is None and route["what"] == "/metadata":
            return {"metadata": {"signature_def": {"signature_def": {
                name: json_format.MessageToDict(each, preserving_proto_field_name=True)
                for name, each in version.signatures.items()
            }}}}  # fmt: skip
        if body is None and route["what"] == "":
            return {"model_version_status": [{"version": str(v), "state": "AVAILABLE"} for v in sorted(self.versions)]}
        if body is None or route["what"] != ":predict":
            raise Fault(404, "NOT_FOUND", "Malformed request")
        return self._predict(version, body)

    def _predict(self, version: Version, body: bytes) -> dict[str, Any]:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise invalid(f"JSON Parse error: {error}") from error
        if not isinstance(request, dict) or ("instances" in request) == ("inputs" in request):
            raise invalid("Request must be an object with one of 'instances' and 'inputs'")
        name = request.get("signature_name", "serving_default")
        signature = version.signature(name if isinstance(name, str) else "")
        infos = dict(signature.inputs)
        given = columns_of_rows(request["instances"], infos) if "instances" in request else request["inputs"]
        if not isinstance(given, dict) or (len(infos) == 1 and "b64" in given):
            given = {next(iter(infos)): given} if len(infos) == 1 else {}
        inputs = {key: tensor(value, infos[key].dtype) for key, value in given.items() if key in infos}
        outputs = version.predict(name, inputs | {key: np.zeros(0) for key in given.keys() - infos.keys()})
        plain = {key: to_json(key, value) for key, value in outputs.items()}
        if "inputs" in request:
            return {"outputs": plain if len(plain) > 1 else next(iter(plain.values()))}
        rows = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
        return {"predictions": rows if len(plain) > 1 else [next(iter(row.values())) for row in rows]}


def columns_of_rows(rows: Any, infos: dict[str, Any]) -> dict[str, list]:
    if not isinstance(rows, list) or not rows:
        raise invalid("'instances' must be a list that is not empty")
    named = [isinstance(row, dict) and "b64" not in row for row in rows]
    if any(named) != all(named):
        raise invalid("instances must be all objects or all values")
    if not named[0]:
        if len(infos) != 1:
            raise invalid("instances must name each input")
        return {next(iter(infos)): rows}
    if any(row.keys() != rows[0].keys() for row in rows):
        raise invalid("all instances must have the same keys")
    return {key: [row[key] for row in rows] for key in rows[0]}


def tensor(value: Any, dtype: int) -> np.ndarray:
    """The array of a JSON value; raises Fault if it is ragged or of another type."""
    wanted = tf.as_dtype(dtype)
    if wanted == tf.string:
        return strings(value)
    try:
        array = np.asarray(value)
        if array.dtype.kind not in ("iuf" if wanted.is_floating else "iu") and array.size:
            raise ValueError(f"not of type {wanted.name}")
        if wanted.is_integer and array.size and not (wanted.min <= array.min() and array.max() <= wanted.max):
            raise ValueError(f"out of range of {wanted.name}")
        return array.astype(wanted.as_numpy_dtype)
    except (ValueError, OverflowError, TypeError) as error:
        raise invalid(f"JSON value is no tensor: {error}") from error


def strings(value: Any) -> np.ndarray:
    if isinstance(value, list):
        parts = [strings(part) for part in value]
        if len({part.shape for part in parts}) > 1:
            raise invalid("Encountered list at unexpected depth")
        return np.array([part.tolist() for part in parts], object)
    try:
        encoded = value["b64"] if isinstance(value, dict) else None
        return np.array(value.encode() if encoded is None else base64.b64decode(encoded, validate=True), object)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise invalid("JSON value is no string") from error


def to_json(name: str, values: np.ndarray) -> list:
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return values.tolist()


def unpacked(body: bytes) -> bytes:
    """What the server makes of a body sent with gzip: nothing if it is damaged or unpacks to more than its limit."""
    try:
        content = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b""
    return content if len(content) <= GZIP_LIMIT else b""


@contextmanager
def rest_server(stand_in: StandIn) -> Iterator[str]:
    """Serves REST on a free port of loopback; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: bytes | None) -> None:
            try:
                status, content = 200, stand_in.rest(self.path, body)
            except Fault as fault:
                status, content = fault.http, {"error": fault.message}
            encoded, encoding = json.dumps(content).encode(), None
            if stand_in.packs_answers and "gzip" in self.headers.get("Accept-Encoding", ""):
                encoded, encoding = gzip.compress(encoded, compresslevel=1), "gzip"
            stand_in.sent.append((encoding, len(encoded)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(encoded)))
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.end_headers()
            self.wfile.write(encoded)

        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stand_in.received.append((self.headers.get("Content-Encoding"), len(body)))
            is_packed = stand_in.unpacks and "gzip" in self.headers.get("Content-Encoding", "")
            self.answer(unpacked(body) if is_packed else body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def grpc_server(stand_in: StandIn) -> Iterator[str]:
    """Serves the official PredictionService on a free port of loopback; gives the address."""
    import grpc
    from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def _version(self, spec: Any) -> Version:
            number = spec.version.value if spec.HasField("version") else None
            return stand_in.version(spec.name, number, spec.version_label or None)

        def Predict(self, request: Any, context: Any) -> Any:
            answer = predict_pb2.PredictResponse()
            try:
                inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
                name = request.model_spec.signature_name or "serving_default"
                outputs = self._version(request.model_spec).predict(name, inputs)
            except Fault as fault:
                context.abort(getattr(grpc.StatusCode, fault.grpc), fault.message)
            for key, value in outputs.items():
                answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return answer

        def GetModelMetadata(self, request: Any, context: Any) -> Any:
            found, answer = get_model_metadata_pb2.SignatureDefMap(), get_model_metadata_pb2.GetModelMetadataResponse()
            try:
                signatures = self._version(request.model_spec).signatures
            except Fault as fault:
                context.abort(getattr(grpc.StatusCode, fault.grpc), fault.message)
            for key, value in signatures.items():
                found.signature_def[key].CopyFrom(value)
            answer.metadata["signature_def"].Pack(found)
            return answer

    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)
