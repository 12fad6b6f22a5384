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
    """Where a probe erred, per image the fraction of the columns [N]: trained on true labels, and on permuted ones."""

    errors: Parts
    by_chance: Parts


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

    chance: the same probe's error on test, trained on permuted labels. leak: chance minus error on test.
    """

    kind: str
    train: float
    validation: float
    test: float
    spread: float
    chance: float
    leak: Estimate


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
    few = len(tasks[0].labels.validation) < limits.enough_to_choose
    merits = (
        _merits_by_folds(tasks[0], limits, merit)
        if few
        else {
            kind: np.mean([merit(trial, "validation").mean() for trial in of_kind]) for kind, of_kind in trials.items()
        }
    )
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
        permuted = task.permuted(seed)
        for kind, hidden in HIDDEN_UNITS.items():
            both = [network_predictions(data, hidden, seed, limits.probe_epochs) for data in (task, permuted)]
            trials.setdefault(kind, []).append(_trial(task, both))
        for setting in neighbours.settings:
            both = [neighbours.predictions(data.labels.train, task.sizes, setting) for data in (task, permuted)]
            kind = f"neighbours ({setting[1]}, {setting[0]})"
            trials.setdefault(kind, []).append(_trial(task, both, neighbours.train_rows))
    return trials


def _trial(task: Task, predictions: list[Parts], train_rows: np.ndarray | slice = slice(None)) -> Trial:
    labels = Parts(task.labels.train[train_rows], task.labels.validation, task.labels.test)
    return Trial(
        *(Parts(*(np.mean(a != b, axis=1) for a, b in zip(parts, labels, strict=True))) for parts in predictions)
    )


def _merits_by_folds(task: Task, limits: Limits, merit: Merit) -> dict[str, float]:
    by_fold = [_trials([fold], limits) for fold in task.folds(FOLDS, seed=0)]
    kinds = [kind for kind in by_fold[0] if all(kind in trials for trials in by_fold)]
    return {kind: float(np.mean([merit(trials[kind][0], "test").mean() for trials in by_fold])) for kind in kinds}


def _summary(kind: str, trials: list[Trial], mask: np.ndarray, clusters: np.ndarray | None) -> ProbeReading:
    test = np.stack([trial.errors.test for trial in trials])[:, mask]
    train, validation = (np.mean([trial.errors[split].mean() for trial in trials]) for split in range(2))
    chance = np.mean([trial.by_chance.test[mask].mean() for trial in trials])
    told = estimate(
        np.stack([leak(trial, "test") for trial in trials])[:, mask], None if clusters is None else clusters[mask]
    )
    spread = test.mean(1).std(ddof=1) if len(trials) > 1 else 0.0
    return ProbeReading(kind, float(train), float(validation), float(test.mean()), float(spread), float(chance), told)
