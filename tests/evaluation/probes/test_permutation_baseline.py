"""Permuted labels, and the baselines of codes whose information is known."""

import numpy as np
import pytest

from dfv.evaluation.metrics.leakage import probe_result
from dfv.evaluation.probes.neighbours import NeighbourProbes
from dfv.evaluation.probes.permutation_baseline import permute_labels
from dfv.evaluation.probes.probe_data import ProbeSettings
from dfv.evaluation.probes.selection import TrainedProbe, probe_errors
from dfv.evaluation.sampling import SampleSizes
from tests.evaluation.probes.synthetic_codes import SAMPLE_SIZES, balanced, data_of, random


def test_permutations_leave_the_labels_of_test():
    data = data_of(random)
    permuted = permute_labels(data, seed=0)
    np.testing.assert_array_equal(permuted.labels.test, data.labels.test)
    assert np.mean(permuted.labels.train != data.labels.train) > 0.6
    np.testing.assert_array_equal(np.bincount(permuted.labels.train[:, 0]), np.bincount(data.labels.train[:, 0]))


def test_permutations_within_matched_factors_leave_the_labels_of_each_pose():
    data = balanced(identity_scale=0.3)
    permuted = permute_labels(data, 0, data.matched)
    assert np.any(permuted.labels.train != data.labels.train)
    for pose in range(60):
        own = data.matched.train == pose
        assert sorted(permuted.labels.train[own, 0]) == sorted(data.labels.train[own, 0])
    np.testing.assert_array_equal(permuted.labels.test, data.labels.test)


def test_the_baseline_is_the_error_of_a_probe_and_not_one_minus_one_over_n():
    weights = (0.7, 0.1, 0.1, 0.1)
    errors = probe_errors([data_of(random, weights=weights)], SAMPLE_SIZES)[ProbeSettings("linear")]
    assert probe_result(TrainedProbe(ProbeSettings("linear"), errors)).permutation_baseline == pytest.approx(
        0.3, abs=0.06
    )


def test_the_matched_baseline_is_the_error_of_a_code_of_the_pose_alone():
    """The nearest training code has the same pose, so another identity: its error is above the permutation baseline."""
    data = balanced(identity_scale=0)
    probes = NeighbourProbes(data, 10)
    one = ProbeSettings("neighbours", 1, standardized=False)
    versions = (data, permute_labels(data, 0), permute_labels(data, 0, data.matched))
    predicted = [probes.predictions(version.labels.train, data.num_classes, one).test for version in versions]
    errors = [np.mean(each != data.labels.test) for each in predicted]
    assert errors == [1.0, pytest.approx(5 / 6, abs=0.08), 1.0]


def test_matched_leakage_finds_what_a_balanced_set_hides():
    sizes = SampleSizes(probe_epochs=30, validation_images=500)
    network = ProbeSettings("network")
    clean, leaking = (
        probe_result(TrainedProbe(network, probe_errors([balanced(scale)], sizes)[network])) for scale in (0, 0.3)
    )
    assert clean.leakage.mean < -0.04 and abs(clean.matched_leakage.mean) < 0.04
    assert leaking.matched_leakage.mean > leaking.leakage.mean + 0.03
    assert leaking.matched_leakage.mean == pytest.approx(leaking.matched_permutation_baseline - leaking.test_error)
