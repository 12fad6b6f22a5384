"""Bounds of codes with few values: against every possible table, a known Bayes error, and the formula for clusters."""

import itertools
import math

import numpy as np
import pytest

from dfv.evaluation.probes.entry_bound import entry_bound

ENTRIES = np.array([[0.5, 1.0], [0.5, -1.0], [2.0, 0.0]], np.float32)


def test_no_table_of_the_entries_has_a_lower_error():
    rng = np.random.default_rng(0)
    entry, labels = rng.integers(0, 3, 40), rng.integers(0, 4, (40, 2)).astype(np.int32)
    bound = entry_bound(ENTRIES[entry], labels)
    tables = np.array(list(itertools.product(range(4), repeat=3)))
    lowest = [min(np.mean(table[entry] != column) for table in tables) for column in labels.T]
    assert bound.entries == 3 and bound.error == pytest.approx(np.mean(lowest))
    assert bound.expected_error == pytest.approx(max(0, np.mean(lowest) - math.sqrt(math.log(20) / 80)))


def test_the_confidence_bound_is_below_the_bayes_error_at_least_as_often_as_it_says():
    rng, bayes = np.random.default_rng(1), 1 - (0.6 + 0.5 + 0.4) / 3
    given_entry = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])
    errors, bounds = [], []
    for _ in range(200):
        entry = rng.integers(0, 3, 100)
        labels = (rng.random((100, 1)) > np.cumsum(given_entry, 1)[entry]).sum(1, keepdims=True).astype(np.int32)
        bound = entry_bound(ENTRIES[entry], labels)
        errors.append(bound.error)
        bounds.append(bound.expected_error)
    assert np.mean(errors) < bayes  # fitted to the codes that it is evaluated on
    assert np.mean(np.array(bounds) <= bayes) >= 0.95
    assert np.mean(bounds) > bayes - 0.2


def test_dependent_codes_widen_the_bound_by_the_size_of_their_clusters():
    entry, labels = np.arange(120) % 3, np.arange(120, dtype=np.int32)[:, None] % 2
    sizes = np.array([60, 40, 20])
    bound = entry_bound(ENTRIES[entry], labels, np.repeat(["a", "b", "c"], sizes))
    assert bound.error == pytest.approx(0.5)
    assert bound.expected_error == pytest.approx(max(0, 0.5 - math.sqrt(math.log(20) / 2 * (0.25 + 1 / 9 + 1 / 36))))


def test_there_is_no_bound_for_codes_of_many_values():
    codes = np.random.default_rng(2).normal(size=(50, 2)).astype(np.float32)
    assert entry_bound(codes, np.zeros((50, 1), np.int32)) is None
