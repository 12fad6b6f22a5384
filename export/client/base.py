"""What the clients of a server have in common: inputs checked, retries within a timeout, errors in words."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")
Arrays = dict[str, np.ndarray]

FIRST_PAUSE_S = 0.1


class ServingError(RuntimeError):
    """A request that was not answered; the message names the server, the model and what to do or what it said."""


class UnavailableError(Exception):
    """No answer this time; asking again may help."""


class SignatureTypes(NamedTuple):
    """The NumPy types of a signature's inputs and outputs, by name."""

    inputs: dict[str, np.dtype]
    outputs: dict[str, np.dtype]


class Client(ABC):
    """Asks one model of a server.

    address: as the subclass says. version, label: which version to ask; the newest if neither is given.
    timeout_s: for a whole call, with its retries. retries: after a server that cannot be reached or is overloaded;
      requests have no effects, so asking twice is safe.
    """

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
            raise ValueError("give a version or a label, not both.")
        self.address, self.model, self.version, self.label = address, model, version, label
        self.timeout_s, self.retries = timeout_s, retries
        self._signatures: dict[str, SignatureTypes] | None = None

    def predict(self, signature: str, **inputs: Any) -> Arrays:
        """The outputs of a signature, by name, for inputs [N, ...]; encoded images are `bytes`. Raises ServingError."""
        deadline = time.monotonic() + self.timeout_s
        types = self._types(signature, deadline)
        if inputs.keys() != types.inputs.keys():
            raise ServingError(f"{signature} of {self.model} takes {_list(types.inputs)}; received {_list(inputs)}.")
        arrays = {name: _array(name, values, types.inputs[name]) for name, values in inputs.items()}
        if len(set(map(len, arrays.values()))) > 1:
            raise ServingError(f"expected as many rows in each of {_list(arrays)}; received {_rows(arrays)}.")
        return self._retried(lambda left: self._predict(signature, arrays, types, left), deadline)

    def signatures(self) -> dict[str, SignatureTypes]:
        """What the model offers, by name."""
        if self._signatures is None:
            self._signatures = self._retried(self._metadata, time.monotonic() + self.timeout_s)
        return self._signatures

    def _types(self, signature: str, deadline: float) -> SignatureTypes:
        if self._signatures is None:
            self._signatures = self._retried(self._metadata, deadline)
        if signature not in self._signatures:
            raise ServingError(f"{self.model} has no signature {signature}; it has {_list(self._signatures)}.")
        return self._signatures[signature]

    def _retried(self, ask: Callable[[float], T], deadline: float) -> T:
        pause, reason = FIRST_PAUSE_S, ""
        for attempt in range(self.retries + 1):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return ask(left)
            except UnavailableError as error:
                reason = str(error)
            if attempt < self.retries:
                time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
                pause *= 2
        raise ServingError(
            f"{self.address} gave no answer for {self.model} within {self.timeout_s:g} s and {self.retries + 1} tries"
            f" ({reason or 'no time was left'}). Is the server running, and the model loaded?"
        )

    def _refused(self, status: object, message: str) -> ServingError:
        return ServingError(f"{self.address} refused the request to {self.model} ({status}): {message}")

    @abstractmethod
    def _predict(self, signature: str, inputs: Arrays, types: SignatureTypes, timeout_s: float) -> Arrays: ...

    @abstractmethod
    def _metadata(self, timeout_s: float) -> dict[str, SignatureTypes]: ...


def _array(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    array = np.asarray(values, dtype if dtype.kind == "O" else None)
    if array.ndim == 0:
        raise ServingError(f"{name}: expected a row for each image; received a single {array.dtype}.")
    # Among floats rounding is all right; among integers, 300 would become 44.
    fits = np.can_cast(array.dtype, dtype, "same_kind" if dtype.kind == "f" else "safe")
    if not array.size and dtype.kind != "O" or fits:
        return array.astype(dtype)
    raise ServingError(f"{name}: expected {dtype}; received {array.dtype}. Convert it first.")


def _rows(arrays: Arrays) -> str:
    return ", ".join(str(len(arrays[name])) for name in sorted(arrays))


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "nothing"
