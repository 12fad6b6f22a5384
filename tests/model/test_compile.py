"""`compile` as Keras users know it: what it takes as an optimizer, and what it refuses, by name."""

import keras
import numpy as np
import pytest

from dfv.model.optimizers import FusedAdam

SCALED = keras.optimizers.LossScaleOptimizer


def rates(model):
    names = ("generator_optimizer", "adversary_optimizer", "latent_adversary_optimizer")
    return [(type(getattr(model, name)), float(getattr(model, name).learning_rate)) for name in names]


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model(latent_adversary_weight=0.1)


def test_optimizers_are_instances_names_or_configs(model):
    config = keras.optimizers.serialize(keras.optimizers.SGD(0.25))
    model.compile("adam", config, keras.optimizers.Lion(0.5))
    expected = [(keras.optimizers.Adam, 1e-3), (keras.optimizers.SGD, 0.25), (keras.optimizers.Lion, 0.5)]
    assert rates(model) == [(kind, pytest.approx(rate)) for kind, rate in expected]
    assert model.optimizer is model.generator_optimizer


def test_optimizer_is_the_generators_and_the_others_are_the_configs(model):
    model.compile(optimizer="sgd", loss=None, metrics=[])
    assert [kind for kind, _ in rates(model)] == [keras.optimizers.SGD, FusedAdam, FusedAdam]
    assert model.optimizer is model.generator_optimizer


def test_a_model_compiled_by_name_learns(model, triplet_batch):
    model.compile("adam", "adam", "adam")
    before = [variable.numpy() for variable in model.trainable_variables]
    model.train_step(triplet_batch())
    for variable, value in zip(model.trainable_variables, before, strict=True):
        assert np.any(variable != value), variable.path


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["mse"], {}, r"generator_optimizer: expected a Keras optimizer.*received 'mse'.*latent_adversary_optimizer"),
        (["adam", "mse"], {}, "adversary_optimizer: expected a Keras optimizer"),
        ([keras.optimizers.Adam], {}, "generator_optimizer: expected a Keras optimizer"),
        ([0.1], {}, "generator_optimizer: expected a Keras optimizer.*received 0.1"),
        (["adam"], {"optimizer": "sgd"}, "both the generator's optimizer"),
        ([], {"optimizer": "adam", "loss": "mse"}, "^loss: expected none"),
        ([], {"loss_weights": [1.0], "metrics": ["mae"]}, "^loss_weights, metrics: expected none"),
        ([], {"weighted_metrics": ["mae"]}, "^weighted_metrics: expected none"),
        ([SCALED(keras.optimizers.Adam())], {}, "generator_optimizer: expected an optimizer without loss scaling"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(model, arguments, options, message):
    before = rates(model)
    with pytest.raises(ValueError, match=message):
        model.compile(*arguments, **options)
    assert rates(model) == before


@pytest.mark.parametrize("player", ["generator", "adversary", "latent_adversary"])
def test_gradient_accumulation_is_refused(model, player):
    optimizer = keras.optimizers.Adam(gradient_accumulation_steps=2)
    with pytest.raises(ValueError, match=f"^{player}_optimizer: .*gradient_accumulation_steps=2"):
        model.compile(**{f"{player}_optimizer": optimizer})


def test_one_optimizer_for_two_players_is_refused(model):
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="one instance for several"):
        model.compile(optimizer, optimizer)
