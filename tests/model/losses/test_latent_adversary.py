"""The latent adversary: log-probabilities, statistics and replay against NumPy, and who pushes which way."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.model.losses.latent_adversary import LatentAdversary, LatentBatch
from dfv.model.losses.pair_critic import PairCritic

Z_DIM, SIZES, NUM = 4, (3, 5), 6  # codes in a batch


@pytest.fixture
def classifiers():
    with_biases = LatentAdversary(Z_DIM, SIZES, num_replay_batches=3, codes_per_batch=NUM)
    for number, variable in enumerate(with_biases.trainable_variables):
        if variable.ndim == 1:
            variable.assign(tf.random.stateless_normal(variable.shape, [number, 0]))
    return with_biases


def codes(seed, num=NUM):
    """Means, samples and labels of one batch."""
    random = np.random.default_rng(seed)
    mean, sample = (random.normal(size=(2, num, Z_DIM)) * 2 + 1).astype(np.float32)
    labels = np.stack([random.integers(0, size, num) for size in SIZES], 1).astype(np.int32)
    return mean, sample, labels


def tensors(mean, sample, labels):
    return LatentBatch(*map(tf.constant, (mean, sample, labels)))


def learn(classifiers, batch, step, optimizer=None, num_updates=1):
    optimizer = optimizer or keras.optimizers.SGD(0.0)
    seed = tf.constant([step, 7], tf.int64)
    batch = tensors(*batch)
    return classifiers.learn(batch, optimizer, num_updates, tf.constant(step, tf.int64), seed)


def plain_log_probability(network, x, labels):
    for layer in network.layers[:-1]:
        x = np.maximum(x @ layer.kernel.numpy() + layer.bias.numpy(), 0)
    logits = x @ network.layers[-1].kernel.numpy() + network.layers[-1].bias.numpy()
    values = []
    for row, label in zip(logits.astype(np.float64), labels, strict=True):
        heads = row[: SIZES[0]], row[SIZES[0] :]
        values.append(np.mean([np.log(np.exp(h[i]) / np.exp(h).sum()) for h, i in zip(heads, label, strict=True)]))
    return np.array(values)


def test_log_probability_is_that_of_a_softmax_for_each_label(classifiers):
    mean, sample, labels = codes(0)
    centre, variance = np.arange(4.0), np.arange(1.0, 5.0)
    classifiers.centre.assign(centre)
    classifiers.variance.assign(variance)
    on_mean, on_sample = classifiers(tensors(mean, sample, labels))
    standardised = (mean - centre) / np.sqrt(variance + 1e-6)
    np.testing.assert_allclose(on_mean, plain_log_probability(classifiers.on_mean, standardised, labels), atol=1e-5)
    np.testing.assert_allclose(on_sample, plain_log_probability(classifiers.on_sample, sample, labels), atol=1e-5)


def test_two_hidden_layers_of_256(classifiers):
    for network in (classifiers.on_mean, classifiers.on_sample):
        assert [layer.units for layer in network.layers] == [256, 256, sum(SIZES)]
    shared = set(map(id, classifiers.on_mean.variables)) & set(map(id, classifiers.on_sample.variables))
    assert not shared


def test_running_statistics_of_the_means(classifiers):
    centre, variance = np.zeros(Z_DIM), np.ones(Z_DIM)
    for step in range(4):
        batch = codes(step)
        learn(classifiers, batch, step)
        centre = 0.95 * centre + 0.05 * batch[0].mean(0)
        variance = 0.95 * variance + 0.05 * batch[0].var(0)
    np.testing.assert_allclose(classifiers.centre, centre, rtol=1e-5)
    np.testing.assert_allclose(classifiers.variance, variance, rtol=1e-5)


def test_replay_holds_the_last_batches(classifiers):
    batches = [codes(step) for step in range(6)]
    for step, batch in enumerate(batches):
        learn(classifiers, batch, step)
        if step == 1:
            check_kept(classifiers, [batches[0], batches[1]])
            assert not np.any(classifiers.kept_means[2 * NUM :])
    check_kept(classifiers, [batches[3], batches[4], batches[5]])


def check_kept(classifiers, batches):
    kept = classifiers.kept_means, classifiers.kept_samples, classifiers.kept_labels
    for variable, values in zip(kept, zip(*batches, strict=True), strict=True):
        np.testing.assert_array_equal(variable[: NUM * len(batches)], np.concatenate(values))


@pytest.mark.parametrize("num_batches", [1, 2, 5])
def test_draws_are_whole_rows_of_the_batches_kept_so_far_and_cover_them(classifiers, num_batches):
    batches = [codes(step) for step in range(num_batches)]
    for step, batch in enumerate(batches):
        learn(classifiers, batch, step)
    last_three = [np.concatenate(column) for column in zip(*batches[-3:], strict=True)]
    rows = {tuple(np.concatenate(row)) for row in zip(*last_three, strict=True)}
    drawn = set()
    for seed in range(30):
        draw = classifiers._draw(tf.constant(num_batches - 1, tf.int64), tf.constant([seed, 0]))
        drawn |= {tuple(np.concatenate(row)) for row in zip(*(values.numpy() for values in draw), strict=True)}
    assert drawn == rows


def test_learning_raises_the_log_probability_of_the_true_labels_and_reports_the_cross_entropy(classifiers):
    batch, optimizer = codes(0), keras.optimizers.Adam(1e-3)
    losses = [learn(classifiers, batch, 0, optimizer, num_updates=2) for _ in range(8)]
    for first, last in zip(losses[0], losses[-1], strict=True):
        assert last < first
    assert int(optimizer.iterations.numpy()) == 16
    log_probabilities = [np.mean(value) for value in classifiers(tensors(*batch))]
    assert log_probabilities == pytest.approx([-float(loss) for loss in losses[-1]], abs=0.2)


def test_kept_codes_are_trained_on_too(classifiers):
    """Labels of the kept batch that contradict the current one's keep the classifiers from being sure of either."""
    mean, sample, labels = codes(0)
    contrary = mean, sample, (labels + 1) % np.array(SIZES, np.int32)
    alone = LatentAdversary(Z_DIM, SIZES, num_replay_batches=0, codes_per_batch=NUM)
    for layer in (alone, classifiers):
        optimizer = keras.optimizers.Adam(1e-2)
        learn(layer, contrary, 0, optimizer)
        learn(layer, (mean, sample, labels), 1, optimizer, num_updates=15)
    sure, unsure = (np.mean(layer(tensors(mean, sample, labels))[1]) for layer in (alone, classifiers))
    assert sure > np.log(0.9) and unsure < np.log(0.8)


