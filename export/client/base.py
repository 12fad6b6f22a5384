"""Base class of both clients: checks inputs, retries within a timeout, and reports errors."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")
Arrays = dict[str, np.ndarray]

FIRST_PAUSE_S = 0.1
PREDICT_METHOD = "tensorflow/serving/predict"


class ServingError(RuntimeError):
    """A request failed; the message names server and model, and says what to do or what the server answered."""


class UnavailableError(Exception):
    """The server is temporarily unavailable; a retry may succeed."""


class SignatureTypes(NamedTuple):
    """NumPy types of a signature's inputs and outputs, by name."""

    inputs: dict[str, np.dtype]
    outputs: dict[str, np.dtype]


class Client(ABC):
    """Sends requests for one model to one server; the arguments are explained at `RestClient`."""

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout_s: float = 10.0,
        retries: int = 3,
    ):
        if version is not None and label is not None:
            raise ValueError(f"expected version or label, not both; received version={version}, label={label!r}.")
        self.address, self.model, self.version, self.label = address, model, version, label
        self.timeout_s, self.retries = timeout_s, retries
        self._signatures: dict[str, SignatureTypes] | None = None

    def predict(self, signature: str, **inputs: Any) -> Arrays:
        """Returns the outputs of a signature by name, for inputs [N, ...]; encoded images are `bytes`.

        Raises ServingError if the inputs do not match the signature, the server rejects them, or the timeout
        is exceeded.
        """
        deadline = time.monotonic() + self.timeout_s
        types = self._types(signature, deadline)
        if inputs.keys() != types.inputs.keys():
            expected, received = _names(types.inputs), _names(inputs)
            raise ServingError(f"{signature} of {self.model} takes {expected}; received {received}.")
        arrays = {name: _array(name, values, types.inputs[name]) for name, values in inputs.items()}
        if len(set(map(len, arrays.values()))) > 1:
            received = ", ".join(str(len(arrays[name])) for name in sorted(arrays))
            raise ServingError(f"expected as many rows in each of {_names(arrays)}; received {received}.")
        return self._retried(lambda left_s: self._predict(signature, arrays, types, left_s), deadline)

    def signatures(self) -> dict[str, SignatureTypes]:
        """Returns the model's signatures by name. Raises ServingError."""
        return self._known_signatures(time.monotonic() + self.timeout_s)

    def _known_signatures(self, deadline: float) -> dict[str, SignatureTypes]:
        if self._signatures is None:
            self._signatures = self._retried(self._metadata, deadline)
        return self._signatures

    def _types(self, signature: str, deadline: float) -> SignatureTypes:
        known = self._known_signatures(deadline)
        if signature not in known:
            raise ServingError(f"{self.model} has no signature {signature}; it has {_names(known)}.")
        return known[signature]

    def _retried(self, request: Callable[[float], T], deadline: float) -> T:
        pause, reason = FIRST_PAUSE_S, ""
        for attempt in range(self.retries + 1):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            try:
                return request(left_s)
            except UnavailableError as error:
                reason = str(error)
            if attempt < self.retries:
                time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
                pause *= 2
        raise ServingError(
            f"{self.address} gave no answer for {self.model} within {self.timeout_s:g} s and {self.retries + 1} tries"
            f" ({reason or 'no time was left'}). Is the server running, and the model loaded?"
        )

    def _refusal(self, status: str, message: str) -> ServingError:
        return ServingError(f"{self.address} refused the request to {self.model} ({status}): {message}")

    @abstractmethod
    def _predict(self, signature: str, inputs: Arrays, types: SignatureTypes, timeout_s: float) -> Arrays:
        """Sends one request. Raises UnavailableError if a retry may succeed."""

    @abstractmethod
    def _metadata(self, timeout_s: float) -> dict[str, SignatureTypes]:
        """Asks for the model's signatures. Raises UnavailableError if a retry may succeed."""


def _array(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    try:
        array = np.asarray(values, dtype if dtype.kind == "O" else None)
    except ValueError as error:
        raise ServingError(f"{name}: expected an array; received parts of different shapes.") from error
    if dtype.kind == "O" and not all(isinstance(value, bytes) for value in array.flat):
        other = next(value for value in array.flat if not isinstance(value, bytes))
        raise ServingError(f"{name}: expected the bytes of image files; received {type(other).__name__}.")
    if array.ndim == 0:
        raise ServingError(f"{name}: expected a row for each image; received a single {array.dtype}.")
    # Rounding is fine among floats; among integers, 300 would become 44.
    fits = np.can_cast(array.dtype, dtype, "same_kind" if dtype.kind == "f" else "safe")
    if (not array.size and dtype.kind != "O") or fits:
        return array.astype(dtype)
    raise ServingError(f"{name}: expected {dtype}; received {array.dtype}. Convert it first.")


def _names(names: Mapping[str, Any] | Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
