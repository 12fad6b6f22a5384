"""A codebook of z: each mean is replaced by one of a few entries that all identities share. Not in the paper.

For a z with few distinct values, such as the frames of Sprites or the views of NORB. The decoder is
trained on samples, so it is insensitive to the difference between a mean and its nearest entry, from which a classifier
of the means predicts the identity. An entry that only few identities use reveals them as well. Therefore k-means
clusters are merged if this lowers identity leakage at little distortion (Slonim, Tishby, NIPS 1999).
"""

import logging

import numpy as np
import tensorflow as tf
from sklearn.cluster import MiniBatchKMeans

from dfv.model.codes import Posterior
from dfv.model.latent.stages.information_bottleneck import merge_clusters
from dfv.model.latent.stages.stage import Stage
from dfv.model.latent.training_codes import TrainingCodes

LOGGER = logging.getLogger(__name__)

# Root mean squared distance of means to their cluster's centre, per dimension, in posterior standard deviations; chosen
# between those of digits after strong and after weak independence losses (docs/experiments/own_images.md).
MAX_DISTANCE = 6.0


class Codebook(Stage):
    """Replaces the posterior mean by the codebook entry of the nearest cluster, distances in units of the noise.

    size: number of clusters, and maximum number of entries. identity_weight: see `merge_clusters`.
    is_too_coarse: whether the fit found wide clusters, as where z varies continuously.
    """

    def __init__(self, size: int, z_dim: int, identity_weight: float):
        super().__init__(z_dim, name="codebook")
        self.identity_weight = identity_weight
        # Both in units of the noise.
        self.clusters, self.entries = (self.add_constant(name, (size, z_dim)) for name in ("clusters", "entries"))
        self.is_too_coarse = False
        self.built = True

    def fit(self, codes: TrainingCodes, seed: int, random: np.random.Generator) -> None:
        """Finds clusters by k-means, and their entries. All images must have the same posterior variance."""
        z, identity = codes.mean / codes.std[0], codes.identity
        num_clusters = min(self.clusters.shape[0], len(z))
        kmeans = MiniBatchKMeans(num_clusters, batch_size=8192, n_init=1, random_state=seed).fit(z)
        # With few images some clusters are empty; the entry of one would be the origin.
        used, cluster = np.unique(kmeans.labels_, return_inverse=True)
        clusters = kmeans.cluster_centers_[used]
        counts, centres = np.zeros((len(clusters), identity.max() + 1), np.int64), np.zeros(clusters.shape)
        np.add.at(counts, (cluster, identity), 1)
        np.add.at(centres, cluster, z)
        entries = merge_clusters(centres / counts.sum(1)[:, None], counts, self.identity_weight)
        width = float(np.sqrt(np.mean((z - clusters[cluster]) ** 2)))
        self.is_too_coarse = width > MAX_DISTANCE
        LOGGER.info(
            "Codebook: %d entries from %d clusters, %.1f posterior standard deviations wide (up to %g suit a codebook)",
            len(np.unique(entries, axis=0)),
            len(clusters),
            width,
            MAX_DISTANCE,
        )
        # With fewer clusters than there is room for, some of them more than once.
        self.set_weights([np.resize(part, self.clusters.shape) for part in (clusters, entries)])

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        std, clusters = posterior.shared_std(), tf.convert_to_tensor(self.clusters)
        # |z - cluster|^2 without |z|^2, which is the same for all clusters.
        distance = tf.reduce_sum(clusters**2, -1) - 2.0 * tf.matmul(posterior.mean / std, clusters, transpose_b=True)
        entry = tf.gather(tf.convert_to_tensor(self.entries), tf.argmin(distance, -1))
        return Posterior(entry * std, posterior.log_var)
