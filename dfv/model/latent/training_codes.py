"""The codes that a trained model gives its training images, to fit axes, flow and codebook to."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from dfv.data.dataset import ImageSet
from dfv.model.codec import Codec, to_float
from dfv.model.codes import Posterior
from dfv.model.latent.flow import ConditionalFlow
from dfv.model.latent.pca import PrincipalAxes

MAX_NUMBERS = 100_000_000  # of codes held in memory, 0.8 GB at most with their variances
CHUNK = 1024


@dataclass(frozen=True)
class TrainedCodes:
    """s [N, s_dim], the mean of z and the deviation of its samples [N, z_dim], float32; identity [N]."""

    s: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    identity: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "TrainedCodes":
        return TrainedCodes(self.s[rows], self.mean[rows], self.deviation[rows], self.identity[rows])

    def first(self, dims: int) -> "TrainedCodes":
        """With the first dimensions of z alone."""
        return TrainedCodes(self.s, self.mean[:, :dims], self.deviation[:, :dims], self.identity)

    def along(self, axes: PrincipalAxes) -> "TrainedCodes":
        """With z along its axes."""
        mean, log_var = axes(Posterior(self.mean, 2.0 * np.log(self.deviation[:1])))
        deviation = np.broadcast_to(np.exp(0.5 * log_var.numpy()), self.mean.shape)
        return TrainedCodes(self.s, mean.numpy(), deviation, self.identity)

    def behind(self, flow: ConditionalFlow) -> "TrainedCodes":
        """What the flow leaves of z, given each image's own s, as in use."""
        chunks = [slice(start, start + CHUNK) for start in range(0, len(self.s), CHUNK)]
        mean = np.concatenate([flow(self.mean[rows], self.s[rows])[0] for rows in chunks])
        deviation = self.deviation[:1] * np.exp(0.5 * flow.log_var_change.numpy())
        return TrainedCodes(self.s, mean, np.broadcast_to(deviation, mean.shape), self.identity)

    @cached_property
    def _blocks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows sorted by identity; of each row, where its identity's block starts, and its length."""
        _, number, count = np.unique(self.identity, return_inverse=True, return_counts=True)
        return np.argsort(number, kind="stable"), (np.cumsum(count) - count)[number], count[number]

    def s_of_same_identity(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The s [n, s_dim] of an image drawn for each of the rows [n] from those of its identity."""
        order, start, count = self._blocks
        return self.s[order[start[rows] + random.integers(0, count[rows])]]

    def z(self, random: np.random.Generator) -> np.ndarray:
        """Samples of z, [N, z_dim]: the flow is fitted to those, not to the means, and their noise smooths it."""
        return self.mean + self.deviation * random.standard_normal(self.mean.shape, np.float32)


def trained_codes(model: Codec, train: ImageSet, random: np.random.Generator) -> TrainedCodes:
    """The codes of as many images as fit into memory."""
    most = min(len(train), MAX_NUMBERS // (model.z_dim + model.config.network.s_dim))
    rows = np.sort(random.choice(len(train), most, replace=False))
    encode = tf.function(
        lambda images: model.encoder.as_trained(to_float(images)), autograph=False, reduce_retracing=True
    )
    codes = [encode(tf.constant(train.images[rows[start : start + CHUNK]])) for start in range(0, most, CHUNK)]
    mean = np.concatenate([c.z.mean for c in codes])
    if model.config.network.shared_variance:
        log_var = np.broadcast_to(codes[0].z.log_var[0], mean.shape)
    else:
        log_var = np.concatenate([c.z.log_var for c in codes])
    return TrainedCodes(np.concatenate([c.s for c in codes]), mean, np.exp(0.5 * log_var), train.identity[rows])
