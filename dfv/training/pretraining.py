"""Pre-training of s as the features of a classifier (supplementary material, "Using a pre-trained embedding")."""

import itertools
import logging
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from dfv.model import replicas
from dfv.model.disentangler import Disentangler
from dfv.model.layers.dtype_policy import float32_policy
from dfv.model.layers.seeding import seeded
from dfv.model.optimizers import FusedAdam
from dfv.model.triplet_batch import read

LOGGER = logging.getLogger(__name__)

LEARNING_RATE = 1e-3
HIDDEN = 256


def pretrain_s(model: Disentangler, batches: Iterable[Any], strategy: tf.distribute.Strategy) -> None:
    """Trains the encoder of s with a two-layer identity classifier for `pretrain_s_steps`, then freezes it."""
    training, encoder = model.config.training, model.encoder.s_encoder
    with strategy.scope(), float32_policy(), seeded(training.seed + 1):
        encoder.trainable = True
        encoder.z_head.trainable = False
        classifier = keras.Sequential(
            [
                keras.Input((model.config.network.s_dim,)),
                layers.Dense(HIDDEN, "relu"),
                layers.Dense(model.label_sizes[0]),
            ]
        )
        variables = encoder.trainable_variables + classifier.trainable_variables
        optimizer = FusedAdam(LEARNING_RATE)
        optimizer.build(variables)

    def step(data: dict[str, tf.Tensor]) -> tf.Tensor:
        triplet = read(data)
        with tf.GradientTape() as tape:
            logits = classifier(encoder(triplet.images, training=True).s)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(triplet.labels[:, 0], logits)
            loss = replicas.share([tf.reduce_mean(losses)])
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    run = tf.function(lambda batch: strategy.run(step, args=(batch,)), autograph=False)
    for number, batch in enumerate(itertools.islice(batches, training.pretrain_s_steps), start=1):
        loss = run(batch)
        if number % training.log_steps == 0:
            loss_now = strategy.reduce(tf.distribute.ReduceOp.SUM, loss, axis=None)
            LOGGER.info("Pre-training s, step %d: cross-entropy %.4g nats", number, float(loss_now))
    encoder.trainable = False
