"""The kernel losses: NumPy second implementations with loops, and where each term is least."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.model.losses.mmd import BANDWIDTHS, identity_mmd, kernel, mean_kernel, same_identity_pairs


def plain_kernel(a, b):
    squared_distance = sum((a[d] - b[d]) ** 2 for d in range(len(a)))
    return sum(np.exp(-squared_distance / (2 * h * len(a))) for h in BANDWIDTHS)


def plain_identity_mmd(z, identity, prior):
    n = range(len(z))
    same = [plain_kernel(z[i], z[j]) for i in n for j in n if i != j and identity[i] == identity[j]]
    to_prior = [plain_kernel(a, p) for a in z for p in prior]
    return np.mean(same) - 2 * np.mean(to_prior)


def plain_mean_kernel(mean, identity):
    m = (mean - mean.mean(0)) / np.sqrt(mean.var(0) + 1e-6)
    n = range(len(m))
    any_two = [(i, j) for i in n for j in n if i != j]
    same = [pair for pair in any_two if identity[pair[0]] == identity[pair[1]]]
    of_same, of_any_two = ([plain_kernel(m[i], m[j]) for i, j in pairs] for pairs in (same, any_two))
    return np.mean(of_same) - np.mean(of_any_two)


@pytest.fixture(scope="module")
def codes():
    """z, identity and prior samples; 9 examples of 3 identities, one of which has a single example."""
    random = np.random.default_rng(0)
    z, prior = random.normal(size=(2, 9, 4)) * [[[1.5]], [[1.0]]] + [[[0.3]], [[0.0]]]
    return z, np.array([0, 0, 0, 1, 1, 0, 1, 2, 0], np.int32), prior


def single(*arrays):
    return [tf.constant(array, tf.float32) for array in arrays]


def test_kernel_follows_its_formula(codes):
    z, _, prior = codes
    expected = [[plain_kernel(a, p) for p in prior[:7]] for a in z]
    np.testing.assert_allclose(kernel(*single(z, prior[:7])), expected, rtol=1e-5)


def test_kernel_of_a_code_with_itself_is_the_number_of_bandwidths():
    # Far from 0, |a|^2 - 2ab + |b|^2 loses digits; the distance must not come out negative.
    z = tf.random.stateless_normal((20, 16), [1, 2]) * 5 + 10
    assert np.all(np.diag(kernel(z, z)) <= len(BANDWIDTHS))
    np.testing.assert_allclose(np.diag(kernel(z, z)), len(BANDWIDTHS), rtol=1e-3)


def test_pairs_share_an_identity_and_leave_out_the_example_itself(codes):
    identity = codes[1]
    expected = [[float(i != j and identity[i] == identity[j]) for j in range(9)] for i in range(9)]
    np.testing.assert_array_equal(same_identity_pairs(tf.constant(identity)), expected)


def test_identity_mmd_follows_its_formula(codes):
    z, identity, prior = codes
    value = identity_mmd(*single(z), tf.constant(identity), *single(prior))
    assert float(value) == pytest.approx(plain_identity_mmd(z, identity, prior), rel=1e-5)


def test_mean_kernel_follows_its_formula(codes):
    z, identity, _ = codes
    value = mean_kernel(*single(z), tf.constant(identity))
    assert float(value) == pytest.approx(plain_mean_kernel(z, identity), rel=1e-4)


def test_identity_mmd_is_least_where_every_identity_has_the_prior():
    random = np.random.default_rng(2)
    identity = np.repeat(np.arange(4), 300).astype(np.int32)
    at_prior, prior = random.normal(size=(2, 1200, 6))
    offsets = np.array([-0.5, -0.2, 0.2, 0.5])[identity][:, None]

    def value(z):
        return float(identity_mmd(*single(z), tf.constant(identity), *single(prior)))

    least = value(at_prior)
    # All identities together have nearly the prior's distribution in the first case; each one's own does not.
    others = [at_prior * np.sqrt(1 - 0.145) + offsets, at_prior * 0.7, at_prior * 1.4, at_prior + 0.4, at_prior * 0]
    assert all(value(z) > least + 0.01 for z in others)


def test_mean_kernel_is_zero_without_and_positive_with_identity_in_the_means():
    random = np.random.default_rng(3)
    identity = np.repeat(np.arange(4), 250).astype(np.int32)
    mean = random.normal(size=(1000, 6))
    assert abs(float(mean_kernel(*single(mean), tf.constant(identity)))) < 5e-3
    assert float(mean_kernel(*single(mean + identity[:, None] * 0.5), tf.constant(identity))) > 0.05


@pytest.mark.parametrize("spread", [0.0, 1.0, 1e4], ids=["all codes equal", "spread", "far apart"])
def test_gradients_are_finite(codes, spread):
    z, identity, prior = codes
    z = tf.constant(z * spread, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        terms = identity_mmd(z, tf.constant(identity), *single(prior)), mean_kernel(z, tf.constant(identity))
    assert all(np.isfinite(term) and np.all(np.isfinite(tape.gradient(term, z))) for term in terms)


def test_one_step_down_the_gradient_brings_shifted_codes_nearer_to_the_prior(codes):
    z, identity, prior = codes
    z = tf.constant(z + 1.0, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(z)
        term = identity_mmd(z, tf.constant(identity), *single(prior))
    moved = z - 0.5 * tape.gradient(term, z)
    assert float(identity_mmd(moved, tf.constant(identity), *single(prior))) < float(term)
    assert abs(np.mean(moved)) < abs(np.mean(z))
