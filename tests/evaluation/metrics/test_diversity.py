"""Diversity of a decoder that ignores z, and of real images against a loop over pairs."""

import numpy as np
import pytest

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.metrics.diversity import measure_diversity


def test_diversity_is_zero_if_z_is_ignored(codec, make_splits):
    model = codec()
    test = encode(model, make_splits().test, 100)
    assert measure_diversity(model, test).ratio > 1
    model.decode = lambda s, z: codec().decode(s, np.zeros_like(z))
    assert measure_diversity(model, test).prior_samples == pytest.approx(0)


def test_real_diversity_is_the_mean_over_pairs(codec, make_splits):
    test = encode(codec(), make_splits().test, 1000)
    expected = []
    for name in range(6):
        images = test.image_set.images[np.flatnonzero(test.identity == name)] / 255
        pairs = [((a - b) ** 2).mean() for i, a in enumerate(images) for b in images[:i]]
        expected.append(np.mean(pairs))
    assert measure_diversity(codec(), test, num_images=25).real_images == pytest.approx(np.mean(expected))
