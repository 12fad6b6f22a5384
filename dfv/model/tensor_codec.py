"""Encoder, latent transform and decoder as one Keras model of tensors."""

import dataclasses
from typing import Any, Self

import h5py
import keras
import tensorflow as tf

from dfv.config.renamed import current_names
from dfv.config.schema import Config
from dfv.model.codes import Codes, Posterior, prior_samples
from dfv.model.conversions import check_shapes, float_images
from dfv.model.latent.file_migration import is_earlier_layout, migrated
from dfv.model.latent.stages.codebook import Codebook
from dfv.model.latent.transform import LatentTransform
from dfv.model.layers.convolution_stacks import ImageShape
from dfv.model.layers.dtype_policy import float32_policy
from dfv.model.layers.seeding import seeded
from dfv.model.networks import Decoder, Encoder, PretrainedSEncoder


class TensorCodec(keras.Model):
    """What a `dfv.Codec` computes, as functions of tensors; see there for the arguments.

    Images are [B, H, W, C] float32 in [-1, 1], s [B, s_dim] and z [B, z_dim] float32.
    """

    def __init__(
        self,
        config: Config,
        image_shape: ImageShape,
        label_sizes: tuple[int, ...],
        pca_is_folded: bool = False,
        **kwargs: Any,
    ):
        check_shapes(image_shape, label_sizes)
        super().__init__(**{"dtype": "float32", **kwargs})
        self.config, self.image_shape, self.label_sizes = config, image_shape, label_sizes
        self.pca_is_folded = pca_is_folded
        with float32_policy(), seeded(config.training.seed):
            self._build_networks("mixed_bfloat16" if config.training.mixed_precision else "float32")
        self.built = True

    def _build_networks(self, dtype: str) -> None:
        network, latent = self.config.network, self.config.latent
        if self.pca_is_folded:
            network = dataclasses.replace(network, z_dim=min(latent.pca_dim, network.z_dim))
        encoder = PretrainedSEncoder if self.config.training.pretrain_s_steps else Encoder
        self.encoder = encoder(network, self.image_shape, dtype)
        self.decoder = Decoder(network, self.image_shape, dtype, z_bias=self.pca_is_folded)
        with seeded(0):  # the networks built after it start as without it
            self.latent = LatentTransform(latent, network.s_dim, network.z_dim, self.pca_is_folded)

    @property
    def z_dim(self) -> int:
        """Dimension of z at inference; `config.network.z_dim` until the latent transform is fitted."""
        return self.latent.output_dim if self.latent.is_fitted() else self.config.network.z_dim

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns reconstructions [B, H, W, C] float32 in [-1, 1] of images, float32 in [-1, 1] or uint8.

        training: whether BatchNorm uses batch statistics.
        """
        images = float_images(images, self.image_shape)
        s, posterior = self.latent.forward(self.encoder(images, training=training))
        return self.decoder(self.latent.inverse(posterior.mean, s), s, training=training)

    def encoded(self, images: tf.Tensor) -> Codes:
        """Returns s and the posterior of z of images."""
        return self.latent.forward(self.encoder(images))

    def decoded(self, s: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        """Returns images decoded from s and z."""
        return self.decoder(self.latent.inverse(z, s), s)

    def swapped(self, images_s: tf.Tensor, images_z: tf.Tensor) -> tf.Tensor:
        """Returns images decoded from the s of `images_s` and the z of `images_z`."""
        return self.decoded(self.encoded(images_s).s, self.encoded(images_z).z.mean)

    def sampled(self, images_s: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
        """Returns images with the s of `images_s` and z of the prior; a seed [B] int64 for each row."""
        return self.decoded(self.encoded(images_s).s, self.prior_samples(seeds))

    def prior_samples(self, seeds: tf.Tensor) -> tf.Tensor:
        """`z_of_noise` of N(0, I), [B, z_dim] float32, row i a function of seeds[i] ([B] int64) alone."""
        # As many numbers as raw z has, so that a seed's sample does not depend on what the transform keeps.
        return self.z_of_noise(prior_samples(seeds, self.config.network.z_dim)[:, : self.z_dim])

    def z_of_noise(self, noise: tf.Tensor) -> tf.Tensor:
        """z at inference for noise [B, z_dim] float32 from N(0, I): the noise or, with a codebook, the nearest entries.

        Other z than the entries never occur in images, and are decoded to images of lower quality.
        """
        codebook = self.latent.quantizer
        if not isinstance(codebook, Codebook) or not self.latent.is_fitted():
            return noise
        log_var = self.latent.shared_log_var(self.encoder.shared_log_var)
        return codebook.forward(Posterior(noise, log_var), None).mean

    def interpolated(
        self, images_a: tf.Tensor, images_b: tf.Tensor, weight_s: tf.Tensor, weight_z: tf.Tensor
    ) -> tf.Tensor:
        """Returns images with s and z interpolated from a (weight 0) to b (weight 1); weights [B] float32."""
        a, b = self.encoded(images_a), self.encoded(images_b)
        s = a.s + weight_s[:, None] * (b.s - a.s)
        z = a.z.mean + weight_z[:, None] * (b.z.mean - a.z.mean)
        return self.decoded(s, z)

    def get_config(self) -> dict[str, Any]:
        flags = {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.config.as_flags().items()
        }
        shapes = {"image_shape": list(self.image_shape), "label_sizes": list(self.label_sizes)}
        return {"flags": flags, **shapes, "pca_is_folded": self.pca_is_folded}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        shapes = tuple(config["image_shape"]), tuple(config["label_sizes"])
        # Files of the first version do not say whether PCA is folded.
        return cls(
            Config.of(**current_names(config["flags"])), *shapes, pca_is_folded=config.get("pca_is_folded", False)
        )

    def load_own_variables(self, store: Any) -> None:
        """Keras calls it first of all layers' when it loads a file, which it then reads in today's layout."""
        super().load_own_variables(store)
        if isinstance(getattr(store, "h5_file", None), h5py.File) and is_earlier_layout(store.h5_file):
            store.h5_file = migrated(store.h5_file, self.latent.output_dim)
