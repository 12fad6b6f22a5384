"""Noise-whitened PCA of z: fitted in closed form, inverted but for the dropped components."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.stages.pca import NoiseWhitenedPCA, between_identities
from dfv.model.latent.training_codes import TrainingCodes

STD = np.array([0.2, 0.5, 0.9, 0.7, 1.0, 0.3], np.float32)


@pytest.fixture(scope="module")
def means():
    """Two directions far above the noise, one a little, the others below it: in no dimension of its own."""
    random = np.random.default_rng(0)
    spread = np.array([5.0, 3.0, 1.2, 0.3, 0.2, 0.1])
    turn = np.linalg.qr(random.normal(size=(6, 6)))[0]
    return ((random.normal(size=(4000, 6)) * spread) @ turn * STD + 1.5).astype(np.float32)


def fitted(means, num_components, std=STD):
    pca = NoiseWhitenedPCA(means.shape[1], num_components)
    codes = TrainingCodes(means[:, :1], means, np.broadcast_to(std, means.shape), np.arange(len(means)))
    pca.fit(codes, 0, np.random.default_rng(0))
    return pca


@pytest.fixture
def pca(means):
    return fitted(means, 3)


def posterior(means):
    return Posterior(tf.constant(means), tf.constant(np.tile(2 * np.log(STD), (len(means), 1))))


def test_components_and_noise_are_those_of_a_singular_value_decomposition(means, pca):
    white = means / STD
    white = white - white.mean(0)
    _, singular, directions = np.linalg.svd(white, full_matrices=False)
    spread = singular**2 / len(means)
    mean, log_var = (part.numpy() for part in pca.forward(posterior(means), None))
    assert mean.shape == log_var.shape == (len(means), 3)
    np.testing.assert_allclose(np.exp(log_var), np.tile(1 / (1 + spread[:3]), (len(means), 1)), rtol=1e-3)
    expected = white @ directions[:3].T / np.sqrt(1 + spread[:3])
    np.testing.assert_allclose(np.abs(mean), np.abs(expected), atol=1e-3)


def test_the_variance_is_the_same_for_every_image_to_the_last_bit():
    """A product of matrices rounds its last rows otherwise than its first: a probe would see the place in the batch."""
    random, dims = np.random.default_rng(0), 200
    means = random.normal(size=(403, dims)).astype(np.float32)
    pca = fitted(means, 50, np.linspace(0.2, 1.0, dims, dtype=np.float32))
    log_var = pca.forward(Posterior(tf.constant(means), tf.zeros_like(means)), None).log_var.numpy()
    np.testing.assert_array_equal(log_var, np.tile(log_var[0], (len(means), 1)))


def test_samples_of_all_components_have_the_moments_of_the_prior(means):
    mean, log_var = fitted(means, 6).forward(posterior(means), None)
    z = mean + np.exp(0.5 * log_var) * np.random.default_rng(1).normal(size=mean.shape)
    np.testing.assert_allclose(np.cov(z, rowvar=False), np.eye(6), atol=0.06)
    np.testing.assert_allclose(np.mean(z, 0), np.zeros(6), atol=0.05)


def test_the_inverse_gives_back_all_but_the_dropped_components(means, pca):
    back = pca.inverse(pca.forward(posterior(means), None).mean, None)
    white = (means - means.mean(0)) / STD
    _, _singular, directions = np.linalg.svd(white, full_matrices=False)
    kept = white @ directions[:3].T @ directions[:3] * STD + means.mean(0)
    np.testing.assert_allclose(back, kept, atol=1e-3)
    assert np.abs((back - means) / STD).max() < 1.5 < np.abs(white).max()


def test_a_dimension_that_never_varies_does_no_harm():
    means = np.zeros((50, 6), np.float32)
    pca = fitted(means, 6)
    np.testing.assert_allclose(pca.inverse(pca.forward(posterior(means), None).mean, None), means, atol=1e-6)


def test_more_components_than_dimensions_are_all_of_them(means):
    assert fitted(means, 9).forward(posterior(means), None).mean.shape == (len(means), 6)


def test_a_model_keeps_its_s_and_gives_z_in_few_numbers(tiny_model, trained_on):
    plain, projected = tiny_model(shared_variance=True), tiny_model(shared_variance=True, pca_dim=4)
    images = trained_on.images[:40]
    before = plain.encode(images)
    np.testing.assert_allclose(projected.encode(images).z.mean, before.z.mean, atol=1e-5)
    assert projected.z_dim == 6
    fit_latent(projected, trained_on, 7)
    after = projected.encode(images)
    assert projected.z_dim == 4 and after.z.mean.shape == after.z.log_var.shape == (40, 4)
    np.testing.assert_array_equal(after.s, before.s)
    assert np.all(after.z.mean.std(0) > 0)
    assert np.all(np.diff(after.z.log_var[0]) > -1e-5)  # the least noise first


@pytest.mark.parametrize(
    "flow", [{}, {"flow_layers": 2, "flow_units": 16, "flow_steps": 1}], ids=["pca", "pca and flow"]
)
def test_images_of_a_model_with_all_components_do_not_change(flow, tiny_model, trained_on):
    plain, projected = tiny_model(shared_variance=True), tiny_model(shared_variance=True, pca_dim=6, **flow)
    fit_latent(projected, trained_on, 7)
    for model in (plain, projected):  # an untrained decoder hardly depends on z
        model.decoder.from_z.kernel.assign(300.0 * model.decoder.from_z.kernel)
    if flow:
        projected.latent.flow.by_s.affine.bias.assign(np.full(12, 0.5, np.float32))
    images = trained_on.images[:40]
    swapped = [model.swap(images, images[::-1]).astype(int) for model in (plain, projected)]
    assert np.abs(swapped[0] - plain.reconstruct(images)).max() > 20
    assert np.abs(projected.encode(images).z.mean - plain.encode(images).z.mean).max() > 0.1
    if not flow:  # which adds what the other s predicts
        assert np.abs(swapped[1] - swapped[0]).max() <= 1
    assert np.abs(projected.reconstruct(images).astype(int) - plain.reconstruct(images)).max() <= 1


def test_the_flow_is_fitted_to_the_components(tiny_model, trained_on):
    flags = {"shared_variance": True, "pca_dim": 3}
    plain = tiny_model(**flags)
    flowing = tiny_model(**flags, flow_layers=2, flow_units=16, flow_steps=250)
    for model in (plain, flowing):
        fit_latent(model, trained_on, 5)
    images = trained_on.images[:40]
    before, after = plain.encode(images).z, flowing.encode(images).z
    assert after.mean.shape == (40, 3)
    assert np.abs(after.mean - before.mean).max() > 1e-3


@pytest.fixture
def few_codes():
    """30 identities with 8 images: identities alone differ along the largest direction, images along the second."""
    random = np.random.default_rng(0)
    identity, turn = np.repeat(np.arange(30), 8), np.linalg.qr(random.normal(size=(6, 6)))[0]
    codes = 0.3 * random.normal(size=(240, 6))
    codes[:, 0] += 9.0 * random.normal(size=30)[identity]
    codes[:, 1] += 4.0 * random.normal(size=240)
    return identity, turn, (codes @ turn).astype(np.float32)


@pytest.mark.parametrize(("weight", "direction"), [(0.0, 0), (2.0, 1)])
def test_an_identity_weight_drops_components_in_which_identities_differ(few_codes, weight, direction):
    identity, turn, means = few_codes
    pca = NoiseWhitenedPCA(6, 1, weight)
    pca.fit(TrainingCodes(means, means, np.ones_like(means), identity), 0, np.random.default_rng(0))
    kept = pca.to_components.numpy()[:, 0]
    assert abs(kept @ turn[direction]) / np.linalg.norm(kept) > 0.99
    spread = np.var((means - means.mean(0)) @ (kept / np.linalg.norm(kept)))
    assert np.linalg.norm(kept) == pytest.approx(1 / np.sqrt(1 + spread), rel=1e-3)


def test_the_variance_between_identities_is_unbiased_for_any_numbers_of_images():
    random, found = np.random.default_rng(0), []
    identity = np.repeat(np.arange(12), random.integers(2, 9, 12))
    within, between = np.diag([4.0, 1.0]), np.array([[2.0, 1.0], [1.0, 3.0]])
    for _ in range(3000):
        expected = random.multivariate_normal([0, 0], between, 12)
        codes = expected[identity] + random.multivariate_normal([0, 0], within, len(identity))
        found.append(between_identities(codes - codes.mean(0), identity))
    np.testing.assert_allclose(np.mean(found, 0), between, atol=0.1)
