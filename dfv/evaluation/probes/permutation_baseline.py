"""Errors of probes, and of the same probes trained on permuted labels: the permutation baseline.

A probe that is trained on permuted labels learns nothing but how often each label occurs, so its error is what a code
without information gives. Leakage is the baseline's error minus the probe's.
"""

from dataclasses import dataclass, replace

import numpy as np

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.neighbours import NeighbourProbes
from dfv.evaluation.probes.networks import HIDDEN_UNITS, network_predictions
from dfv.evaluation.probes.probe_data import ProbeData, ProbeSettings
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import permute_within


@dataclass(frozen=True)
class ProbeErrors:
    """Where one probe's predictions are wrong, [N, L] of 0 and 1 in every split.

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


def permute_labels(data: ProbeData, seed: int, groups: BySplit[np.ndarray] | None = None) -> ProbeData:
    """The same data with the labels of `train` and `validation` permuted; those of `test` stay.

    groups: [N] int; labels are permuted within each group instead of over the whole split.
    """
    rng = np.random.default_rng(seed)
    train, validation = data.labels.train, data.labels.validation
    if groups is None:
        train, validation = rng.permutation(train), rng.permutation(validation)
    else:
        train, validation = (
            train[permute_within(groups.train, rng)],
            validation[permute_within(groups.validation, rng)],
        )
    return replace(data, labels=BySplit(train, validation, data.labels.test))


def probe_errors(data: list[ProbeData], sizes: SampleSizes) -> dict[ProbeSettings, list[ProbeErrors]]:
    """Trains every probe on the true and on permuted labels, and returns its errors for each seed.

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
        for family, hidden_units in HIDDEN_UNITS.items():
            predicted = [
                network_predictions(version, hidden_units, seed=seed, max_epochs=sizes.probe_epochs)
                for version in versions
            ]
            errors.setdefault(ProbeSettings(family), []).append(_errors(predicted, true.labels))
        queried = replace(true.labels, train=true.labels.train[neighbours.train_rows])
        for settings in neighbours.settings:
            predicted = [
                neighbours.predictions(version.labels.train, true.num_classes, settings) for version in versions
            ]
            errors.setdefault(settings, []).append(_errors(predicted, queried))
    return errors


def _errors(predictions: list[BySplit[np.ndarray]], labels: BySplit[np.ndarray]) -> ProbeErrors:
    """predictions: of the probe trained on each version of the labels."""
    return ProbeErrors(
        *(
            BySplit(*((a != b).astype(float) for a, b in zip(predicted, labels, strict=True)))
            for predicted in predictions
        )
    )