def test_without_replay_nothing_is_kept():
    layer = LatentAdversary(Z_DIM, SIZES, num_replay_batches=0, codes_per_batch=NUM)
    assert layer.kept_means.shape == (0, Z_DIM)
    learn(layer, codes(0), 0)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # no other term is on
def test_encoder_lowers_the_log_probability_of_the_true_identity(tiny_model, triplet_batch):
    off = dict.fromkeys(("reconstruction_weight", "swap_same_weight", "kl_weight", "swap_other_weight"), 0.0)
    flags = off | {"prior_sample_weight": 0.0, "latent_adversary_weight": 1.0, "latent_adversary_learning_rate": 0.0}
    model, batch = tiny_model(**flags, generator_learning_rate=3e-4), triplet_batch()
    images = np.concatenate([batch["x1"], batch["x1_same"], batch["x2"]]) / np.float32(127.5) - 1
    identity = np.concatenate([batch["labels1"], batch["labels1"], batch["labels2"]])[:, :1]

    def log_probability():
        mean, log_var = model.encoder(images, training=True).z
        sample = mean + tf.exp(log_var / 2) * tf.random.stateless_normal(mean.shape, [1, 2])
        latent_adversary = model.latent_adversary
        return [
            float(tf.reduce_mean(value)) for value in latent_adversary(LatentBatch(mean, sample, tf.constant(identity)))
        ]

    before = log_probability()
    for _ in range(3):
        model.train_step(batch)
    assert sum(log_probability()) < sum(before) - 1e-3


def test_pair_critic_gives_the_share_of_similarity_that_codes_of_the_same_identity_have():
    critics = PairCritic(Z_DIM, SIZES, num_replay_batches=0, codes_per_batch=NUM)
    mean, sample, _ = codes(0)
    labels = np.array([[0], [1], [0], [1], [2], [0]], np.int32)
    found = critics(tensors(mean, sample, labels))[1].numpy()
    embedded = critics.on_sample(tf.constant(sample)).numpy().astype(np.float64)
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    similarity = np.exp(embedded @ embedded.T / 0.1) * (1 - np.eye(NUM))
    with_another = [0, 1, 2, 3, 5]  # the fifth code is alone in its identity
    expected = [np.log(similarity[i, labels[:, 0] == labels[i]].sum() / similarity[i].sum()) for i in with_another]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_kept_triplets_are_drawn_whole(classifiers):
    """So that a pair critic finds the pairs in them: x1 and x1' of a triplet share their labels."""
    for step in range(3):
        mean, sample, labels = codes(step)
        labels[2:4] = labels[:2]
        learn(classifiers, (mean, sample, labels), step)
    for seed in range(10):
        *_, labels = classifiers._draw(tf.constant(2, tf.int64), tf.constant([seed, 0]))
        np.testing.assert_array_equal(labels[:2], labels[2:4])


def test_generators_term_is_the_sum_of_both_mean_log_probabilities(classifiers):
    batch = tensors(*codes(0))
    expected = sum(np.mean(values) for values in classifiers(batch))
    assert float(classifiers.log_likelihood(batch)) == pytest.approx(expected, rel=1e-5)


def test_weights_under_their_earlier_name_are_refused_with_a_reason(classifiers):
    with pytest.raises(ValueError, match="an earlier version of dfv stored them as z_classifiers"):
        classifiers.load_own_variables({})
