"""The codes that the latent transform is fitted to."""

import numpy as np

from dfv.model.codes import Posterior
from dfv.model.latent import training_codes
from dfv.model.latent.training_codes import TrainingCodes


def test_each_z_meets_the_s_of_another_image_of_its_identity():
    identity = np.array([3, 1, 3, 1, 1, 7])
    codes = TrainingCodes(identity[:, None] + np.arange(6)[:, None] / 10, *[np.zeros((6, 2))] * 2, identity)
    random = np.random.default_rng(0)
    drawn = np.stack([codes.s_of_same_identity(np.arange(6), random)[:, 0] for _ in range(60)])
    assert [sorted(set(np.round(column, 1))) for column in drawn.T] == [
        [3.2], [1.3, 1.4], [3.0], [1.1, 1.4], [1.1, 1.3], [7.5]
    ]  # fmt: skip


def test_a_stage_transforms_every_row_with_its_own_s(monkeypatch):
    monkeypatch.setattr(training_codes, "CHUNK", 3)
    random = np.random.default_rng(0)
    s, mean, std = (random.uniform(1, 2, (7, 2)).astype(np.float32) for _ in range(3))
    codes = TrainingCodes(s, mean, std, np.arange(7))
    after = codes.transformed(lambda posterior, s: Posterior(posterior.mean * s, posterior.log_var + 1.0))
    np.testing.assert_allclose(after.mean, mean * s)
    np.testing.assert_allclose(after.std, std * np.exp(0.5), rtol=1e-6)
    np.testing.assert_array_equal(after.s, s)
