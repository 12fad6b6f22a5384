"""The images of an evaluation: for training probes, for stopping their training, and for evaluating the model."""

import dataclasses
import logging
import math
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np

from dfv.config.schema import ConfigError, DataConfig
from dfv.data.dataset import SPLITS, DataError, ImageSet, Splits

LOGGER = logging.getLogger(__name__)

HELD_OUT_FRACTION = 0.1
MIN_TEST_IMAGES = 4

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class BySplit(Generic[T]):
    """One value for each split."""

    train: T
    validation: T
    test: T

    def __iter__(self) -> Iterator[T]:
        return iter((self.train, self.validation, self.test))


def evaluation_splits(splits: Splits, config: DataConfig, split: str = "test") -> Splits:
    """The splits of an evaluation: `train` trains the probes, `validation` stops their training, `test` is evaluated.

    split="validation" is for tuning: the validation images become `test`, and a tenth of the training images
    `validation`. Validation images that the model was trained on are removed from `train`. Where the test identities
    are all in `train`, validation images of other identities, which have no label, are removed.

    Raises ConfigError for another split, or if the model was trained on the images to evaluate; DataError if a split
    has too few images or identities.
    """
    if split not in ("test", "validation"):
        raise ConfigError(f"expected to evaluate on test or validation; got {split!r}.")
    _check_sizes(splits, split)
    if split == "test":
        train = _without_validation(splits) if config.include_validation else splits.train
        return _with_labelled_validation(dataclasses.replace(splits, train=train))
    if config.include_validation:
        raise ConfigError(
            "the model was trained with --include_validation, that is, also on validation images; evaluate it on test."
        )
    held_out = _held_out(splits)
    train, validation = (splits.train.select(np.flatnonzero(mask)) for mask in (~held_out, held_out))
    return dataclasses.replace(splits, train=train, validation=validation, test=splits.validation)


def has_unseen_identities(splits: Splits) -> bool:
    """Whether the test split has identities that `train` does not have."""
    return bool(np.setdiff1d(splits.test.identity, splits.train.identity).size)


def _check_sizes(splits: Splits, split: str) -> None:
    for name in SPLITS:
        if not len(getattr(splits, name)):
            raise DataError(f"split '{name}' has no images; an evaluation needs all three. Add images.")
    evaluated: ImageSet = getattr(splits, split)
    if len(evaluated) < MIN_TEST_IMAGES:
        raise DataError(
            f"expected at least {MIN_TEST_IMAGES} images to evaluate on; split '{split}' has {len(evaluated)}. Add"
            " images."
        )
    if len(np.unique(evaluated.identity)) < 2:
        raise DataError(f"split '{split}' has one identity; swaps need two. Add images of other identities.")


def _without_validation(splits: Splits) -> ImageSet:
    # They are the last ones of `train`.
    return splits.train.select(np.arange(len(splits.train) - len(splits.validation)))


def _with_labelled_validation(splits: Splits) -> Splits:
    """Removes validation images of identities that `train` lacks, unless `train` lacks test identities too."""
    labelled = np.isin(splits.validation.identity, splits.train.identity)
    if labelled.all() or has_unseen_identities(splits):
        return splits
    if not labelled.any():
        raise DataError(
            "split 'validation' has only identities that 'train' lacks, while 'test' has only identities of 'train'."
            " Add validation images of training identities: they stop the training of identity probes."
        )
    LOGGER.warning("Left out %d validation images, of identities that 'train' lacks.", np.sum(~labelled))
    return dataclasses.replace(splits, validation=splits.validation.select(np.flatnonzero(labelled)))


def _held_out(splits: Splits) -> np.ndarray:
    """[N] bool over `train`: a tenth of each identity's images or, for unseen identities, of the identities.

    Identities are held out within each value of the first attribute.
    """
    identity = splits.train.identity
    if np.setdiff1d(splits.validation.identity, identity).size:
        strata, units = _first_attribute(splits), identity
    else:
        strata, units = identity, np.arange(len(identity))
    held_out = _tenth_of_each(strata, units)
    return held_out if held_out.any() else _tenth_of_each(np.zeros_like(identity), units)


def _tenth_of_each(strata: np.ndarray, units: np.ndarray) -> np.ndarray:
    """[N] bool: a tenth of the units of each stratum, rounded up; none of a stratum of one unit."""
    held_out, rng = np.zeros(len(units), bool), np.random.default_rng(0)
    for stratum in np.unique(strata):
        members = np.unique(units[strata == stratum])
        number = math.ceil(HELD_OUT_FRACTION * len(members)) if len(members) > 1 else 0
        held_out |= np.isin(units, rng.permutation(members)[:number])
    return held_out


def _first_attribute(splits: Splits) -> np.ndarray:
    attributes = splits.train.attributes
    return next(iter(attributes.values())) if attributes else np.zeros(len(splits.train), int)
