"""Reads the files of Extended Yale B, cropped or uncropped, from a folder or a zip file."""

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from dfv.data.dataset import DataError

# The 28 individuals of the extension; there is no yaleB14, and yaleB01 to yaleB10 are the original Yale B.
SUBJECTS = tuple(f"yaleB{number}" for number in range(11, 40) if number != 14)
_ORIGINAL = tuple(f"yaleB{number:02d}" for number in range(1, 11))
CROPPED, UNCROPPED = (192, 168), (480, 640)  # height, width
_LARGEST_FILE = 2**20  # bytes; an uncropped photograph has 0.3 of it

_NAME = re.compile(r"(yaleB\d\d)_P0([0-8])A([+-]\d{3})E([+-]\d{2})\.pgm")

EXPECTED = """Expected one of
  {manual}/yaleb/CroppedYale.zip
  {manual}/yaleb/CroppedYale/yaleB11/yaleB11_P00A+000E+00.pgm ... yaleB39/...
It is http://vision.ucsd.edu/extyaleb/CroppedYaleBZip/CroppedYale.zip (Extended Yale Face Database B, cropped). \
Set --manual_dir to the folder that holds yaleb/."""


@dataclass(frozen=True)
class Photograph:
    """One file: image [H, W] uint8; pose 0 to 8; azimuth and elevation of the light, degrees."""

    name: str
    subject: str
    pose: int
    azimuth: float
    elevation: float
    image: np.ndarray


def read(manual_dir: Path) -> Iterator[Photograph]:
    """Yields every photograph of the 28 subjects, sorted by path; raises DataError, which names the invalid file."""
    size = None
    for path, content in _files(manual_dir):
        name, subject, pose, azimuth, elevation = _parse(path)
        image = _decode(path, content)
        expected = (CROPPED, UNCROPPED) if size is None else (size,)
        if image.shape not in expected:
            raise DataError(
                f"{path}: expected {' or '.join(f'{width}x{height}' for height, width in expected)} pixels, got"
                f" {image.shape[1]}x{image.shape[0]}. Replace it by the published file, and keep cropped and uncropped"
                " photographs in separate folders."
            )
        size = image.shape
        yield Photograph(name, subject, pose, azimuth, elevation, image)
    if size is None:
        raise DataError(f"yaleb: no photographs under {manual_dir / 'yaleb'}. " + EXPECTED.format(manual=manual_dir))


def digests(photographs: Iterable[Photograph]) -> dict[str, str]:
    """Returns subject -> digest of the names and pixels of its photographs, in order."""
    found = {subject: hashlib.sha256() for subject in SUBJECTS}
    for one in photographs:
        found[one.subject].update(one.name.encode() + one.image.tobytes())
    return {subject: content.hexdigest()[:16] for subject, content in found.items()}


def _parse(path: str) -> tuple[str, str, int, float, float]:
    name, folder = PurePosixPath(path).name, PurePosixPath(path).parent.name
    match = _NAME.fullmatch(name)
    if not match or match[1] != folder or folder not in SUBJECTS:
        raise DataError(
            f"{path}: invalid name; expected yaleBNN/yaleBNN_P0pA(azimuth)E(elevation).pgm, NN the same in both and"
            " from 11 to 39 without 14. Rename it, or unpack the published archive again."
        )
    azimuth, elevation = float(match[3]), float(match[4])
    if abs(azimuth) > 180 or abs(elevation) > 90:
        raise DataError(
            f"{path}: invalid name; expected an azimuth within 180 degrees and an elevation within 90, got"
            f" {azimuth} and {elevation}. Rename it."
        )
    return name, folder, int(match[2]), azimuth, elevation


def _decode(path: str, content: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content), formats=["PPM"]) as image:
            pixels = np.asarray(image)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a complete PGM image ({error}). Unpack the published archive again.") from error
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise DataError(f"{path}: expected 8-bit grey pixels, got {image.mode}. Replace it by the published file.")
    return pixels


def _wanted(path: str) -> bool:
    """Whether a file is used: not ambient-light pictures, .pgm.bad files and subjects of the original Yale B."""
    name = PurePosixPath(path).name
    other = name.startswith("._") or name.endswith("_Ambient.pgm") or PurePosixPath(path).parent.name in _ORIGINAL
    return name.endswith(".pgm") and not other


def _check_size(path: str, num_bytes: int) -> None:
    """Raises DataError for a file that is too large; called before it is unpacked."""
    if num_bytes > _LARGEST_FILE:
        raise DataError(f"{path}: {num_bytes} bytes are too many for a photograph. Replace it by the published file.")


def _files(manual_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Yields (path, content), sorted. Members of a zip file are read in memory, so unsafe paths in it do no harm."""
    archive = manual_dir / "yaleb" / "CroppedYale.zip"
    if archive.is_file():
        try:
            with zipfile.ZipFile(archive) as members:
                for name in sorted(filter(_wanted, members.namelist())):
                    _check_size(name, members.getinfo(name).file_size)
                    yield name, members.read(name)
        except DataError:
            raise
        except Exception as error:  # zipfile raises nearly anything for a damaged archive
            raise DataError(f"{archive}: not a complete zip file ({error}). Download it again.") from error
        return
    walk = os.walk(manual_dir / "yaleb", followlinks=True)
    paths = [Path(folder, name) for folder, _, names in walk for name in names]
    for path in sorted(path for path in paths if _wanted(path.as_posix())):
        _check_size(path.as_posix(), path.stat().st_size)
        yield path.as_posix(), path.read_bytes()
