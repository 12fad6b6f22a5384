"""Typed records of results as JSON, and back."""

import dataclasses
import json
import math
from typing import Any, TypeVar

import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

Record = TypeVar("Record")

OMITTED_IF_DEFAULT = {"omitted_if_default": True}  # metadata of fields that earlier files do not have


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

    def unstructuring(kind: type) -> Any:
        overrides: dict[str, Any] = {name: override(omit_if_default=True) for name in _omitted(kind)}
        return make_dict_unstructure_fn(kind, converter, **overrides)

    converter.register_unstructure_hook_factory(lambda kind: bool(_omitted(kind)), unstructuring)
    return converter


def _omitted(kind: Any) -> list[str]:
    fields = dataclasses.fields(kind) if isinstance(kind, type) and dataclasses.is_dataclass(kind) else ()
    return [field.name for field in fields if OMITTED_IF_DEFAULT.items() <= field.metadata.items()]


_CONVERTER = _make_converter()
