"""The codebook of z: entries of the clusters nearest in units of the noise, merged if they reveal the identity."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import Posterior, prior_samples
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.stages.codebook import Codebook
from dfv.model.latent.training_codes import TrainingCodes

LOG_VAR = np.array([-4.0, 0.0, 2.0], np.float32)
STD = np.exp(0.5 * LOG_VAR)


def posterior(z):
    """Of means that are z, [N, 3], times their noise."""
    return Posterior(tf.constant((z * STD).astype(np.float32)), tf.constant(np.tile(LOG_VAR, (len(z), 1))))


@pytest.fixture(scope="module")
def poses():
    """z [1200, 3] in units of its noise, identity and pose: four poses, a little apart for each of two identities."""
    random = np.random.default_rng(0)
    centres = np.array([[9, 0, 0], [-9, 0, 0], [0, 9, 0], [0, 0, 9]], np.float32)
    pose, identity = np.arange(1200) % 4, np.arange(1200) // 4 % 2
    z = centres[pose] + 1.5 * identity[:, None] + random.normal(0, 0.2, (1200, 3))
    return z.astype(np.float32), identity, pose


def codes(z, identity):
    """Training codes whose means are z, [N, 3], times their noise."""
    std = np.broadcast_to(STD, z.shape)
    return TrainingCodes(np.zeros((len(z), 1), np.float32), z * std, std, identity)


def fitted(size, z, identity, identity_weight=0.0):
    codebook = Codebook(size, z.shape[1], identity_weight)
    codebook.fit(codes(z, identity), 0, np.random.default_rng(0))
    return codebook


def test_a_mean_goes_to_the_cluster_nearest_in_units_of_the_noise():
    random = np.random.default_rng(1)
    codebook, clusters = Codebook(20, 3, 0.0), random.normal(0, 2, (20, 3)).astype(np.float32)
    codebook.set_weights([clusters, 10 + clusters])
    z = random.normal(0, 2, (200, 3)).astype(np.float32)
    mean, log_var = codebook.forward(posterior(z), None)
    nearest = np.array([np.linalg.norm(clusters - one, axis=1).argmin() for one in z])
    np.testing.assert_allclose(mean, (10 + clusters[nearest]) * STD, rtol=1e-5)
    np.testing.assert_array_equal(log_var, posterior(z).log_var)
    in_other_units = np.array([np.linalg.norm((clusters - one) * STD, axis=1).argmin() for one in z])
    assert np.mean(nearest != in_other_units) > 0.3


@pytest.mark.parametrize(("identity_weight", "num_entries"), [(0.0, 8), (30.0, 4)])
def test_clusters_of_one_identity_are_merged_if_leakage_has_a_weight(identity_weight, num_entries, poses):
    z, identity, pose = poses
    codebook = fitted(8, z, identity, identity_weight)
    entries = np.round(codebook.forward(posterior(z), None).mean / STD, 3)
    assert len(np.unique(entries, axis=0)) == num_entries
    for one in range(4):  # the mean of each pose, or of each identity's images of it
        mine = (pose == one) & ((identity == 0) if num_entries == 8 else True)
        np.testing.assert_allclose(entries[mine], np.tile(z[mine].mean(0), (mine.sum(), 1)), atol=0.02)


def test_an_empty_cluster_has_no_entry():
    z = np.random.default_rng(3).normal(0, 1, (600, 8)).astype(np.float32)  # 92 of 512 clusters are empty
    codebook = Codebook(512, 8, 0.0)
    codebook.fit(TrainingCodes(z[:, :1], z, np.ones_like(z), np.arange(600) % 5), 0, np.random.default_rng(0))
    clusters, entries = codebook.get_weights()
    assert (np.linalg.norm(entries, axis=1) > 0).all() and len(np.unique(clusters, axis=0)) < 512


def test_with_fewer_images_than_clusters_each_image_is_its_own_entry(poses):
    z, identity, _ = (part[:5] for part in poses)
    codebook = fitted(12, z, identity)
    np.testing.assert_allclose(codebook.forward(posterior(z), None).mean, z * STD, rtol=1e-5)


@pytest.mark.parametrize("flow", [{}, {"flow_layers": 1, "flow_units": 16, "flow_steps": 20}], ids=["pca", "flow"])
def test_a_model_has_few_codes_near_those_that_pca_and_flow_give(flow, tiny_model, trained_on):
    flags = {"shared_variance": True, "pca_dim": 3, **flow}
    plain = tiny_model(**flags)
    coded = tiny_model(**flags, codebook_size=16, codebook_identity_weight=0.0)
    for model in (plain, coded):
        fit_latent(model, trained_on, 5)
    before, after = plain.encode(trained_on.images), coded.encode(trained_on.images)
    np.testing.assert_array_equal(after.s, before.s)
    np.testing.assert_array_equal(after.z.log_var, before.z.log_var)
    assert 3 < len(np.unique(after.z.mean, axis=0)) <= 16
    assert after.z.mean.shape == (300, 3)
    # An entry is the mean of the codes that it replaces: what is left is uncorrelated with it.
    left = before.z.mean - after.z.mean
    assert np.sum(left**2) < 0.3 * np.sum((before.z.mean - before.z.mean.mean(0)) ** 2)
    np.testing.assert_allclose(np.mean(left, 0), 0, atol=0.05 * before.z.mean.std())


@pytest.mark.parametrize("flow", [{}, {"flow_layers": 2, "flow_units": 8, "flow_steps": 20}], ids=["pca", "flow"])
def test_prior_samples_are_the_nearest_entries(flow, tiny_model, trained_on):
    model = tiny_model(shared_variance=True, pca_dim=3, **flow, codebook_size=16, codebook_identity_weight=0.0)
    seeds = tf.range(200, dtype=tf.int64)
    noise = prior_samples(seeds, model.config.network.z_dim).numpy()
    np.testing.assert_array_equal(model.prior_samples(seeds), noise)
    fit_latent(model, trained_on, 5)
    std = np.exp(0.5 * model.encode(trained_on.images[:1]).z.log_var)
    clusters, entries = model.latent.codebook.get_weights()
    distances = np.sum((noise[:, None, :3] / std - clusters) ** 2, -1)
    z = model.prior_samples(seeds).numpy()
    np.testing.assert_allclose(z, entries[np.argmin(distances, 1)] * std, rtol=1e-5)
    assert len(np.unique(z, axis=0)) > 3
    images = trained_on.images[np.arange(20)]
    np.testing.assert_array_equal(model.sample(images, 0), model.decode(model.encode(images).s, z[:20]))
