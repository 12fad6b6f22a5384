"""Image files of the user, and the identities that folders stand for."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dfv.data.dataset import DataError
from dfv.data.sources.image_folder.files import SUFFIXES, is_image, walk


@dataclass(frozen=True)
class ImageFiles:
    """Image files of a folder.

    names: paths relative to the folder, with `/`.
    """

    folder: Path
    names: list[str]

    @property
    def paths(self) -> list[Path]:
        """The path of each file."""
        return [self.folder / name for name in self.names]

    def identities(self) -> tuple[list[str], np.ndarray]:
        """Returns the names of identities, and the number of each file's identity [N] int.

        Each folder directly inside this one is an identity. Files next to them are one more, named after this folder,
        with `_files` if a folder has that name.
        """
        tops = [name.partition("/")[0] if "/" in name else "" for name in self.names]
        found, numbers = np.unique(tops, return_inverse=True)
        own = self.folder.resolve().name
        return [str(top) or (f"{own}_files" if own in found else own) for top in found], numbers


def find_images(flag: str, given: str) -> ImageFiles:
    """Returns the images of a folder and its subfolders, sorted by name, or a single file.

    flag: name of the flag, for messages. Raises DataError if there are none.
    """
    path = Path(given)
    if os.path.isfile(path):
        return ImageFiles(path.parent, [path.name])
    if not os.path.isdir(path):
        raise DataError(f"--{flag}={given} does not exist; expected an image file, or a folder of images.")
    names = sorted(filter(is_image, walk(path)))
    if not names:
        raise DataError(f"--{flag}={given} has no images ({', '.join(sorted(SUFFIXES))}), not even in subfolders.")
    return ImageFiles(path, names)
