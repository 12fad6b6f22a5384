"""The client for TensorFlow Serving's REST API; needs NumPy only."""

import base64
import contextlib
import gzip
import http.client
import json
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from export.client.base import PREDICT_METHOD, Arrays, Client, ServingError, SignatureTypes, UnavailableError
from export.client.loopback import is_loopback

# TensorFlow's names for the types in an exported model's signatures.
_DTYPES = {"DT_UINT8": "uint8", "DT_FLOAT": "float32", "DT_INT64": "int64", "DT_STRING": "object"}
# Bytes of a body. A shorter one fits into a few packets anyway. TensorFlow Serving unpacks no more than the second
# (kMaxUncompressedBytes in its gzip_zlib.h, since its version 1.14) and treats a longer one as empty.
GZIP_FROM, GZIP_UP_TO = 4 * 2**10, 100 * 2**20
GZIP_MAGIC = b"\x1f\x8b"
# How servers that cannot unpack a body refuse it: as JSON that cannot be parsed, or as an unsupported encoding.
BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE = 400, 415


class RestClient(Client):
    """Sends requests to a REST address, "http://HOST:8501".

    rows: use TensorFlow Serving's row format ("instances") instead of its column format ("inputs").
    compress: whether to gzip bodies of 4 KiB to 100 MiB, and to accept answers in gzip. A body that is
        refused is sent again without gzip; if that succeeds, so are all later ones.
    model: name of the model on the server.
    version, label: the model's version, by its number or its label; the newest if neither is given.
    timeout_s: seconds for a whole call, including retries.
    retries: number of retries if the server cannot be reached or is overloaded; requests have no side effects.

    Raises ValueError for another address, and for both version and label.
    """

    def __init__(self, address: str, model: str, *, rows: bool = False, compress: bool = True, **options: Any):
        super().__init__(_checked(address), model, **options)
        self.rows, self.compress = rows, compress
        # None: those of the environment.
        proxies: dict[str, str] | None = {} if is_loopback(urlsplit(address).hostname or "") else None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))

    def _url(self) -> str:
        url = f"{self.address}/v1/models/{quote(self.model, safe='')}"
        if self.version is not None:
            return f"{url}/versions/{self.version}"
        return f"{url}/labels/{quote(self.label, safe='')}" if self.label else url

    def _predict(self, signature: str, inputs: Arrays, types: SignatureTypes, timeout_s: float) -> Arrays:
        columns = {name: _to_json(values) for name, values in inputs.items()}
        has_names = len(types.outputs) > 1  # a single output comes without its name
        if not self.rows:
            body: dict[str, Any] = {"signature_name": signature, "inputs": columns}
            answer = self._ask(":predict", ["outputs"], timeout_s, body)
            columns = answer if has_names else dict.fromkeys(types.outputs, answer)
        else:
            instances = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            body = {"signature_name": signature, "instances": instances}
            rows = self._ask(":predict", ["predictions"], timeout_s, body)
            rows = rows if has_names else [dict.fromkeys(types.outputs, row) for row in rows]
            columns = {name: [row[name] for row in rows] for name in types.outputs}
        return {name: _from_json(columns[name], dtype) for name, dtype in types.outputs.items()}

    def _metadata(self, timeout_s: float) -> dict[str, SignatureTypes]:
        found = self._ask("/metadata", ["metadata", "signature_def", "signature_def"], timeout_s)
        return {
            name: SignatureTypes(_dtypes(signature["inputs"]), _dtypes(signature["outputs"]))
            for name, signature in found.items()
            if signature["method_name"] == PREDICT_METHOD
        }

    def _ask(self, path: str, keys: list[str], timeout_s: float, body: Mapping[str, Any] | None = None) -> Any:
        """Returns the value of the answer under these nested keys."""
        try:
            answer = json.loads(self._answer(path, None if body is None else json.dumps(body).encode(), timeout_s))
            for key in keys:
                answer = answer[key]
            return answer
        except _RefusedError as refused:
            if refused.status in (429, 503):
                raise UnavailableError(str(refused)) from refused
            raise self._refusal(f"HTTP {refused.status}", str(refused)) from refused
        except http.client.BadStatusLine as error:
            if isinstance(error, http.client.RemoteDisconnected):
                raise UnavailableError(str(error)) from error
            reason = "the answer is not HTTP. Check the port: that of REST is 8501 by default, that of gRPC 8500"
            raise ServingError(f"{self.address}: {reason}.") from error
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(str(getattr(error, "reason", error)) or type(error).__name__) from error
        except (ValueError, LookupError, TypeError) as error:
            reason = f"the answer to {path} is not one of TensorFlow Serving's REST API ({error!r})"
            raise ServingError(f"{self.address}: {reason}. Check the address and its port, 8501 by default.") from error

    def _answer(self, path: str, body: bytes | None, timeout_s: float) -> bytes:
        """Returns the answer's body, to the request without gzip if the server does not understand gzip."""
        is_packed = body is not None and self.compress and GZIP_FROM <= len(body) <= GZIP_UP_TO
        end = time.monotonic() + timeout_s
        try:
            return self._sent(path, body, is_packed, end)
        except _RefusedError as refused:
            if not is_packed or refused.status not in (BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE):
                raise
        answer = self._sent(path, body, False, end)
        self.compress = False
        return answer

    def _sent(self, path: str, body: bytes | None, is_packed: bool, end: float) -> bytes:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip" if self.compress else "identity"}
        if body and is_packed:
            body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=1), "gzip"
        request = urllib.request.Request(self._url() + path, body, headers)
        try:
            with self._opener.open(request, timeout=max(end - time.monotonic(), 0.001)) as response:
                return _unpacked(_read(response, end))
        except urllib.error.HTTPError as error:
            with error:
                raise _RefusedError(error.code, _message(_unpacked(_read(error, end)))) from error


class _RefusedError(Exception):
    """The server answered with an HTTP status of 400 or more; the message is its reason."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


def _read(response: http.client.HTTPResponse | urllib.error.HTTPError, end: float) -> bytes:
    """Returns the body; raises TimeoutError after `end`, since the socket's own timeout applies to each part."""
    parts = []
    while part := response.read1():
        parts.append(part)
        if time.monotonic() > end:
            raise TimeoutError("timed out")
    if response.length:
        raise http.client.IncompleteRead(b"".join(parts), response.length)
    return b"".join(parts)


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        is_valid = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "/v1" not in parts.path
        )
    except ValueError:  # of a port that is no number
        is_valid = False
    if not is_valid:
        raise ValueError(f'address: expected "http://HOST:PORT"; received {address!r}.')
    return address.rstrip("/")


def _to_json(values: np.ndarray) -> list[Any]:
    if values.dtype.kind != "O":
        return values.tolist()
    return [{"b64": base64.b64encode(value).decode()} for value in values]


def _from_json(values: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    if dtype.kind != "O":
        return np.asarray(values, dtype)
    return np.array([base64.b64decode(value["b64"]) for value in values], object)


def _dtypes(side: Mapping[str, Any]) -> dict[str, np.dtype]:
    return {name: np.dtype(_DTYPES.get(info["dtype"], "object")) for name, info in side.items()}


def _unpacked(body: bytes) -> bytes:
    """Returns the body of an answer without gzip, with which no JSON begins; as it is if it is damaged."""
    if body.startswith(GZIP_MAGIC):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            return gzip.decompress(body)
    return body


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace") or "no reason was given"
