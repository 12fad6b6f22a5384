"""Probes: fresh classifiers that try to read labels from codes."""

from functools import lru_cache

import numpy as np
from keras import layers
from sklearn.neighbors import NearestNeighbors

from dfv.evaluation.classifier import Classifier
from dfv.evaluation.retrieval import nearest
from dfv.evaluation.task import Parts, Task

HIDDEN_UNITS = {"network": (256,), "linear": ()}
PATIENCE = 10
LEAST_STEPS = 50
VOTERS = (1, 5, 20, 50)

Setting = tuple[str, int]  # raw or standardised codes, number of voters


def network_predictions(task: Task, hidden: tuple[int, ...], seed: int, max_epochs: int) -> Parts:
    """Predicted labels [N, L] of each split, by a fresh classifier of standardised codes with hidden layers of ReLU."""
    task = task.standardised()
    classifier = _classifier(hidden, task.codes.train.shape[1], task.sizes)
    train, validation, _ = zip(task.codes, task.labels, strict=True)
    classifier.fit_until_best(
        train, validation, seed=seed, max_epochs=max_epochs, patience=PATIENCE, least_steps=LEAST_STEPS
    )
    return Parts(*(classifier.predict_labels(codes) for codes in task.codes))


@lru_cache(maxsize=8)
def _classifier(hidden: tuple[int, ...], dim: int, sizes: tuple[int, ...]) -> Classifier:
    # Every fit starts it anew; tracing a new one takes longer than training it on a small set.
    rate = 1e-3 if hidden else 1e-2
    return Classifier([layers.Dense(units, "relu") for units in hidden], (dim,), sizes, learning_rate=rate)


class Neighbours:
    """Votes of the nearest training codes; a training code does not vote on itself.

    settings: (raw or standardised, number of voters), every one of which can be asked for.
    """

    def __init__(self, task: Task, num_train_queries: int, seed: int = 0):
        count = min(len(task.codes.train), max(num_train_queries, 1))
        self.train_rows = np.sort(np.random.default_rng(seed).choice(len(task.codes.train), count, replace=False))
        most = min(max(VOTERS), len(task.codes.train) - 1)
        self.settings = [(scale, k) for scale in ("raw", "standardised") for k in VOTERS if k <= most]
        self._indices = {
            "raw": self._search(task.codes, most),
            "standardised": self._search(task.standardised().codes, most),
        }

    def _search(self, codes: Parts, most: int) -> Parts:
        search = NearestNeighbors(n_neighbors=most, algorithm="brute").fit(codes.train)
        others = (search.kneighbors(part, return_distance=False) for part in codes[1:])
        return Parts(nearest(codes.train, self.train_rows, most), *others)

    def predictions(self, labels: np.ndarray, sizes: tuple[int, ...], setting: Setting) -> Parts:
        """Predicted labels [N, L] of each split (of `train_rows` alone in train); labels: the training codes'."""
        scale, voters = setting
        return Parts(*(_vote(labels[indices[:, :voters]], sizes) for indices in self._indices[scale]))


def _vote(labels: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """The commonest of labels [N, K, L], nearest first; among equally common ones, that of the nearer voters."""
    number, voters = labels.shape[:2]
    weights = np.tile(1.0 + 1e-3 * np.linspace(1, 0, voters), number)
    offsets = np.arange(number)[:, None]
    winners = []
    for column, size in enumerate(sizes):
        votes = np.bincount((offsets * size + labels[:, :, column]).ravel(), weights, number * size)
        winners.append(votes.reshape(number, size).argmax(1))
    return np.stack(winners, axis=1)
