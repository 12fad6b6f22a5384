"""Samples of z."""

import numpy as np
import pytest

from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import EncodedImages


def test_samples_of_z_have_the_moments_of_the_posterior():
    image_set = ImageSet(np.zeros((4000, 2, 2, 1), np.uint8), np.zeros(4000, int))
    mean, log_var = np.full((4000, 2), 3.0, np.float32), np.full((4000, 2), np.log(0.25), np.float32)
    drawn = EncodedImages(image_set, np.arange(4000), np.zeros((4000, 1)), mean, log_var).z_sampled(0)
    assert drawn.mean() == pytest.approx(3.0, abs=0.05) and drawn.std() == pytest.approx(0.5, abs=0.02)
