"""How much of some labels a code tells: the strongest of three probes, over seeds, against chance as measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dfv.evaluation.probes.predictions import HIDDEN_UNITS, Neighbours, network_predictions
from dfv.evaluation.probes.probe_data import Parts, Task
from dfv.evaluation.probes.probe_result import ProbeResult
from dfv.evaluation.probes.standard_errors import Estimate, estimate
from dfv.evaluation.sample_sizes import SampleSizes

FOLDS = 5


class Trial(NamedTuple):
    """Where a probe erred, images by columns of labels [N, L], 1 or 0: trained on true labels, and on permuted ones.

    by_chance_alike: on labels permuted among images of equal known factors; None where there are none such.
    """

    errors: Parts
    by_chance: Parts
    by_chance_alike: Parts | None = None


Merit = Callable[[Trial, str], np.ndarray]


def leak(trial: Trial, split: str) -> np.ndarray:
    """Chance minus error of each image of a split, [N]."""
    return (getattr(trial.by_chance, split) - getattr(trial.errors, split)).mean(1)


def rightness(trial: Trial, split: str) -> np.ndarray:
    """One minus error of each image of a split, [N]; where a code is to be read well, chance is no matter."""
    return 1 - getattr(trial.errors, split).mean(1)


@dataclass(frozen=True)
class CodeLeakage:
    """What can be predicted from one code.

    network, linear, neighbours: each probe at its best setting.
    strongest: the one of them that is best on validation data.
    subsets: the strongest probe on named subsets of the test images.
    labels: the strongest probe on each label alone, where there are several.
    """

    network: ProbeResult
    linear: ProbeResult
    neighbours: ProbeResult
    strongest: ProbeResult
    subsets: dict[str, ProbeResult]
    labels: dict[str, ProbeResult]


def read(
    tasks: list[Task],
    limits: SampleSizes,
    clusters: np.ndarray | None = None,
    parts: dict[str, np.ndarray] | None = None,
    merit: Merit = leak,
    names: tuple[str, ...] = (),
) -> CodeLeakage:
    """The reading of tasks that differ by their seed alone.

    clusters: [N], test images that stand or fall together; parts: name -> [N] bool, parts of the test images; merit:
    what the strongest probe has most of on validation data; names: the labels', for each to be read by itself.
    """
    trials = _trials(tasks, limits)
    few = tasks[0].needs_folds(limits.min_validation_images, limits.min_validation_identities)
    merits = _merits_by_folds(tasks[0], limits, merit) if few else _merits(trials, merit)
    # A fold of few codes has no 50 neighbours.
    known = [kind for kind in trials if kind in merits]
    families = [[kind for kind in known if kind.startswith(family)] for family in ("network", "linear", "neighbours")]
    kinds = [max(family, key=merits.__getitem__) for family in families]
    probes = {kind.split()[0]: _summary(kind, trials[kind], clusters) for kind in kinds}
    best = max(kinds, key=merits.__getitem__)
    of_parts = {name: _summary(best, trials[best], clusters, rows=mask) for name, mask in (parts or {}).items()}
    alone = {name: _summary(best, trials[best], clusters, columns=[i]) for i, name in enumerate(names)}
    strongest = probes[best.split()[0]]
    return CodeLeakage(**probes, strongest=strongest, subsets=of_parts, labels=alone if len(names) > 1 else {})


def _trials(tasks: list[Task], limits: SampleSizes) -> dict[str, list[Trial]]:
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
        *(Parts(*((a != b).astype(float) for a, b in zip(parts, labels, strict=True))) for parts in predictions)
    )


def _merits(trials: dict[str, list[Trial]], merit: Merit) -> dict[str, float]:
    return {kind: np.mean([merit(trial, "validation").mean() for trial in own]) for kind, own in trials.items()}


def _merits_by_folds(task: Task, limits: SampleSizes, merit: Merit) -> dict[str, float]:
    by_fold = [_trials([fold], limits) for fold in task.folds(FOLDS, seed=0)]
    kinds = [kind for kind in by_fold[0] if all(kind in trials for trials in by_fold)]
    return {kind: float(np.mean([merit(trials[kind][0], "test").mean() for trials in by_fold])) for kind in kinds}


def _summary(
    kind: str,
    trials: list[Trial],
    clusters: np.ndarray | None,
    rows: np.ndarray | slice = slice(None),
    columns: list[int] | slice = slice(None),
) -> ProbeResult:
    """Of some rows of the test images and some columns of the labels."""
    train, validation = (np.mean([trial.errors[split][:, columns].mean() for trial in trials]) for split in range(2))

    def on_test(parts: list[Parts]) -> np.ndarray:
        return np.stack([part.test[rows][:, columns].mean(1) for part in parts])

    test = on_test([trial.errors for trial in trials])

    def beside(chance: list[Parts]) -> tuple[float, Estimate]:
        by_chance = on_test(chance)
        return float(by_chance.mean()), estimate(by_chance - test, None if clusters is None else clusters[rows])

    spread = test.mean(1).std(ddof=1) if len(trials) > 1 else np.nan
    by_image = beside([trial.by_chance for trial in trials])
    among_alike = [trial.by_chance_alike for trial in trials if trial.by_chance_alike]
    alike = beside(among_alike) if among_alike else (None, None)
    family, *setting = kind.replace("(", "").replace(")", "").replace(",", "").split()
    num_neighbours, standardized = (int(setting[0]), setting[1] == "standardised") if setting else (None, True)
    errors = (float(train), float(validation), float(test.mean()), float(spread))
    return ProbeResult(family, num_neighbours, standardized, *errors, *by_image, *alike)
