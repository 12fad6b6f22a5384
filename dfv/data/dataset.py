"""What every source gives: splits of uint8 images with their identity, attributes and known unspecified factors."""

import dataclasses
import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dfv.data.lazy_images import Images, RowIndex, row_numbers, select_images

SPLITS = ("train", "validation", "test")
DIGESTED_IMAGES = 64


class DataError(ValueError):
    """Data that is missing or wrong; the message names the file or split and says what to do."""


def check_measure(name: str, values: np.ndarray) -> None:
    """Raises DataError if values [N] of a measure are not finite: they would make its bins meaningless."""
    unfit = np.flatnonzero(~np.isfinite(values))
    if unfit.size:
        raise DataError(
            f"{name}: expected finite numbers, got {values[unfit[0]]} at image {unfit[0]} ({unfit.size} in all). Leave"
            " those images out, or give the factor as classes, of which unknown is one."
        )


@dataclass(frozen=True)
class ImageSet:
    """One split.

    images: [N, H, W, C] uint8, C = 1 or 3; an array, or read when they are indexed by rows (LazyImages).
    identity: [N] int32; images of one identity share s. Numbered from 0 without gaps in `train`; an identity
      that `train` does not have gets a number above all of train's.
    attributes: name -> [N] int32 from 0; specified factors, constant within an identity (NORB: category).
    factors: name -> [N] int32 from 0 (classes) or finite float32 (a measure, such as degrees); known unspecified
      factors, for evaluation alone.
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
        """The images of these rows, integers [n] from 0 to N - 1 or a slice, in their order, with their labels.

        No image is read or copied, wherever the images are: they are read when the new set's `images` are indexed.
        Raises TypeError for another kind of rows, such as a mask, and IndexError for rows out of range.
        """
        rows = row_numbers(rows, len(self))
        return ImageSet(
            select_images(self.images, rows),
            self.identity[rows],
            {name: values[rows] for name, values in self.attributes.items()},
            {name: values[rows] for name, values in self.factors.items()},
        )

    def load_into_memory(self) -> "ImageSet":
        """The same set with its images as one array; images on disk are read here."""
        return dataclasses.replace(self, images=np.asarray(self.images))


@dataclass(frozen=True)
class Splits:
    """The three splits of a set. Tuning looks at `validation` alone; `test` is for the final figure.

    attribute_sizes: the number of values of each attribute.
    identity_names: what the user calls each identity, such as its folder's name; empty where numbers are the names.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    attribute_sizes: dict[str, int] = field(default_factory=dict)
    identity_names: tuple[str, ...] = ()

    @property
    def num_identities(self) -> int:
        """Identities in `train`."""
        return int(self.train.identity.max()) + 1

    def name_of(self, identity: int) -> str:
        """The identity's name, or its number."""
        return self.identity_names[identity] if self.identity_names else str(identity)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every label and of some images of each split, in hex: images added or moved give another one."""
        found = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            rows = np.linspace(0, len(part) - 1, min(len(part), DIGESTED_IMAGES)).astype(int)
            for values in (part.identity, *part.attributes.values(), part.images[rows]):
                found.update(f"{values.shape}".encode() + values.tobytes())
        return found.hexdigest()

    @property
    def label_sizes(self) -> tuple[int, ...]:
        """Classes of each column of the labels that triplets carry: the identity, then each attribute."""
        return (self.num_identities, *self.attribute_sizes.values())
