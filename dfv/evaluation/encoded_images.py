"""Encodes the images of each split once, for all measurements."""

from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.sampling import SampleSizes, batches, sample_rows
from dfv.model.codec import Codec

CODES = ("z_mean", "z_sampled", "z_mean_and_log_var", "s")


@dataclass(frozen=True)
class EncodedImages:
    """Images of one split with their codes.

    image_set: the images and their labels; nothing is read until its images are indexed.
    rows: [N] int, rows of the images in the split.
    s: [N, s_dim] float32.
    z_mean, z_log_var: [N, z_dim] float32, the posterior of z.
    """

    image_set: ImageSet
    rows: np.ndarray
    s: np.ndarray
    z_mean: np.ndarray
    z_log_var: np.ndarray

    def __len__(self) -> int:
        return len(self.s)

    @property
    def identity(self) -> np.ndarray:
        """[N] int32, as in ImageSet."""
        return self.image_set.identity

    def select(self, rows: np.ndarray) -> "EncodedImages":
        """The images of these rows [n] and their codes, in the order of the rows."""
        image_set = self.image_set.select(rows)
        return EncodedImages(image_set, self.rows[rows], self.s[rows], self.z_mean[rows], self.z_log_var[rows])

    def z_sampled(self, seed: int) -> np.ndarray:
        """One sample of each image's posterior, [N, z_dim] float32."""
        noise = np.random.default_rng(seed).standard_normal(self.z_mean.shape, np.float32)
        return self.z_mean + np.exp(0.5 * self.z_log_var) * noise


def draw_prior(model: Codec, number: int, random: np.random.Generator) -> np.ndarray:
    """z at inference of `number` samples of the prior, [number, z_dim] float32."""
    return np.asarray(model.z_of_noise(random.standard_normal((number, model.z_dim), np.float32)))


@dataclass(frozen=True)
class EncodedSplits(BySplit[EncodedImages]):
    """The encoded images of every split."""


def encode(model: Codec, image_set: ImageSet, limit: int) -> EncodedImages:
    """Encodes the images, or a random sample of `limit` of them if there are more."""
    rows = sample_rows(len(image_set), limit)
    image_set = image_set.select(rows)
    codes = [model.encode(image_set.images[batch]) for batch in batches(len(image_set))]
    s, mean, log_var = (np.concatenate(parts) for parts in zip(*((code.s, *code.z) for code in codes), strict=True))
    return EncodedImages(image_set, rows, s, mean, log_var)


def encode_splits(model: Codec, splits: Splits, sizes: SampleSizes) -> EncodedSplits:
    """Encodes the images of each split that probes and other measurements of codes use."""
    limits = (sizes.probe_train_images(model.config.network.z_dim), sizes.validation_images, sizes.test_images)
    parts = (splits.train, splits.validation, splits.test)
    return EncodedSplits(*(encode(model, part, limit) for part, limit in zip(parts, limits, strict=True)))
