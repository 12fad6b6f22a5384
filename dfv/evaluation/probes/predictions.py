"""Probes: fresh classifiers that try to read labels from codes."""

from functools import lru_cache

import numpy as np
from keras import layers
from scipy.sparse import csr_array
from sklearn.neighbors import NearestNeighbors

from dfv.evaluation.probes.probe_data import Parts, Task
from dfv.evaluation.probes.softmax_classifier import Classifier
from dfv.evaluation.sampling import batches

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
    """Votes of the nearest different training codes, equal ones together; a training code does not vote on itself.

    Where z is one of a list of codes, hundreds of images have the same: by one voter it is a table of labels by code.
    settings: (raw or standardised, number of voters), every one of which can be asked for.
    """

    def __init__(self, task: Task, num_train_queries: int, seed: int = 0):
        count = min(len(task.codes.train), max(num_train_queries, 1))
        self.train_rows = np.sort(np.random.default_rng(seed).choice(len(task.codes.train), count, replace=False))
        self._kind = _kinds(task.codes.train)
        most = min(max(VOTERS), max(self._kind.max(), 1))
        self.settings = [(scale, k) for scale in ("raw", "standardised") for k in VOTERS if k <= most]
        self._nearest = {
            "raw": self._search(task.codes, most),
            "standardised": self._search(task.standardised().codes, most),
        }

    def _search(self, codes: Parts, most: int) -> Parts:
        """The kinds [N, most] of training code nearest to each code, without a training code's own if it is alone."""
        kinds, first = np.unique(self._kind, return_index=True)
        search = NearestNeighbors(n_neighbors=min(most + 1, len(kinds)), algorithm="brute").fit(codes.train[first])
        queries = codes._replace(train=codes.train[self.train_rows])
        train, *others = (search.kneighbors(part, return_distance=False) for part in queries)
        own = self._kind[self.train_rows]
        alone = np.bincount(self._kind)[own] == 1
        order = np.argsort((train == own[:, None]) & alone[:, None], axis=1, kind="stable")
        return Parts(np.take_along_axis(train, order, 1)[:, :most], *(part[:, :most] for part in others))

    def predictions(self, labels: np.ndarray, sizes: tuple[int, ...], setting: Setting) -> Parts:
        """Predicted labels [N, L] of each split (of `train_rows` alone in train); labels: the training codes'."""
        scale, voters = setting
        weights = Parts(*(self._weights(kinds[:, :voters]) for kinds in self._nearest[scale]))
        own, rows = self._kind[self.train_rows], np.arange(len(self.train_rows))
        columns = []
        for column, size in zip(labels.T, sizes, strict=True):
            counts = csr_array((np.ones(len(column)), (self._kind, column)), shape=(self._kind.max() + 1, size))
            votes = [each @ counts for each in weights]
            votes[0] -= csr_array((weights.train[rows, own], (rows, column[self.train_rows])), shape=votes[0].shape)
            columns.append([_commonest(each) for each in votes])
        return Parts(*(np.stack(split, axis=1) for split in zip(*columns, strict=True)))

    def _weights(self, kinds: np.ndarray) -> csr_array:
        """[N, all kinds]: 1 for these kinds [N, K], nearest first, and a little more for nearer ones."""
        number, voters = kinds.shape
        nearness = np.tile(1 + 1e-6 * np.linspace(1, 0, voters), number)
        rows = np.repeat(np.arange(number), voters)
        return csr_array((nearness, (rows, kinds.ravel())), shape=(number, self._kind.max() + 1))


def _kinds(codes: np.ndarray) -> np.ndarray:
    """A number [N] for each of codes [N, D], the same for equal ones."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(code.tobytes(), len(numbers)) for code in codes + 0.0])


def _commonest(votes: csr_array) -> np.ndarray:
    """The label [N] of most votes [N, size], some rows at a time: there may be as many labels as identities."""
    return np.concatenate([votes[rows].toarray().argmax(1) for rows in batches(votes.shape[0])])
