"""Command lines: flags defined from groups of options, their help text, and their parsed values."""

import dataclasses
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from absl import flags

from dfv.config.fields import Checked, ConfigError, Role, base_type, describe_range
from dfv.config.flag_files import expand, flag_text
from dfv.config.paths import absolute_path, given_path
from dfv.config.schema import (
    Config,
    DataConfig,
    LatentConfig,
    LossConfig,
    NetworkConfig,
    TrainingConfig,
    option_fields,
)

Groups = Mapping[str, type[Checked]]  # by heading
Group = TypeVar("Group", bound=Checked)

CONFIG_GROUPS: Groups = {
    "Data": DataConfig,
    "Networks": NetworkConfig,
    "Latent transform": LatentConfig,
    "Losses": LossConfig,
    "Training": TrainingConfig,
}
WIDTH = 110
DEFINE: dict[object, Callable[..., Any]] = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_boolean,
    str: flags.DEFINE_string,
}


class Arguments:
    """Parsed command line: `record(Group)` for each group of the program, and `config` for the config of a run.

    given: names of the flags that were set on the command line or in a run file.
    run_file: name, without suffix, of the first run file; None if there is none.
    positional: the arguments that are not flags.
    """

    def __init__(self, values: flags.FlagValues, run_file: str | None, positional: list[str]):
        self._values, self.run_file, self.positional = values, run_file, positional
        self.given = frozenset(name for name in values if values[name].present)

    def record(self, group: type[Group]) -> Group:
        """Returns the group's record; raises ConfigError for an invalid value."""
        return group(**{field.name: self._value(field) for field in dataclasses.fields(group)})  # type: ignore[arg-type]

    @property
    def config(self) -> Config:
        """The config of the run, with absolute paths to data."""
        return Config(
            data=self.record(DataConfig),
            network=self.record(NetworkConfig),
            latent=self.record(LatentConfig),
            loss=self.record(LossConfig),
            training=self.record(TrainingConfig),
        )

    @property
    def given_options(self) -> dict[str, Any]:
        """Values of the options of a run's config that were set."""
        return {field.name: self._value(field) for _, field in option_fields() if field.name in self.given}

    def _value(self, field: dataclasses.Field[Any]) -> Any:
        value: Any = self._values[field.name].value
        if field.metadata["is_path"]:
            return self._path(field, value)
        return _integers(field.name, value) if isinstance(value, list) else value

    def _path(self, field: dataclasses.Field[Any], path: str) -> str:
        if field.metadata["role"] is Role.DATA_LOCATION:
            return absolute_path(given_path(field.name, path))
        if not path and (field.metadata["required"] or field.name in self.given):
            raise ConfigError(f"--{field.name} is missing: expected a path, got nothing.")
        return given_path(field.name, path)


def parse(arguments: list[str], groups: Groups, program: str, positional: bool = False) -> Arguments:
    """Returns the values of the groups' flags.

    program: module of the program, for messages.
    positional: whether arguments that are not flags are allowed.
    Raises ConfigError for an unknown flag, a value of the wrong type, or a run file that cannot be read.
    """
    values = _define(groups)
    expanded, run_file = expand(arguments)
    try:
        rest = values([program, *expanded])[1:]
    except flags.Error as error:
        raise ConfigError(f"{error} `python -m {program} --help` lists the flags.") from error
    if rest and not positional:
        got = " ".join(rest)
        raise ConfigError(f"expected only flags, --name=value; got {got}. `python -m {program} --help` lists them.")
    return Arguments(values, run_file, rest)


def help_text(description: str, groups: Groups) -> str:
    """Returns the help text: the description, then every flag with its default, meaning and range."""
    lines = [description.strip()]
    for heading, group in groups.items():
        lines += ["", f"{heading}:"]
        for field in dataclasses.fields(group):  # type: ignore[arg-type]
            lines += _help_lines(field)
    lines += ["", "Every program:"]
    lines += _indented(
        "--flagfile=FILE", "File with one flag per line, or the name of a run file that is part of the package."
    )
    lines += _indented("--help", "Show this text.") + _indented(
        "--version", "Show the version of dfv; must be the only flag."
    )
    return "\n".join(lines)


def _define(groups: Groups) -> flags.FlagValues:
    values = flags.FlagValues()  # type: ignore[no-untyped-call]
    values.set_gnu_getopt()  # so that flags may follow positional arguments
    for group in groups.values():
        for field in dataclasses.fields(group):  # type: ignore[arg-type]
            define = DEFINE.get(base_type(field), flags.DEFINE_list)
            default = flag_text(field.default) if isinstance(field.default, tuple) else field.default
            define(field.name, default, field.metadata["help"], flag_values=values)
    return values


def _integers(name: str, parts: list[str]) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in parts)
    except ValueError as error:
        raise ConfigError(f"--{name} expects whole numbers separated by commas; got {','.join(parts)}.") from error


def _help_lines(field: dataclasses.Field[Any]) -> list[str]:
    wanted = describe_range(field)
    text = field.metadata["help"] + (f" [{wanted}]" if wanted else "")
    default = "" if field.default is None else flag_text(field.default)
    return _indented(f"--{field.name}={default}", ("Required. " if field.metadata["required"] else "") + text)


def _indented(flag: str, text: str) -> list[str]:
    return [f"  {flag}", *textwrap.wrap(text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)]
