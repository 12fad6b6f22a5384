"""The image files that the page offers: finding, searching, thumbnails."""

import base64
import os
from pathlib import Path

import numpy as np

from dfv.data.dataset import DataError
from dfv.data.image_operations import encode_png
from dfv.data.sources.image_folder.decoding import decode
from dfv.data.sources.image_folder.files import in_turn, is_ignored, walk
from export import ExportError

# PNG and JPEG, the formats that the model's signatures decode.
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")


class ImageFiles:
    """PNG and JPEG files of a folder and its subfolders, in the order in which the page offers them.

    The first file of each subfolder, then the second of each, and so on. Files are not read before they are shown.
    paths: dict from a file's name, relative to the folder and valid Unicode, to its path.
    """

    def __init__(self, folder: Path):
        names = (name for name in walk(folder) if name.lower().endswith(SUFFIXES) and not is_ignored(Path(name).name))
        self.paths = {_as_text(name): folder / name for name in in_turn(names)}

    def search(self, text: str) -> list[str]:
        """Returns the names that contain a text, ignoring case; all names for an empty text."""
        text = text.strip().casefold()
        return [name for name in self.paths if text in name.casefold()]

    def path(self, name: str) -> Path:
        """Returns the path of a file that is offered under this name; raises ExportError for any other."""
        if name not in self.paths:
            raise ExportError(f"{name} is not a file of this page; choose another file.")
        return self.paths[name]


def find_images(folder: Path) -> ImageFiles:
    """Returns the images of the folder that --images names; raises ExportError if it has none or cannot be read."""
    try:
        if not folder.is_dir():
            problem = "is a file; give a folder" if folder.exists() else "does not exist"
            raise ExportError(f"--images={folder} {problem}.")
        files = ImageFiles(folder)
    except OSError as error:
        raise ExportError(f"--images={folder} cannot be read ({error.strerror}).") from error
    except DataError as error:
        raise ExportError(f"--images={folder}: {error}") from error
    if not files.paths:
        raise ExportError(
            f"--images={folder} has no PNG or JPEG files ({', '.join(SUFFIXES)}), not even in subfolders."
        )
    return files


def thumbnail_url(path: Path, image_shape: tuple[int, int, int], fit: str) -> str:
    """Returns a data URL of the image as the model gets it; plain grey if the file cannot be decoded.

    fit: see DataConfig.fit. The browser needs no copy of the file for a data URL.
    """
    height, width, channels = image_shape
    try:
        image = decode(path, (height, width), grey=channels == 1, fit=fit)
    except DataError:
        image = np.full((height, width, 1), 128, np.uint8)
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()


def _as_text(name: str) -> str:
    """Returns a name that a browser can be sent: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")
