"""Clusters are merged greedily, as a brute-force search with scikit-learn's mutual information merges them."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from dfv.model.latent.stages.information_bottleneck import merge_clusters


def objective(z, assigned, identity, identity_weight):
    """What `merge_clusters` lowers, by scikit-learn's mutual information."""
    number = np.unique(assigned, axis=0, return_inverse=True)[1].ravel()
    return np.sum((z - assigned) ** 2) + identity_weight * len(z) * mutual_info_score(number, identity)


@pytest.mark.parametrize("identity_weight", [1.0, 4.0])
def test_each_merge_is_the_one_that_lowers_the_objective_most(identity_weight):
    random = np.random.default_rng(2)
    cluster, identity = random.integers(0, 9, 400), random.integers(0, 3, 400)
    identity = np.where(random.random(400) < 0.5, cluster % 3, identity)
    z = random.normal(0, 1, (9, 2))[cluster] + random.normal(0, 0.1, (400, 2))
    counts = np.zeros((9, 3), np.int64)
    np.add.at(counts, (cluster, identity), 1)

    groups = [{one} for one in range(9)]

    def centres_of(groups):
        assigned = np.zeros_like(z)
        for group in groups:
            mine = np.isin(cluster, list(group))
            assigned[mine] = z[mine].mean(0)
        return assigned

    while True:
        now = objective(z, centres_of(groups), identity, identity_weight)
        merges = [
            [group for group in groups if group not in (a, b)] + [a | b] for a, b in itertools.combinations(groups, 2)
        ]
        best = min(merges, key=lambda merge: objective(z, centres_of(merge), identity, identity_weight), default=groups)
        if objective(z, centres_of(best), identity, identity_weight) >= now:
            break
        groups = best
    assert 1 < len(groups) < 9
    centres = np.stack([z[cluster == one].mean(0) for one in range(9)])
    np.testing.assert_allclose(merge_clusters(centres, counts, identity_weight)[cluster], centres_of(groups), atol=1e-5)
