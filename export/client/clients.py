"""A small client of TensorFlow Serving for exported models, over REST or gRPC.

    client = RestClient("http://127.0.0.1:8501", "yaleb", label="stable")
    swapped = client.predict("swap", image_s=images, image_z=others)["image"]

REST needs NumPy alone; gRPC needs the `serving` extra.
"""

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from export.client.base import Arrays, Client, ServingError, Types, Unavailable

__all__ = ["Client", "GrpcClient", "RestClient", "ServingError"]

# TensorFlow's names of the types in our signatures.
_TYPES = {"DT_UINT8": "uint8", "DT_FLOAT": "float32", "DT_INT64": "int64", "DT_STRING": "object"}


class RestClient(Client):
    """address: "http://HOST:8501"; rows=True sends and receives row by row instead of by columns."""

    def __init__(self, address: str, model: str, *, rows: bool = False, **options: Any):
        super().__init__(address.rstrip("/"), model, **options)
        self.rows = rows

    def _url(self) -> str:
        which = (
            f"/versions/{self.version}" if self.version is not None else f"/labels/{self.label}" if self.label else ""
        )
        return f"{self.address}/v1/models/{self.model}{which}"

    def _predict(self, signature: str, inputs: Arrays, types: Types, timeout_s: float) -> Arrays:
        columns = {name: _to_json(values) for name, values in inputs.items()}
        if not self.rows:
            answer = self._ask(":predict", timeout_s, {"signature_name": signature, "inputs": columns})["outputs"]
            columns = answer if len(types.outputs) > 1 else dict.fromkeys(types.outputs, answer)
        else:
            instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            rows = self._ask(":predict", timeout_s, {"signature_name": signature, "instances": instances})[
                "predictions"
            ]
            # A single output comes without its name.
            rows = rows if len(types.outputs) > 1 else [dict.fromkeys(types.outputs, row) for row in rows]
            columns = {name: [row[name] for row in rows] for name in types.outputs}
        return {name: _from_json(columns[name], dtype) for name, dtype in types.outputs.items()}

    def _metadata(self, timeout_s: float) -> dict[str, Types]:
        answer = self._ask("/metadata", timeout_s)["metadata"]["signature_def"]["signature_def"]
        return {
            name: Types(*({key: _dtype(info["dtype"]) for key, info in found[side].items()} for side in Types._fields))
            for name, found in answer.items()
            if found["method_name"] == "tensorflow/serving/predict"
        }

    def _ask(self, path: str, timeout_s: float, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url() + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            message = _message(error.read())
            if error.code in (429, 503):
                raise Unavailable(message) from error
            raise self._refused(f"HTTP {error.code}", message) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(str(error) or type(error).__name__) from error
        except ValueError as error:
            raise ServingError(
                f"{self.address} answered something that is no JSON; is it TensorFlow Serving?"
            ) from error


class GrpcClient(Client):
    """address: "HOST:8500"."""

    def __init__(self, address: str, model: str, **options: Any):
        super().__init__(address, model, **options)
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            message = "gRPC needs `pip install -e '.[serving]'` in dfv's folder; RestClient does without."
            raise ServingError(message) from error
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=unlimited)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def _name(self, spec: Any) -> None:
        spec.name = self.model
        if self.version is not None:
            spec.version.value = self.version
        elif self.label:
            spec.version_label = self.label

    def _predict(self, signature: str, inputs: Arrays, types: Types, timeout_s: float) -> Arrays:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        answer = self._ask(self._stub.Predict, request, timeout_s)
        return {name: tf.make_ndarray(answer.outputs[name]) for name in types.outputs}

    def _metadata(self, timeout_s: float) -> dict[str, Types]:
        import tensorflow as tf
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._name(request.model_spec)
        answer = self._ask(self._stub.GetModelMetadata, request, timeout_s)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        return {
            name: Types(
                *(
                    {key: np.dtype(tf.as_dtype(info.dtype).as_numpy_dtype) for key, info in getattr(each, side).items()}
                    for side in Types._fields
                )
            )
            for name, each in found.signature_def.items()
            if each.method_name == "tensorflow/serving/predict"
        }

    def _ask(self, method: Callable[..., Any], request: Any, timeout_s: float) -> Any:
        import grpc

        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise Unavailable(error.details()) from error
            raise self._refused(error.code().name, error.details()) from error


def _to_json(values: np.ndarray) -> list:
    if values.dtype.kind != "O":
        return values.tolist()
    return [{"b64": base64.b64encode(value).decode()} for value in values]


def _from_json(values: list, dtype: np.dtype) -> np.ndarray:
    if dtype.kind != "O":
        return np.asarray(values, dtype)
    return np.array([base64.b64decode(value["b64"]) for value in values], object)


def _dtype(name: str) -> np.dtype:
    return np.dtype(_TYPES.get(name, "object"))


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace") or "no reason was given"
