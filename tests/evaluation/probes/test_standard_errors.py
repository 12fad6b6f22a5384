"""Standard errors against simulation and closed forms."""

import numpy as np
import pytest

from dfv.evaluation.probes.standard_errors import Estimate, estimate


def test_one_seed_gives_the_standard_error_of_a_mean():
    values = np.random.default_rng(0).standard_normal((1, 200))
    found = estimate(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(200))


def test_equal_images_of_a_cluster_count_once():
    per_cluster = np.random.default_rng(0).standard_normal(50)
    found = estimate(np.repeat(per_cluster, 20)[None], np.repeat(np.arange(50), 20))
    assert found.standard_error == pytest.approx(per_cluster.std(ddof=1) / np.sqrt(50))
    assert estimate(np.repeat(per_cluster, 20)[None]).standard_error < 0.3 * found.standard_error


def test_the_variance_over_seeds_adds():
    values = np.array([[0.1] * 10, [0.3] * 10])
    assert estimate(values).standard_error == pytest.approx(np.std([0.1, 0.3], ddof=1) / np.sqrt(2))


def test_significant_is_more_than_two_standard_errors_from_zero_on_either_side():
    assert not Estimate(-0.019, 0.01).is_significant() and not Estimate(0.019, 0.01).is_significant()
    assert Estimate(-0.021, 0.01).is_significant()


@pytest.mark.parametrize("values", [np.ones((2, 1)), np.ones((2, 5)), np.zeros((1, 5))])
def test_a_single_cluster_has_no_standard_error(values):
    found = estimate(values, np.zeros(values.shape[1]))
    assert found.mean == values.mean() and np.isnan(found.standard_error) and not found.is_significant()
