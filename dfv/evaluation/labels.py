"""What probes and classifiers predict: identities, their attributes, and known unspecified factors."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import SPLITS, ImageSet, Splits, check_measure
from dfv.evaluation.evaluation_splits import BySplit, has_unseen_identities

Columns = dict[str, tuple[np.ndarray, ...]]  # name -> [N] in each split


@dataclass(frozen=True)
class Labels:
    """Classes to predict, a column for each label.

    names: of the L columns.
    num_classes: of each column.
    train, validation, test: [N, L] int32, all images of the split.
    """

    names: tuple[str, ...]
    num_classes: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def identity_labels(splits: Splits) -> Labels | None:
    """The identity or, where test identities are not in training, their attributes; None if they have none."""
    parts = (splits.train, splits.validation, splits.test)
    if not has_unseen_identities(splits):
        return _labels({"identity": tuple(part.identity for part in parts)}, {"identity": splits.num_identities})
    if not splits.attribute_sizes:
        return None
    columns = {name: tuple(part.attributes[name] for part in parts) for name in splits.attribute_sizes}
    return _labels(columns, splits.attribute_sizes)


def factor_labels(splits: Splits) -> Labels | None:
    """The known unspecified factors that take several values; None if there are none; see `labels_of_factors`."""
    return labels_of_factors(BySplit(*(getattr(splits, split).factors for split in SPLITS)))


def labels_of_factors(factors: BySplit[dict[str, np.ndarray]], num_bins: int = 7) -> Labels | None:
    """The factors, as in ImageSet, that take several values; None if there are none.

    A measure is binned into quantiles of `train`. Raises DataError for one that is not finite.
    """
    columns: Columns = {}
    num_classes: dict[str, int] = {}
    for name, values in factors.train.items():
        parts = [of_split[name] for of_split in factors]
        if values.dtype.kind == "f":
            for split, part in zip(SPLITS, parts, strict=True):
                check_measure(f"{name} of split '{split}'", part)
            edges = np.unique(np.quantile(values, np.arange(1, num_bins) / num_bins))
            parts = [np.digitize(part, edges) for part in parts]
        if len(np.unique(np.concatenate(parts))) > 1:
            columns[name], num_classes[name] = tuple(parts), max(int(part.max(initial=0)) for part in parts) + 1
    return _labels(columns, num_classes) if columns else None


def _labels(columns: Columns, num_classes: dict[str, int]) -> Labels:
    parts = (np.stack(part, axis=1).astype(np.int32) for part in zip(*columns.values(), strict=True))
    return Labels(tuple(columns), tuple(num_classes[name] for name in columns), *parts)


def matched_factors(image_set: ImageSet) -> np.ndarray:
    """A group number [N] for each image: images of one group have the same value of every known factor.

    All zeros if fewer than half of the images share their values with another one.
    """
    return groups_of_equal(image_set.factors, len(image_set))


def groups_of_equal(factors: Mapping[str, np.ndarray], number: int) -> np.ndarray:
    """The groups [number] of `matched_factors`, of factors [number]."""
    values = [np.unique(column, return_inverse=True)[1] for column in factors.values()]
    table = np.stack([np.zeros(number, int), *values])
    _, group, count = np.unique(table, axis=1, return_inverse=True, return_counts=True)
    group = group.ravel()
    return group if np.mean(count[group] > 1) >= 0.5 else np.zeros(number, int)


def without_twin(train: ImageSet, splits: Splits, attribute: str = "weapon") -> np.ndarray | None:
    """[N] bool: test images of characters that differ from all of `train` in more than this attribute.

    None if the set does not have the attribute, or test identities are in training.
    """
    if attribute not in splits.attribute_sizes or not has_unseen_identities(splits):
        return None

    def other_attributes(image_set: ImageSet) -> np.ndarray:
        columns = [image_set.attributes[name] for name in splits.attribute_sizes if name != attribute]
        sizes = [size for name, size in splits.attribute_sizes.items() if name != attribute]
        return np.ravel_multi_index(columns, sizes)

    return ~np.isin(other_attributes(splits.test), other_attributes(train))
