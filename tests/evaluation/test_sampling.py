"""Random samples of rows by group."""

import numpy as np

from dfv.evaluation.sampling import sample_groups


def test_groups_are_sampled_whole_and_large_ones_in_equal_shares():
    groups = np.repeat(np.arange(10), 7)
    rows = sample_groups(groups, 28)
    assert sorted(np.bincount(groups[rows], minlength=10)) == [0] * 6 + [7] * 4 and (np.diff(rows) > 0).all()
    assert len(set(sample_groups(np.zeros(50, int), 20)) & set(range(20))) < 20
    rows = sample_groups(np.arange(3000) % 2, 600)
    assert np.bincount(rows % 2).tolist() == [300, 300] and len(set(rows)) == 600
