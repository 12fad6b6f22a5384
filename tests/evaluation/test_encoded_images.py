"""Samples of z, from the posterior and from the prior."""

import numpy as np
import pytest

from dfv.config.schema import Config
from dfv.data.dataset import ImageSet
from dfv.evaluation.encoded_images import EncodedImages, draw_prior
from dfv.model.codec import Codec


def test_samples_of_z_have_the_moments_of_the_posterior():
    image_set = ImageSet(np.zeros((4000, 2, 2, 1), np.uint8), np.zeros(4000, int))
    mean, log_var = np.full((4000, 2), 3.0, np.float32), np.full((4000, 2), np.log(0.25), np.float32)
    drawn = EncodedImages(image_set, np.arange(4000), np.zeros((4000, 1)), mean, log_var).z_sampled(0)
    assert drawn.mean() == pytest.approx(3.0, abs=0.05) and drawn.std() == pytest.approx(0.5, abs=0.02)


def test_draws_of_the_prior_are_those_of_the_codec():
    """As many numbers as it keeps components, and entries of its codebook."""
    config = Config.of(widths=(4,), s_dim=3, z_dim=6, shared_variance=True, pca_dim=2, codebook_size=4)
    model = Codec(config, (8, 8, 1), (3,))
    for entries in (model.latent.codebook.clusters, model.latent.codebook.entries):
        entries.assign(np.random.default_rng(0).standard_normal((4, 2)))
    model.latent.fitted_at.assign(0)
    drawn = draw_prior(model, 50, np.random.default_rng(1))
    assert drawn.shape == (50, 2) and 1 < len(np.unique(drawn, axis=0)) <= 4
