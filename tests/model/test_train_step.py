"""The fused step against Algorithm 1 written plainly: each loss in its own words, a tape for each player."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from dfv.model.losses.mmd import BANDWIDTHS
from dfv.model.triplet_batch import Noise, read

BATCH, Z_DIM, SEED = 8, 6, 11
STEPS = 3


def step_seed(purpose, step):
    return tf.random.experimental.stateless_fold_in(tf.constant([SEED, purpose], tf.int64), tf.constant(step, tf.int64))


def normal(purpose, step, num):
    return tf.reshape(tf.random.stateless_normal((num // BATCH, BATCH, Z_DIM), step_seed(purpose, step)), (num, Z_DIM))


def mean_squared(a, b):
    return tf.reduce_mean((a - b) ** 2)


def kl_per_pixel(mean, log_var, num_pixels):
    per_image = tf.reduce_sum(0.5 * (mean**2 + tf.exp(log_var) - log_var - 1), axis=1)
    return tf.reduce_mean(per_image) / num_pixels


def log_probability(logits):
    return tf.math.log(tf.sigmoid(logits))


def kernel(a, b):
    squared_distance = tf.reduce_sum((a[:, None] - b[None]) ** 2, axis=2) / a.shape[1]
    return sum(tf.exp(-squared_distance / (2 * h)) for h in BANDWIDTHS)


def mean_over_pairs(similarity, identity=None):
    pairs = np.ones(similarity.shape) if identity is None else identity[:, None] == identity[None]
    pairs = np.logical_and(pairs, ~np.eye(len(similarity), dtype=bool))
    return tf.reduce_mean(tf.boolean_mask(similarity, pairs))


def log_probability_of_true(logits, labels, sizes):
    """Mean over the heads and examples of log softmax at the true class."""
    heads = tf.split(logits, sizes, axis=1)
    values = [
        tf.gather(tf.math.log(tf.nn.softmax(head)), labels[:, i], axis=1, batch_dims=1) for i, head in enumerate(heads)
    ]
    return tf.reduce_mean(values)


class Plain:
    """Algorithm 1 on the networks of a fresh model of the same seed; nothing else of that model is used."""

    def __init__(self, model):
        self.encoder, self.decoder, self.adversary = model.encoder, model.decoder, model.adversary
        self.optimizer_g, self.optimizer_a, self.optimizer_c = optimizer(), optimizer(), optimizer()
        self.generator_weights = self.encoder.trainable_variables + self.decoder.trainable_variables

    def read(self, batch):
        images = [tf.cast(batch[name], tf.float32) / 127.5 - 1.0 for name in ("x1", "x1_same", "x2")]
        self.x1, self.x1_same, self.x2 = images
        self.num_pixels = math.prod(self.x1.shape[1:])

    def encode(self, step):
        self.s, (self.mean, self.log_var) = self.encoder(tf.concat([self.x1, self.x1_same, self.x2], 0), training=True)
        self.z = self.mean + tf.exp(self.log_var / 2) * normal(0, step, 3 * BATCH)
        self.s1, self.s1_same, self.s2 = (self.s[i * BATCH : (i + 1) * BATCH] for i in range(3))
        self.z1, self.z1_same, self.z2 = (self.z[i * BATCH : (i + 1) * BATCH] for i in range(3))

    def decode(self, *pairs):
        images = self.decoder(tf.concat([z for z, _ in pairs], 0), tf.concat([s for _, s in pairs], 0), training=True)
        return [images[i * BATCH : (i + 1) * BATCH] for i in range(len(pairs))]

    def judge(self, images, labels):
        # BatchNorm in training uses the batch's statistics, so only the moving ones need to be put back.
        moving = [tf.identity(variable.value) for variable in self.adversary.non_trainable_variables]
        logits = self.adversary(images, labels, training=True)
        for variable, value in zip(self.adversary.non_trainable_variables, moving, strict=True):
            variable.assign(value)
        return logits

    def train_adversary(self, real, fakes, labels, real_label=1.0):
        with tf.GradientTape() as tape:
            on_real, on_fakes = self.judge(real, labels), [self.judge(tf.stop_gradient(f), labels) for f in fakes]
            loss = -tf.reduce_mean(real_label * log_probability(on_real) + (1 - real_label) * log_probability(-on_real))
            loss += -sum(tf.reduce_mean(log_probability(-logits)) for logits in on_fakes) / len(on_fakes)
        self.optimizer_a.apply(
            tape.gradient(loss, self.adversary.trainable_variables), self.adversary.trainable_variables
        )

    def step(self, batch, step):
        self.read(batch)
        id2 = batch["labels2"][:, :1]
        with tf.GradientTape() as tape:
            self.encode(step)
            prior = normal(1, step, BATCH)
            pairs = (self.z1, self.s1), (self.z1, self.s1_same), (self.z1, self.s2), (prior, self.s2)
            reconstruction, swap_same, swap_other, prior_sample = self.decode(*pairs)
            loss = mean_squared(reconstruction, self.x1)
            loss += 0.9 * mean_squared(swap_same, self.x1)
            loss += 0.3 * kl_per_pixel(self.mean[:BATCH], self.log_var[:BATCH], self.num_pixels)
            loss += 0.2 * tf.reduce_mean(-log_probability(self.judge(swap_other, id2)))
            loss += 0.1 * tf.reduce_mean(-log_probability(self.judge(prior_sample, id2)))
        gradients = tape.gradient(loss, self.generator_weights)
        self.train_adversary(self.x2, [swap_other], id2)
        self.optimizer_g.apply(gradients, self.generator_weights)


class PlainWithAdditions(Plain):
    """The same with every addition of method.md; `frozen` is a model of the same networks, to copy weights to."""

    def __init__(self, model, frozen):
        super().__init__(model)
        self.identity_classifier, self.frozen = model.identity_classifier, frozen
        self.generator_weights = self.generator_weights + self.identity_classifier.trainable_variables
        self.on_mean, self.on_sample = model.latent_adversary.on_mean, model.latent_adversary.on_sample
        self.centre, self.variance, self.kept = np.zeros(Z_DIM), np.ones(Z_DIM), []

    def classify(self, mean, sample, labels):
        standardised = (mean - np.float32(self.centre)) / np.float32(np.sqrt(self.variance + 1e-6))
        return [
            log_probability_of_true(self.on_mean(standardised), labels, [2, 4]),
            log_probability_of_true(self.on_sample(sample), labels, [2, 4]),
        ]

    def identity_terms(self, swap_other, identity):
        self.frozen.encoder.set_weights(self.encoder.get_weights())
        self.frozen.identity_classifier.set_weights(self.identity_classifier.get_weights())
        s_of_swap = self.frozen.encoder(swap_other, training=False).s
        on_swap = log_probability_of_true(self.frozen.identity_classifier.logits(s_of_swap), identity[-BATCH:], [3])
        return -log_probability_of_true(self.identity_classifier.logits(self.s), identity, [3]), -on_swap

    def step(self, batch, step):
        self.read(batch)
        x1, x1_same, x2 = self.x1, self.x1_same, self.x2
        labels = np.concatenate([batch["labels1"], batch["labels1"], batch["labels2"]])
        identity, attributes, attributes2 = labels[:, 0], labels[:, 1:], batch["labels2"][:, 1:]
        with tf.GradientTape() as tape:
            self.encode(step)
            s1, s1_same, s2, z1, z1_same, z2 = self.s1, self.s1_same, self.s2, self.z1, self.z1_same, self.z2
            own = (z1, s1), (z1_same, s1_same), (z2, s2)
            swapped = (z1, s1_same), (z1_same, s1)
            other = (z1, s2), (normal(1, step, BATCH), s2)
            r1, r1_same, r2, s_of_same, s_of_1, swap_other, prior_sample = self.decode(*own, *swapped, *other)
            loss = (mean_squared(r1, x1) + mean_squared(r1_same, x1_same) + mean_squared(r2, x2)) / 3
            loss += 0.9 * (mean_squared(s_of_same, x1) + mean_squared(s_of_1, x1_same)) / 2
            loss += 0.3 * kl_per_pixel(self.mean, self.log_var, self.num_pixels)
            loss += 0.2 * tf.reduce_mean(-log_probability(self.judge(swap_other, attributes2)))
            loss += 0.1 * tf.reduce_mean(-log_probability(self.judge(prior_sample, attributes2)))
            on_s, on_swap = self.identity_terms(swap_other, identity[:, None])
            loss += 0.4 * on_s + 0.7 * on_swap
            to_prior = tf.reduce_mean(kernel(self.z, normal(2, step, 3 * BATCH)))
            loss += 0.5 * (mean_over_pairs(kernel(self.z, self.z), identity) - 2 * to_prior)
            centre, deviation = tf.reduce_mean(self.mean, 0), tf.math.reduce_std(self.mean, 0)
            m = (self.mean - centre) / tf.sqrt(deviation**2 + 1e-6)
            loss += 0.3 * (mean_over_pairs(kernel(m, m), identity) - mean_over_pairs(kernel(m, m)))
            loss += 0.2 * sum(self.classify(self.mean, self.z, attributes))
        gradients = tape.gradient(loss, self.generator_weights)
        self.train_adversary(x2, [swap_other, prior_sample], attributes2, real_label=0.9)
        self.train_classifiers(self.mean, self.z, attributes, step)
        self.optimizer_g.apply(gradients, self.generator_weights)

    def train_classifiers(self, mean, z, labels, step):
        self.centre = 0.95 * self.centre + 0.05 * mean.numpy().mean(0)
        self.variance = 0.95 * self.variance + 0.05 * mean.numpy().var(0)
        self.kept = [*self.kept, None] if len(self.kept) < 2 else self.kept
        self.kept[step % 2] = (mean, z, labels)
        kept = [np.concatenate(column) for column in zip(*self.kept, strict=True)]
        weights = self.on_mean.trainable_variables + self.on_sample.trainable_variables
        for update in range(2):
            seed = step_seed(3, step) + update
            drawn = tf.random.stateless_uniform((BATCH,), seed, 0, len(kept[0]) // 3, tf.int32).numpy()
            rows = [drawn // BATCH * 3 * BATCH + drawn % BATCH + member * BATCH for member in range(3)]
            rows = np.concatenate(rows)
            codes = [np.concatenate([now, past[rows]]) for now, past in zip((mean, z, labels), kept, strict=True)]
            with tf.GradientTape() as tape:
                loss = -sum(self.classify(*codes))
            self.optimizer_c.apply(tape.gradient(loss, weights), weights)


WEIGHTS = {"swap_same_weight": 0.9, "kl_weight": 0.3, "swap_other_weight": 0.2, "prior_sample_weight": 0.1}


def optimizer():
    """Sensitive to the gradients' scale, as Adam is not, and with a state, as plain SGD is not."""
    return keras.optimizers.SGD(0.05, momentum=0.9)


