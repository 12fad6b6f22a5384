"""A trained model: codes, swaps, samples and interpolations of NumPy images."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dfv.model.codes import Codes, Posterior
from dfv.model.conversions import finite_numbers, is_grouped, row_seeds, to_float, to_uint8, uint8_images
from dfv.model.latent.folding import copy_folded
from dfv.model.latent.transform import NOT_FITTED, State
from dfv.model.tensor_codec import TensorCodec

BATCH = 256


@keras.saving.register_keras_serializable("dfv")
class Codec(TensorCodec):
    """Encoder, latent transform and decoder: images to codes s and z, and back.

    config: the run's options; see `dfv.Config`.
    image_shape: (H, W, C) of the images.
    label_sizes: the number of classes of each column of the labels: the identity, then each attribute.
    pca_is_folded: whether the PCA of the latent transform is part of the networks; see `folded`.

    Images are [N, H, W, C] uint8 of the model's image shape, in batches of any size; anything else
    raises ValueError. The z of an image is its posterior mean.
    `images_s` may also have several images of each identity (section 4.1): [N, K, H, W, C], or a list of N arrays
    [K, H, W, C], where K may differ. The s of an identity is then the mean of the s of its images.
    """

    def compile(self, *args: Any, **options: Any) -> None:
        """Raises NotImplementedError: a codec is for inference; only a `dfv.Disentangler` can be trained."""
        raise NotImplementedError(
            "A trained model, as dfv.load gives it, has no adversary and no optimizers and cannot be compiled or"
            " fitted. Train a dfv.Disentangler, or continue a run from its checkpoints: the command that trained it,"
            " python -m dfv.main with its --run_dir and more --num_steps."
        )

    def save(self, filepath: str | os.PathLike[str], *args: Any, **options: Any) -> None:
        """Saves the model as `keras.Model.save` does; raises ValueError for a file that does not end in .keras."""
        if Path(filepath).suffix != ".keras":
            raise ValueError(
                f"filepath: expected a file that ends in .keras, Keras' format for models of any class; received"
                f" {os.fspath(filepath)!r}. A SavedModel is written by python -m export."
            )
        super().save(filepath, *args, **options)

    def export(self, *args: Any, **options: Any) -> None:
        """Raises NotImplementedError: `python -m export` and `export.export_model` write the SavedModel."""
        raise NotImplementedError(
            "keras.Model.export would write reconstructions alone. Use python -m export --run_dir=RUN"
            " --export_dir=FOLDER, or export.export_model(model, folder): the SavedModel that they write has signatures"
            " to encode, decode, swap, sample and interpolate."
        )

    def encode(self, images: np.ndarray) -> Codes:
        """Returns s [N, s_dim] and the mean and log-variance of the posterior of z [N, z_dim], NumPy float32."""
        s, mean, log_var = self._in_batches(self._encode, uint8_images(images, self.image_shape))
        return Codes(s, Posterior(mean, log_var))

    def encode_s(self, images_s: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Returns s [N, s_dim] float32 of N images, or of N identities with one or more images each."""
        if not is_grouped(images_s):
            return self.encode(np.asarray(images_s)).s
        groups = [uint8_images(images, self.image_shape) for images in images_s]
        counts = [len(images) for images in groups]
        if 0 in counts:
            raise ValueError(
                f"expected at least one image of each identity; received none of identity {counts.index(0)}."
            )
        if not groups:
            return np.zeros((0, self.config.network.s_dim), np.float32)
        s = self.encode(np.concatenate(groups)).s
        starts = np.cumsum([0, *counts[:-1]])
        return np.add.reduceat(s, starts) / np.array(counts, np.float32)[:, None]

    def decode(self, s: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Returns images [N, H, W, C] uint8 decoded from s [N, s_dim] and z [N, z_dim] float32."""
        s = finite_numbers("s", s, ("N", self.config.network.s_dim))
        return self._in_batches(self._decode, s, finite_numbers("z", z, ("N", self.z_dim)))[0]

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Returns images decoded from their own s and z."""
        return self._in_batches(self._reconstruct, uint8_images(images, self.image_shape))[0]

    def swap(self, images_s: np.ndarray | Sequence[np.ndarray], images_z: np.ndarray) -> np.ndarray:
        """Returns images [N, H, W, C] uint8 decoded from the s of `images_s` and the z of `images_z`."""
        if is_grouped(images_s):
            return self.decode(self.encode_s(images_s), self.encode(images_z).z.mean)
        return self._in_batches(
            self._swap, uint8_images(images_s, self.image_shape), uint8_images(images_z, self.image_shape)
        )[0]

    def sample(self, images_s: np.ndarray | Sequence[np.ndarray], seed: int | np.ndarray) -> np.ndarray:
        """Returns images [N, H, W, C] uint8 with the s of `images_s` and z of the prior.

        z is drawn from N(0, I); with a codebook, it is the entry nearest to such a draw.
        seed: integers [N], one for each row, or one integer, from which row i has seed + i. Equal seeds give equal z.
        Raises ValueError for other seeds.
        """
        if is_grouped(images_s):
            seeds = row_seeds(seed, len(images_s))
            return self.decode(self.encode_s(images_s), self.prior_samples(tf.constant(seeds)).numpy())
        images = uint8_images(images_s, self.image_shape)
        return self._in_batches(self._sample, images, row_seeds(seed, len(images)))[0]

    def interpolate(
        self, images_a: np.ndarray, images_b: np.ndarray, weight_s: np.ndarray, weight_z: np.ndarray
    ) -> np.ndarray:
        """Returns images with s and z interpolated from a (weight 0) to b (weight 1); weights: scalar or [N]."""
        images_a, images_b = uint8_images(images_a, self.image_shape), uint8_images(images_b, self.image_shape)
        weights = (
            np.broadcast_to(finite_numbers(name, weight, (), (len(images_a),)), len(images_a))
            for name, weight in (("weight_s", weight_s), ("weight_z", weight_z))
        )
        return self._in_batches(self._interpolate, images_a, images_b, *weights)[0]

    def _in_batches(self, function: Callable[..., Any], *arrays: np.ndarray) -> list[np.ndarray]:
        lengths = {len(array) for array in arrays}
        if len(lengths) > 1:
            raise ValueError(f"expected as many rows in every argument; received {[len(array) for array in arrays]}.")
        num_rows, state = lengths.pop(), self.latent.state
        if num_rows == 0:  # TensorFlow's convolutions refuse a batch of none.
            arrays = tuple(np.zeros((1, *array.shape[1:]), array.dtype) for array in arrays)
        batches = (
            [tf.convert_to_tensor(array[start : start + BATCH]) for array in arrays]
            for start in range(0, max(num_rows, 1), BATCH)
        )
        parts = [function(state, *batch) for batch in batches]
        return [np.concatenate([part.numpy() for part in column])[:num_rows] for column in zip(*parts, strict=True)]

    # `state` has them traced again once the latent transform is fitted.
    @tf.function(autograph=False, reduce_retracing=True)
    def _encode(self, state: State, images: tf.Tensor) -> list[tf.Tensor]:
        return tf.nest.flatten(self.encoded(to_float(images)))

    @tf.function(autograph=False, reduce_retracing=True)
    def _decode(self, state: State, s: tf.Tensor, z: tf.Tensor) -> list[tf.Tensor]:
        return [to_uint8(self.decoded(s, z))]

    @tf.function(autograph=False, reduce_retracing=True)
    def _reconstruct(self, state: State, images: tf.Tensor) -> list[tf.Tensor]:
        return [to_uint8(self(to_float(images)))]

    @tf.function(autograph=False, reduce_retracing=True)
    def _swap(self, state: State, images_s: tf.Tensor, images_z: tf.Tensor) -> list[tf.Tensor]:
        return [to_uint8(self.swapped(to_float(images_s), to_float(images_z)))]

    @tf.function(autograph=False, reduce_retracing=True)
    def _sample(self, state: State, images_s: tf.Tensor, seeds: tf.Tensor) -> list[tf.Tensor]:
        return [to_uint8(self.sampled(to_float(images_s), seeds))]

    @tf.function(autograph=False, reduce_retracing=True)
    def _interpolate(
        self, state: State, images_a: tf.Tensor, images_b: tf.Tensor, *weights: tf.Tensor
    ) -> list[tf.Tensor]:
        return [to_uint8(self.interpolated(to_float(images_a), to_float(images_b), *weights))]

    def folded(self) -> "Codec":
        """Returns an equivalent codec for inference, with the PCA of the latent transform folded into its networks.

        The PCA is linear: the encoder's z head then outputs principal components instead of raw z, and the decoder's
        first layer takes them. Outputs are equal up to float rounding. Raises ValueError if the transform is not
        fitted.
        """
        if not self.latent.is_fitted():
            raise ValueError(NOT_FITTED)
        pca = self.latent.pca
        folded = Codec(self.config, self.image_shape, self.label_sizes, self.pca_is_folded or pca is not None)
        if pca is not None:
            copy_folded(pca, self, folded)
        else:
            for part in ("encoder", "decoder", "latent"):
                getattr(folded, part).set_weights(getattr(self, part).get_weights())
        return folded
