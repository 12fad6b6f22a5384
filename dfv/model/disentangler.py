"""The model: Algorithm 1 as a Keras model's train_step."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from dfv.config.schema import Config, ConfigError
from dfv.model import optimizers, replicas
from dfv.model.codec import Codec
from dfv.model.codes import Codes, Posterior, kl_to_prior, sample
from dfv.model.losses import algorithm1 as losses
from dfv.model.losses.independence import ZClassifiers, ZPairCritics, kernel_on_means, prior_per_identity
from dfv.model.networks import Adversary, ImageShape
from dfv.model.step_metrics import FirstNonFinite, TermMeans
from dfv.model.triplet_batch import REPLAY_DRAWS, Noise, Triplet, read

Terms = dict[str, tf.Tensor]


class Decoded(NamedTuple):
    """The images of one decoder pass, float32 in [-1, 1]; empty where no loss asks for them."""

    reconstruction: tf.Tensor
    swap_same: tf.Tensor
    swap_other: tf.Tensor
    prior_sample: tf.Tensor


class Verdict(NamedTuple):
    """The adversary's logits [B] on real images and on generated ones; None where no loss asks for them."""

    real: tf.Tensor
    swap_other: tf.Tensor
    prior_sample: tf.Tensor


@keras.saving.register_keras_serializable("dfv")
class Disentangler(Codec):
    """A codec that learns from triplets (x1, x1', x2): x1 and x1' share an identity, x2 has another.

    `fit` takes elements as `dfv.data.pipeline` makes them: a dict of x1, x1_same, x2 [B, H, W, C] uint8 and
    labels1, labels2 [B, L] int32.
    """

    def __init__(self, config: Config, image_shape: ImageShape, label_sizes: tuple[int, ...], **kwargs: Any):
        super().__init__(config, image_shape, label_sizes, **kwargs)
        self.means = TermMeans(self._term_names(), name="training")
        self.validation_means = TermMeans(("reconstruction", "swap_same", "kl"), name="validation")
        self.first_non_finite = FirstNonFinite()

    @property
    def has_adversary(self) -> bool:
        """Whether a loss asks the adversary."""
        return self.config.loss.swap_other_weight > 0 or self.config.loss.prior_sample_weight > 0

    @property
    def judges_pairs(self) -> bool:
        """Whether the adversary sees a real image of the identity beside the one it judges, instead of tables."""
        return self.config.network.adversary_labels == "pair"

    @property
    def has_prior_samples(self) -> bool:
        """Whether a loss looks at images with z from the prior."""
        loss = self.config.loss
        return loss.prior_sample_weight > 0 or self.has_adversary and loss.adversary_sees_prior_samples

    @property
    def has_z_classifiers(self) -> bool:
        """Whether the third player takes part."""
        return self.config.loss.latent_adversary_weight > 0

    @property
    def num_z(self) -> int:
        """Of how many of a triplet's images z is used: x1 alone in the paper, all three by our additions."""
        loss = self.config.loss
        terms = loss.identity_mmd_weight, loss.mean_kernel_weight, loss.latent_adversary_weight
        return 3 if loss.reconstruct_all or any(terms) else 1

    def _build_networks(self, dtype: str) -> None:
        super()._build_networks(dtype)
        network, loss, training = self.config.network, self.config.loss, self.config.training
        if self.has_adversary:
            columns = self._columns("adversary_labels", network.adversary_labels)
            self.adversary_columns = slice(0) if self.judges_pairs else columns
            sizes = self.label_sizes[self.adversary_columns]
            height, breadth, channels = self.image_shape
            seen = (height, breadth, (1 + self.judges_pairs) * channels)
            self.adversary = Adversary(network, seen, sizes, dtype)
        if self.has_z_classifiers:
            self.z_classifier_columns = self._columns("latent_adversary_labels", loss.latent_adversary_labels)
            sizes = self.label_sizes[self.z_classifier_columns]
            kind = ZPairCritics if loss.latent_adversary_labels == "pair" else ZClassifiers
            self.z_classifiers = kind(network.z_dim, sizes, loss.num_replay_batches, 3 * training.batch_size)

    def _columns(self, flag: str, kind: str) -> slice:
        if kind == "attributes" and len(self.label_sizes) == 1:
            raise ConfigError(f"--{flag}=attributes needs a set with attributes; this one has none. Use identity.")
        return slice(1, None) if kind == "attributes" else slice(0, 1)

    def _term_names(self) -> list[str]:
        names = list(self.term_weights())
        if self.has_adversary:
            names += ["adversary_on_real", "adversary_on_fakes", "adversary_accuracy"]
        if self.has_z_classifiers:
            names += ["z_classifier_on_mean", "z_classifier_on_sample"]
        return names

    def term_weights(self) -> dict[str, float]:
        """The weight of each term of the generator's loss, those of weight 0 left out."""
        loss = self.config.loss
        weights = {
            "reconstruction": loss.reconstruction_weight,
            "swap_same": loss.swap_same_weight,
            "kl": loss.kl_weight,
            "swap_other": loss.swap_other_weight,
            "prior_sample": loss.prior_sample_weight,
            "prior_per_identity": loss.identity_mmd_weight,
            "kernel": loss.mean_kernel_weight,
            "z_classifier": loss.latent_adversary_weight,
        }
        return {name: weight for name, weight in weights.items() if weight > 0}

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        adversary_optimizer: keras.optimizers.Optimizer | None = None,
        z_classifier_optimizer: keras.optimizers.Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Gives each player its optimizer, the config's by default. Call it in the strategy's scope."""
        training, updates = self.config.training, self.config.loss.num_latent_adversary_updates
        self.generator_optimizer = generator_optimizer or optimizers.generator_optimizer(training)
        self.generator_optimizer.build(self.generator_variables)
        if self.has_adversary:
            self.adversary_optimizer = adversary_optimizer or optimizers.adversary_optimizer(training)
            self.adversary_optimizer.build(self.adversary.trainable_variables)
        if self.has_z_classifiers:
            default = optimizers.z_classifier_optimizer(training, updates)
            self.z_classifier_optimizer = z_classifier_optimizer or default
            self.z_classifier_optimizer.build(self.z_classifiers.trainable_variables)
        # Keras' callbacks look for `optimizer`; left out, compile() would make a stray RMSprop.
        super().compile(optimizer=self.generator_optimizer, **{"jit_compile": training.jit_compile, **kwargs})

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """What encoder and decoder learn."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables

    def train_step(self, data: dict[str, tf.Tensor]) -> Terms:
        """One step of Algorithm 1, fused: the players share the passes, each loss is differentiated for its own."""
        triplet, step = read(data), tf.identity(self.generator_optimizer.iterations.value)
        noise = Noise(self.config.training.seed, step, triplet, self.z_dim)
        with tf.GradientTape(persistent=True) as tape:
            codes = self.encoder(triplet.images, training=True, z_of=self.num_z * tf.shape(triplet.x1)[0])
            z = sample(codes.z, noise.posterior(self.num_z))
            decoded = self.decode_pairs(codes.s, z, noise)
            verdict = self.judge(triplet, decoded)
            terms = self._generator_terms(triplet, codes, z, decoded, verdict, noise)
            adversary_terms = self._adversary_terms(verdict)
            # Optimizers sum the gradients of the replicas.
            generator_loss = replicas.share([weight * terms[name] for name, weight in self.term_weights().items()])
            adversary_loss = replicas.share(list(adversary_terms.values()))

        gradients = tape.gradient(generator_loss, self.generator_variables)
        self.generator_optimizer.apply(gradients, self.generator_variables)
        if self.has_adversary:
            gradients = tape.gradient(adversary_loss, self.adversary.trainable_variables)
            terms |= adversary_terms | self._train_adversary(gradients, verdict)
        if self.has_z_classifiers:
            terms |= self._train_z_classifiers(triplet, codes, z, step, noise)
        return self._report(terms, step)

    def decode_pairs(self, s: tf.Tensor, z: tf.Tensor, noise: Noise) -> Decoded:
        """Every image that a loss asks for, in one pass of the decoder.

        A code goes through its own layer once, however many pairs (z, s) it is in: from there on, a pair is a sum.
        """
        drawn = [noise.prior()] if self.has_prior_samples else []
        of_z = self.decoder.from_z(tf.concat([z, *drawn], 0), training=True)
        (z1, *others), (s1, s1_same, s2) = tf.split(of_z, self.num_z + len(drawn)), tf.split(self.decoder.from_s(s), 3)
        reconstruction, swap_same = [z1 + s1], [z1 + s1_same]
        if self.config.loss.reconstruct_all:
            z1_same, z2 = others[:2]
            reconstruction += [z1_same + s1_same, z2 + s2]
            swap_same.append(z1_same + s1)
        swap_other = [z1 + s2] if self.has_adversary else []
        pairs = Decoded(reconstruction, swap_same, swap_other, [others[-1] + s2] if drawn else [])
        images = self.decoder.images(tf.concat([pair for group in pairs for pair in group], 0), training=True)
        sizes = [len(group) * tf.shape(s1)[0] for group in pairs]
        return Decoded(*tf.split(images, sizes, num=len(sizes)))

    def judge(self, triplet: Triplet, decoded: Decoded) -> Verdict:
        """The adversary's view: each kind of image is a batch of its own to BatchNorm, as in DCGAN."""
        if not self.has_adversary:
            return Verdict(None, None, None)
        maps = self.adversary.maps(triplet.labels2[:, self.adversary_columns])
        fakes = [decoded.swap_other] + [decoded.prior_sample] * self.has_prior_samples
        if self.judges_pairs:
            # A generated image beside the one that gave its s, a real one beside another of its identity.
            pairs = [(triplet.x1, triplet.x1_same), *((fake, triplet.x2) for fake in fakes)]
            views = [tf.concat(pair, -1) for pair in pairs]
        else:
            views = [triplet.x2, *fakes]
        logits = [self.adversary.logits(view, maps, training=True) for view in views]
        return Verdict(*logits, *[None] * (3 - len(logits)))

    def _generator_terms(
        self, triplet: Triplet, codes: Codes, z: tf.Tensor, decoded: Decoded, verdict: Verdict, noise: Noise
    ) -> Terms:
        """Every term of the generator's loss that has a weight, scalars."""
        both_ways, batch = self.config.loss.reconstruct_all, tf.shape(triplet.x1)[0]
        originals = triplet.images if both_ways else triplet.x1
        posterior = codes.z if both_ways else Posterior(*(part[:batch] for part in codes.z))
        terms: dict[str, Callable[[], tf.Tensor]] = {
            "reconstruction": lambda: losses.squared_error(decoded.reconstruction, originals),
            "swap_same": lambda: losses.squared_error(decoded.swap_same, originals[: tf.shape(decoded.swap_same)[0]]),
            "kl": lambda: kl_to_prior(posterior) / math.prod(self.image_shape),
            "swap_other": lambda: losses.adversarial_loss(verdict.swap_other),
            "prior_sample": lambda: losses.adversarial_loss(verdict.prior_sample),
            "prior_per_identity": lambda: prior_per_identity(
                replicas.gather(z), replicas.gather(triplet.labels[:, 0]), noise.prior_of_global_batch()
            ),
            "kernel": lambda: kernel_on_means(replicas.gather(codes.z.mean), replicas.gather(triplet.labels[:, 0])),
            "z_classifier": lambda: tf.add_n(
                [tf.reduce_mean(log_prob) for log_prob in self.z_classifiers(*self._z_and_labels(triplet, codes, z))]
            ),
        }
        return {name: tf.reduce_mean(terms[name]()) for name in self.term_weights()}

    def _z_and_labels(self, triplet: Triplet, codes: Codes, z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What the third player reads of the global batch: means, samples, labels."""
        labels = triplet.labels[:, self.z_classifier_columns]
        return replicas.gather(codes.z.mean), replicas.gather(z), replicas.gather(labels)

    def _adversary_terms(self, verdict: Verdict) -> Terms:
        """Both terms of the adversary's own loss, scalars; half of the fakes are prior samples if it sees them."""
        if not self.has_adversary:
            return {}
        fakes = [verdict.swap_other]
        if self.config.loss.adversary_sees_prior_samples:
            fakes.append(verdict.prior_sample)
        on_real = losses.adversary_loss_on_real(verdict.real, self.config.loss.real_label)
        on_fakes = losses.adversary_loss_on_fakes(tf.concat(fakes, 0))
        return {"adversary_on_real": tf.reduce_mean(on_real), "adversary_on_fakes": tf.reduce_mean(on_fakes)}

    def _train_adversary(self, gradients: list[tf.Tensor], verdict: Verdict) -> Terms:
        """Updates the adversary alone, unless it is too far ahead."""
        variables, limit = self.adversary.trainable_variables, self.config.loss.adversary_max_accuracy
        # As slices, Keras' Adam would square the gradients of a label's images one by one, not their sum.
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        right = tf.concat([verdict.real > 0, verdict.swap_other < 0], 0)
        accuracy = replicas.mean_over_replicas(tf.reduce_mean(tf.cast(right, tf.float32)))
        if limit < 1:
            optimizers.apply_where(accuracy <= limit, self.adversary_optimizer, gradients, variables)
        else:
            self.adversary_optimizer.apply(gradients, variables)
        return {"adversary_accuracy": accuracy}

    def _train_z_classifiers(
        self, triplet: Triplet, codes: Codes, z: tf.Tensor, step: tf.Tensor, noise: Noise
    ) -> Terms:
        """Updates the classifiers on z alone, on the codes of the global batch and on kept ones."""
        on_mean, on_sample = self.z_classifiers.learn(
            self._z_and_labels(triplet, codes, z),
            self.z_classifier_optimizer,
            self.config.loss.num_latent_adversary_updates,
            step,
            noise.seed(REPLAY_DRAWS),
        )
        return {"z_classifier_on_mean": on_mean, "z_classifier_on_sample": on_sample}

    def _report(self, terms: Terms, step: tf.Tensor) -> Terms:
        values = tf.stack([terms[name] for name in self.means.names])
        self.means.update_state(values)
        self.first_non_finite(replicas.mean_over_replicas(values), step)
        return self.means.result()

    def test_step(self, data: dict[str, tf.Tensor]) -> Terms:
        """Errors and KL on a batch of triplets, from the mean of z."""
        triplet = read(data)
        s, posterior = self.encoder(triplet.images)
        (s1, s1_same, _), z1 = tf.split(s, 3), tf.split(posterior.mean, 3)[0]
        errors = [losses.squared_error(self.decoder(z1, code), triplet.x1) for code in (s1, s1_same)]
        kl = kl_to_prior(posterior) / math.prod(self.image_shape)
        self.validation_means.update_state(tf.stack([tf.reduce_mean(term) for term in (*errors, kl)]))
        return self.validation_means.result()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.means, self.validation_means]

    def get_metrics_result(self) -> Terms:
        # Training and validation share names: what each step returns is the result, not the union.
        return {}

    def get_compile_config(self) -> dict[str, Any]:
        names = ("generator_optimizer", "adversary_optimizer", "z_classifier_optimizer")
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names if hasattr(self, name)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})
