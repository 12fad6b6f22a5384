"""The published files of Sprites: one MATLAB 7.3 file per character, and the split of characters."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from dfv.data.dataset import DataError

ATTRIBUTES = {"gender": 2, "skin": 4, "armor": 3, "hair": 6, "arms": 2, "greaves": 2, "weapon": 2}
# Five movements, each seen from four sides. The 21st animation of the files is not among the paper's 20.
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
_AGAIN = "Unpack the published archive again."


@dataclass(frozen=True)
class Character:
    """attributes: [7] int, in the order of ATTRIBUTES; frames: [172, 60, 60, 3] uint8, animation after animation."""

    attributes: np.ndarray
    frames: np.ndarray

    @property
    def digest(self) -> str:
        """Of what was read, not of the file: compression and MATLAB's header may differ."""
        return hashlib.sha256(self.attributes.astype(np.uint8).tobytes() + self.frames.tobytes()).hexdigest()[:16]


def find(manual_dir: Path) -> Path:
    """The folder that holds the files."""
    for folder in (manual_dir / "sprites", manual_dir):
        if (folder / "sprites_splits.mat").is_file():
            return folder
    raise DataError(f"sprites: no sprites_splits.mat under {manual_dir}. " + EXPECTED.format(manual=manual_dir))


def read_splits(folder: Path) -> dict[str, list[int]]:
    """The numbers of the files of each split's characters, in increasing order."""
    path = folder / "sprites_splits.mat"
    try:
        # The published indices count from 1, the files from 0.
        splits = {split: sorted(int(index) - 1 for index in indices) for split, indices in _published(path).items()}
    except (subprocess.TimeoutExpired, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: cannot be read ({error}). {_AGAIN}") from error
    everyone = sum(splits.values(), [])
    if len(set(everyone)) < len(everyone) or min(everyone, default=-1) < 0:
        raise DataError(f"{path}: expected each character in one split, counted from 1. {_AGAIN}")
    return splits


def _published(path: Path) -> dict[str, list]:
    """The file's own indices, read in a process of its own: a damaged file can crash scipy's reader."""
    command = [sys.executable, "-P", "-c", _READ_SPLITS, str(path), *_SPLITS.values()]
    reading = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if reading.returncode:
        said = reading.stderr.strip().splitlines() or [f"exit status {reading.returncode}"]
        raise ValueError(said[-1])
    return dict(zip(_SPLITS, json.loads(reading.stdout), strict=True))


def read_character(folder: Path, number: int) -> Character:
    """The character of sprites_<number>.mat; a bad file ends in a DataError that names it."""
    path = folder / f"sprites_{number}.mat"
    if not path.is_file():
        raise DataError(f"{path}: no such file, though sprites_splits.mat names it. {_AGAIN}")
    try:
        with h5py.File(path) as file:
            attributes = file["labels"][...].ravel()
            animations = [file[reference][...] for reference in file["sprites"][:, 0][: len(ANIMATIONS)]]
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise DataError(f"{path}: no whole MATLAB 7.3 file of Sprites ({error}). {_AGAIN}") from error
    return Character(_checked_attributes(path, attributes), _frames(path, animations))


def _checked_attributes(path: Path, attributes: np.ndarray) -> np.ndarray:
    sizes = np.array(list(ATTRIBUTES.values()))
    if attributes.shape != sizes.shape or not np.all((attributes % 1 == 0) & (attributes >= 0) & (attributes < sizes)):
        raise DataError(
            f"{path}: mislabelled; expected labels below {sizes.tolist()}, got {attributes.tolist()}. {_AGAIN}"
        )
    return attributes.astype(np.int64)


def _frames(path: Path, animations: list[np.ndarray]) -> np.ndarray:
    shapes = [animation.shape for animation in animations]
    if shapes != [(num_frames, 3 * SIZE * SIZE) for num_frames in NUM_FRAMES]:
        raise DataError(
            f"{path}: expected 20 animations of {NUM_FRAMES} frames, each of 3x60x60 values, got {shapes}. {_AGAIN}"
        )
    values = np.concatenate(animations) * 255
    pixels = np.rint(values)
    if not np.all((np.abs(values - pixels) < 1e-3) & (pixels >= 0) & (pixels <= 255)):
        raise DataError(f"{path}: expected pixels that are multiples of 1/255 in [0, 1]. {_AGAIN}")
    # MATLAB's order: columns before rows before colours.
    return pixels.astype(np.uint8).reshape(-1, 3, SIZE, SIZE).transpose(0, 3, 2, 1)
