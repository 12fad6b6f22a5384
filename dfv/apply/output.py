"""The file or folder that the program writes: what it may replace, and the names of files in it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from dfv.data.image_operations import encode_png


class OutputError(RuntimeError):
    """The output cannot be written; the message says what to do."""


class Output:
    """A file or folder of the user's choice. Files are replaced atomically: none is ever half written."""

    def __init__(self, path: Path, is_file: bool, overwrite: bool):
        """Raises OutputError if something is there that must not be replaced."""
        self.path = path
        kind, other = ("a file", "a folder") if is_file else ("a folder", "a file")
        try:
            if path.exists() and path.is_dir() == is_file:
                raise OutputError(f"--out={path} is {other}; this mode writes {kind}. Give another --out.")
            occupied = path.exists() and (is_file or any(path.iterdir()))
        except OSError as error:
            raise self._error(error) from error
        if occupied and not overwrite:
            what = "exists" if is_file else "is not empty"
            raise OutputError(f"--out={path} {what}; nothing was written. Give another --out, or add --overwrite.")

    def keep_apart(self, flag: str, images: str) -> None:
        """Raises OutputError if new images could replace the user's, or be taken for them by a later command."""
        out, source = (Path(os.path.realpath(path)) for path in (self.path, images))
        if out.is_relative_to(source) or source.is_relative_to(out):
            raise OutputError(
                f"--out={self.path} and --{flag}={images} overlap; nothing was written. Give an --out elsewhere."
            )

    @contextmanager
    def opened(self, name: str = "") -> Iterator[BinaryIO]:
        """Context with a new file of this name in the folder, or with the output itself if it is a file."""
        path = self.path / name
        aside = path.with_name(f".{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with aside.open("wb") as file:
                    yield file
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise self._error(error) from error

    def write_png(self, name: str, image: np.ndarray) -> None:
        """Writes an image [H, W, C] uint8."""
        with self.opened(name) as file:
            file.write(encode_png(image))

    def _error(self, error: OSError) -> OutputError:
        where = f"{error.filename}: " if error.filename else ""
        return OutputError(
            f"--out={self.path} cannot be written ({where}{error.strerror}). Free some space, or give another --out."
        )


def without_suffixes(names: Sequence[str]) -> list[str]:
    """Returns the names of files without suffixes; with them if two files would get the same name."""
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    return stems if len(set(stems)) == len(stems) else list(names)


def flat(names: Sequence[str]) -> list[str]:
    """Returns the names with `_` for `/`, and with a number in front if two would get the same name."""
    flattened = [name.replace("/", "_") for name in names]
    return flattened if len(set(flattened)) == len(flattened) else [f"{i}_{name}" for i, name in enumerate(flattened)]
