"""Which image file shows whom: by the folder that it is in, by a pattern over its path, or by a list."""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from absl import logging

from dfv.config.paths import expand_home
from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError
from dfv.data.sources.image_folder import files
from dfv.data.sources.image_folder.image_list import read_list


@dataclass(frozen=True)
class LabelledFiles:
    """Image files, sorted by identity and then by name.

    names: [N] str, paths relative to `folder`, or absolute.
    identity: [N] int32, index into `identities`, the names of the identities.
    attributes, factors: as those of `ImageSet`.
    """

    folder: Path
    names: np.ndarray
    identity: np.ndarray
    identities: tuple[str, ...]
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    factors: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        return [self.folder / name for name in self.names]

    def select(self, rows: np.ndarray) -> "LabelledFiles":
        """Returns the files of these rows, and the identities that they show."""
        kept, identity = np.unique(self.identity[rows], return_inverse=True)
        return LabelledFiles(
            self.folder,
            self.names[rows],
            identity.astype(np.int32),
            tuple(self.identities[number] for number in kept),
            {name: values[rows] for name, values in self.attributes.items()},
            {name: values[rows] for name, values in self.factors.items()},
        )


def find_labelled_files(config: DataConfig) -> LabelledFiles:
    """Returns the images of config.image_list, or else of the folder config.image_dir.

    In a folder, identities are those of config.identity_pattern or, without it, the subfolders.
    Raises DataError if nothing is found, or images of fewer than two identities.
    """
    if not (config.image_dir or config.image_list):
        raise DataError(
            "image_folder: no image_dir is given. Set --image_dir to the folder with one folder per identity, or"
            " --image_list to a file that lists the images."
        )
    if config.image_list:
        path = expand_home("image_list", config.image_list)
        table = read_list(path)
        folder = expand_home("image_dir", config.image_dir) if config.image_dir else path.parent
        names = [_as_on_disk(folder, name) for name in table.paths]
        if not any(os.path.lexists(folder / name) for name in names):
            raise DataError(
                f"{path}: none of its {len(names)} images exists, such as {folder / names[0]}. Set --image_dir to the"
                " folder that its paths are relative to."
            )
        return _sorted(folder, names, table.identities, table.attributes, table.factors)
    folder = expand_home("image_dir", config.image_dir)
    pattern = config.identity_pattern
    found = files.find_by_pattern(folder, pattern) if pattern else files.find(folder)
    who = [identity for identity, names in found.items() for _ in names]
    return _sorted(folder, [name for names in found.values() for name in names], who, {}, {})


def _as_on_disk(folder: Path, name: str) -> str:
    """Returns the name of a list in the form of the file: with / for a backslash, or in another Unicode form."""
    forms = [name, name.replace("\\", "/")]
    forms += [unicodedata.normalize(form, name) for name in forms for form in ("NFC", "NFD")]  # NFD: macOS
    return next((form for form in forms if os.path.lexists(folder / form)), name)


def _warn_of_similar(identities: Sequence[str]) -> None:
    """Logs identities whose names look the same, such as "anna" and "anna ", but count as several."""
    groups: dict[str, list[str]] = {}
    for identity in identities:
        groups.setdefault(" ".join(unicodedata.normalize("NFKC", identity).split()), []).append(identity)
    if similar := [group for group in groups.values() if len(group) > 1]:
        logging.warning(
            "%s are different identities, though their names differ in spaces or Unicode forms alone (%d such names)."
            " If they are one, give them one name.",
            *(" and ".join(map(ascii, similar[0])), len(similar)),
        )


def _sorted(
    folder: Path,
    names: Sequence[str],
    who: Sequence[str],
    attributes: Mapping[str, np.ndarray],
    factors: Mapping[str, np.ndarray],
) -> LabelledFiles:
    identities = sorted(set(who))
    _warn_of_similar(identities)
    numbers = {identity: number for number, identity in enumerate(identities)}
    identity = np.array([numbers[name] for name in who], np.int32)
    whole = LabelledFiles(folder, np.array(names), identity, tuple(identities), dict(attributes), dict(factors))
    return whole.select(np.lexsort((whole.names, whole.identity)))
