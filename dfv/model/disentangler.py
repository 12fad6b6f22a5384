"""The model: Algorithm 1 as a Keras model's train_step."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from dfv.config.schema import Config, ConfigError
from dfv.model import optimizers, replicas
from dfv.model.codes import Codes, Posterior, sample
from dfv.model.decoded_pairs import DecodedPairs, decode_pairs
from dfv.model.layers.convolution_stacks import ImageShape
from dfv.model.losses import adversarial
from dfv.model.losses.active import ActiveLosses
from dfv.model.losses.adversarial import AdversaryLogits
from dfv.model.losses.adversary_augmentation import NUM_DRAWS, augment
from dfv.model.losses.identity_classifier import IdentityClassifier
from dfv.model.losses.latent_adversary import LatentAdversary, LatentBatch
from dfv.model.losses.mmd import identity_mmd, mean_kernel
from dfv.model.losses.pair_critic import PairCritic
from dfv.model.losses.reconstruction import kl_to_prior, squared_error
from dfv.model.losses.term_metrics import FirstNonFinite, TermMeans
from dfv.model.networks import Adversary
from dfv.model.triplet_batch import REPLAY_DRAWS, Noise, Triplet, read
from dfv.model.triplet_model import TripletModel

Terms = dict[str, tf.Tensor]
VALIDATION_TERMS = ("reconstruction", "swap_same", "kl")


@keras.saving.register_keras_serializable("dfv")
class Disentangler(TripletModel):
    """A codec that learns from triplets (x1, x1', x2): x1 and x1' have the same identity, x2 another one.

    `fit` and `evaluate` take batches as `dfv.triplets` makes them: a dict of x1, x1_same, x2 [B, H, W, C] uint8 and
    labels1, labels2 [B, L] of any integer type, in any form that Keras accepts.

    image_shape, label_sizes: `splits.train.image_shape`, `(height, width, channels)`, and `splits.label_sizes`, the
    number of identities in training, then of values of each attribute. Raises ValueError for other shapes, and
    ConfigError if the config conditions on attributes and there are none.
    """

    def __init__(self, config: Config, image_shape: ImageShape, label_sizes: tuple[int, ...], **kwargs: Any):
        super().__init__(config, image_shape, label_sizes, **kwargs)
        self.means = TermMeans(self.active.term_names, name="training")
        self.validation_means = [keras.metrics.Mean(name) for name in ("loss", *VALIDATION_TERMS)]
        self.first_non_finite = FirstNonFinite()

    def _build_networks(self, dtype: str) -> None:
        super()._build_networks(dtype)
        self.active = ActiveLosses(self.config)
        network, loss, training = self.config.network, self.config.loss, self.config.training
        if self.active.adversary:
            columns = self._columns("adversary_labels", network.adversary_labels)
            self.adversary_columns = slice(0) if self.active.adversary_compares_pairs else columns
            sizes = self.label_sizes[self.adversary_columns]
            height, breadth, channels = self.image_shape
            seen = (height, breadth, (1 + self.active.adversary_compares_pairs) * channels)
            self.adversary = Adversary(network, seen, sizes, dtype)
        if self.active.identity_classifier:
            self.identity_classifier = IdentityClassifier(network.s_dim, self.label_sizes[0])
        if self.active.latent_adversary:
            self.latent_adversary_columns = self._columns("latent_adversary_labels", loss.latent_adversary_labels)
            sizes = self.label_sizes[self.latent_adversary_columns]
            kind = PairCritic if loss.latent_adversary_labels == "pair" else LatentAdversary
            self.latent_adversary = kind(network.z_dim, sizes, loss.num_replay_batches, 3 * training.batch_size)

    def _columns(self, flag: str, kind: str) -> slice:
        if kind == "attributes" and len(self.label_sizes) == 1:
            raise ConfigError(f"--{flag}=attributes needs a data set with attributes; this one has none. Use identity.")
        return slice(1, None) if kind == "attributes" else slice(0, 1)

    def player_variables(self) -> dict[str, list[keras.Variable]]:
        """Trainable variables of each player, by name; players that no loss needs are omitted."""
        variables = {"generator": self.generator_variables}
        if self.active.adversary:
            variables["adversary"] = self.adversary.trainable_variables
        if self.active.latent_adversary:
            variables["latent_adversary"] = self.latent_adversary.trainable_variables
        return variables

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """Trainable variables of encoder and decoder, and of the identity classifier if a loss needs it."""
        variables = self.encoder.trainable_variables + self.decoder.trainable_variables
        return variables + (self.identity_classifier.trainable_variables if self.active.identity_classifier else [])

    def train_step(self, data: dict[str, tf.Tensor]) -> Terms:
        """One iteration of Algorithm 1, in which all losses share one pass of each network.

        The noise is a function of (seed, step, position in the global batch); the step is the number of the
        generator's updates so far.
        """
        # Algorithm 1: sample a triplet (x1, x1', x2), in which x1 and x1' share their identity.
        triplet, step = read(self.triplet_format.checked(data)), tf.identity(self.generator_optimizer.iterations.value)
        noise = Noise(self.config.training.seed, step, triplet, self.config.network.z_dim)
        with tf.GradientTape(persistent=True) as tape:
            # Algorithm 1: encode the images and sample z ~ q(z | x).
            codes = self.encoder(triplet.images, training=True, z_of=self.active.num_z * tf.shape(triplet.x1)[0])
            z = sample(codes.z, noise.posterior(self.active.num_z))
            # Algorithm 1: decode (z1, s1), (z1, s1'), (z1, s2) and, with z from the prior, (z, s2).
            images = self.decode_pairs(codes.s, z, noise)
            logits = self.adversary_logits(triplet, images, noise)
            latent = self._latent_batch(triplet, codes, z)
            # Algorithm 1: the generator's loss, of reconstruction, same-identity swap, KL and the adversary's answer.
            terms = self._generator_terms(triplet, codes, images, logits, latent, noise)
            generator_loss = replicas.share([weight * terms[name] for name, weight in self.active.weights.items()])
            # Algorithm 1: the adversary's loss, which the generated images enter as constants.
            adversary_terms = self._adversary_terms(logits)
            adversary_loss = replicas.share(list(adversary_terms.values()))

        # Algorithm 1: update encoder and decoder by the generator's loss, the adversary by its own.
        gradients = tape.gradient(generator_loss, self.generator_variables)
        self.generator_optimizer.apply(gradients, self.generator_variables)
        if self.active.adversary:
            gradients = tape.gradient(adversary_loss, self.adversary.trainable_variables)
            terms |= adversary_terms | self._train_adversary(gradients, logits)
        # Not in the paper: classifiers that predict the identity from z.
        if self.active.latent_adversary:
            terms |= self._train_latent_adversary(latent, step, noise)
        return self._report(terms, step)

    def decode_pairs(self, s: tf.Tensor, z: tf.Tensor, noise: Noise) -> DecodedPairs:
        """Decodes every image that a loss needs, in one pass; s [3 B, s_dim], z [num_z B, z_dim]."""
        return decode_pairs(
            self.decoder,
            s,
            z,
            noise.prior() if self.active.prior_samples else None,
            num_z=self.active.num_z,
            reconstruct_all=self.config.loss.reconstruct_all,
            swaps_other=self.active.swaps_other,
        )

    def adversary_logits(self, triplet: Triplet, images: DecodedPairs, noise: Noise) -> AdversaryLogits:
        """The adversary's logits; BatchNorm treats each kind of image as a separate batch, as in DCGAN."""
        if not self.active.adversary:
            return AdversaryLogits(None, None, None)
        maps = self.adversary.maps(triplet.labels2[:, self.adversary_columns])
        fakes = [images.swap_other] + [images.prior_sample] * self.active.prior_samples
        seen: list[tuple[tf.Tensor, ...]] = [(image,) for image in (triplet.x2, *fakes)]
        if self.active.adversary_compares_pairs:
            # A generated image with the one that gave its s, a real one with another of its identity.
            seen = [(triplet.x1, triplet.x1_same), *((fake, triplet.x2) for fake in fakes)]
        if self.config.loss.adversary_augmentation:
            draws = noise.augmentation(len(seen), NUM_DRAWS)
            seen = [tuple(augment(image, draws[kind]) for image in images) for kind, images in enumerate(seen)]
        logits = [self.adversary.logits(tf.concat(images, -1), maps, training=True) for images in seen]
        return AdversaryLogits(*logits, *[None] * (3 - len(logits)))

    def _latent_batch(self, triplet: Triplet, codes: Codes, z: tf.Tensor) -> LatentBatch:
        """z and labels of the global batch, gathered once for all losses that compare codes."""
        if not self.active.independence:
            return LatentBatch(None, None, None)
        return LatentBatch(replicas.gather(codes.z.mean), replicas.gather(z), replicas.gather(triplet.labels))

    def _generator_terms(
        self,
        triplet: Triplet,
        codes: Codes,
        images: DecodedPairs,
        logits: AdversaryLogits,
        latent: LatentBatch,
        noise: Noise,
    ) -> Terms:
        """Every term of the generator's loss that has a weight, scalars."""
        reconstruct_all, batch = self.config.loss.reconstruct_all, tf.shape(triplet.x1)[0]
        originals = triplet.images if reconstruct_all else triplet.x1
        posterior = codes.z if reconstruct_all else Posterior(*(part[:batch] for part in codes.z))
        terms: dict[str, Callable[[], tf.Tensor]] = {
            "reconstruction": lambda: squared_error(images.reconstruction, originals),
            "swap_same": lambda: squared_error(images.swap_same, originals[: tf.shape(images.swap_same)[0]]),
            "kl": lambda: kl_to_prior(posterior) / math.prod(self.image_shape),
            "swap_other": lambda: adversarial.adversarial_loss(logits.swap_other),
            "prior_sample": lambda: adversarial.adversarial_loss(logits.prior_sample),
            "identity_classifier": lambda: self.identity_classifier.loss(codes.s, triplet.labels[:, 0]),
            "swap_identity": lambda: self.identity_classifier.loss_on_images(
                images.swap_other, triplet.labels2[:, 0], self.encoder
            ),
            "identity_mmd": lambda: identity_mmd(latent.sample, latent.identity, noise.prior_of_global_batch()),
            "mean_kernel": lambda: mean_kernel(latent.mean, latent.identity),
            "latent_adversary": lambda: self.latent_adversary.log_likelihood(self._seen_labels(latent)),
        }
        return {name: tf.reduce_mean(terms[name]()) for name in self.active.weights}

    def _seen_labels(self, latent: LatentBatch) -> LatentBatch:
        return latent.label_columns(self.latent_adversary_columns)

    def _adversary_terms(self, logits: AdversaryLogits) -> Terms:
        loss = self.config.loss
        if not self.active.adversary:
            return {}
        return adversarial.adversary_terms(logits, loss.real_label, loss.adversary_sees_prior_samples)

    def _train_adversary(self, gradients: list[tf.Tensor], logits: AdversaryLogits) -> Terms:
        """Updates the adversary alone, unless its accuracy is above `adversary_max_accuracy`."""
        variables, limit = self.adversary.trainable_variables, self.config.loss.adversary_max_accuracy
        # As slices, Keras' Adam would square the gradients of a label's images one by one, not their sum.
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        accuracy = replicas.mean_over_replicas(adversarial.accuracy(logits))
        if limit < 1:
            optimizers.apply_where(accuracy <= limit, self.adversary_optimizer, gradients, variables)
        else:
            self.adversary_optimizer.apply(gradients, variables)
        return {"adversary_accuracy": accuracy}

    def _train_latent_adversary(self, latent: LatentBatch, step: tf.Tensor, noise: Noise) -> Terms:
        """Updates the latent adversary alone, on the codes of the global batch and on those of past batches."""
        updates, seed = self.config.loss.num_latent_adversary_updates, noise.seed(REPLAY_DRAWS)
        optimizer, seen = self.latent_adversary_optimizer, self._seen_labels(latent)
        on_mean, on_sample = self.latent_adversary.learn(seen, optimizer, updates, step, seed)
        return {"latent_adversary_on_mean": on_mean, "latent_adversary_on_sample": on_sample}

    def _report(self, terms: Terms, step: tf.Tensor) -> Terms:
        terms["loss"] = self._weighted_sum(terms)
        values = tf.stack([terms[name] for name in self.means.names])
        self.means.update_state(values)
        self.first_non_finite(replicas.mean_over_replicas(values), step)
        return self.means.result()

    def _weighted_sum(self, terms: Terms) -> tf.Tensor:
        weighted = [weight * terms[name] for name, weight in self.active.weights.items() if name in terms]
        return tf.add_n([tf.zeros(()), *weighted])

    def test_step(self, data: dict[str, tf.Tensor]) -> Terms:
        """Mean errors and KL on triplets, computed with the mean of z at inference; `loss` is their weighted sum."""
        triplet = read(self.triplet_format.checked(data, unseen_identities=True))
        s, posterior = self.encoded(triplet.images)
        (s1, s1_same, _), z1 = tf.split(s, 3), tf.split(posterior.mean, 3)[0]
        errors = [tf.reduce_mean(squared_error(self.decoded(code, z1), triplet.x1)) for code in (s1, s1_same)]
        kl = tf.reduce_mean(kl_to_prior(posterior)) / math.prod(self.image_shape)
        terms = dict(zip(VALIDATION_TERMS, (*errors, kl), strict=True))
        terms["loss"] = self._weighted_sum(terms)
        for mean in self.validation_means:
            mean.update_state(terms[mean.name])
        return {mean.name: mean.result() for mean in self.validation_means}
