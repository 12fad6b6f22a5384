"""Preprocessing of all data sets: merges validation into train, checks and numbers identities, converts to grey."""

import dataclasses
from collections.abc import Callable

import numpy as np
from absl import logging

from dfv.config.schema import DataConfig
from dfv.data.dataset import DataError, ImageSet, Splits
from dfv.data.lazy_images import grey_images, join_images


def preprocess(splits: Splits, config: DataConfig) -> Splits:
    """Applies include_validation, drop_small_identities and grayscale, and numbers the identities from 0.

    Raises DataError for an identity with fewer than min_images_per_identity images in `train`, unless
    drop_small_identities is set, and for fewer than two identities.
    """
    if config.include_validation:
        splits = dataclasses.replace(splits, train=_join(splits.train, splits.validation))
    splits = _drop_small_identities(splits, config)
    num_identities = len(np.unique(splits.train.identity))
    if num_identities < 2:
        raise DataError(
            f"split 'train' has {num_identities} identities; at least 2 are needed. Add images of other identities."
        )
    splits = _renumber_identities(splits)
    if config.grayscale:
        splits = _map(splits, lambda part: dataclasses.replace(part, images=grey_images(part.images)))
    return splits


def _map(splits: Splits, change: Callable[[ImageSet], ImageSet]) -> Splits:
    return dataclasses.replace(
        splits, train=change(splits.train), validation=change(splits.validation), test=change(splits.test)
    )


def _join(first: ImageSet, second: ImageSet) -> ImageSet:
    def columns(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.concatenate([values, b[name]]) for name, values in a.items()}

    return ImageSet(
        join_images(first.images, second.images),
        np.concatenate([first.identity, second.identity]),
        columns(first.attributes, second.attributes),
        columns(first.factors, second.factors),
    )


def _drop_small_identities(splits: Splits, config: DataConfig) -> Splits:
    identities, counts = np.unique(splits.train.identity, return_counts=True)
    few = counts < config.min_images_per_identity
    if not few.any():
        return splits
    if not config.drop_small_identities:
        name, count = splits.name_of(identities[few][0]), counts[few][0]
        raise DataError(
            f"identity {name} has {count} image{'s' if count != 1 else ''} in split 'train'; at least"
            f" {config.min_images_per_identity} are needed for a positive pair ({few.sum()} such identities in all)."
            " Drop it with --drop_small_identities."
        )
    small = identities[few]
    logging.warning(
        "Dropped %d of %d identities, with fewer than %d images in split 'train': %s.",
        len(small),
        len(identities),
        config.min_images_per_identity,
        ", ".join(map(splits.name_of, small[:20])),
    )
    return _map(splits, lambda part: part.select(np.flatnonzero(~np.isin(part.identity, small))))


def _renumber_identities(splits: Splits) -> Splits:
    known = np.unique(splits.train.identity)
    others = np.concatenate([splits.validation.identity, splits.test.identity])
    order = np.concatenate([known, np.setdiff1d(others, known)])
    sorter = np.argsort(order)

    def renumbered(part: ImageSet) -> ImageSet:
        position = np.searchsorted(order, part.identity, sorter=sorter)
        return dataclasses.replace(part, identity=sorter[position].astype(np.int32))

    names = tuple(splits.name_of(identity) for identity in order) if splits.identity_names else ()
    return dataclasses.replace(_map(splits, renumbered), identity_names=names)
