"""The client for TensorFlow Serving's REST API; needs NumPy only."""

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import numpy as np

from export.client.base import Arrays, Client, ServingError, SignatureTypes, UnavailableError

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

    def _predict(self, signature: str, inputs: Arrays, types: SignatureTypes, timeout_s: float) -> Arrays:
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

    def _metadata(self, timeout_s: float) -> dict[str, SignatureTypes]:
        answer = self._ask("/metadata", timeout_s)["metadata"]["signature_def"]["signature_def"]
        return {
            name: SignatureTypes(
                *({key: _dtype(info["dtype"]) for key, info in found[side].items()} for side in SignatureTypes._fields)
            )
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
                raise UnavailableError(message) from error
            raise self._refused(f"HTTP {error.code}", message) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(str(error) or type(error).__name__) from error
        except ValueError as error:
            raise ServingError(
                f"{self.address} answered something that is no JSON; is it TensorFlow Serving?"
            ) from error


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
