"""Which images train a probe, which stop it and which score it, and what it predicts."""

import dataclasses
import logging
import math

import numpy as np

from dfv.config.schema import ConfigError, DataConfig
from dfv.data.dataset import SPLITS, DataError, ImageSet, Splits, check_measure

LOGGER = logging.getLogger(__name__)

HELD_OUT_FRACTION = 0.1
FEWEST_SCORING = 4


def scored_splits(splits: Splits, config: DataConfig, split: str = "test") -> Splits:
    """The splits of an evaluation: `train` trains probes and judges, `validation` stops them, `test` scores the model.

    split="validation" is for tuning: that split takes the place of `test`, and a part of `train` its own. Where
    `train` includes the validation images, they are taken out of it again. Where `train` knows all identities of
    `test`, validation images of others, for which a probe of the identity has no label, are left out.
    """
    if split not in ("test", "validation"):
        raise ConfigError(f"expected to evaluate on test or validation; got {split!r}.")
    for name in SPLITS:
        if not len(getattr(splits, name)):
            raise DataError(f"split '{name}' has no images; an evaluation needs all three. Add images.")
    if (number := len(getattr(splits, split))) < FEWEST_SCORING:
        raise DataError(f"expected {FEWEST_SCORING} images to score or more; split '{split}' has {number}. Add images.")
    if len(np.unique(getattr(splits, split).identity)) < 2:
        raise DataError(f"split '{split}' has one identity; swaps need two. Add images of others.")
    if split == "test":
        train = _without_validation(splits) if config.include_validation else splits.train
        return _with_labelled_validation(dataclasses.replace(splits, train=train))
    if config.include_validation:
        raise ConfigError("a model trained with --include_validation cannot be judged on validation; evaluate on test.")
    held_out = _held_out(splits)
    train, stopping = (splits.train.select(np.flatnonzero(mask)) for mask in (~held_out, held_out))
    return dataclasses.replace(splits, train=train, validation=stopping, test=splits.validation)


def has_unseen_identities(splits: Splits) -> bool:
    """Whether the test split shows identities that `train` does not have."""
    return bool(np.setdiff1d(splits.test.identity, splits.train.identity).size)


@dataclasses.dataclass(frozen=True)
class Labels:
    """What tells the identity: [N, L] int32 for each split, the columns' names and numbers of classes.

    Unseen identities have no label in training; their attributes do.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def identity_labels(splits: Splits) -> Labels | None:
    """The labels that a probe of identity predicts; None if test identities are unseen and have no attributes."""
    if not has_unseen_identities(splits):
        columns = {"identity": tuple(part.identity for part in (splits.train, splits.validation, splits.test))}
        return _labels(columns, {"identity": splits.num_identities})
    if not splits.attribute_sizes:
        return None
    return _labels(
        {
            name: tuple(part.attributes[name] for part in (splits.train, splits.validation, splits.test))
            for name in splits.attribute_sizes
        },
        splits.attribute_sizes,
    )


def factor_labels(splits: Splits, num_bins: int = 7) -> Labels | None:
    """The known unspecified factors as classes: measures in bins that hold equally many training images.

    Raises DataError for a measure that is not finite.
    """
    columns, sizes = {}, {}
    for name, values in splits.train.factors.items():
        parts = [getattr(splits, split).factors[name] for split in SPLITS]
        if values.dtype.kind == "f":
            for split, part in zip(SPLITS, parts, strict=True):
                check_measure(f"{name} of split '{split}'", part)
            edges = np.unique(np.quantile(values, np.arange(1, num_bins) / num_bins))
            parts = [np.digitize(part, edges) for part in parts]
        size = max(int(part.max(initial=0)) for part in parts) + 1
        if size > 1:
            columns[name], sizes[name] = tuple(parts), size
    return _labels(columns, sizes) if columns else None


def _labels(columns: dict[str, tuple[np.ndarray, ...]], sizes: dict[str, int]) -> Labels:
    parts = (np.stack(part, axis=1).astype(np.int32) for part in zip(*columns.values(), strict=True))
    return Labels(tuple(columns), tuple(sizes[name] for name in columns), *parts)


def with_equal_factors(part: ImageSet) -> np.ndarray:
    """A number [N], the same for images that have the same value of every known factor; 0 for all if few have."""
    values = [np.unique(column, return_inverse=True)[1] for column in part.factors.values()]
    table = np.stack([np.zeros(len(part), int), *values])
    _, number, count = np.unique(table, axis=1, return_inverse=True, return_counts=True)
    number = number.ravel()
    return number if np.mean(count[number] > 1) >= 0.5 else np.zeros(len(part), int)


def without_twin(trained_on: ImageSet, splits: Splits, attribute: str = "weapon") -> np.ndarray | None:
    """[N] bool: test images of characters that none trained on equals in all attributes but this one."""
    if attribute not in splits.attribute_sizes or not has_unseen_identities(splits):
        return None

    def others(part: ImageSet) -> np.ndarray:
        columns = [part.attributes[name] for name in splits.attribute_sizes if name != attribute]
        sizes = [size for name, size in splits.attribute_sizes.items() if name != attribute]
        return np.ravel_multi_index(columns, sizes)

    return ~np.isin(others(splits.test), others(trained_on))


def _without_validation(splits: Splits) -> ImageSet:
    # They were appended.
    return splits.train.select(np.arange(len(splits.train) - len(splits.validation)))


def _with_labelled_validation(splits: Splits) -> Splits:
    """Without the validation images of identities that `train` lacks, unless the test images are such too."""
    labelled = np.isin(splits.validation.identity, splits.train.identity)
    if labelled.all() or has_unseen_identities(splits):
        return splits
    if not labelled.any():
        raise DataError(
            "split 'validation' has only identities that 'train' lacks, and 'test' only others; give 'validation'"
            " images of those of 'train', which stop the probes of the identity."
        )
    LOGGER.warning("Left out %d validation images, of identities that 'train' lacks.", np.sum(~labelled))
    return dataclasses.replace(splits, validation=splits.validation.select(np.flatnonzero(labelled)))


def _held_out(splits: Splits) -> np.ndarray:
    """[N] bool over `train`: a tenth of the images of each identity, or of the identities of each first attribute."""
    identity = splits.train.identity
    unseen = np.setdiff1d(splits.validation.identity, identity).size > 0
    names, units = (identity, np.arange(len(identity))) if not unseen else (_first_attribute(splits), identity)
    held_out = _tenth_of_each(names, units)
    return held_out if held_out.any() else _tenth_of_each(np.zeros_like(identity), units)


def _tenth_of_each(names: np.ndarray, units: np.ndarray) -> np.ndarray:
    """[N] bool: a tenth of the units under each name, rounded up, but not the only one."""
    held_out, rng = np.zeros(len(units), bool), np.random.default_rng(0)
    for name in np.unique(names):
        members = np.unique(units[names == name])
        number = math.ceil(HELD_OUT_FRACTION * len(members)) if len(members) > 1 else 0
        held_out |= np.isin(units, rng.permutation(members)[:number])
    return held_out


def _first_attribute(splits: Splits) -> np.ndarray:
    attributes = splits.train.attributes
    return next(iter(attributes.values())) if attributes else np.zeros(len(splits.train), int)
