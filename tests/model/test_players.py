"""Each player learns from its own loss alone; the gate; the first term that is not finite."""

import numpy as np
import pytest

PLAYERS = ("generator", "adversary", "latent_adversary")


def trainable(model):
    """What each player learns, as copies."""
    variables = {
        "generator": model.generator_variables,
        "adversary": model.adversary.trainable_variables,
        "latent_adversary": model.latent_adversary.trainable_variables if model.active.latent_adversary else [],
    }
    return {player: [variable.numpy() for variable in own] for player, own in variables.items()}


def same(values, others):
    return [np.array_equal(value, other) for value, other in zip(values, others, strict=True)]


def after_a_step(stepper, batch, **learning_rates):
    stepper.at_start(**learning_rates).step(batch)
    return trainable(stepper.model)


def moments(model):
    """Adam's moments of every player: the first one is the gradient, scaled, but for the second of two updates."""
    return {player: [value.numpy() for value in getattr(model, f"{player}_optimizer").variables] for player in PLAYERS}


def share_alike(values, others):
    """Share of the arrays that are equal but for the order in which a sum of gradients was made.

    For moments, not weights: where a gradient is next to 0, Adam makes an update of any rounding error.
    """
    pairs = zip(values, others, strict=True)
    return np.mean([np.abs(value - other).max() <= 1e-4 * np.abs(value).max() for value, other in pairs])


