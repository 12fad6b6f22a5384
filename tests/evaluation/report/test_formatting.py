"""Numbers in tables."""

import math

import pytest

from dfv.evaluation.probes.standard_errors import Estimate
from dfv.evaluation.report.formatting import number, percent, with_standard_error


@pytest.mark.parametrize(
    ("value", "shown"), [(1.25, "1.2"), (-1.26, "-1.3"), (-0.04, "0.0"), (0.0, "0.0"), (None, "–"), (math.nan, "–")]
)
def test_a_number_has_its_decimals_and_zero_no_sign(value, shown):
    assert number(value, 1) == shown


def test_fractions_are_shown_in_percent():
    assert (percent(0.1234), percent(-0.0001), percent(0.5, 0), percent(None)) == ("12.3", "0.0", "50", "–")


def test_an_estimate_shows_its_error_and_whether_it_is_significant():
    assert with_standard_error(Estimate(0.05, 0.01)) == "5.0 ± 1.0"
    assert with_standard_error(Estimate(-0.0002, 0.007)) == "0.0 ± 0.7 (not significant)"
    assert with_standard_error(Estimate(0.05, math.nan)) == "5.0 ± –"
    assert with_standard_error(None) == "–"
