"""Resizing, grey and PNG of images in memory."""

import io

import numpy as np
import pytest
from PIL import Image

from dfv.data.image_operations import encode_png, fit_boxes, fit_images, resize, to_grey


def test_shrinking_takes_the_mean_over_the_area():
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 8, 3)).astype(np.uint8)
    means = images.reshape(3, 6, 2, 2, 4, 3).mean((2, 4))
    np.testing.assert_allclose(resize(images, 6, 2), means, atol=0.5)


def test_shrinking_by_a_fraction_counts_pixels_by_the_part_covered():
    images = np.array([0, 90, 240], np.uint8).reshape(1, 1, 3, 1)
    # Two new pixels of 1.5 old ones: (0 + 90 / 2) / 1.5 and (90 / 2 + 240) / 1.5.
    assert resize(images, 1, 2).ravel().tolist() == [30, 190]


def test_growing_interpolates_between_centres():
    images = np.array([0, 80], np.uint8).reshape(1, 1, 2, 1)
    assert resize(images, 1, 4).ravel().tolist() == [0, 20, 60, 80]
    assert np.shares_memory(resize(images, 1, 2), images)
    assert resize(np.zeros((0, 4, 4, 1), np.uint8), 2, 2).shape == (0, 2, 2, 1)


@pytest.mark.parametrize(
    ("old", "new", "shown", "filled"),
    [
        ((6, 10), (4, 4), (2, 0, 8, 6), (0, 1, 4, 3)),  # 10 : 6 is 4 : 2.4
        ((10, 6), (4, 4), (0, 2, 6, 8), (1, 0, 3, 4)),
        ((6, 10), (8, 4), (3, 0, 6, 6), (0, 3, 4, 5)),  # 6 : 8 is 3 : 4
        ((6, 10), (3, 5), (0, 0, 10, 6), (0, 0, 5, 3)),
        ((1, 1000), (8, 8), (499, 0, 500, 1), (0, 3, 8, 4)),
    ],
)
def test_the_middle_is_shown_or_filled(old, new, shown, filled):
    assert fit_boxes(old, new, "crop") == (shown, (0, 0, new[1], new[0]))
    assert fit_boxes(old, new, "pad") == ((0, 0, old[1], old[0]), filled)
    assert fit_boxes(old, new, "stretch") == ((0, 0, old[1], old[0]), (0, 0, new[1], new[0]))


def test_bars_are_white():
    images = np.full((2, 4, 2, 1), 7, np.uint8)
    np.testing.assert_array_equal(fit_images(images, 4, 4, "pad")[1, :, :, 0], [[255, 7, 7, 255]] * 4)
    assert (fit_images(images, 2, 2, "crop") == 7).all()


def test_grey_is_the_luminance_that_pillow_gives():
    images = np.random.default_rng(0).integers(0, 256, (50, 20, 3), np.uint8)
    pillow = np.asarray(Image.fromarray(images).convert("L"))
    grey = to_grey(images)
    assert grey.shape == (50, 20, 1) and grey.dtype == np.uint8
    assert np.abs(grey[..., 0].astype(int) - pillow).max() <= 1


def test_a_png_holds_the_pixels_it_was_made_of():
    for channels, mode in ((1, "L"), (3, "RGB")):
        image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
        decoded = Image.open(io.BytesIO(encode_png(image)))
        assert (decoded.format, decoded.mode) == ("PNG", mode)
        np.testing.assert_array_equal(np.asarray(decoded).reshape(image.shape), image)
