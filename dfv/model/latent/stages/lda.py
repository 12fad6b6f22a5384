"""Linear discriminant analysis (LDA) of s. Not in the paper.

No loss removes the unspecified factors from s: the decoder learns to ignore them there, but a classifier can predict
them from s. Along most directions of s, the variance within identities is larger than that between them. The
projection of s onto the few discriminants with the largest variance between identities removes the other directions,
and hardly changes any image.
"""

import numpy as np
import scipy.linalg
import tensorflow as tf

from dfv.model.latent.stages.stage import FittedLayer
from dfv.model.latent.training_codes import TrainingCodes, means_of_identities

RIDGE = 1e-6  # added to the within-identity variance of each dimension, in units of the mean variance of s


class LinearDiscriminants(FittedLayer):
    """Projection of s [B, s_dim] onto its first linear discriminants, within the space of s; fitted after training.

    Discriminants are ordered by the variance of the identities' means divided by the variance within identities; there
    is one less than training identities at most. The decoder takes a projected s as any other, so nothing is inverted.
    """

    def __init__(self, s_dim: int, num_discriminants: int):
        super().__init__(name="lda")
        kept = min(num_discriminants, s_dim)
        self.centre = self.add_constant("centre", (s_dim,))
        self.to_discriminants = self.add_constant("to_discriminants", (s_dim, kept), "identity")
        self.from_discriminants = self.add_constant("from_discriminants", (kept, s_dim), "identity")
        self.built = True

    def fit(self, codes: TrainingCodes) -> None:
        """Finds the discriminants in closed form, from s and identity of the training images."""
        s = codes.s.astype(np.float64)
        centre, (means, identity, _) = s.mean(0), means_of_identities(s, codes.identity)
        within, between = (part.T @ part / len(part) for part in (s - means[identity], (means - centre)[identity]))
        within += (RIDGE * np.trace(within + between) / len(within) + np.finfo(np.float32).tiny) * np.eye(len(within))
        # Columns v_i with v_i' within v_j = 1 if i = j else 0, so that the inverse of [v_1 v_2 ...] is its transpose
        # times `within`.
        directions = scipy.linalg.eigh(between, within)[1][:, ::-1][:, : self.to_discriminants.shape[1]]
        directions[:, len(means) - 1 :] = 0.0  # along which the means do not differ
        self.set_weights([centre, directions, directions.T @ within])

    def call(self, s: tf.Tensor) -> tf.Tensor:
        """The projected s, [B, s_dim]."""
        return tf.matmul(tf.matmul(s - self.centre, self.to_discriminants), self.from_discriminants) + self.centre
