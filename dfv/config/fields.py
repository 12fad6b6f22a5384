"""Fields of a config: default, help text, range and role of each option, and the check of its value."""

import dataclasses
import enum
import numbers
import types
from typing import Any


class ConfigError(ValueError):
    """Invalid value, or combination of values, of an option; the message says how to correct it."""


class Role(enum.Enum):
    """What an option affects, and hence when it may change."""

    CHANGES_RUN = "Part of the experiment: a different value makes it a different run."
    REPETITION = "Repeats the same experiment with another seed or split."
    LENGTH = "Length of a run; may change when a run is resumed."
    OUTPUT = "What is written, and how often; may change when a run is resumed."
    DATA_LOCATION = "Where data is stored and how it is read; may always change."
    PRESENTATION = "Terminal output; may always change."


def option(
    default: Any,
    help: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] | None = None,
    role: Role = Role.CHANGES_RUN,
    is_path: bool = False,
    required: bool = False,
) -> Any:
    """Returns a dataclass field with the help text (including the unit), range and role of an option.

    is_path: ~ is replaced by the home directory when the value comes from a command line.
    required: must be given on a command line.
    """
    limits = {"at_least": at_least, "at_most": at_most, "choices": choices}
    more = {"help": help, "role": role, "is_path": is_path, "required": required}
    return dataclasses.field(default=default, metadata={**limits, **more})


def base_type(field: dataclasses.Field[Any]) -> Any:
    """Returns the type of a field's values, without None."""
    if isinstance(field.type, types.UnionType):
        return next(kind for kind in field.type.__args__ if kind is not type(None))
    return field.type


def describe_range(field: dataclasses.Field[Any]) -> str:
    """Returns the field's range in words, for help texts and errors; empty if every value is allowed."""
    at_least, at_most = field.metadata["at_least"], field.metadata["at_most"]
    if field.metadata["choices"]:
        return "one of " + ", ".join(field.metadata["choices"])
    if at_least is not None and at_most is not None:
        return f"{at_least} to {at_most}"
    return f"at least {at_least}" if at_least is not None else ""


def _is_kind(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in (bool, str):
        return isinstance(value, kind)
    return isinstance(value, tuple) and all(_is_kind(v, int) and v > 0 for v in value)


def _plain(value: Any) -> Any:
    """The value with lists as tuples, and NumPy's numbers as Python's."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    return value


def _check(field: dataclasses.Field[Any], value: Any) -> None:
    """Raises ConfigError if the field cannot have this value."""
    wanted = describe_range(field)
    if value is None and field.default is None:
        return
    if not _is_kind(value, base_type(field)):
        kind = getattr(base_type(field), "__name__", str(field.type))
        kinds = {"int": "an integer", "float": "a number", "bool": "a bool", "str": "a string"}
        raise ConfigError(f"--{field.name} expects {kinds.get(kind, 'a list of positive integers')}, got {value!r}.")
    if field.metadata["choices"] and value not in field.metadata["choices"]:
        raise ConfigError(f"--{field.name} expects {wanted}; got {value!r}.")
    at_least, at_most = field.metadata["at_least"], field.metadata["at_most"]
    for number in value if isinstance(value, tuple) else (value,):
        # Written so that not-a-number fails too.
        if (at_least is not None and not number >= at_least) or (at_most is not None and not number <= at_most):
            raise ConfigError(f"--{field.name} expects {wanted}; got {value!r}.")
    if (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value != value:
        raise ConfigError(f"--{field.name} expects a finite number; got {value!r}.")


class Checked:
    """Base class of option groups: converts every value to a Python type and checks its type and range."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = _plain(getattr(self, field.name))
            object.__setattr__(self, field.name, value)  # past the freezing of records
            _check(field, value)
