"""Trains the probes, and selects the strongest on validation images or, if these are few, by cross-validation."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.neighbours import NeighbourProbes
from dfv.evaluation.probes.permutation_baseline import permute_labels
from dfv.evaluation.probes.probe_data import FAMILIES, ProbeData, ProbeSettings
from dfv.evaluation.probes.softmax_classifier import HIDDEN_UNITS, network_predictions
from dfv.evaluation.probes.trees import tree_predictions
from dfv.evaluation.sampling import SampleSizes

NUM_FOLDS = 5


@dataclass(frozen=True)
class ProbeErrors:
    """Errors of one probe's predictions, [N, L] of 0 and 1 in every split.

    errors: trained on the true labels.
    baseline: trained on permuted labels.
    matched_baseline: trained on labels permuted within groups of images with the same known factors; None without.
    """

    errors: BySplit[np.ndarray]
    baseline: BySplit[np.ndarray]
    matched_baseline: BySplit[np.ndarray] | None = None

    def accuracy(self, split: str) -> np.ndarray:
        """[N], the mean over labels of each image of a split."""
        return 1 - getattr(self.errors, split).mean(1)

    def leakage(self, split: str) -> np.ndarray:
        """[N], baseline minus error, the mean over labels of each image of a split."""
        return (getattr(self.baseline, split) - getattr(self.errors, split)).mean(1)


Criterion = Callable[[ProbeErrors, str], np.ndarray]  # ProbeErrors.leakage or ProbeErrors.accuracy


class TrainedProbe(NamedTuple):
    """A probe, and its errors for each seed."""

    settings: ProbeSettings
    errors: list[ProbeErrors]


class SelectedProbes(NamedTuple):
    """The best probe of each family, and the best of all."""

    by_family: dict[str, TrainedProbe]
    strongest: TrainedProbe


def select_probes(
    data: list[ProbeData], sizes: SampleSizes, criterion: Criterion, families: tuple[str, ...] = FAMILIES
) -> SelectedProbes:
    """Trains all probes, and selects those with the highest mean criterion on images not used for training them.

    Ties go to the first probe. data: for each seed; cross-validation uses the first.
    """
    errors = probe_errors(data, sizes, families)
    if needs_cross_validation(data[0], sizes):
        scores = _cross_validation_scores(data[0], sizes, criterion, families)
    else:
        scores = {
            settings: np.mean([criterion(of_seed, "validation").mean() for of_seed in seeds])
            for settings, seeds in errors.items()
        }
    # A fold may have too few codes for the most neighbours, or more codes than `train`.
    probes = [TrainedProbe(settings, errors[settings]) for settings in errors if settings in scores]

    def best(choices: Iterable[TrainedProbe]) -> TrainedProbe:
        return max(choices, key=lambda probe: scores[probe.settings])

    by_family = {family: best(probe for probe in probes if probe.settings.family == family) for family in families}
    return SelectedProbes(by_family, best(by_family.values()))


def probe_errors(
    data: list[ProbeData], sizes: SampleSizes, families: tuple[str, ...] = FAMILIES
) -> dict[ProbeSettings, list[ProbeErrors]]:
    """Trains every probe of these families on the true and on permuted labels, and returns its errors for each seed.

    data: for each seed, which initializes the probe, orders its batches and permutes the labels.
    """
    errors: dict[ProbeSettings, list[ProbeErrors]] = {}
    neighbours = NeighbourProbes(data[0], sizes.validation_images)
    for seed, true in enumerate(data):
        if true.codes is not data[0].codes:
            neighbours = NeighbourProbes(true, sizes.validation_images)
        versions = [true, permute_labels(true, seed)]
        if true.matched is not None:
            versions.append(permute_labels(true, seed, true.matched))
        for family in [family for family in families if family != "neighbours"]:
            predictions = [_predictions(version, family, seed, sizes.probe_epochs) for version in versions]
            errors.setdefault(ProbeSettings(family), []).append(_errors(predictions, true.labels))
        queried = replace(true.labels, train=true.labels.train[neighbours.train_rows])
        for settings in neighbours.settings:
            predictions = [
                neighbours.predictions(version.labels.train, true.num_classes, settings) for version in versions
            ]
            errors.setdefault(settings, []).append(_errors(predictions, queried))
    return errors


def _predictions(data: ProbeData, family: str, seed: int, max_epochs: int) -> BySplit[np.ndarray]:
    if family == "trees":
        return tree_predictions(data, seed=seed)
    return network_predictions(data, HIDDEN_UNITS[family], seed=seed, max_epochs=max_epochs)


def _errors(predictions: list[BySplit[np.ndarray]], labels: BySplit[np.ndarray]) -> ProbeErrors:
    """predictions: of the probe trained on each version of the labels."""
    return ProbeErrors(
        *(
            BySplit(*((a != b).astype(float) for a, b in zip(predicted, labels, strict=True)))
            for predicted in predictions
        )
    )


def needs_cross_validation(data: ProbeData, sizes: SampleSizes) -> bool:
    """Whether `validation` has too few images or groups to compare probes, and the data at least three groups."""
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


def _cross_validation_scores(
    data: ProbeData, sizes: SampleSizes, criterion: Criterion, families: tuple[str, ...]
) -> dict[ProbeSettings, float]:
    """The mean over folds of the probes that every fold has."""
    folds = [probe_errors([fold], sizes, families) for fold in cross_validation_folds(data, NUM_FOLDS, seed=0)]
    common = [settings for settings in folds[0] if all(settings in fold for fold in folds)]
    return {
        settings: float(np.mean([criterion(fold[settings][0], "test").mean() for fold in folds])) for settings in common
    }
