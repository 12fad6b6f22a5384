"""Who there is and what they do: attributes of characters, factors of poses, both functions of a number."""

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
    """Each [N] integers: the attributes, and the number that characters of equal attributes differ by."""

    number: np.ndarray
    shape: np.ndarray
    colour: np.ndarray
    hat: np.ndarray
    eyes: np.ndarray
    belly: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: np.ndarray | slice) -> "Characters":
        return Characters(**{name: values[rows] for name, values in vars(self).items()})

    def details(self) -> tuple[np.ndarray, np.ndarray]:
        """Two [N] float32 in [-1, 1), which shift hue and size a little; a function of the number."""
        bits = scramble(self.number, salt=1)
        low, high = (bits & np.uint64(0xFFFF)).astype(np.float32), (bits >> np.uint64(48)).astype(np.float32)
        return low / 2**15 - 1, high / 2**15 - 1


@dataclass(frozen=True)
class Poses:
    """Each [N] integers: the unspecified factors."""

    jump: np.ndarray
    facing: np.ndarray
    arms: np.ndarray
    light: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Poses":
        return Poses(**{name: values[rows] for name, values in vars(self).items()})


def scramble(numbers: np.ndarray, salt: int) -> np.ndarray:
    """[...] uint64 that look random, a function of number and salt alone (the finaliser of splitmix64)."""
    bits = np.asarray(numbers).astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def combinations(split: str) -> np.ndarray:
    """The combinations of attributes that only this split has, in an order that mixes them: a tenth each in
    validation and test, the others in train."""
    shuffled = np.argsort(scramble(np.arange(NUM_COMBINATIONS), salt=2))
    tenth = NUM_COMBINATIONS // 10
    return {"validation": shuffled[:tenth], "test": shuffled[tenth : 2 * tenth], "train": shuffled[2 * tenth :]}[split]


def characters(split: str, numbers: np.ndarray) -> Characters:
    """The characters [N] of these numbers in a split: its combinations in turn."""
    own = combinations(split)
    values = np.unravel_index(own[numbers % len(own)], list(ATTRIBUTE_SIZES.values()))
    return Characters(numbers, **{name: v.astype(np.int32) for name, v in zip(ATTRIBUTES, values, strict=True)})


def poses(numbers: np.ndarray, num_poses: int) -> Poses:
    """[N * num_poses]: for each character's number, num_poses different poses."""
    keys = scramble(numbers[:, None] * NUM_POSES + np.arange(NUM_POSES), salt=3)
    chosen = np.argsort(keys, axis=1)[:, :num_poses].reshape(-1)
    values = np.unravel_index(chosen, list(FACTOR_SIZES.values()))
    return Poses(**{name: v.astype(np.int32) for name, v in zip(FACTORS, values, strict=True)})
