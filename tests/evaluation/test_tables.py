"""The report's cells and its picture of the codes: every figure where its heading says it stands."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.figures import latent_space as code_space
from dfv.evaluation.labels import factor_labels
from dfv.evaluation.report import sections
from dfv.evaluation.report.formatting import mean_rates

RATES = {"swap_mean": (0.11, 0.22), "swap_sampled": (0.33, 0.44)}
SOURCES = ("s_source", "z_source")


def _cells(page: str, kind: str) -> list[str]:
    return re.findall(rf"<{kind}[^>]*>(.*?)</{kind}>", page)


def test_rates_of_s_donor_and_z_donor_keep_their_columns():
    rates = {kind: {"arms": dict(zip(SOURCES, own, strict=True))} for kind, own in RATES.items()}
    judged = {"error": {"arms": 0.01}, "prior_sample": {"arms": 0.55}, **rates}
    page = sections.swaps({"identity_swaps": judged})
    shown = dict(zip(_cells(page, "th"), _cells(page, "td"), strict=True))
    assert list(shown.values()) == ["arms", "1.0", "11.0", "22.0", "33.0", "44.0", "55.0"]
    kinds = ["swap: s donor", "swap: z donor", "z sampled: s donor", "z sampled: z donor", "prior: s donor"]
    assert list(shown)[2:] == kinds
    assert mean_rates(rates["swap_mean"] | {"none": dict.fromkeys(SOURCES)}) == [0.11, 0.22]


def test_what_z_and_s_tell_of_a_factor_keeps_its_columns():
    told = {"mean": 0.8, "standard_error": 0.1}
    errors = {"z_mean": 0.1, "z_sampled": 0.2, "s": 0.3}
    factors = {"pose": {code: {"error": error, "chance": 0.9, "told": told} for code, error in errors.items()}}
    page = sections.factors({"factors": factors})
    assert _cells(page, "td") == ["pose", "10.0", "20.0", "30.0", "90.0", "80.0 ± 10.0"]
    assert _cells(page, "th")[1:4] == ["z, mean", "z, sampled", "s"]


@pytest.mark.parametrize("exchanged", [False, True])
def test_the_rows_of_the_code_picture_are_of_the_codes_that_they_name(codec, make_splits, monkeypatch, exchanged):
    splits, drawn = make_splits(), []
    monkeypatch.setattr(code_space, "FigureCanvasAgg", lambda figure: drawn.append(figure) or FigureCanvasAgg(figure))
    test = encode(codec(exchanged), splits.test, 1000)
    code_space.code_space(test, factor_labels(splits), 40)
    axes = drawn[0].axes
    assert [axis.get_title().split(":")[0] for axis in axes] == ["s"] * 3 + ["z, mean"] * 3
    told = [_spread_within(axes[place]) for place in (0, 3)]
    assert (told[0] < told[1]) != exchanged


def _spread_within(axis) -> float:
    """Of the points of one colour, as a share of the spread of all."""
    points, colours = axis.collections[0].get_offsets(), axis.collections[0].get_array()
    within = [np.var(points[colours == colour], axis=0) for colour in np.unique(colours)]
    return float(np.sum(np.mean(within, axis=0)) / np.sum(np.var(points, axis=0)))
