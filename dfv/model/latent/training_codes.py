"""The codes of the training images, to which the stages of the latent transform are fitted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import tensorflow as tf

from dfv.model.codes import Posterior

CHUNK = 1024

Forward = Callable[[Posterior, tf.Tensor], Posterior]


def means_of_identities(codes: np.ndarray, identity: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the mean codes [I, D] of the identities, the number [N] of each code's identity, and the counts [I]."""
    _, number, count = np.unique(identity, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), codes.shape[1]))
    np.add.at(sums, number, codes)
    return sums / count[:, None], number, count


@dataclass(frozen=True)
class TrainingCodes:
    """s [N, s_dim], the posterior's mean and standard deviation of z [N, z_dim], float32; identity [N] int."""

    s: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    identity: np.ndarray

    def __len__(self) -> int:
        return len(self.s)

    def select(self, rows: np.ndarray | slice) -> "TrainingCodes":
        """These rows."""
        return TrainingCodes(self.s[rows], self.mean[rows], self.std[rows], self.identity[rows])

    def chunks(self) -> Iterator["TrainingCodes"]:
        """All rows, in parts of at most CHUNK."""
        return (self.select(slice(start, start + CHUNK)) for start in range(0, len(self), CHUNK))

    def with_s(self, projection: Callable[[tf.Tensor], tf.Tensor]) -> "TrainingCodes":
        """The codes with a projection of each s."""
        return replace(self, s=np.concatenate([projection(tf.constant(part.s)) for part in self.chunks()]))

    def transformed(self, forward: Forward) -> "TrainingCodes":
        """The codes after a stage, each z transformed with its image's own s, as at inference."""
        posteriors = [
            forward(Posterior(tf.constant(part.mean), tf.constant(2.0 * np.log(part.std))), tf.constant(part.s))
            for part in self.chunks()
        ]
        mean, log_var = (np.concatenate(parts) for parts in zip(*posteriors, strict=True))
        return TrainingCodes(self.s, mean, np.exp(0.5 * log_var), self.identity)

    @cached_property
    def _blocks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows sorted by identity; of each row, where its identity's block starts, its place in it, its length."""
        _, number, count = np.unique(self.identity, return_inverse=True, return_counts=True)
        order, start = np.argsort(number, kind="stable"), (np.cumsum(count) - count)[number]
        return order, start, np.argsort(order) - start, count[number]

    def s_of_same_identity(self, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """For each of the rows [n], the s [n, s_dim] of a random other image of its identity, or its own."""
        order, *of_each_row = self._blocks
        start, place, count = (values[rows] for values in of_each_row)
        step = random.integers(1, np.maximum(count, 2))
        return self.s[order[start + (place + step) % count]]

    def z(self, random: np.random.Generator) -> np.ndarray:
        """Samples of z, [N, z_dim]."""
        return self.mean + self.std * random.standard_normal(self.mean.shape, np.float32)
