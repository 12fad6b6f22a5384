"""ImageSet and Splits: uint8 images with their identity, attributes and known unspecified factors."""

import dataclasses
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from dfv.data.lazy_images import Images, RowIndex, row_numbers, select_images

SPLITS = ("train", "validation", "test")
DIGESTED_IMAGES = 64


class DataError(ValueError):
    """Data that is missing or wrong; the message names the file or split and says what to do."""


def as_array(name: str, values: Any) -> np.ndarray:
    """Returns `numpy.asarray` of values; raises DataError, by their name, for rows of several shapes."""
    try:
        return np.asarray(values)
    except ValueError as error:
        kind = type(values).__name__
        raise DataError(f"{name}: expected an array; received a {kind} of parts of different shapes.") from error


def check_measure(name: str, values: np.ndarray) -> None:
    """Raises DataError if the values [N] of a continuous factor are not all finite, since they cannot be binned."""
    invalid = np.flatnonzero(~np.isfinite(values))
    if invalid.size:
        raise DataError(
            f"{name}: expected finite numbers, got {values[invalid[0]]} at image {invalid[0]} ({invalid.size} in all)."
            " Leave those images out, or pass the factor as classes, with one class for unknown."
        )


@dataclass(frozen=True)
class ImageSet:
    """One split.

    images: [N, H, W, C] uint8, C = 1 or 3; an array, or LazyImages, which are read when indexed.
    identity: [N] int32; images of one identity share s. Numbered from 0 without gaps in `train`; identities
      that do not occur in `train` have higher numbers.
    attributes: name -> [N] int32 from 0; specified factors, constant within an identity (NORB: category).
    factors: name -> [N] int32 from 0 (classes) or finite float32 (continuous, such as an angle in degrees); known
      unspecified factors, used only in evaluation.
    """

    images: Images
    identity: np.ndarray
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    factors: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.identity)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        height, width, channels = self.images.shape[1:]
        return int(height), int(width), int(channels)

    def select(self, rows: RowIndex) -> "ImageSet":
        """Returns the images of these rows with their labels; rows are integers [n] from 0 to N - 1, or a slice.

        No image is read or copied until the new set's `images` are indexed.
        Raises TypeError for other rows, such as a mask, and IndexError for rows out of range.
        """
        rows = row_numbers(rows, len(self))
        return ImageSet(
            select_images(self.images, rows),
            self.identity[rows],
            {name: values[rows] for name, values in self.attributes.items()},
            {name: values[rows] for name, values in self.factors.items()},
        )

    def load_into_memory(self) -> "ImageSet":
        """Returns the same set with its images in one array; reads those on disk."""
        return dataclasses.replace(self, images=np.asarray(self.images))


@dataclass(frozen=True)
class Splits:
    """The three splits of a data set: tune on `validation`; use `test` for the final evaluation only.

    attribute_sizes: the number of values of each attribute.
    identity_names: the name of each identity, such as its folder's; empty if identities have no names.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    attribute_sizes: dict[str, int] = field(default_factory=dict)
    identity_names: tuple[str, ...] = ()

    @property
    def num_identities(self) -> int:
        """The number of identities in `train`."""
        return int(self.train.identity.max()) + 1

    def name_of(self, identity: int) -> str:
        """Returns the name of an identity, or its number if it has none."""
        return self.identity_names[identity] if self.identity_names else str(identity)

    @cached_property
    def digest(self) -> str:
        """Hexadecimal SHA-256 of identities, attributes and up to 64 images of each split, to detect changed data."""
        found = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            rows = np.linspace(0, len(part) - 1, min(len(part), DIGESTED_IMAGES)).astype(int)
            for values in (part.identity, *part.attributes.values(), part.images[rows]):
                found.update(f"{values.shape}".encode() + values.tobytes())
        return found.hexdigest()

    @property
    def label_sizes(self) -> tuple[int, ...]:
        """The number of classes of each label column of a triplet: the identity, then each attribute."""
        return (self.num_identities, *self.attribute_sizes.values())
