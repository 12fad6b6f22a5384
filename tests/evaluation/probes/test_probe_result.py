"""Results of probes whose errors are known."""

import math

import numpy as np
import pytest

from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.probes.permutation_baseline import ProbeErrors
from dfv.evaluation.probes.probe_data import ProbeSettings
from dfv.evaluation.probes.probe_result import probe_result
from dfv.evaluation.probes.standard_errors import Estimate


def _errors(test: list[list[int]], baseline: list[list[int]]) -> ProbeErrors:
    """Of two labels; train and validation errors are 0.25 and 0.5 of one label."""
    train, validation = np.array([[1, 0], [0, 0]]), np.array([[1, 0]])
    return ProbeErrors(BySplit(train, validation, np.array(test)), BySplit(train, validation, np.array(baseline)))


def test_a_result_averages_over_labels_images_and_seeds_or_over_a_part():
    seeds = [_errors([[0, 0], [0, 1]], [[1, 1], [1, 1]]), _errors([[0, 1], [0, 1]], [[1, 1], [1, 1]])]
    settings = ProbeSettings("neighbours", 5, standardized=False)
    found = probe_result(settings, seeds)
    assert (found.family, found.num_neighbours, found.standardized) == settings
    assert (found.train_error, found.validation_error, found.test_error) == (0.25, 0.5, 0.375)
    assert found.test_error_std == pytest.approx(np.std([0.25, 0.5], ddof=1))
    assert found.permutation_baseline == 1 and found.leakage.mean == 0.625 and found.matched_leakage is None
    first_label = probe_result(settings, seeds, columns=[0])
    assert first_label.test_error == 0 and first_label.leakage == Estimate(1.0, 0.0)
    second_image = probe_result(settings, seeds, np.arange(2), rows=np.array([False, True]))
    assert second_image.test_error == 0.5 and second_image.leakage.mean == 0.5
    assert math.isnan(probe_result(settings, seeds[:1]).test_error_std)
