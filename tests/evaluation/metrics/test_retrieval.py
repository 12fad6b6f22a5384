"""Retrieval against a loop, and nearest neighbours among equal codes."""

import numpy as np
import pytest

from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.metrics.retrieval import measure_retrieval, nearest
from dfv.evaluation.sampling import SampleSizes

RNG = np.random.default_rng(0)


def encoded(s: np.ndarray, mean: np.ndarray, identity: np.ndarray, log_var: float = -9.0) -> EncodedImages:
    image_set = ImageSet(np.zeros((len(s), 2, 2, 1), np.uint8), identity)
    log_vars = np.full(mean.shape, log_var, np.float32)
    return EncodedImages(image_set, np.arange(len(s)), np.float32(s), np.float32(mean), log_vars)


def test_retrieval_against_a_loop():
    identity = RNG.integers(0, 4, 60)
    s, z = RNG.standard_normal((60, 3)) + identity[:, None], RNG.standard_normal((60, 5))
    found = measure_retrieval(encoded(s, z, identity), SampleSizes(retrieval_queries=60))
    for name, codes in (("s", np.float32(s)), ("z_mean", np.float32(z))):
        distance = np.linalg.norm(codes[:, None] - codes, axis=-1) + np.diag(np.full(60, np.inf))
        order = np.argsort(distance, axis=1)
        for k in (1, 5, 10):
            expected = np.mean([np.mean(identity[order[i, :k]] == identity[i]) for i in range(60)])
            assert getattr(found, f"{name}_precision")[k] == pytest.approx(expected)
    assert found.random_precision == pytest.approx(np.mean([(np.sum(identity == i) - 1) / 59 for i in identity]))
    assert found.s_precision[1] > found.z_mean_precision[1]


def test_a_query_is_not_its_own_neighbour_even_among_equal_codes():
    assert not np.any(nearest(np.zeros((20, 2)), np.arange(20), 5) == np.arange(20)[:, None])


def test_equal_codes_are_found_in_random_order():
    found = nearest(np.arange(4000)[:, None] % 200, np.arange(200), 10)
    assert np.all(found % 200 == np.arange(200)[:, None]) and 1800 < found.mean() < 2200
