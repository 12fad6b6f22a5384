"""Earlier names of options, which are still accepted so that older commands and files work."""

import logging
from collections.abc import Mapping
from typing import TypeVar

from dfv.config.fields import ConfigError

LOGGER = logging.getLogger(__name__)
Value = TypeVar("Value")

RENAMED = {
    "z_axes": "pca_dim",
    "z_rounding": "rounding_step",
    "codebook_cells": "codebook_size",
    "flow_alone": "flow_to_normal",
    "z_classifier_weight": "latent_adversary_weight",
    "z_classifier_updates": "num_latent_adversary_updates",
    "z_classifier_labels": "latent_adversary_labels",
    "z_classifier_learning_rate": "latent_adversary_learning_rate",
    "z_classifier_schedule": "latent_adversary_schedule",
    "prior_per_identity_weight": "identity_mmd_weight",
    "kernel_weight": "mean_kernel_weight",
    "replay_batches": "num_replay_batches",
}


def current_names(options: Mapping[str, Value], warn: bool = False) -> dict[str, Value]:
    """Returns the options by their current names; raises ConfigError if both names of an option are given.

    warn: whether to log a warning for each earlier name; for user input, not for files written by a program.
    """
    named: dict[str, Value] = {}
    for name, value in options.items():
        current = RENAMED.get(name, name)
        if current in named:
            raise ConfigError(f"{name} is the earlier name of {current}; give only {current}.")
        if warn and current != name:
            _warn(name, current)
        named[current] = value
    return named


def current_arguments(arguments: list[str]) -> list[str]:
    """Returns the arguments `--name=value`, `--name` and `--noname` with current names; logs each earlier one once."""
    seen: dict[str, str] = {}
    current = [_current_argument(argument, seen) for argument in arguments]
    for earlier, name in seen.items():
        _warn(f"--{earlier}", f"--{name}")
    return current


def _current_argument(argument: str, seen: dict[str, str]) -> str:
    bare = argument.lstrip("-")
    dashes, (name, *value) = argument[: len(argument) - len(bare)], bare.split("=", 1)
    if not dashes:
        return argument
    negation = "no" if name.startswith("no") and name[2:] in RENAMED else ""
    earlier = name[len(negation) :]
    if earlier not in RENAMED:
        return argument
    seen[earlier] = RENAMED[earlier]
    return "=".join([f"{dashes}{negation}{RENAMED[earlier]}", *value])


def _warn(earlier: str, current: str) -> None:
    LOGGER.warning("%s is now called %s; the earlier name still works.", earlier, current)
