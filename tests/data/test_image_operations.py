"""Resizing, grey and PNG of images in memory."""

import io

import numpy as np
from PIL import Image

from dfv.data.image_operations import encode_png, resize, to_grey


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
    assert resize(images, 1, 2) is images
    assert resize(np.zeros((0, 4, 4, 1), np.uint8), 2, 2).shape == (0, 2, 2, 1)


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
