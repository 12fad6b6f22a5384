"""Encoder and decoder in use: codes, swaps, samples and interpolations of NumPy images."""

from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from dfv.config.renamed import current_names
from dfv.config.schema import Config
from dfv.model.codes import Codes, Posterior, prior_samples
from dfv.model.networks import Decoder, Encoder, ImageShape, PretrainedSEncoder, seeded

BATCH = 256


def to_float(images: tf.Tensor) -> tf.Tensor:
    """uint8 pixels 0 to 255 as float32 in [-1, 1]."""
    return tf.cast(images, tf.float32) / 127.5 - 1.0


def to_uint8(images: tf.Tensor) -> tf.Tensor:
    """float32 in [-1, 1] as uint8 pixels, rounded."""
    return tf.cast(tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


@keras.saving.register_keras_serializable("dfv")
class Codec(keras.Model):
    """Encoder and decoder, all that a trained model is used through.

    config: the flags of its run, dimensions among them; see `dfv.Config`.
    image_shape: (H, W, C) of the images.
    label_sizes: the number of classes of each column of the labels: the identity, then each attribute.

    Images are [N, H, W, C] uint8 of the model's image shape, in batches of any size; a ValueError names what came
    instead. z is the posterior's mean wherever it comes from an image.
    """

    def __init__(self, config: Config, image_shape: ImageShape, label_sizes: tuple[int, ...], **kwargs: Any):
        super().__init__(**kwargs)
        self.config, self.image_shape, self.label_sizes = config, image_shape, label_sizes
        self.z_dim = config.network.z_dim
        with seeded(config.training.seed):
            self._build_networks("mixed_bfloat16" if config.training.mixed_precision else "float32")
        self.built = True

    def _build_networks(self, dtype: str) -> None:
        encoder = PretrainedSEncoder if self.config.training.pretrain_s_steps else Encoder
        self.encoder = encoder(self.config.network, self.image_shape, dtype, self.config.latent)
        self.decoder = Decoder(self.config.network, self.image_shape, dtype, self.encoder.axes, self.encoder.flow)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reconstructions [B, H, W, C] of images, both float32 in [-1, 1]."""
        codes = self.encoder(images, training=training)
        return self.decoder(codes.z.mean, codes.s, training=training)

    def swapped(self, images_s: tf.Tensor, images_z: tf.Tensor) -> tf.Tensor:
        """`swap` of tensors [B, H, W, C], float32 in [-1, 1] in and out, as are those of the next two."""
        return self.decoder(self.encoder(images_z).z.mean, self.encoder(images_s).s)

    def sampled(self, images_s: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
        """`sample` of tensors; a seed [B] int64 for each row."""
        return self.decoder(prior_samples(seeds, self.z_dim), self.encoder(images_s).s)

    def interpolated(
        self, images_a: tf.Tensor, images_b: tf.Tensor, weight_s: tf.Tensor, weight_z: tf.Tensor
    ) -> tf.Tensor:
        """`interpolate` of tensors; weights [B] float32."""
        a, b = self.encoder(images_a), self.encoder(images_b)
        s = a.s + weight_s[:, None] * (b.s - a.s)
        z = a.z.mean + weight_z[:, None] * (b.z.mean - a.z.mean)
        return self.decoder(z, s)

    def encode(self, images: np.ndarray) -> Codes:
        """s [N, s_dim], and the posterior's mean and log-variance of z [N, z_dim], NumPy float32."""
        s, mean, log_var = self._in_batches(self._encode, self._checked(images))
        return Codes(s, Posterior(mean, log_var))

    def decode(self, s: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Images [N, H, W, C] uint8 of s [N, s_dim] and z [N, z_dim] float32."""
        return self._in_batches(self._decode, np.asarray(s, np.float32), np.asarray(z, np.float32))[0]

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Images from their own s and z."""
        return self._in_batches(self._reconstruct, self._checked(images))[0]

    def swap(self, images_s: np.ndarray, images_z: np.ndarray) -> np.ndarray:
        """Images [N, H, W, C] uint8 with the s of the first and the z of the second."""
        return self._in_batches(self._swap, self._checked(images_s), self._checked(images_z))[0]

    def sample(self, images_s: np.ndarray, seed: int | np.ndarray) -> np.ndarray:
        """Images uint8 with the s of `images_s` and z ~ N(0, I); a seed for each row, or the first row's, then up."""
        images_s = self._checked(images_s)
        seeds = np.asarray(seed, np.int64)
        seeds = seeds + np.arange(len(images_s)) if seeds.ndim == 0 else seeds
        return self._in_batches(self._sample, images_s, seeds)[0]

    def interpolate(
        self, images_a: np.ndarray, images_b: np.ndarray, weight_s: np.ndarray, weight_z: np.ndarray
    ) -> np.ndarray:
        """Images uint8 with s and z on the line from a's (weight 0) to b's (weight 1); a weight [N] for each row."""
        weights = (np.broadcast_to(np.float32(weight), len(images_a)) for weight in (weight_s, weight_z))
        return self._in_batches(self._interpolate, self._checked(images_a), self._checked(images_b), *weights)[0]

    @tf.function(autograph=False, reduce_retracing=True)
    def _encode(self, images: tf.Tensor) -> tuple[tf.Tensor, ...]:
        s, (mean, log_var) = self.encoder(to_float(images))
        return s, mean, log_var

    @tf.function(autograph=False, reduce_retracing=True)
    def _decode(self, s: tf.Tensor, z: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (to_uint8(self.decoder(z, s)),)

    @tf.function(autograph=False, reduce_retracing=True)
    def _reconstruct(self, images: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (to_uint8(self(to_float(images))),)

    @tf.function(autograph=False, reduce_retracing=True)
    def _swap(self, images_s: tf.Tensor, images_z: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (to_uint8(self.swapped(to_float(images_s), to_float(images_z))),)

    @tf.function(autograph=False, reduce_retracing=True)
    def _sample(self, images_s: tf.Tensor, seeds: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (to_uint8(self.sampled(to_float(images_s), seeds)),)

    @tf.function(autograph=False, reduce_retracing=True)
    def _interpolate(self, images_a: tf.Tensor, images_b: tf.Tensor, *weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (to_uint8(self.interpolated(to_float(images_a), to_float(images_b), *weights)),)

    def _in_batches(self, function: Callable, *arrays: np.ndarray) -> list[np.ndarray]:
        lengths = {len(array) for array in arrays}
        if len(lengths) > 1:
            raise ValueError(f"expected as many rows in every argument; received {[len(array) for array in arrays]}.")
        num_rows = lengths.pop()
        if num_rows == 0:  # TensorFlow's convolutions refuse a batch of none.
            arrays = tuple(np.zeros((1, *array.shape[1:]), array.dtype) for array in arrays)
        starts = range(0, max(num_rows, 1), BATCH)
        parts = [function(*(tf.convert_to_tensor(array[i : i + BATCH]) for array in arrays)) for i in starts]
        return [np.concatenate([part.numpy() for part in column])[:num_rows] for column in zip(*parts, strict=True)]

    def _checked(self, images: Any) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape or images.ndim != 4:
            expected = ", ".join(map(str, self.image_shape))
            raise ValueError(f"expected images [N, {expected}] uint8; received {list(images.shape)} {images.dtype}.")
        return images

    def get_config(self) -> dict[str, Any]:
        flags = {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.config.as_flags().items()
        }
        return {"flags": flags, "image_shape": list(self.image_shape), "label_sizes": list(self.label_sizes)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(
            Config.of(**current_names(config["flags"])), tuple(config["image_shape"]), tuple(config["label_sizes"])
        )
