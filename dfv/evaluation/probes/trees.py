"""Probes by gradient-boosted trees of scikit-learn's histogram kind."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData

MAX_ROUNDS, MIN_ROUNDS = 50, 5
MAX_TREES = 1_000  # of a label; a round has one for each class


def tree_predictions(data: ProbeData, *, seed: int) -> BySplit[np.ndarray]:
    """Trains trees for each label, and returns predictions [N, L] for every split.

    They are those after the round of boosting with the lowest `validation` error.
    """
    columns = [_predictions_of_label(data, column, number, seed) for column, number in enumerate(data.num_classes)]
    return BySplit(*(np.stack(split, axis=1) for split in zip(*columns, strict=True)))


def _predictions_of_label(data: ProbeData, column: int, num_classes: int, seed: int) -> list[np.ndarray]:
    labels = BySplit(*(part[:, column] for part in data.labels))
    if np.all(labels.train == labels.train[0]):
        return [np.full(len(part), labels.train[0]) for part in labels]
    rounds = int(np.clip(MAX_TREES // num_classes, MIN_ROUNDS, MAX_ROUNDS))
    trees = HistGradientBoostingClassifier(max_iter=rounds, early_stopping=False, random_state=seed)
    # Several threads wait for each other actively: on two busy cores that took 26 times as long as one thread.
    with threadpool_limits(1, "openmp"):
        trees.fit(data.codes.train, labels.train)
        errors = [np.mean(found != labels.validation) for found in trees.staged_predict(data.codes.validation)]
        best = int(np.argmin(errors))
        return [_after(trees, codes, best) for codes in data.codes]


def _after(trees: HistGradientBoostingClassifier, codes: np.ndarray, number: int) -> np.ndarray:
    """The predictions [N] after this round, counted from 0."""
    return next(found for i, found in enumerate(trees.staged_predict(codes)) if i == number)