def test_without_an_adversary_no_prior_sample_is_decoded(tiny_model, triplet_batch):
    flags = {"swap_other_weight": 0.0, "prior_sample_weight": 0.0}
    plain, asked = (tiny_model(**flags, adversary_sees_prior_samples=sees) for sees in (False, True))
    assert not asked.active.prior_samples
    batch = triplet_batch()
    for model in (plain, asked):
        model.train_step(batch)
    for one, other in zip(plain.decoder.get_weights(), asked.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_variable_belongs_to_two_players(everything):
    model = everything.model
    players = (
        model.generator_variables,
        model.adversary.trainable_variables,
        model.latent_adversary.trainable_variables,
    )
    ids = [id(variable) for player in players for variable in player]
    assert len(set(ids)) == len(ids) == len(model.trainable_variables)


@pytest.mark.parametrize("player", PLAYERS)
def test_a_players_update_leaves_the_others_bit_for_bit_unchanged(player, everything, triplet_batch):
    before = trainable(everything.at_start().model)
    rates = {other: 0.01 if other == player else 0.0 for other in PLAYERS}
    after = after_a_step(everything, triplet_batch(), **rates)
    for other in PLAYERS:
        unchanged = same(after[other], before[other])
        assert not any(unchanged) if other == player else all(unchanged), other


@pytest.mark.parametrize("player", PLAYERS)
def test_a_players_update_does_not_depend_on_how_the_others_learn(player, everything, triplet_batch):
    weights, gradients = [], []
    for rate in (0.0, 0.5):
        rates = {other: 1e-3 if other == player else rate for other in PLAYERS}
        weights.append(after_a_step(everything, triplet_batch(), **rates))
        gradients.append(moments(everything.model)[player][2:])  # without the step and the learning rate
    assert share_alike(*gradients) == 1
    for other in set(PLAYERS) - {player}:
        assert not any(same(weights[0][other], weights[1][other])), other


def test_the_adversarys_loss_gives_the_generator_no_gradient(tiny_model, triplet_batch):
    # Another loss on the very images that the generator made.
    losses = ({"adversary_sees_prior_samples": sees, "real_label": 1.0 - 0.3 * sees} for sees in (False, True))
    models = [tiny_model(**loss, adversary_optimizer="sgd") for loss in losses]
    for model in models:
        model.train_step(triplet_batch())
    one, other = (trainable(model) for model in models)
    assert all(same(one["generator"], other["generator"]))
    assert not any(same(one["adversary"], other["adversary"]))


def test_the_generator_learns_from_the_adversary(tiny_model, triplet_batch):
    """The other way round the gradient must flow, to the encoder too."""
    model = tiny_model(reconstruction_weight=0.0, swap_same_weight=0.0, kl_weight=0.0, prior_sample_weight=0.0)
    before = trainable(model)["generator"]
    model.train_step(triplet_batch())
    assert not any(same(trainable(model)["generator"], before))


def test_adams_first_step_moves_every_weight_by_the_learning_rate(tiny_model, triplet_batch):
    """Also where several images of a batch share a row of a table: Keras squares their gradients one by one."""
    model = tiny_model(adversary_learning_rate=1e-3)
    before = trainable(model)["adversary"]
    model.train_step(triplet_batch())
    for variable, value in zip(model.adversary.trainable_variables, before, strict=True):
        moves = np.abs(variable.numpy() - value)
        moves = moves[moves > 1e-4] / 1e-3  # tiny gradients are held by Adam's epsilon
        assert moves.size and np.quantile(moves, [0.1, 1.0]) == pytest.approx([1.0, 1.0], abs=0.05), variable.path


def test_gate_keeps_the_adversary_as_it_is_while_it_is_too_strong(tiny_model, triplet_batch):
    model = tiny_model(adversary_max_accuracy=0.5)
    learnt_at = {True: 0, False: 0}
    for seed in range(30):
        if min(learnt_at.values()) >= 2:
            break
        state = [*model.adversary.trainable_variables, *model.adversary_optimizer.variables]
        before = [variable.numpy() for variable in state]
        generator = trainable(model)["generator"]
        model.means.reset_state()
        accuracy = float(model.train_step(triplet_batch(seed=seed))["adversary_accuracy"])
        unchanged = same([variable.numpy() for variable in state], before)
        is_open = accuracy <= 0.5
        # The learning rate is a part of the optimizer's state that never changes.
        assert sum(unchanged) == 1 if is_open else all(unchanged)
        assert not any(same(trainable(model)["generator"], generator))
        learnt_at[is_open] += 1
    assert min(learnt_at.values()) >= 2


def test_accuracy_counts_real_images_and_swaps(tiny_model, triplet_batch):
    model = tiny_model(generator_learning_rate=0.0, adversary_learning_rate=0.0)
    for bias, accuracy in ((100.0, 0.5), (-100.0, 0.5)):
        model.adversary.logit.bias.assign([bias])
        model.means.reset_state()
        assert float(model.train_step(triplet_batch())["adversary_accuracy"]) == accuracy
    model.adversary.logit.bias.assign([0.0])
    model.adversary.logit.kernel.assign(0 * model.adversary.logit.kernel)
    model.means.reset_state()
    assert float(model.train_step(triplet_batch())["adversary_accuracy"]) == 0.0


def test_first_term_that_is_not_finite_is_remembered_with_its_step(paper, triplet_batch):
    model = paper.at_start().model
    for seed in range(2):
        paper.step(triplet_batch(seed=seed))
    np.testing.assert_array_equal(model.first_non_finite.found, [-1, -1])
    model.adversary.logit.bias.assign([np.nan])
    terms = paper.step(triplet_batch(seed=2))
    step, term = model.first_non_finite.found.numpy()
    assert (step, model.means.names[term]) == (2, "swap_other")
    assert np.isfinite(float(terms["reconstruction"])) and not np.isfinite(float(terms["swap_other"]))
    terms = paper.step(triplet_batch(seed=3))
    assert not np.isfinite(float(terms["reconstruction"]))
    np.testing.assert_array_equal(model.first_non_finite.found, [step, term])


def test_an_infinite_term_is_found_too(paper, triplet_batch):
    model = paper.at_start().model
    model.encoder.z_head.bias.assign(np.full(model.encoder.z_head.bias.shape, 200.0))
    paper.step(triplet_batch())
    step, term = model.first_non_finite.found.numpy()
    assert step == 0 and model.means.names[term] in ("reconstruction", "kl")


def test_steps_are_the_same_when_repeated_and_others_are_not(everything, triplet_batch):
    """Noise comes from the seed and the step alone; the very same bits are --deterministic's."""

    def gradients(step):
        everything.at_start().model.generator_optimizer.iterations.assign(step)
        everything.step(triplet_batch())
        return moments(everything.model)

    one, again, later = map(gradients, (5, 5, 6))
    for player in PLAYERS:
        assert share_alike(one[player], again[player]) == 1, player
        assert share_alike(one[player], later[player]) < 0.5, player
