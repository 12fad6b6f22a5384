"""Samples of z, and the dimensions of z that vary."""

import dataclasses

import numpy as np
import pytest

from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import EncodedImages

RNG = np.random.default_rng(0)


def encoded(s: np.ndarray, mean: np.ndarray, identity: np.ndarray, log_var: float = -9.0) -> EncodedImages:
    image_set = ImageSet(np.zeros((len(s), 2, 2, 1), np.uint8), identity)
    log_vars = np.full(mean.shape, log_var, np.float32)
    return EncodedImages(image_set, np.arange(len(s)), np.float32(s), np.float32(mean), log_vars)


def test_samples_of_z_have_the_moments_of_the_posterior():
    drawn = encoded(np.zeros((4000, 1)), np.full((4000, 2), 3.0), np.zeros(4000, int), np.log(0.25)).z_sampled(0)
    assert drawn.mean() == pytest.approx(3.0, abs=0.05) and drawn.std() == pytest.approx(0.5, abs=0.02)


def test_dimensions_vary_in_their_mean_or_in_their_variance_and_all_are_kept_if_none_varies():
    identity = RNG.integers(0, 4, 900)
    mean, log_var = np.zeros((900, 300)), np.full((900, 300), -2.0)
    mean[:, [7, 70]], log_var[:, 9] = 2 * np.stack([identity % 2, identity // 2], axis=1), RNG.standard_normal(900)
    codes = encoded(np.zeros((900, 1)), mean, identity)
    assert codes.varying_z_dims().tolist() == [7, 70]
    codes = dataclasses.replace(codes, z_log_var=np.float32(log_var))
    assert codes.varying_z_dims().tolist() == [7, 9, 70]
    assert len(encoded(np.zeros((5, 1)), np.zeros((5, 4)), identity[:5]).varying_z_dims()) == 4
