"""Sizes of the maps, and how many of them there are."""

import pytest

from dfv.model.layers.convolution_stacks import level_widths, strided_sizes


@pytest.mark.parametrize(
    ("sides", "levels"),
    [
        ((16, 16), 2),
        ((28, 28), 3),
        ((30, 30), 3),
        ((64, 64), 4),
        ((96, 96), 4),
        ((90, 128), 4),
        ((128, 128), 5),
        ((256, 256), 6),
        ((3, 5), 1),
    ],
)
def test_by_default_the_deepest_map_has_4_to_7_pixels(sides, levels):
    widths = level_widths((), (*sides, 3))
    assert widths == (32, 64, 128, 128, 128, 128)[:levels]
    assert 4 <= strided_sizes(min(sides), levels)[-1] <= 7 or min(sides) < 4
