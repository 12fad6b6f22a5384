"""The codes of a split's images, computed once and read by everything that measures codes."""

from dataclasses import dataclass

import numpy as np

from dfv.data.dataset import ImageSet, Splits
from dfv.evaluation.row_selection import batches, some_rows
from dfv.evaluation.sample_sizes import Limits
from dfv.model.codec import Codec

CODES = ("z_mean", "z_sampled", "z_mean_and_log_var", "s")


@dataclass(frozen=True)
class Coded:
    """Images of one split with their s [N, s_dim] and their posterior's mean and log-variance [N, z_dim], float32.

    rows: where these images stand in the split.
    """

    part: ImageSet
    rows: np.ndarray
    s: np.ndarray
    mean: np.ndarray
    log_var: np.ndarray

    def __len__(self) -> int:
        return len(self.s)

    def z_sampled(self, seed: int) -> np.ndarray:
        """A draw from each image's posterior, [N, z_dim] float32."""
        noise = np.random.default_rng(seed).standard_normal(self.mean.shape, np.float32)
        return self.mean + np.exp(0.5 * self.log_var) * noise

    def z_in_use(self) -> np.ndarray:
        """The dimensions [K] of z whose posterior differs from image to image; all, if none does.

        A draw from another tells nothing of its image, and hundreds of such hide from a probe what the others tell.
        """
        differs = (self.mean != self.mean[:1]).any(0) | (self.log_var != self.log_var[:1]).any(0)
        return np.flatnonzero(differs if differs.any() else ~differs)

    def code(self, name: str, seed: int, z_dims: np.ndarray) -> np.ndarray:
        """One of CODES as a matrix [N, D] float32, of z these dimensions [K] alone."""
        if name == "s":
            return self.s
        if name == "z_sampled":
            return self.z_sampled(seed)[:, z_dims]
        mean = self.mean[:, z_dims]
        return np.concatenate([mean, self.log_var[:, z_dims]], axis=1) if name == "z_mean_and_log_var" else mean

    def take(self, rows: np.ndarray) -> "Coded":
        """These rows alone."""
        part = self.part.select(rows)
        return Coded(part, self.rows[rows], self.s[rows], self.mean[rows], self.log_var[rows])


@dataclass(frozen=True)
class CodedSplits:
    train: Coded
    validation: Coded
    test: Coded


def encode(model: Codec, part: ImageSet, limit: int) -> Coded:
    """The codes of at most `limit` images."""
    rows = some_rows(len(part), limit)
    part = part.select(rows)
    codes = [model.encode(part.images[batch]) for batch in batches(len(part))]
    s, mean, log_var = (np.concatenate(parts) for parts in zip(*((code.s, *code.z) for code in codes), strict=True))
    return Coded(part, rows, s, mean, log_var)


def encode_splits(model: Codec, splits: Splits, limits: Limits) -> CodedSplits:
    return CodedSplits(
        encode(model, splits.train, limits.probe_images(model.z_dim)),
        encode(model, splits.validation, limits.validation_images),
        encode(model, splits.test, limits.test_images),
    )
