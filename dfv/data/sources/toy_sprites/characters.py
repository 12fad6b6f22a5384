"""Attributes of characters and factors of poses, both functions of the character's number."""

from dataclasses import dataclass

import numpy as np

ATTRIBUTES = {
    "shape": ("round", "tall", "block", "pear"),
    "colour": ("red", "yellow", "green", "cyan", "blue", "pink"),
    "hat": ("none", "cone", "top_hat", "ears"),
    "eyes": ("one", "two", "shades"),
    "belly": ("plain", "patch", "stripes"),
}
FACTORS = {
    "jump": ("ground", "low", "high"),
    "facing": ("left", "right"),
    "arms": ("down", "wave", "up"),
    "light": ("day", "sunset", "night", "snow"),
}
ATTRIBUTE_SIZES = {name: len(values) for name, values in ATTRIBUTES.items()}
FACTOR_SIZES = {name: len(values) for name, values in FACTORS.items()}
NUM_COMBINATIONS = int(np.prod(list(ATTRIBUTE_SIZES.values())))
NUM_POSES = int(np.prod(list(FACTOR_SIZES.values())))


@dataclass(frozen=True)
class Characters:
    """The attributes of N characters, each [N] integers, and their numbers, which determine the individual details."""

    number: np.ndarray
    shape: np.ndarray
    colour: np.ndarray
    hat: np.ndarray
    eyes: np.ndarray
    belly: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: np.ndarray | slice) -> "Characters":
        """Returns the characters of these rows."""
        return Characters(**{name: values[rows] for name, values in vars(self).items()})

    def details(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns two [N] float32 in [-1, 1), small shifts of hue and size; a function of the number."""
        bits = scramble(self.number, salt=1)
        low, high = (bits & np.uint64(0xFFFF)).astype(np.float32), (bits >> np.uint64(48)).astype(np.float32)
        return low / 2**15 - 1, high / 2**15 - 1


@dataclass(frozen=True)
class Poses:
    """The unspecified factors of N images, each [N] integers."""

    jump: np.ndarray
    facing: np.ndarray
    arms: np.ndarray
    light: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Poses":
        """Returns the poses of these rows."""
        return Poses(**{name: values[rows] for name, values in vars(self).items()})


def scramble(numbers: np.ndarray, salt: int) -> np.ndarray:
    """Returns [...] uint64, a hash of each number and the salt (the finaliser of splitmix64)."""
    bits = np.asarray(numbers).astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def combinations(split: str) -> np.ndarray:
    """Returns the combinations of attributes of a split, shuffled; validation and test have a tenth of all each.

    No combination is in two splits.
    """
    shuffled = np.argsort(scramble(np.arange(NUM_COMBINATIONS), salt=2))
    tenth = NUM_COMBINATIONS // 10
    return {"validation": shuffled[:tenth], "test": shuffled[tenth : 2 * tenth], "train": shuffled[2 * tenth :]}[split]


def characters(split: str, numbers: np.ndarray) -> Characters:
    """Returns the characters [N] of these numbers; they take the combinations of the split in turn."""
    own = combinations(split)
    values = np.unravel_index(own[numbers % len(own)], list(ATTRIBUTE_SIZES.values()))
    return Characters(numbers, **{name: v.astype(np.int32) for name, v in zip(ATTRIBUTES, values, strict=True)})


def poses(numbers: np.ndarray, num_poses: int) -> Poses:
    """Returns num_poses different poses for each character's number, [N * num_poses]."""
    keys = scramble(numbers[:, None] * NUM_POSES + np.arange(NUM_POSES), salt=3)
    chosen = np.argsort(keys, axis=1)[:, :num_poses].reshape(-1)
    values = np.unravel_index(chosen, list(FACTOR_SIZES.values()))
    return Poses(**{name: v.astype(np.int32) for name, v in zip(FACTORS, values, strict=True)})
