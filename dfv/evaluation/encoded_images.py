"""Encodes the images of each split once, for every measurement of their codes."""

from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation.evaluation_splits import BySplit
from dfv.evaluation.sample_sizes import SampleSizes
from dfv.evaluation.sampling import batches, sample_rows
from dfv.model.codec import Codec

CODES = ("z_mean", "z_sampled", "z_mean_and_log_var", "s")


@dataclass(frozen=True)
class EncodedImages:
    """Images of one split with their codes.

    image_set: the images and their labels; nothing is read until its images are indexed.
    rows: [N] int, where the images are in the split.
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

    def varying_z_dims(self) -> np.ndarray:
        """The dimensions [K] of z whose posterior is not the same for all images; all dimensions if none varies.

        Samples of a constant posterior are noise, and probes learn less from a few informative dimensions among
        hundreds of noise.
        """
        varies = (self.z_mean != self.z_mean[:1]).any(0) | (self.z_log_var != self.z_log_var[:1]).any(0)
        return np.flatnonzero(varies if varies.any() else ~varies)

    def code(self, name: str, seed: int, z_dims: np.ndarray) -> np.ndarray:
        """The code of this name, one of CODES, [N, D] float32.

        seed: of the noise of "z_sampled". z_dims: [K], the dimensions of z that the code contains.
        """
        if name == "s":
            return self.s
        if name == "z_sampled":
            return self.z_sampled(seed)[:, z_dims]
        mean = self.z_mean[:, z_dims]
        return np.concatenate([mean, self.z_log_var[:, z_dims]], axis=1) if name == "z_mean_and_log_var" else mean


@dataclass(frozen=True)
class EncodedSplits(BySplit[EncodedImages]):
    """The encoded images of every split."""

    def codes(self, name: str, num_seeds: int) -> list[BySplit[np.ndarray]]:
        """The code of this name, one of CODES, [N, D] float32 in every split, for each seed.

        Only "z_sampled" differs between seeds; the other codes are the same object for all. Of z, a code contains the
        dimensions that vary over the training images.
        """
        z_dims = self.train.varying_z_dims()

        def of_seed(seed: int) -> BySplit[np.ndarray]:
            # The noise of each split has a seed of its own.
            return BySplit(*(part.code(name, 3 * seed + i, z_dims) for i, part in enumerate(self)))

        if name == "z_sampled":
            return [of_seed(seed) for seed in range(num_seeds)]
        return [of_seed(0)] * num_seeds


def encode(model: Codec, image_set: ImageSet, limit: int) -> EncodedImages:
    """Encodes the images, or a random sample of `limit` of them where there are more."""
    rows = sample_rows(len(image_set), limit)
    image_set = image_set.select(rows)
    codes = [model.encode(image_set.images[batch]) for batch in batches(len(image_set))]
    s, mean, log_var = (np.concatenate(parts) for parts in zip(*((code.s, *code.z) for code in codes), strict=True))
    return EncodedImages(image_set, rows, s, mean, log_var)


def encode_splits(model: Codec, splits: Splits, sizes: SampleSizes) -> EncodedSplits:
    """Encodes as many images of each split as the probes and other measurements of codes use."""
    limits = (sizes.probe_train_images(model.config.network.z_dim), sizes.validation_images, sizes.test_images)
    parts = (splits.train, splits.validation, splits.test)
    return EncodedSplits(*(encode(model, part, limit) for part, limit in zip(parts, limits, strict=True)))
