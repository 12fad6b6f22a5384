"""How much of some labels a code tells: the strongest of three probes, over seeds, against chance as measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dfv.evaluation.limits import Limits
from dfv.evaluation.paired import Estimate, estimate
from dfv.evaluation.probes import HIDDEN_UNITS, Neighbours, network_predictions
from dfv.evaluation.task import Parts, Task

FOLDS = 5


class Trial(NamedTuple):
    """Where a probe erred, per image the fraction of the columns [N]: trained on true labels, and on permuted ones.

    by_chance_alike: on labels permuted among images of equal known factors; None where there are none such.
    """

    errors: Parts
    by_chance: Parts
    by_chance_alike: Parts | None = None


Merit = Callable[[Trial, str], np.ndarray]


def leak(trial: Trial, split: str) -> np.ndarray:
    """Chance minus error of each image of a split, [N]."""
    return getattr(trial.by_chance, split) - getattr(trial.errors, split)


def rightness(trial: Trial, split: str) -> np.ndarray:
    """One minus error of each image of a split, [N]; where a code is to be read well, chance is no matter."""
    return 1 - getattr(trial.errors, split)


@dataclass(frozen=True)
class ProbeReading:
    """Errors as fractions, averaged over columns, images and seeds; spread: their standard deviation over seeds.

    chance: the same probe's error on test, trained on permuted labels. leak: chance minus error on test. alike_chance,
    alike_leak: the same of labels permuted among images of equal known factors, None where there are none such. Where
    an identity shows each value of them once, a test image's is one that its identity lacks in training, and a code
    that tells it and nothing else errs more than permuted labels do.
    """

    kind: str
    train: float
    validation: float
    test: float
    spread: float
    chance: float
    leak: Estimate
    alike_chance: float | None
    alike_leak: Estimate | None


@dataclass(frozen=True)
class Reading:
    """What the probes read of one code.

    probes: the network, the linear one, and nearest neighbours at their best setting. strongest: the one that read
    most on validation data, and counts. parts: its reading of named parts of the test images.
    """

    probes: dict[str, ProbeReading]
    strongest: ProbeReading
    parts: dict[str, ProbeReading]


def read(
    tasks: list[Task],
    limits: Limits,
    clusters: np.ndarray | None = None,
    parts: dict[str, np.ndarray] | None = None,
    merit: Merit = leak,
) -> Reading:
    """The reading of tasks that differ by their seed alone.

    clusters: [N], test images that stand or fall together; parts: name -> [N] bool, parts of the test images; merit:
    what the strongest probe has most of on validation data.
    """
    trials = _trials(tasks, limits)
    few = tasks[0].has_few_to_choose_by(limits.enough_to_choose, limits.enough_identities)
    merits = _merits_by_folds(tasks[0], limits, merit) if few else _merits(trials, merit)
    # A fold of few codes has no 50 neighbours.
    known = [kind for kind in trials if kind in merits]
    families = [[kind for kind in known if kind.startswith(family)] for family in ("network", "linear", "neighbours")]
    kinds = [max(family, key=merits.__getitem__) for family in families]
    everything = np.ones(len(tasks[0].labels.test), bool)
    probes = {kind.split()[0]: _summary(kind, trials[kind], everything, clusters) for kind in kinds}
    best = max(kinds, key=merits.__getitem__)
    named = {name: _summary(best, trials[best], mask, clusters) for name, mask in (parts or {}).items()}
    return Reading(probes, probes[best.split()[0]], named)


def _trials(tasks: list[Task], limits: Limits) -> dict[str, list[Trial]]:
    """kind of probe -> a trial for each seed."""
    trials: dict[str, list[Trial]] = {}
    neighbours = None
    for seed, task in enumerate(tasks):
        # The mean of z and s are the same for all seeds: one search serves them.
        if neighbours is None or task.codes is not tasks[0].codes:
            neighbours = Neighbours(task, limits.validation_images)
        versions = [task, task.permuted(seed)] + ([task.permuted_among_alike(seed)] if task.alike else [])
        for kind, hidden in HIDDEN_UNITS.items():
            predicted = [network_predictions(data, hidden, seed, limits.probe_epochs) for data in versions]
            trials.setdefault(kind, []).append(_trial(task, predicted))
        for setting in neighbours.settings:
            predicted = [neighbours.predictions(data.labels.train, task.sizes, setting) for data in versions]
            kind = f"neighbours ({setting[1]}, {setting[0]})"
            trials.setdefault(kind, []).append(_trial(task, predicted, neighbours.train_rows))
    return trials


def _trial(task: Task, predictions: list[Parts], train_rows: np.ndarray | slice = slice(None)) -> Trial:
    labels = Parts(task.labels.train[train_rows], task.labels.validation, task.labels.test)
    return Trial(
        *(Parts(*(np.mean(a != b, axis=1) for a, b in zip(parts, labels, strict=True))) for parts in predictions)
    )


def _merits(trials: dict[str, list[Trial]], merit: Merit) -> dict[str, float]:
    return {kind: np.mean([merit(trial, "validation").mean() for trial in own]) for kind, own in trials.items()}


def _merits_by_folds(task: Task, limits: Limits, merit: Merit) -> dict[str, float]:
    by_fold = [_trials([fold], limits) for fold in task.folds(FOLDS, seed=0)]
    kinds = [kind for kind in by_fold[0] if all(kind in trials for trials in by_fold)]
    return {kind: float(np.mean([merit(trials[kind][0], "test").mean() for trials in by_fold])) for kind in kinds}


def _summary(kind: str, trials: list[Trial], mask: np.ndarray, clusters: np.ndarray | None) -> ProbeReading:
    test = np.stack([trial.errors.test for trial in trials])[:, mask]
    train, validation = (np.mean([trial.errors[split].mean() for trial in trials]) for split in range(2))
    spread = test.mean(1).std(ddof=1) if len(trials) > 1 else np.nan
    by_image = _beside(test, [trial.by_chance for trial in trials], mask, clusters)
    among_alike = [trial.by_chance_alike for trial in trials if trial.by_chance_alike]
    alike = _beside(test, among_alike, mask, clusters) if among_alike else (None, None)
    return ProbeReading(kind, float(train), float(validation), float(test.mean()), float(spread), *by_image, *alike)


def _beside(
    errors: np.ndarray, chance: list[Parts], mask: np.ndarray, clusters: np.ndarray | None
) -> tuple[float, Estimate]:
    """Chance on the test images of the mask, and how much the errors [seeds, N] there are below it."""
    by_chance = np.stack([parts.test for parts in chance])[:, mask]
    return float(by_chance.mean()), estimate(by_chance - errors, None if clusters is None else clusters[mask])
