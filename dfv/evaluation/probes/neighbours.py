"""Probes that classify a code by the labels of its nearest neighbours in the training split."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.neighbors import NearestNeighbors

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.probe_data import ProbeData, ProbeSettings
from dfv.evaluation.sampling import batches

NUM_NEIGHBOURS = (1, 5, 20, 50)


class NeighbourProbes:
    """Majority votes of the nearest distinct training codes, found once for all labels.

    Equal training codes vote together: if the codes are codebook entries, one neighbour has the label counts of an
    entry. A training code does not vote for itself.

    data: whose codes are searched.
    num_train_queries: the number of training codes, a random sample, for which predictions are made.
    settings: the probes, with at most as many neighbours as there are distinct codes.
    train_rows: [Q], the sample.
    """

    def __init__(self, data: ProbeData, num_train_queries: int, seed: int = 0):
        num_train = len(data.codes.train)
        num_queries = min(num_train, max(num_train_queries, 1))
        self.train_rows = np.sort(np.random.default_rng(seed).choice(num_train, num_queries, replace=False))
        self._entry = _entry_numbers(data.codes.train)
        most = min(max(NUM_NEIGHBOURS), max(self._entry.max(), 1))
        self.settings = [
            ProbeSettings("neighbours", number, standardized)
            for standardized in (False, True)
            for number in NUM_NEIGHBOURS
            if number <= most
        ]
        self._nearest = {
            False: self._search(data.codes, most),
            True: self._search(data.standardized_codes, most),
        }

    def _search(self, codes: BySplit[np.ndarray], most: int) -> BySplit[np.ndarray]:
        """The entries [N, most] nearest to each code; to a training code, others than its own unless it is shared."""
        entries, first = np.unique(self._entry, return_index=True)
        search = NearestNeighbors(n_neighbors=min(most + 1, len(entries)), algorithm="brute").fit(codes.train[first])
        queries = (codes.train[self.train_rows], codes.validation, codes.test)
        train, *others = (search.kneighbors(part, return_distance=False) for part in queries)
        own = self._entry[self.train_rows]
        unshared = np.bincount(self._entry)[own] == 1
        order = np.argsort((train == own[:, None]) & unshared[:, None], axis=1, kind="stable")
        return BySplit(np.take_along_axis(train, order, 1)[:, :most], *(part[:, :most] for part in others))

    def predictions(
        self, labels: np.ndarray, num_classes: tuple[int, ...], settings: ProbeSettings
    ) -> BySplit[np.ndarray]:
        """Predictions [N, L] for every split, in `train` [Q, L] for `train_rows`.

        labels: [N, L] int32 of the training codes.
        settings: one of self.settings.
        """
        weights = BySplit(
            *(self._weights(nearest[:, : settings.num_neighbours]) for nearest in self._nearest[settings.standardized])
        )
        own, queries = self._entry[self.train_rows], np.arange(len(self.train_rows))
        columns = []
        for column, size in zip(labels.T, num_classes, strict=True):
            counts = csr_array((np.ones(len(column)), (self._entry, column)), shape=(self._entry.max() + 1, size))
            votes = [of_split @ counts for of_split in weights]
            own_votes = (weights.train[queries, own], (queries, column[self.train_rows]))
            votes[0] -= csr_array(own_votes, shape=votes[0].shape)
            columns.append([_majority(of_split) for of_split in votes])
        return BySplit(*(np.stack(split, axis=1) for split in zip(*columns, strict=True)))

    def _weights(self, nearest: np.ndarray) -> csr_array:
        """[N, entries]: about 1 for these entries [N, K], nearest first, with ties broken in favour of nearer ones."""
        num_codes, number = nearest.shape
        nearness = np.tile(1 + 1e-6 * np.linspace(1, 0, number), num_codes)
        rows = np.repeat(np.arange(num_codes), number)
        return csr_array((nearness, (rows, nearest.ravel())), shape=(num_codes, self._entry.max() + 1))


def _entry_numbers(codes: np.ndarray) -> np.ndarray:
    """A number [N] for each of codes [N, D], the same for equal ones."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(code.tobytes(), len(numbers)) for code in codes + 0.0])


def _majority(votes: csr_array) -> np.ndarray:
    """The label [N] of most votes [N, classes]; in batches, since there may be as many classes as identities."""
    return np.concatenate([votes[rows].toarray().argmax(1) for rows in batches(votes.shape[0])])
