"""Players for any number of identities: they compare images and codes, and have nothing for an identity itself."""

import numpy as np
import pytest
import tensorflow as tf

from dfv.config.schema import Config
from dfv.model.decoded_pairs import DecodedPairs
from dfv.model.disentangler import Disentangler
from dfv.model.losses.latent_adversary import LatentBatch
from dfv.model.triplet_batch import Noise, read
from dfv.training.checkpoints import all_variables

PAIRS = {"adversary_labels": "pair", "adversary_sees_prior_samples": True}
CRITICS = {"latent_adversary_labels": "pair", "latent_adversary_weight": 0.1, "num_replay_batches": 2}


@pytest.fixture(scope="module")
def model(tiny_model):
    return tiny_model(**PAIRS, **CRITICS)


def test_nothing_grows_with_the_number_of_identities():
    config = Config.of(**PAIRS, **CRITICS, widths=(4, 4, 4), adversary_widths=(4, 4, 4), batch_size=4)
    few, many = (Disentangler(config, (12, 12, 1), (number,)) for number in (10, 200_000))
    assert [v.shape for v in few.variables] == [v.shape for v in many.variables]


def test_the_adversary_sees_a_real_image_of_the_identity_next_to_each(model, triplet_batch, monkeypatch):
    triplet, views = read(triplet_batch()), []
    logits = model.adversary.logits
    monkeypatch.setattr(
        model.adversary, "logits", lambda images, maps, training: views.append(images) or logits(images, maps, training)
    )
    swap, prior = tf.fill(triplet.x1.shape, 0.25), tf.fill(triplet.x1.shape, 0.5)
    noise = Noise(0, tf.constant(0, tf.int64), triplet, z_dim=6)
    found = model.adversary_logits(triplet, DecodedPairs(None, None, swap, prior), noise)
    references = [(triplet.x1, triplet.x1_same), (swap, triplet.x2), (prior, triplet.x2)]
    for view, (image, reference) in zip(views, references, strict=True):
        np.testing.assert_array_equal(view, np.concatenate([image, reference], -1))
    assert all(logits.shape == (8,) for logits in found)


def test_every_player_learns(model, triplet_batch):
    before = [variable.numpy() for variable in model.trainable_variables]
    terms = tf.function(model.train_step, autograph=False)(triplet_batch())
    assert all(np.isfinite(value) for value in terms.values())
    for variable, value in zip(model.trainable_variables, before, strict=True):
        assert not np.array_equal(variable, value), variable.path
    assert np.isfinite([np.sum(variable.numpy()) for variable in all_variables(model)]).all()


def test_pair_critics_learn_which_codes_share_their_identity(model):
    """Codes in two clusters, one for each identity: after learning, all similarity is within them."""
    identity = np.tile(np.arange(8) % 2, 3)[:, None].astype(np.int32)
    mean = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32) + 3 * identity.astype(np.float32)
    batch = LatentBatch(*map(tf.constant, (mean, mean, identity)))
    model.latent_adversary_optimizer.learning_rate = 3e-3
    for step in range(20):
        seed = tf.constant([step, 0], tf.int64)
        model.latent_adversary.learn(batch, model.latent_adversary_optimizer, 2, tf.constant(step, tf.int64), seed)
    for log_probability in model.latent_adversary(batch):
        assert np.exp(np.mean(log_probability)) > 0.95
