"""Chance and leak among images of equal known factors, where each identity shows each of them once."""

import numpy as np
import pytest

from dfv.evaluation.probes.predictions import Neighbours
from dfv.evaluation.probes.probe_data import Parts, Task
from dfv.evaluation.probes.selection import read
from dfv.evaluation.sample_sizes import SampleSizes

DIM = 6


def balanced(told: float) -> Task:
    """Six identities show each of sixty poses once, over the three splits; a code of the pose and, so much, of them."""
    rng = np.random.default_rng(0)
    pose, identity = (each.ravel() for each in np.meshgrid(np.arange(60), np.arange(6), indexing="ij"))
    split = np.concatenate([rng.permuted([0, 0, 0, 1, 2, 2]) for _ in range(60)])
    codes = rng.standard_normal((60, DIM))[pose] + 0.05 * rng.standard_normal((len(pose), DIM))
    codes += told * rng.standard_normal((6, DIM))[identity]
    parts = [Parts(*(values[split == part] for part in range(3))) for values in (codes, identity[:, None], pose)]
    groups = Parts(*(np.flatnonzero(split == part) for part in range(3)))
    return Task(Parts(*map(np.float32, parts[0])), Parts(*map(np.int32, parts[1])), (6,), groups, parts[2])


def test_chance_among_alike_is_that_of_a_code_of_the_pose_alone():
    """The nearest training code is of the same pose, so of another identity: it errs more than permuted labels do."""
    data = balanced(told=0)
    neighbours = Neighbours(data, 10)
    versions = (data, data.permuted(0), data.permuted_among_alike(0))
    predicted = [neighbours.predictions(each.labels.train, data.sizes, ("raw", 1)).test for each in versions]
    errors = [np.mean(each != data.labels.test) for each in predicted]
    assert errors == [1.0, pytest.approx(5 / 6, abs=0.08), 1.0]


def test_the_leak_among_alike_finds_what_a_balanced_set_hides():
    limits = SampleSizes(probe_epochs=30, validation_images=500, min_validation_images=0)
    clean, telling = (read([balanced(told)], limits).network for told in (0, 0.3))
    assert clean.leakage.mean < -0.04 and abs(clean.matched_leakage.mean) < 0.04
    assert telling.matched_leakage.mean > telling.leakage.mean + 0.03
    assert telling.matched_leakage.mean == pytest.approx(telling.matched_permutation_baseline - telling.test_error)


def test_labels_permuted_among_alike_stay_with_their_pose():
    data = balanced(told=0.3)
    permuted = data.permuted_among_alike(0)
    assert np.any(permuted.labels.train != data.labels.train)
    for pose in range(60):
        own = data.alike.train == pose
        assert sorted(permuted.labels.train[own, 0]) == sorted(data.labels.train[own, 0])
    np.testing.assert_array_equal(permuted.labels.test, data.labels.test)
