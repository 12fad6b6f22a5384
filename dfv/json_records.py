"""Typed records of results as JSON, and back."""

import json
import math
from typing import Any, TypeVar

import cattrs

Record = TypeVar("Record")


def to_json(record: Any) -> str:
    """A record as text; null stands for None and NaN."""
    return json.dumps(_CONVERTER.unstructure(record), indent=1, allow_nan=False) + "\n"


def structured(content: dict[str, Any], kind: type[Record]) -> Record:
    """The record of this kind; raises ValueError, which names the fields that are missing, unknown or wrong."""
    try:
        return _CONVERTER.structure(content, kind)
    except cattrs.BaseValidationError as error:
        raise ValueError("; ".join(cattrs.transform_error(error))) from error


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(float, lambda value: float(value) if math.isfinite(value) else None)
    converter.register_structure_hook(float, lambda value, _: math.nan if value is None else float(value))
    return converter


_CONVERTER = _make_converter()
