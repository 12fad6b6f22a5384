"""The figure of the latent space: every panel shows the code that it names."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.figures import latent_space
from dfv.evaluation.labels import factor_labels


@pytest.mark.parametrize("exchanged", [False, True])
def test_each_row_is_of_the_code_that_it_names(codec, make_splits, monkeypatch, exchanged):
    splits, drawn = make_splits(), []
    monkeypatch.setattr(latent_space, "FigureCanvasAgg", lambda figure: drawn.append(figure) or FigureCanvasAgg(figure))
    test = encode(codec(exchanged), splits.test, 1000)
    latent_space.plot_latent_space(test, factor_labels(splits), 40)
    axes = drawn[0].axes
    assert [axis.get_title().split(":")[0] for axis in axes] == ["s"] * 3 + ["z, mean"] * 3
    told = [_spread_within(axes[place]) for place in (0, 3)]
    assert (told[0] < told[1]) != exchanged


def _spread_within(axis) -> float:
    """Of the points of one colour, as a share of the spread of all."""
    points, colours = axis.collections[0].get_offsets(), axis.collections[0].get_array()
    within = [np.var(points[colours == colour], axis=0) for colour in np.unique(colours)]
    return float(np.sum(np.mean(within, axis=0)) / np.sum(np.var(points, axis=0)))
