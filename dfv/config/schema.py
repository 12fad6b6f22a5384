"""Configuration of a run: frozen records, one per group of options. Each field is also a command-line flag."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from dfv.config.conflicts import check_conflicts
from dfv.config.fields import ConfigError, Role
from dfv.config.options.data import DataConfig
from dfv.config.options.latent import LatentConfig
from dfv.config.options.loss import LossConfig
from dfv.config.options.network import NetworkConfig
from dfv.config.options.training import TrainingConfig
from dfv.config.renamed import current_names

__all__ = [
    "FREE_TO_CHANGE",
    "Config",
    "ConfigError",
    "DataConfig",
    "LatentConfig",
    "LossConfig",
    "NetworkConfig",
    "TrainingConfig",
    "names_by_role",
    "option_fields",
]


@dataclass(frozen=True)
class Config:
    """Configuration of a run. `Config.of(dataset="mnist", s_dim=16)` takes the names of the flags."""

    data: DataConfig = DataConfig()
    network: NetworkConfig = NetworkConfig()
    latent: LatentConfig = LatentConfig()
    loss: LossConfig = LossConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        _check_data(self.data)
        check_conflicts(self.as_flags())

    @classmethod
    def of(cls, **flags: Any) -> "Config":
        """Returns the config with these flags; raises ConfigError for an unknown name or a value out of range."""
        return cls().replace(**flags)

    def replace(self, **flags: Any) -> "Config":
        """Returns a copy with these flags changed; raises ConfigError as `of` does."""
        flags = current_names(flags, warn=True)
        unknown = set(flags) - {field.name for _, field in option_fields()}
        if unknown:
            raise ConfigError(
                f"no such option: {', '.join(sorted(unknown))}; `python -m dfv.main --help` lists them, below those of"
                " the run."
            )
        groups = {}
        for group in dataclasses.fields(self):
            record = getattr(self, group.name)
            names = {field.name for field in dataclasses.fields(record)} & set(flags)
            groups[group.name] = dataclasses.replace(record, **{name: flags[name] for name in names})
        return Config(**groups)

    def as_flags(self) -> dict[str, Any]:
        """Returns the values of all options by flag name."""
        return {field.name: getattr(getattr(self, group), field.name) for group, field in option_fields()}


def _check_data(data: DataConfig) -> None:
    for name in ("image_dir", "image_list"):
        if (value := getattr(data, name)) and data.dataset != "image_folder":
            raise ConfigError(
                f"--{name}={value} needs --dataset=image_folder; got --dataset={data.dataset}, perhaps from a run file."
                f" Drop the run file, add --dataset=image_folder after it, or drop --{name}."
            )
    if data.dataset == "image_folder" and not (data.image_dir or data.image_list):
        raise ConfigError(
            "--dataset=image_folder needs --image_dir, a folder with one folder of images per identity, or"
            " --image_list."
        )
    if data.dataset == "tfds" and not data.tfds_name:
        raise ConfigError("--dataset=tfds needs --tfds_name, the name of a data set of TensorFlow Datasets.")
    if data.tfds_name and data.dataset != "tfds":
        raise ConfigError(f"--tfds_name needs --dataset=tfds; got --dataset={data.dataset}.")
    if data.image_list and data.identity_pattern:
        raise ConfigError("--image_list and --identity_pattern exclude each other; drop one of the two.")
    if data.identity_pattern and not data.image_dir:
        raise ConfigError("--identity_pattern needs --image_dir, the folder of the images.")
    if data.identity_pattern:
        _check_pattern(data.identity_pattern)


def _check_pattern(pattern: str) -> None:
    problem = "" if pattern.splitlines() == [pattern.strip()] else "it has line breaks, or spaces at its ends"
    try:
        problem = problem or ("" if "identity" in re.compile(pattern).groupindex else "it has no such group")
    except re.error as error:
        problem = str(error)
    if problem:
        raise ConfigError(
            "--identity_pattern expects a regular expression with a group (?P<identity>...), such as"
            rf" (?P<identity>[^/]+)_\d+\.png; got {pattern!r}: {problem}."
        )


def option_fields() -> list[tuple[str, dataclasses.Field[Any]]]:
    """Returns (group name, field) of every option, in order of declaration."""
    return [
        (group.name, field)
        for group in dataclasses.fields(Config)
        for field in dataclasses.fields(group.type)  # type: ignore[arg-type]
    ]


def names_by_role(*roles: Role) -> frozenset[str]:
    """Returns the names of all options with one of these roles."""
    return frozenset(field.name for _, field in option_fields() if field.metadata["role"] in roles)


# May change when a run is resumed; changing any other option makes it a different run.
FREE_TO_CHANGE = names_by_role(Role.LENGTH, Role.OUTPUT, Role.DATA_LOCATION, Role.PRESENTATION)
