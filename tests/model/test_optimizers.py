"""Schedules at their ends and in the middle, and what the config's optimizers are."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.config.schema import Config
from dfv.model import optimizers
from dfv.model.optimizers import apply_where, learning_rate


def test_constant_rate_is_the_number_itself():
    assert learning_rate(3e-4, "constant", 1000) == 3e-4


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (0, 1.0),
        (50, 1.0),
        (100, 1.0),
        (325, 0.5 * (1 + math.cos(math.pi / 4))),
        (550, 0.5),
        (1000, 0.0),
        (2000, 0.0),
    ],
)
def test_cosine_keeps_the_rate_for_a_tenth_and_then_takes_it_to_zero(step, share):
    schedule = learning_rate(3e-4, "cosine", 1000)
    assert float(schedule(step)) == pytest.approx(3e-4 * share, abs=1e-9)
    in_graph = tf.function(schedule)(tf.constant(step, tf.int64))
    assert float(in_graph) == pytest.approx(3e-4 * share, abs=1e-9)


@pytest.mark.parametrize("num_updates", [1, 2, 9, 10, 11])
def test_cosine_of_a_short_run_starts_at_the_rate_and_ends_at_zero(num_updates):
    schedule = learning_rate(0.1, "cosine", num_updates)
    rates = [float(schedule(step)) for step in range(num_updates + 1)]
    assert rates[0] == pytest.approx(0.1) and rates[-1] == pytest.approx(0.0, abs=1e-8)
    assert np.all(np.diff(rates) <= 1e-9)


def rate_at(optimizer, step):
    optimizer.build([keras.Variable([0.0])])
    optimizer.iterations.assign(step)
    return float(optimizer.learning_rate)


def test_each_player_has_its_own_kind_rate_and_schedule():
    config = Config.of(
        num_steps=100,
        num_latent_adversary_updates=5,
        generator_optimizer="sgd",
        sgd_momentum=0.9,
        generator_learning_rate=0.1,
        generator_schedule="cosine",
        adversary_learning_rate=0.01,
        adam_beta1=0.4,
        latent_adversary_learning_rate=0.02,
        latent_adversary_schedule="cosine",
    )
    players = ("generator", "adversary", "latent_adversary")
    generator, adversary, classifiers = (optimizers.of_config(player, config) for player in players)
    assert isinstance(generator, keras.optimizers.SGD) and generator.momentum == 0.9
    assert isinstance(adversary, keras.optimizers.Adam) and adversary.beta_1 == 0.4
    assert isinstance(classifiers, keras.optimizers.Adam) and classifiers.beta_1 == 0.9
    assert [rate_at(generator, step) for step in (0, 55, 100)] == pytest.approx([0.1, 0.05, 0.0])
    assert rate_at(adversary, 99) == pytest.approx(0.01)
    # Five updates a step: the schedule ends with the run, not after a fifth of it.
    assert [rate_at(classifiers, step) for step in (0, 275, 500)] == pytest.approx([0.02, 0.01, 0.0])


def test_sgd_moves_a_weight_by_rate_times_gradient():
    optimizer = optimizers.of_config("generator", Config.of(generator_optimizer="sgd", generator_learning_rate=0.1))
    weight = keras.Variable([1.0, 2.0])
    optimizer.build([weight])
    optimizer.apply([tf.constant([3.0, -1.0])], [weight])
    np.testing.assert_allclose(weight, [0.7, 2.1], rtol=1e-6)


@pytest.mark.parametrize("learns", [True, False])
def test_apply_where_is_all_or_nothing(learns):
    weights, gradient = [keras.Variable([1.0, 2.0]) for _ in range(2)], tf.constant([3.0, -1.0])
    conditional, plain = keras.optimizers.Adam(0.1), keras.optimizers.Adam(0.1)
    for optimizer, weight in zip((conditional, plain), weights, strict=True):
        optimizer.build([weight])
    before = [variable.numpy() for variable in (weights[0], *conditional.variables)]
    apply_where(tf.constant(learns), conditional, [gradient], [weights[0]])
    plain.apply([gradient], [weights[1]])
    expected = [variable.numpy() for variable in (weights[1], *plain.variables)] if learns else before
    for variable, value in zip((weights[0], *conditional.variables), expected, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_adam_follows_the_formula_of_its_paper():
    """Kingma and Ba 2015, algorithm 1 in the form of the end of section 2."""
    random = np.random.default_rng(0)
    value, rate, (beta1, beta2, epsilon) = random.normal(size=(3, 2)), 0.01, (0.5, 0.999, 1e-7)
    weight = keras.Variable(value, dtype="float32")
    optimizer = optimizers.of_config("generator", Config.of(generator_learning_rate=rate))
    optimizer.build([weight])
    apply = tf.function(lambda gradient: optimizer.apply([gradient], [weight]))
    m, v = np.zeros_like(value), np.zeros_like(value)
    for step in range(1, 6):
        gradient = random.normal(size=value.shape)
        m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
        value = value - rate * np.sqrt(1 - beta2**step) / (1 - beta1**step) * m / (np.sqrt(v) + epsilon)
        apply(tf.constant(gradient, tf.float32))
        np.testing.assert_allclose(weight, value, rtol=1e-5)
