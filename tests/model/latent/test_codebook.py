"""The codebook of z: the nearest code in units of the noise, cells merged that tell the identity."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import mutual_info_score

from dfv.model.codes import Posterior
from dfv.model.latent import fitting as z_fitting
from dfv.model.latent.codebook import Codebook, merged

LOG_VAR = np.array([-4.0, 0.0, 2.0], np.float32)
DEVIATION = np.exp(0.5 * LOG_VAR)


def posterior(z):
    """Of means that are z, [N, 3], times their noise."""
    return Posterior(tf.constant((z * DEVIATION).astype(np.float32)), tf.constant(np.tile(LOG_VAR, (len(z), 1))))


@pytest.fixture(scope="module")
def poses():
    """z [1200, 3] in units of its noise, identity and pose: four poses, a little apart for each of two identities."""
    random = np.random.default_rng(0)
    centres = np.array([[9, 0, 0], [-9, 0, 0], [0, 9, 0], [0, 0, 9]], np.float32)
    pose, identity = np.arange(1200) % 4, np.arange(1200) // 4 % 2
    z = centres[pose] + 1.5 * identity[:, None] + random.normal(0, 0.2, (1200, 3))
    return z.astype(np.float32), identity, pose


def test_until_fitted_it_leaves_z_as_it_is(poses):
    given = posterior(poses[0])
    for one, other in zip(Codebook(5, 3)(given), given, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_mean_goes_to_the_cell_nearest_in_units_of_the_noise():
    random = np.random.default_rng(1)
    codebook, cells = Codebook(20, 3), random.normal(0, 2, (20, 3)).astype(np.float32)
    codebook.set_weights([cells, 10 + cells, np.int64(3)])
    z = random.normal(0, 2, (200, 3)).astype(np.float32)
    mean, log_var = codebook(posterior(z))
    nearest = np.array([np.linalg.norm(cells - one, axis=1).argmin() for one in z])
    np.testing.assert_allclose(mean, (10 + cells[nearest]) * DEVIATION, rtol=1e-5)
    np.testing.assert_array_equal(log_var, posterior(z).log_var)
    in_other_units = np.array([np.linalg.norm((cells - one) * DEVIATION, axis=1).argmin() for one in z])
    assert np.mean(nearest != in_other_units) > 0.3


@pytest.mark.parametrize(("identity_weight", "num_codes"), [(0.0, 8), (30.0, 4)])
def test_codes_that_one_identity_alone_has_are_merged_where_telling_it_has_a_price(identity_weight, num_codes, poses):
    z, identity, pose = poses
    codebook = Codebook(8, 3)
    codebook.fit(z, identity, identity_weight, seed=0, step=7)
    codes = np.round(codebook(posterior(z)).mean / DEVIATION, 3)
    assert len(np.unique(codes, axis=0)) == num_codes
    assert codebook.fitted_at.numpy() == 7
    for one in range(4):  # of each pose the mean, or that of each of its identities
        mine = (pose == one) & ((identity == 0) if num_codes == 8 else True)
        np.testing.assert_allclose(codes[mine], np.tile(z[mine].mean(0), (mine.sum(), 1)), atol=0.02)


def test_a_cell_that_no_image_has_is_no_code():
    z = np.random.default_rng(3).normal(0, 1, (600, 8)).astype(np.float32)  # 92 of 512 cells are empty
    codebook = Codebook(512, 8)
    codebook.fit(z, np.arange(600) % 5, identity_weight=0.0, seed=0, step=0)
    cells, codes = codebook.get_weights()[:2]
    assert (np.linalg.norm(codes, axis=1) > 0).all() and len(np.unique(cells, axis=0)) < 512


def objective(z, codes, identity, identity_weight):
    """What `merged` lowers, by scikit-learn's mutual information."""
    number = np.unique(codes, axis=0, return_inverse=True)[1].ravel()
    return np.sum((z - codes) ** 2) + identity_weight * len(z) * mutual_info_score(number, identity)


@pytest.mark.parametrize("identity_weight", [1.0, 4.0])
def test_each_merge_is_the_one_that_lowers_the_sum_most(identity_weight):
    random = np.random.default_rng(2)
    cell, identity = random.integers(0, 9, 400), random.integers(0, 3, 400)
    identity = np.where(random.random(400) < 0.5, cell % 3, identity)
    z = random.normal(0, 1, (9, 2))[cell] + random.normal(0, 0.1, (400, 2))
    counts = np.zeros((9, 3), np.int64)
    np.add.at(counts, (cell, identity), 1)

    groups = [{one} for one in range(9)]

    def codes_of(groups):
        codes = np.zeros_like(z)
        for group in groups:
            mine = np.isin(cell, list(group))
            codes[mine] = z[mine].mean(0)
        return codes

    while True:
        now = objective(z, codes_of(groups), identity, identity_weight)
        merges = [
            [group for group in groups if group not in (a, b)] + [a | b] for a, b in itertools.combinations(groups, 2)
        ]
        best = min(merges, key=lambda merge: objective(z, codes_of(merge), identity, identity_weight), default=groups)
        if objective(z, codes_of(best), identity, identity_weight) >= now:
            break
        groups = best
    assert 1 < len(groups) < 9
    centres = np.stack([z[cell == one].mean(0) for one in range(9)])
    np.testing.assert_allclose(merged(centres, counts, identity_weight)[cell], codes_of(groups), atol=1e-5)


def test_of_fewer_images_than_cells_each_is_its_own_code(poses):
    z, identity, _ = (part[:5] for part in poses)
    codebook = Codebook(12, 3)
    codebook.fit(z, identity, 0.0, seed=0, step=0)
    np.testing.assert_allclose(codebook(posterior(z)).mean, z * DEVIATION, rtol=1e-5)


@pytest.mark.parametrize("flow", [{}, {"flow_layers": 2, "flow_units": 16, "flow_steps": 250}], ids=["axes", "flow"])
def test_a_model_has_few_codes_near_its_own_behind_axes_and_flow(flow, tiny_model, trained_on):
    flags = {"shared_variance": True, "pca_dim": 3, **flow}
    plain = tiny_model(**flags)
    coded = tiny_model(**flags, codebook_size=16, codebook_identity_weight=0.0)
    assert not z_fitting.is_fitted(coded, 5)
    for model in (plain, coded):
        z_fitting.fit_z(model, trained_on, 5)
    assert z_fitting.is_fitted(coded, 5)
    before, after = plain.encode(trained_on.images), coded.encode(trained_on.images)
    np.testing.assert_array_equal(after.s, before.s)
    np.testing.assert_array_equal(after.z.log_var, before.z.log_var)
    assert 3 < len(np.unique(after.z.mean, axis=0)) <= 16
    np.testing.assert_array_equal(after.z.mean[:, 3:], 0)
    # A code is the mean of those that it stands for: what is left is uncorrelated with it.
    left = before.z.mean - after.z.mean
    assert np.sum(left**2) < 0.3 * np.sum((before.z.mean - before.z.mean.mean(0)) ** 2)
    np.testing.assert_allclose(np.mean(left, 0), 0, atol=0.05 * before.z.mean.std())
