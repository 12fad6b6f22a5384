"""Which image file shows whom: by the folder that it is in, by a pattern over its path, or by a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

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
        return _sorted(folder, table.paths, table.identities, table.attributes, table.factors)
    folder = expand_home("image_dir", config.image_dir)
    pattern = config.identity_pattern
    found = files.find_by_pattern(folder, pattern) if pattern else files.find(folder)
    who = [identity for identity, names in found.items() for _ in names]
    return _sorted(folder, [name for names in found.values() for name in names], who, {}, {})


def _sorted(
    folder: Path,
    names: Sequence[str],
    who: Sequence[str],
    attributes: Mapping[str, np.ndarray],
    factors: Mapping[str, np.ndarray],
) -> LabelledFiles:
    identities = sorted(set(who))
    numbers = {identity: number for number, identity in enumerate(identities)}
    identity = np.array([numbers[name] for name in who], np.int32)
    whole = LabelledFiles(folder, np.array(names), identity, tuple(identities), dict(attributes), dict(factors))
    return whole.select(np.lexsort((whole.names, whole.identity)))
