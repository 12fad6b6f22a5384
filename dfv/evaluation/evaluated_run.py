"""The evaluated run, and how its results were computed."""

import shlex
from dataclasses import dataclass

from dfv.config.fields import Role
from dfv.config.flag_files import flag_text
from dfv.config.schema import Config, names_by_role
from dfv.evaluation.evaluation_splits import BySplit
from dfv.provenance import Provenance

DATA_LOCATIONS = names_by_role(Role.DATA_LOCATION)


@dataclass(frozen=True)
class EvaluatedRun:
    """The evaluated run, and how it was trained and evaluated.

    split: the evaluated split, "test" or "validation". seed, split_index, num_steps: of the training.
    probe_seeds: number of times that each probe was trained.
    unseen_identities: whether the evaluated images have identities that are not in training.
    num_test_identities, num_images: of the images that were encoded.
    flags: all options except data locations, as text after `--name=`.
    command: command that repeats training and evaluation, with data at its default location (`...`: the user's images).
    evaluation, training: provenance of both; training is None if the run's folder does not record it.
    """

    dataset: str
    split: str
    seed: int
    split_index: int
    num_steps: int
    probe_seeds: int
    unseen_identities: bool
    num_test_identities: int
    num_images: BySplit[int]
    flags: dict[str, str]
    command: str
    evaluation: Provenance
    training: Provenance | None


def text_flags(config: Config) -> dict[str, str]:
    """All options except data locations, as text after `--name=`."""
    return {name: flag_text(value) for name, value in config.as_flags().items() if name not in DATA_LOCATIONS}


def command(flags: dict[str, str], split: str, probe_seeds: int, stronger_probes: bool = False) -> str:
    """The command that trains and evaluates a run with these flags; flags with default values are omitted."""
    evaluation = {"mode": "train_and_evaluate", "evaluate_split": split, "probe_seeds": str(probe_seeds)}
    evaluation |= {"stronger_probes": "true"} if stronger_probes else {}
    own_images = ["--image_dir=..."] if flags.get("dataset") == "image_folder" else []
    return " ".join(["python -m dfv.main", *own_images, *as_arguments(without_defaults(flags) | evaluation)])


def without_defaults(flags: dict[str, str]) -> dict[str, str]:
    """The flags whose values are not the defaults."""
    defaults = text_flags(Config())
    return {name: text for name, text in flags.items() if defaults.get(name) != text}


def as_arguments(flags: dict[str, str]) -> list[str]:
    """Flags as arguments for a shell."""
    return [shlex.quote(f"--{name}={text}") for name, text in flags.items()]
