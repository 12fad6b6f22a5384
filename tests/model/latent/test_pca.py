"""The principal axes of z: fitted in closed form, undone by the decoder, what lies beyond the kept ones dropped."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.latent import fitting as z_fitting
from dfv.model.latent.pca import PrincipalAxes

DEVIATION = np.array([0.2, 0.5, 0.9, 0.7, 1.0, 0.3], np.float32)


@pytest.fixture(scope="module")
def means():
    """Two directions far above the noise, one a little, the others below it: in no dimension of its own."""
    random = np.random.default_rng(0)
    spread = np.array([5.0, 3.0, 1.2, 0.3, 0.2, 0.1])
    turn = np.linalg.qr(random.normal(size=(6, 6)))[0]
    return ((random.normal(size=(4000, 6)) * spread) @ turn * DEVIATION + 1.5).astype(np.float32)


@pytest.fixture()
def axes(means):
    layer = PrincipalAxes(6, kept=3)
    layer.fit(means, DEVIATION, step=7)
    return layer


def posterior(means):
    return Posterior(tf.constant(means), tf.constant(np.tile(2 * np.log(DEVIATION), (len(means), 1))))


def test_until_fitted_they_are_the_identity(means):
    layer, given = PrincipalAxes(6, kept=3), posterior(means)
    for one, other in zip(layer(given), given, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_array_equal(layer.put_back(means), means)
    assert layer.fitted_at.numpy() == -1


def test_along_them_noise_and_spread_are_those_of_a_singular_value_decomposition(means, axes):
    white = means / DEVIATION
    white = white - white.mean(0)
    _, singular, directions = np.linalg.svd(white, full_matrices=False)
    spread = singular**2 / len(means)
    mean, log_var = (part.numpy() for part in axes(posterior(means)))
    np.testing.assert_allclose(np.exp(log_var), np.tile(1 / (1 + spread), (len(means), 1)), rtol=1e-3)
    expected = white @ directions[:3].T / np.sqrt(1 + spread[:3])
    np.testing.assert_allclose(np.abs(mean[:, :3]), np.abs(expected), atol=1e-3)
    np.testing.assert_array_equal(mean[:, 3:], 0)
    assert axes.fitted_at.numpy() == 7


def test_the_noise_along_them_is_that_of_every_image_to_the_last_bit():
    """A product of matrices rounds its last rows otherwise than its first: a probe read places in the batch there."""
    random, dims = np.random.default_rng(0), 200
    means = random.normal(size=(403, dims)).astype(np.float32)
    layer = PrincipalAxes(dims, kept=50)
    layer.fit(means, np.linspace(0.2, 1.0, dims, dtype=np.float32), step=0)
    log_var = layer(Posterior(means, tf.zeros_like(means))).log_var.numpy()
    np.testing.assert_array_equal(log_var, np.tile(log_var[0], (len(means), 1)))


def test_samples_along_all_of_them_have_the_moments_of_the_prior(means):
    layer = PrincipalAxes(6, kept=6)
    layer.fit(means, DEVIATION, step=0)
    mean, log_var = layer(posterior(means))
    z = mean + np.exp(0.5 * log_var) * np.random.default_rng(1).normal(size=mean.shape)
    np.testing.assert_allclose(np.cov(z, rowvar=False), np.eye(6), atol=0.06)
    np.testing.assert_allclose(np.mean(z, 0), np.zeros(6), atol=0.05)


def test_putting_back_undoes_all_but_what_was_dropped(means, axes):
    back = axes.put_back(axes(posterior(means)).mean)
    white = (means - means.mean(0)) / DEVIATION
    _, singular, directions = np.linalg.svd(white, full_matrices=False)
    kept = white @ directions[:3].T @ directions[:3] * DEVIATION + means.mean(0)
    np.testing.assert_allclose(back, kept, atol=1e-3)
    assert np.abs((back - means) / DEVIATION).max() < 1.5 < np.abs(white).max()


def test_a_dimension_that_never_moves_does_no_harm():
    means = np.zeros((50, 6), np.float32)
    layer = PrincipalAxes(6, kept=6)
    layer.fit(means, DEVIATION, step=0)
    np.testing.assert_allclose(layer.put_back(layer(posterior(means)).mean), means, atol=1e-6)


def test_a_model_keeps_its_images_and_s_and_writes_z_in_few_numbers(tiny_model, trained_on):
    plain, turned = tiny_model(shared_variance=True), tiny_model(shared_variance=True, pca_dim=4)
    images = trained_on.images[:40]
    before = plain.encode(images)
    np.testing.assert_allclose(turned.encode(images).z.mean, before.z.mean, atol=1e-5)
    assert not z_fitting.is_fitted(turned, 7)
    z_fitting.fit_z(turned, trained_on, 7)
    assert z_fitting.is_fitted(turned, 7) and not z_fitting.is_fitted(turned, 8)
    after = turned.encode(images)
    np.testing.assert_array_equal(after.s, before.s)
    np.testing.assert_array_equal(after.z.mean[:, 4:], 0)
    assert np.all(after.z.mean[:, :4].std(0) > 0)
    assert np.all(np.diff(after.z.log_var[0]) > -1e-5)  # the least noise first


@pytest.mark.parametrize(
    "flow", [{}, {"flow_layers": 2, "flow_units": 16, "flow_steps": 1}], ids=["axes", "axes and flow"]
)
def test_the_decoder_undoes_them(flow, tiny_model, trained_on):
    plain, turned = tiny_model(shared_variance=True), tiny_model(shared_variance=True, pca_dim=6, **flow)
    z_fitting.fit_z(turned, trained_on, 7)
    for model in (plain, turned):  # an untrained decoder hardly looks at z
        model.decoder.from_z.kernel.assign(300.0 * model.decoder.from_z.kernel)
    if flow:
        turned.encoder.flow.by_s.affine.bias.assign(np.full(12, 0.5, np.float32))
    images = trained_on.images[:40]
    swapped = [model.swap(images, images[::-1]).astype(int) for model in (plain, turned)]
    assert np.abs(swapped[0] - plain.reconstruct(images)).max() > 20
    assert np.abs(turned.encode(images).z.mean - plain.encode(images).z.mean).max() > 0.1
    if not flow:  # that puts in what the other s tells
        assert np.abs(swapped[1] - swapped[0]).max() <= 1
    assert np.abs(turned.reconstruct(images).astype(int) - plain.reconstruct(images)).max() <= 1


def test_z_is_rounded_along_them_and_not_before_there_are_any(tiny_model, trained_on):
    model, exact = (tiny_model(shared_variance=True, pca_dim=6, rounding_step=rounding) for rounding in (1.0, 0.0))
    images = trained_on.images[:40]
    np.testing.assert_allclose(model.encode(images).z.mean, exact.encode(images).z.mean, atol=1e-6)
    for one in (model, exact):
        z_fitting.fit_z(one, trained_on, 0)
    codes, exact_codes = model.encode(images), exact.encode(images)
    steps = codes.z.mean / np.exp(0.5 * codes.z.log_var)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    np.testing.assert_allclose(codes.z.log_var, exact_codes.z.log_var, atol=1e-5)
    apart = np.abs(codes.z.mean - exact_codes.z.mean) / np.exp(0.5 * codes.z.log_var)
    assert 0.01 < apart.max() < 0.501


def test_the_flow_is_fitted_along_them_and_changes_the_kept_ones_alone(tiny_model, trained_on):
    flags = {"shared_variance": True, "pca_dim": 3}
    plain = tiny_model(**flags)
    flowing = tiny_model(**flags, flow_layers=2, flow_units=16, flow_steps=250)
    for model in (plain, flowing):
        z_fitting.fit_z(model, trained_on, 5)
    images = trained_on.images[:40]
    before, after = plain.encode(images).z, flowing.encode(images).z
    assert np.abs(after.mean - before.mean)[:, :3].max() > 1e-3
    np.testing.assert_array_equal(after.mean[:, 3:], before.mean[:, 3:])
    np.testing.assert_array_equal(after.log_var[:, 3:], before.log_var[:, 3:])
