"""Options that do not work together."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dfv.config.fields import ConfigError

Flags = Mapping[str, Any]
"""Values of all options by name."""


class Conflict(NamedTuple):
    """options: those of which one must change. holds: whether their values do not work together."""

    options: tuple[str, ...]
    holds: Callable[[Flags], Any]
    message: str


def _noise_unit(name: str) -> Conflict:
    return Conflict(
        (name, "shared_variance"),
        lambda flags: flags[name] and not flags["shared_variance"],
        f"--{name} needs --shared_variance: it measures z in units of the shared posterior variance.",
    )


def _one_device(name: str) -> Conflict:
    return Conflict(
        (name, "strategy"),
        lambda flags: flags[name] and flags["strategy"] != "one_device",
        f"--{name} needs --strategy=one_device; drop one of the two.",
    )


CONFLICTS = (
    *map(_noise_unit, ("pca_dim", "rounding_step", "codebook_size")),
    Conflict(
        ("pca_identity_weight", "pca_dim"),
        lambda flags: flags["pca_identity_weight"] and not flags["pca_dim"],
        "--pca_identity_weight needs --pca_dim, whose components it chooses; set both.",
    ),
    Conflict(
        ("flow_layers", "pca_dim", "codebook_size", "pretrain_s_steps"),
        lambda flags: (
            flags["pretrain_s_steps"] and (flags["flow_layers"] or flags["pca_dim"] or flags["codebook_size"])
        ),
        "--flow_layers, --pca_dim and --codebook_size do not work with a pre-trained s; drop them or"
        " --pretrain_s_steps.",
    ),
    Conflict(
        ("swap_identity_weight", "identity_classifier_weight"),
        lambda flags: flags["swap_identity_weight"] and not flags["identity_classifier_weight"],
        "--swap_identity_weight needs the classifier that --identity_classifier_weight trains; set both.",
    ),
    Conflict(
        ("keep", "strategy"),
        lambda flags: flags["keep"] == "best" and flags["strategy"] == "multi_worker",
        "--keep=best needs the files of one machine; --strategy=multi_worker needs --keep=last.",
    ),
    Conflict(
        ("keep", "include_validation"),
        lambda flags: flags["keep"] == "best" and flags["include_validation"],
        "--keep=best needs held-out validation images; drop --include_validation or --keep=best.",
    ),
    Conflict(
        ("start_from", "pretrain_s_steps"),
        lambda flags: flags["start_from"] and flags["pretrain_s_steps"],
        "--start_from and --pretrain_s_steps exclude each other; drop one of the two.",
    ),
    *map(_one_device, ("jit_compile", "deterministic")),
)


def check_conflicts(flags: Flags) -> None:
    """Raises ConfigError for options that do not work together."""
    for conflict in CONFLICTS:
        if conflict.holds(flags):
            raise ConfigError(conflict.message)


def without_conflicts(chosen: Flags, given: Flags, defaults: Flags) -> dict[str, Any]:
    """The chosen options without those that do not work with the given ones."""
    before, kept = None, dict(chosen)
    while kept != before:  # an option that is dropped may be one that another needs
        before = kept
        for conflict in CONFLICTS:
            if conflict.holds({**defaults, **kept, **given}):
                kept = {name: value for name, value in kept.items() if name not in conflict.options}
    return kept
