"""Selects the strongest probe by validation images, or by cross-validation where there are few."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.permutation_baseline import ProbeErrors, probe_errors
from dfv.evaluation.probes.probe_data import ProbeData, ProbeSettings
from dfv.evaluation.sample_sizes import SampleSizes

NUM_FOLDS = 5

Criterion = Callable[[ProbeErrors, str], np.ndarray]  # ProbeErrors.leakage or ProbeErrors.accuracy


class SelectedProbes(NamedTuple):
    """The best settings of each family, and the best of all."""

    network: ProbeSettings
    linear: ProbeSettings
    neighbours: ProbeSettings
    strongest: ProbeSettings


def select_probes(
    errors: dict[ProbeSettings, list[ProbeErrors]], data: ProbeData, sizes: SampleSizes, criterion: Criterion
) -> SelectedProbes:
    """The probes with the highest mean criterion on images that trained none of them; the first one of equals.

    data: of the first seed, for cross-validation.
    """
    if needs_cross_validation(data, sizes):
        scores = _cross_validation_scores(data, sizes, criterion)
    else:
        scores = {
            settings: np.mean([criterion(of_seed, "validation").mean() for of_seed in seeds])
            for settings, seeds in errors.items()
        }
    # A fold may have too few codes for the most neighbours, or more codes than `train`.
    candidates = [settings for settings in errors if settings in scores]

    def best(family: str) -> ProbeSettings:
        return max((settings for settings in candidates if settings.family == family), key=scores.__getitem__)

    families = best("network"), best("linear"), best("neighbours")
    return SelectedProbes(*families, max(families, key=scores.__getitem__))


def needs_cross_validation(data: ProbeData, sizes: SampleSizes) -> bool:
    """Whether `validation` has too few images or groups to compare probes, and the data has three groups or more."""
    groups = np.unique(data.groups.validation)
    few_images = len(data.groups.validation) < sizes.min_validation_images
    few_groups = len(groups) < sizes.min_validation_identities
    return (few_images or few_groups) and len(np.union1d(groups, data.groups.train)) > 2


def cross_validation_folds(data: ProbeData, num_folds: int, seed: int) -> Iterator[ProbeData]:
    """Training and validation images divided into folds of whole groups: one is `test`, the next one `validation`.

    The other folds are `train`. There are at most as many folds as groups.
    """
    codes, labels, groups = (
        np.concatenate([parts.train, parts.validation]) for parts in (data.codes, data.labels, data.groups)
    )
    names, members = np.unique(groups, return_inverse=True)
    num_folds = min(num_folds, len(names))
    fold = np.random.default_rng(seed).permutation(len(names))[members] % num_folds
    for test in range(num_folds):
        validation = (test + 1) % num_folds
        masks = ((fold != test) & (fold != validation), fold == validation, fold == test)
        divided = [BySplit(*(values[mask] for mask in masks)) for values in (codes, labels, groups)]
        yield ProbeData(divided[0], divided[1], data.num_classes, divided[2])


def _cross_validation_scores(data: ProbeData, sizes: SampleSizes, criterion: Criterion) -> dict[ProbeSettings, float]:
    """The mean over folds of the probes that every fold has."""
    folds = [probe_errors([fold], sizes) for fold in cross_validation_folds(data, NUM_FOLDS, seed=0)]
    common = [settings for settings in folds[0] if all(settings in fold for fold in folds)]
    return {
        settings: float(np.mean([criterion(fold[settings][0], "test").mean() for fold in folds])) for settings in common
    }
