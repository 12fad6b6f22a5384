"""z in use as one of a few codes that all identities share, such as Sprites' frames or NORB's views. Ours.

What an image's z tells beyond the code nearest to it the decoder hardly sees, since it learns from samples; a probe of
the means sees the identity there. And a code that few identities have tells them as well: so the cells of a k-means are
merged where the identity becomes less known for little distance, as the agglomerative information bottleneck does
(Slonim, Tishby, NIPS 1999).
"""

import logging

import numpy as np
import tensorflow as tf
from sklearn.cluster import MiniBatchKMeans

from dfv.model.codes import Posterior
from dfv.model.latent.stage import FittedLayer

LOGGER = logging.getLogger(__name__)


class Codebook(FittedLayer):
    """The mean of z moved to the code of the cell nearest to it, distances in units of z's own noise.

    Fitted to the codes of a trained encoder; leaves z as it is until then.
    """

    def __init__(self, num_cells: int, z_dim: int):
        super().__init__("codebook")
        # Both in units of the noise.
        self.cells, self.codes = (self.add_constant(name, (num_cells, z_dim), "zeros") for name in ("cells", "codes"))
        self.end_unfitted()

    def call(self, posterior: Posterior) -> Posterior:
        """The posterior [B, z_dim] with the code nearest to it as its mean."""
        deviation = tf.exp(0.5 * posterior.log_var)
        cells = tf.convert_to_tensor(self.cells)
        # |z - cell|^2 without |z|^2, which is the same for all cells.
        further = tf.reduce_sum(cells**2, -1) - 2.0 * tf.matmul(posterior.mean / deviation, cells, transpose_b=True)
        code = tf.gather(tf.convert_to_tensor(self.codes), tf.argmin(further, -1))
        return Posterior(tf.where(self.is_fitted(), code * deviation, posterior.mean), posterior.log_var)

    def fit(self, z: np.ndarray, identity: np.ndarray, identity_weight: float, seed: int, step: int) -> None:
        """Finds cells and their codes.

        z: [N, z_dim] float32, means in units of their noise; identity: [N] int.
        identity_weight: see `merged`; seed: of the k-means; step: of the training before.
        """
        most = min(self.cells.shape[0], len(z))
        means = MiniBatchKMeans(most, batch_size=8192, n_init=1, random_state=seed).fit(z)
        # Where images are few some cells have none; the code of one would be the origin.
        used, cell = np.unique(means.labels_, return_inverse=True)
        cells = means.cluster_centers_[used]
        counts, centres = np.zeros((len(cells), identity.max() + 1), np.int64), np.zeros(cells.shape)
        np.add.at(counts, (cell, identity), 1)
        np.add.at(centres, cell, z)
        codes = merged(centres / counts.sum(1)[:, None], counts, identity_weight)
        LOGGER.info("Codebook: %d codes from %d cells", len(np.unique(codes, axis=0)), len(cells))
        # With fewer cells than there is room for, some of these more than once.
        cells, codes = (np.resize(part, self.cells.shape) for part in (cells, codes))
        self.set_weights([cells, codes, np.int64(step)])


def merged(centres: np.ndarray, counts: np.ndarray, identity_weight: float) -> np.ndarray:
    """The code [K, D] of each cell: the mean of the cells that it was merged with.

    centres: [K, D], in units of the noise; counts: [K, I] int, images of each identity in each cell,
    one or more in all.
    Of all pairs the one is merged that lowers most, as long as one does, the sum over images of the squared distance to
    their code, in units of the noise, plus identity_weight times what a code tells of the identity, in nats.
    """
    centres, counts, size = centres.astype(np.float64), counts.copy(), counts.sum(1)
    numbers, n_log_n = np.arange(len(counts)), _n_log_n(2 * size.sum())
    group = numbers.copy()

    def told(counts: np.ndarray) -> np.ndarray:
        return n_log_n[counts].sum(-1) - n_log_n[counts.sum(-1)]

    def costs(cell: np.integer | int) -> np.ndarray:
        """Of merging it with each of the others, [K]."""
        distance = ((centres - centres[cell]) ** 2).sum(-1) * size * size[cell] / (size + size[cell])
        lost = told(counts) + told(counts[cell]) - told(counts + counts[cell])
        return np.where((group == numbers) & (numbers != cell), distance - identity_weight * lost, np.inf)

    cost = np.stack([costs(cell) for cell in numbers])
    while cost.min() < 0:
        kept, gone = divmod(int(cost.argmin()), len(cost))
        centres[kept] = np.average(centres[[kept, gone]], 0, size[[kept, gone]])
        for of_each in (size, counts):
            of_each[kept] += of_each[gone]
        group[group == gone] = kept
        cost[gone] = cost[:, gone] = np.inf
        cost[kept] = cost[:, kept] = costs(kept)
    return centres[group].astype(np.float32)


def _n_log_n(most: int) -> np.ndarray:
    """n log n of every n up to `most`, 0 at 0."""
    numbers = np.arange(most + 1)
    return numbers * np.log(np.maximum(numbers, 1))
