"""The conditional flow: invertible, and fitted until s predicts nothing of z."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.data.dataset import ImageSet
from dfv.model.latent.fit import fit_latent
from dfv.model.latent.stages import flow_density
from dfv.model.latent.stages.flow import ConditionalFlow
from dfv.model.latent.stages.flow_density import ConditionalDensity
from dfv.model.latent.training_codes import TrainingCodes
from dfv.model.layers.seeding import seeded

S_DIM, Z_DIM = 5, 6


@pytest.fixture(autouse=True)
def fewer_and_larger_steps(monkeypatch):
    """Enough for the small flows and simple codes of these tests."""
    monkeypatch.setattr(flow_density, "BATCH", 128)
    monkeypatch.setattr(flow_density, "LEARNING_RATE", 4e-3)


@pytest.fixture(autouse=True)
def same_first_weights():
    with seeded(0):
        yield


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def randomized(flow):
    """The flow with random weights: its last kernels are zero at the start."""
    for number, conditioner in enumerate([flow.by_s, *flow.couplings]):
        conditioner.affine.kernel.assign(0.5 * normal(*conditioner.affine.kernel.shape, seed=number))
    flow.s_centre.assign(normal(S_DIM, seed=8))
    flow.s_scale.assign(1.0 + normal(S_DIM, seed=9) ** 2)
    return flow


@pytest.fixture
def flow():
    return randomized(ConditionalFlow(3, 7, S_DIM, Z_DIM))


def test_at_the_start_it_is_the_identity():
    z, s = normal(4, Z_DIM), normal(4, S_DIM)
    rest, log_det = ConditionalFlow(3, 7, S_DIM, Z_DIM).with_log_det(z, s)
    np.testing.assert_array_equal(rest, z)
    np.testing.assert_array_equal(log_det, np.zeros(4))


def test_the_inverse_gives_back_z(flow):
    z, s = normal(4, Z_DIM), normal(4, S_DIM, seed=1)
    rest, _ = flow.with_log_det(z, s)
    assert np.abs(rest - z).max() > 0.1
    np.testing.assert_allclose(flow.inverse(rest, s), z, atol=1e-5)


def test_the_log_determinant_is_that_of_the_jacobian(flow):
    z, s = tf.constant(normal(4, Z_DIM)), tf.constant(normal(4, S_DIM, seed=1))
    with tf.GradientTape() as tape:
        tape.watch(z)
        rest, log_det = flow.with_log_det(z, s)
    jacobian = tape.batch_jacobian(rest, z).numpy()
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], atol=1e-5)


def test_a_coupling_as_numpy_computes_it():
    flow = randomized(ConditionalFlow(1, 7, S_DIM, Z_DIM))
    flow.by_s.affine.kernel.assign(tf.zeros_like(flow.by_s.affine.kernel))
    z, s = normal(4, Z_DIM), normal(4, S_DIM, seed=1)
    layer, kept = flow.couplings[0], flow.masks[0]
    hidden = np.concatenate([z * kept, (s - flow.s_centre.numpy()) / flow.s_scale.numpy()], 1)
    for dense in (layer.first, layer.second):
        hidden = np.maximum(hidden @ dense.kernel.numpy() + dense.bias.numpy(), 0)
    shift, log_scale = np.split(hidden @ layer.affine.kernel.numpy() + layer.affine.bias.numpy(), 2, axis=1)
    expected = np.where(kept, z, (z - shift) * np.exp(-np.tanh(log_scale)))
    np.testing.assert_allclose(flow.with_log_det(z, s)[0], expected, atol=1e-5)


def test_couplings_change_either_half_in_turn():
    masks = ConditionalFlow(4, 7, S_DIM, Z_DIM).masks
    np.testing.assert_array_equal(masks[0] + masks[1], np.ones(Z_DIM))
    np.testing.assert_array_equal(masks[2] + masks[3], np.ones(Z_DIM))
    assert not np.array_equal(masks[0], masks[2])


def test_a_model_reconstructs_as_without_it_and_codes_otherwise(tiny_model):
    model = tiny_model(shared_variance=True, flow_layers=3, flow_units=7)
    images = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 1), np.uint8)
    codes, reconstruction = model.encode(images), model.reconstruct(images)
    randomized(model.latent.flow)
    model.latent.fitted_at.assign(0)
    assert np.abs(model.encode(images).z.mean - codes.z.mean).max() > 0.01
    assert np.abs(model.reconstruct(images).astype(int) - reconstruction).max() <= 1


def test_training_neither_applies_nor_changes_it(tiny_model, triplet_batch):
    flags = {"shared_variance": True, "seed": 3}
    without, with_it = tiny_model(**flags), tiny_model(**flags, flow_layers=3, flow_units=7)
    before = [variable.numpy() for variable in randomized(with_it.latent.flow).variables]
    with_it.latent.fitted_at.assign(0)
    assert len(with_it.generator_variables) == len(without.generator_variables)
    terms = [model.train_step(triplet_batch()) for model in (without, with_it)]
    for name, value in terms[0].items():
        assert float(terms[1][name]) == pytest.approx(float(value), abs=1e-6), name
    for variable, value in zip(with_it.latent.flow.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def narrow(s, z, identity):
    """Codes whose samples of z are next to their means."""
    return TrainingCodes(s, z, np.full(z.shape, 0.01, np.float32), identity)


def fitted(flow, codes, num_held_out, num_steps):
    """The flow, fitted to all codes but the first ones."""
    density = ConditionalDensity(flow, ConditionalFlow(len(flow.couplings), 32, codes.s.shape[1], Z_DIM))
    held_out = np.arange(num_held_out)
    density.fit([density.shared], codes, held_out, num_steps // 2, np.random.default_rng(0))
    density.fit([density.shared, flow], codes, held_out, num_steps, np.random.default_rng(1))
    return flow


def test_the_fit_does_not_follow_the_global_dtype_policy():
    codes = narrow(normal(64, S_DIM, seed=1), normal(64, Z_DIM, seed=2), np.arange(64) // 4)
    flow = ConditionalFlow(2, 8, S_DIM, Z_DIM, num_steps=2)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        flow.fit(codes, 0, np.random.default_rng(0))
    finally:
        keras.config.set_dtype_policy(before)
    assert {variable.dtype for variable in flow.variables} == {"float32"}


def test_the_fit_removes_from_z_what_s_predicts():
    """Two identities whose z differ in place, width and shape: what is left has the same moments for both."""
    identity = np.random.default_rng(0).integers(0, 2, 4000)
    s = normal(4000, S_DIM, seed=1) * 0.05 + identity[:, None].astype(np.float32)
    z = normal(4000, Z_DIM, seed=2)
    z = np.where(identity[:, None], 0.5 * z + 1.0, z)
    z[:, 0] += np.where(identity, 0.5, -0.5) * z[:, 1] ** 2
    flow = ConditionalFlow(4, 32, S_DIM, Z_DIM)
    flow.s_centre.assign(s.mean(0))
    flow.s_scale.assign(s.std(0))

    def moments(codes):
        one, other = (codes[identity == number] for number in range(2))
        bends = [np.cov(part[:, 0], part[:, 1] ** 2)[0, 1] for part in (one, other)]
        return np.abs(one.mean(0) - other.mean(0)), np.abs(np.log(one.std(0) / other.std(0))), abs(bends[0] - bends[1])

    rest = fitted(flow, narrow(s, z, identity), 400, 400).with_log_det(z, s)[0].numpy()
    for before, after, limit in zip(moments(z), moments(rest), (0.12, 0.12, 0.3), strict=True):
        assert np.max(after) < limit < np.max(before)


def test_the_fit_keeps_the_distribution_that_all_identities_share():
    """z lies in four narrow clusters along its first dimension, and s moves them in the second."""
    random = np.random.default_rng(0)
    identity, cluster = random.integers(0, 2, 4000), random.integers(0, 4, 4000)
    s, z = identity[:, None].astype(np.float32), normal(4000, Z_DIM, seed=2)
    z[:, 0] = 0.1 * z[:, 0] + cluster
    z[:, 1] += 2 * identity
    flow = fitted(ConditionalFlow(4, 32, 1, Z_DIM), narrow(s, z, identity), 400, 250)
    rest = flow.with_log_det(z, s)[0].numpy()
    within = np.mean([rest[cluster == number, 0].var() for number in range(4)])
    assert within < 0.05 * rest[:, 0].var()
    assert abs(np.corrcoef(rest[:, 1], identity)[0, 1]) < 0.1 < np.corrcoef(z[:, 1], identity)[0, 1]


def test_what_s_predicts_other_than_the_identity_stays_in_z():
    """s shows the identity and, in another dimension, the first dimension of z."""
    identity, z = np.random.default_rng(0).integers(0, 2, 3000), normal(3000, Z_DIM, seed=2)
    s = np.stack([identity, z[:, 0]], 1).astype(np.float32)
    z[:, 1] += identity
    codes = narrow(s, z, identity)
    rest = fitted(ConditionalFlow(2, 32, 2, Z_DIM), codes, 300, 200).with_log_det(z, s)[0].numpy()
    assert np.corrcoef(rest[:, 0], z[:, 0])[0, 1] > 0.95
    assert abs(np.corrcoef(rest[:, 1], identity)[0, 1]) < 0.1 < np.corrcoef(z[:, 1], identity)[0, 1]


def test_a_flow_that_overfits_is_not_kept():
    s, z = normal(60, S_DIM), normal(60, Z_DIM, seed=1)
    codes = narrow(s, z, np.arange(60))
    flow = ConditionalFlow(4, 64, S_DIM, Z_DIM)
    start = flow.get_weights()
    for one, other in zip(fitted(flow, codes, 10, 100).get_weights(), start, strict=True):
        np.testing.assert_array_equal(one, other)


def test_fitting_a_model_lowers_the_leakage_and_sets_the_variance(tiny_model):
    model = tiny_model(widths=(4, 6, 8), shared_variance=True, flow_layers=2, flow_units=16, flow_steps=100)
    model.encoder.z_head.kernel.assign(30 * model.encoder.z_head.kernel)
    identity = np.arange(500, dtype=np.int32) % 3
    darker = (1 + identity)[:, None, None, None]
    images = (np.random.default_rng(0).integers(0, 256, (500, 12, 12, 1)) // darker).astype(np.uint8)
    part, before = ImageSet(images, identity), model.encode(images)
    fit_latent(model, part, step=7)
    after = model.encode(images)
    spread = [np.ptp([codes.z.mean[identity == number].mean(0) for number in range(3)], 0) for codes in (before, after)]
    assert np.linalg.norm(spread[1]) < 0.5 * np.linalg.norm(spread[0])
    z = before.z.mean + np.exp(0.5 * before.z.log_var) * normal(500, Z_DIM, seed=3)
    deviation = model.latent.flow.with_log_det(z, before.s)[0].numpy() - after.z.mean
    np.testing.assert_allclose(after.z.log_var[0], np.log(deviation**2).mean(0) + np.log(2) + np.euler_gamma, atol=0.3)
    assert np.ptp(after.z.log_var, axis=0).max() == 0
    weights = model.latent.flow.get_weights()
    fit_latent(model, part, step=7)
    for one, other in zip(model.latent.flow.get_weights(), weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("to_normal", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_flow_makes_z_normal_or_keeps_its_shape(to_normal):
    """z is the same for all identities, and far from normal."""
    identity = np.arange(1500, dtype=np.int32) % 3
    mean = 4 * np.abs(normal(1500, Z_DIM, seed=4))
    codes = TrainingCodes(normal(3, 5)[identity], mean, np.full(mean.shape, 0.01, np.float32), identity)
    flow = ConditionalFlow(4, 32, S_DIM, Z_DIM, num_steps=200, to_normal=to_normal)
    flow.fit(codes, 11, np.random.default_rng(0))
    rest = flow.with_log_det(mean, codes.s)[0].numpy()
    assert (abs(rest.mean()) < 0.2 and abs(rest.std() - 1) < 0.2) == to_normal
