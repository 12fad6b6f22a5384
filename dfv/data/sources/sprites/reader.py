"""Reads the published files of Sprites: one MATLAB 7.3 file per character, and the split of characters."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dfv.data.dataset import DataError

ATTRIBUTES = {"gender": 2, "skin": 4, "armor": 3, "hair": 6, "arms": 2, "greaves": 2, "weapon": 2}
# Five movements, each seen from four sides. The files have a 21st animation, which the paper does not use.
ANIMATIONS = tuple(
    f"{movement}_{side}"
    for movement in ("spellcast", "thrust", "walk", "slash", "shoot")
    for side in ("back", "left", "front", "right")
)
NUM_FRAMES = (7,) * 4 + (8,) * 4 + (9,) * 4 + (6,) * 4 + (13,) * 4
SIZE = 60

EXPECTED = """Expected
  {manual}/sprites/sprites_splits.mat
  {manual}/sprites/sprites_0.mat ... sprites_671.mat
They are in http://www.scottreed.info/files/nips2015-analogy-data.tar.gz (Reed et al. 2015, "Deep Visual \
Analogy-Making"). Set --manual_dir to the folder that holds sprites/, or to sprites/ itself."""
_SPLITS = {"train": "trainidx", "validation": "validx", "test": "testidx"}
_READ_SPLITS = """
import json, sys, scipy.io
content = scipy.io.loadmat(sys.argv[1])
print(json.dumps([content[name].ravel().tolist() for name in sys.argv[2:]]))
"""
_UNPACK_AGAIN = "Unpack the published archive again."


@dataclass(frozen=True)
class Character:
    """attributes: [7] int, in the order of ATTRIBUTES; frames: [172, 60, 60, 3] uint8, animation after animation."""

    attributes: np.ndarray
    frames: np.ndarray

    @property
    def digest(self) -> str:
        """The digest of the decoded content, since files of equal content may differ in compression and header."""
        return hashlib.sha256(self.attributes.astype(np.uint8).tobytes() + self.frames.tobytes()).hexdigest()[:16]


def find(manual_dir: Path) -> Path:
    """Returns the folder that contains the files; raises DataError if there is none."""
    for folder in (manual_dir / "sprites", manual_dir):
        if (folder / "sprites_splits.mat").is_file():
            return folder
    raise DataError(f"sprites: no sprites_splits.mat under {manual_dir}. " + EXPECTED.format(manual=manual_dir))


def read_splits(folder: Path) -> dict[str, list[int]]:
    """Returns split -> the file numbers of its characters, ascending; raises DataError for a damaged file."""
    path = folder / "sprites_splits.mat"
    try:
        # The published indices count from 1, the files from 0.
        splits = {split: sorted(int(index) - 1 for index in indices) for split, indices in _published(path).items()}
    except (subprocess.TimeoutExpired, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: cannot be read ({error}). {_UNPACK_AGAIN}") from error
    all_numbers = [number for numbers in splits.values() for number in numbers]
    if len(set(all_numbers)) < len(all_numbers) or min(all_numbers, default=-1) < 0:
        raise DataError(f"{path}: expected each character in one split, counted from 1. {_UNPACK_AGAIN}")
    return splits


def _published(path: Path) -> dict[str, list[Any]]:
    """Reads the file's indices in a separate process, since a damaged file can crash scipy's reader."""
    command = [sys.executable, "-P", "-c", _READ_SPLITS, str(path), *_SPLITS.values()]
    reading = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if reading.returncode:
        message = reading.stderr.strip().splitlines() or [f"exit status {reading.returncode}"]
        raise ValueError(message[-1])
    return dict(zip(_SPLITS, json.loads(reading.stdout), strict=True))


def read_character(folder: Path, number: int) -> Character:
    """Returns the character of sprites_<number>.mat; raises DataError, which names the file, if it is invalid."""
    path = folder / f"sprites_{number}.mat"
    if not path.is_file():
        raise DataError(f"{path}: missing, but listed in sprites_splits.mat. {_UNPACK_AGAIN}")
    try:
        with h5py.File(path) as file:
            attributes = file["labels"][...].ravel()
            animations = [file[reference][...] for reference in file["sprites"][:, 0][: len(ANIMATIONS)]]
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise DataError(f"{path}: not a complete MATLAB 7.3 file of Sprites ({error}). {_UNPACK_AGAIN}") from error
    return Character(_checked_attributes(path, attributes), _frames(path, animations))


def _checked_attributes(path: Path, attributes: np.ndarray) -> np.ndarray:
    sizes = np.array(list(ATTRIBUTES.values()))
    if attributes.shape != sizes.shape or not np.all((attributes % 1 == 0) & (attributes >= 0) & (attributes < sizes)):
        raise DataError(
            f"{path}: invalid labels; expected labels below {sizes.tolist()}, got {attributes.tolist()}."
            f" {_UNPACK_AGAIN}"
        )
    return attributes.astype(np.int64)


def _frames(path: Path, animations: list[np.ndarray]) -> np.ndarray:
    shapes = [animation.shape for animation in animations]
    if shapes != [(num_frames, 3 * SIZE * SIZE) for num_frames in NUM_FRAMES]:
        raise DataError(
            f"{path}: expected 20 animations of {NUM_FRAMES} frames, each of 3x60x60 values, got {shapes}."
            f" {_UNPACK_AGAIN}"
        )
    values = np.concatenate(animations) * 255
    pixels = np.rint(values)
    if not np.all((np.abs(values - pixels) < 1e-3) & (pixels >= 0) & (pixels <= 255)):
        raise DataError(f"{path}: expected pixels that are multiples of 1/255 in [0, 1]. {_UNPACK_AGAIN}")
    # MATLAB's order of axes: channels, columns, rows.
    return pixels.astype(np.uint8).reshape(-1, 3, SIZE, SIZE).transpose(0, 3, 2, 1)
