"""HSIC against its definition, and its permutation test on codes whose dependence is known."""

import numpy as np
import pytest

from dfv.evaluation.metrics.dependence import hsic_test

RNG = np.random.default_rng(0)


def test_hsic_against_its_definition():
    codes, identity = RNG.standard_normal((30, 3)).astype(np.float32), RNG.integers(0, 3, 30)
    z = (codes - codes.mean(0)) / codes.std(0)
    squared = ((z[:, None] - z) ** 2).sum(-1)
    k = np.exp(-squared / np.median(squared[np.triu_indices(30, 1)]))
    same, h = (identity[:, None] == identity).astype(float), np.eye(30) - 1 / 30
    expected = np.trace(k @ h @ same @ h) / np.sqrt(np.trace(k @ h @ k @ h) * np.trace(same @ h @ same @ h))
    assert hsic_test(codes, identity, 20).hsic == pytest.approx(expected, rel=1e-4)


def test_dependence_is_found_and_independence_is_not():
    identity = np.repeat(np.arange(5), 30)
    independent = RNG.standard_normal((150, 4)).astype(np.float32)
    assert hsic_test(independent, identity, 100).p_value > 0.05
    dependent = hsic_test(independent * (1 + identity[:, None]), identity, 100)
    assert dependent.p_value < 0.02 and dependent.hsic > 2 * dependent.permutation_mean
    assert hsic_test(np.ones((150, 4), np.float32), identity, 10).p_value == 1.0


def test_dependence_is_found_though_each_identity_shows_each_pose_once():
    """Images of one identity then differ in z more than a random pair: permuting all of them would hide the leakage."""
    identity, pose = (each.ravel() for each in np.meshgrid(np.arange(12), np.arange(15)))
    clean = 3 * RNG.standard_normal((15, 4))[pose] + 0.3 * RNG.standard_normal((len(pose), 4))
    leaking = clean + 0.3 * RNG.standard_normal((12, 4))[identity]
    assert hsic_test(leaking, identity, 100).p_value > 0.9
    assert hsic_test(leaking, identity, 100, groups=pose).p_value < 0.02
    assert hsic_test(clean, identity, 100, groups=pose).p_value > 0.05