def check_same_weights(model, plain_model, before):
    compared = [
        (model.generator_variables, plain_model.generator_variables),
        (model.encoder.non_trainable_variables, plain_model.encoder.non_trainable_variables),
        (model.decoder.non_trainable_variables, plain_model.decoder.non_trainable_variables),
        (model.adversary.trainable_variables, plain_model.adversary.trainable_variables),
    ]
    if model.active.latent_adversary:
        compared.append((model.latent_adversary.trainable_variables, plain_model.latent_adversary.trainable_variables))
    for variables, plain_variables in compared:
        for variable, plain in zip(variables, plain_variables, strict=True):
            np.testing.assert_allclose(variable, plain, rtol=0, atol=1e-5, err_msg=variable.path)
    moved = [
        np.abs(variable.numpy() - value).max()
        for variable, value in zip(model.generator_variables, before, strict=True)
    ]
    assert min(moved) > 1e-4  # ten times the tolerance


@pytest.mark.parametrize("mode", ["paper", "additions"])
def test_fused_step_is_algorithm_1(mode, tiny_model, triplet_batch, additions):
    flags = WEIGHTS | (additions if mode == "additions" else {}) | {"batch_size": BATCH, "z_dim": Z_DIM, "seed": SEED}
    model, plain_model = tiny_model(**flags), tiny_model(**flags)
    model.compile(optimizer(), optimizer(), optimizer())
    plain = Plain(plain_model) if mode == "paper" else PlainWithAdditions(plain_model, frozen=tiny_model(**flags))
    before = [variable.numpy() for variable in model.generator_variables]
    for step in range(STEPS):
        batch = triplet_batch(BATCH, seed=step)
        model.train_step(batch)
        plain.step(batch, step)
    check_same_weights(model, plain_model, before)


def test_terms_that_read_every_z_leave_the_decoded_pairs_as_the_paper_has_them(tiny_model, triplet_batch):
    """As our own run files: z of all three images is there, but only z1 and the prior's are decoded."""
    model = tiny_model(mean_kernel_weight=0.3, z_dim=Z_DIM, seed=SEED)
    s, z = tf.random.stateless_normal((3 * BATCH, 5), (0, 0)), tf.random.stateless_normal((3 * BATCH, Z_DIM), (0, 1))
    (s1, s1_same, s2), z1 = np.split(s, 3), z[:BATCH]
    noise = Noise(SEED, tf.constant(0, tf.int64), read(triplet_batch(BATCH)), Z_DIM)
    decoded = model.decode_pairs(s, z, noise)
    codes = np.concatenate([z1, z1, z1, normal(1, 0, BATCH)]), np.concatenate([s1, s1_same, s2, s2])
    expected = model.decoder(*codes, training=True)
    np.testing.assert_allclose(np.concatenate(decoded), expected, rtol=0, atol=1e-5)
