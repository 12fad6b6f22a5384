"""The paper's figures: every image where its row and column say it stands."""

import numpy as np

from dfv.config.schema import Config
from dfv.evaluation.encoded_images import encode
from dfv.evaluation.figures.grids import (
    generation_rows,
    interpolation_grid,
    make_grids,
    reconstruction_columns,
    retrieval_rows,
    side_by_side,
    with_own_aspect,
)
from dfv.model.image_grids import SEPARATOR, swap_grid

CELL = 72 + SEPARATOR  # 12 pixels enlarged six times


def _cell(picture: np.ndarray, row: int, column: int, start: int = 0) -> np.ndarray:
    left = start + column * CELL
    return picture[row * CELL : row * CELL + 72 : 6, left : left + 72 : 6, :1]


def _is_swap(image: np.ndarray, s_source: np.ndarray, z_source: np.ndarray) -> bool:
    return np.array_equal(image[:, :6], s_source[:, :6]) and np.array_equal(image[:, 6:], z_source[:, 6:])


def test_swaps_take_s_from_the_top_and_z_from_the_left(codec, make_splits):
    images = make_splits().test.images[[0, 30, 60]]
    picture = swap_grid(codec(), images)
    for row, z_source in enumerate(images, 1):
        np.testing.assert_array_equal(_cell(picture, row, 0), z_source)
        for column, s_source in enumerate(images, 1):
            np.testing.assert_array_equal(_cell(picture, 0, column), s_source)
            assert _is_swap(_cell(picture, row, column), s_source, z_source)


def test_samples_have_the_s_of_the_image_at_their_left(codec, make_splits):
    sources = make_splits().test.images[[0, 30]]
    picture = generation_rows(codec(), sources, number=3)
    for row, source in enumerate(sources):
        np.testing.assert_array_equal(_cell(picture, row, 0), source)
        samples = [_cell(picture, row, column, start=72 + 12) for column in range(3)]
        assert all(np.array_equal(sample[:, :6], source[:, :6]) for sample in samples)
        assert np.any(samples[0] != samples[1])


def test_reconstructions_stand_below_their_images_and_above_those_with_a_partners_s(codec, make_splits):
    picture = reconstruction_columns(codec(), encode(codec(), make_splits().test, 1000), number=4)
    for column in range(4):
        image, same, partner, swap = (_cell(picture, row, column) for row in range(4))
        np.testing.assert_array_equal(same, image)
        assert np.any(partner != image) and _is_swap(swap, partner, image)


def test_retrieval_by_s_and_by_z_are_not_mixed_up(codec, make_splits):
    part = make_splits().test
    test = encode(codec(), part, 1000)
    shown = make_grids(codec(), Config.of(dataset="mnist").data, part, test)
    queries = np.sort(np.random.default_rng(0).permutation(len(test))[:8])
    np.testing.assert_array_equal(shown["retrieval_s"], retrieval_rows(test, test.s, queries))
    np.testing.assert_array_equal(shown["retrieval_z"], retrieval_rows(test, test.z_mean, queries))
    assert np.any(shown["retrieval_s"] != shown["retrieval_z"])


def test_interpolation_has_the_real_images_in_two_corners_and_z_down_the_rows(codec, make_splits):
    images = make_splits().test.images
    first, last = images[0], images[-1]
    picture = interpolation_grid(codec(), first, last, steps=5)
    np.testing.assert_array_equal(_cell(picture, 0, 0), first)
    np.testing.assert_array_equal(_cell(picture, 4, 4), last)
    corner = _cell(picture, 4, 0)  # the last z with the first s
    np.testing.assert_array_equal(corner[:, :6], first[:, :6])
    np.testing.assert_array_equal(corner[:, 6:], last[:, 6:])


def test_retrieval_shows_the_query_and_then_its_nearest(codec, make_splits):
    test = encode(codec(), make_splits().test, 1000)
    picture = retrieval_rows(test, test.s, np.array([0, 40]), number=3)
    np.testing.assert_array_equal(_cell(picture, 1, 0), test.image_set.images[np.array([40])][0])
    distance = ((test.s - test.s[40]) ** 2).sum(1)
    second = test.image_set.images[np.argsort(distance)[1:2]][0]
    start = 72 + 12
    np.testing.assert_array_equal(picture[CELL : CELL + 72 : 6, start : start + 72 : 6, :1], second)


def test_faces_get_their_aspect_back(make_splits):
    picture = np.zeros((96, 192, 3), np.uint8)
    part = make_splits().test
    assert with_own_aspect(picture, Config.of(dataset="mnist").data, part).shape == (96, 192, 3)
    assert with_own_aspect(picture, Config.of(dataset="yaleb").data, part).shape == (192, 336, 3)


def test_pictures_side_by_side_keep_their_size():
    left, right = np.full((20, 30, 3), 10, np.uint8), np.full((25, 40, 3), 90, np.uint8)
    both = side_by_side(left, right)
    np.testing.assert_array_equal(both[:20, :30], left)
    np.testing.assert_array_equal(both[:, -40:], right)
    assert (both[20:, :30] == 255).all()
