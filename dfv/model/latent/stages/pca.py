"""Noise-whitened PCA of z. Not in the paper.

Training spreads the information in z over all of its dimensions, at less than the posterior's noise in each. PCA of the
means, in units of that noise, gives a few components well above the noise, which the decoder uses, and many far below
it, which hardly affect the decoder but from which a classifier of the means predicts the identity. These are dropped;
rounding to multiples of the noise then costs little.

With few training images, the adversaries leave whole components in which identities differ more than the images of
one. An identity weight drops these: components are chosen by the variance of the means minus a multiple of that between
identities, as in the maximum margin criterion (Li, Jiang, Zhang, NIPS 2003) with its sign reversed.
"""

import numpy as np
import tensorflow as tf

from dfv.model.codes import Posterior
from dfv.model.latent.stages.stage import Stage
from dfv.model.latent.training_codes import TrainingCodes, means_of_identities


class NoiseWhitenedPCA(Stage):
    """Projection of z onto its first principal components, linear, and invertible except for the dropped components.

    With l the variance of the means along a component over that of the noise, samples of a component have mean 0 and
    variance 1 and are uncorrelated, as those of N(0, I) are, and the posterior's variance is 1 / (1 + l); largest l
    first. With an `identity_weight`, components are those of the variance minus this multiple of that between
    identities, and correlated.
    """

    def __init__(self, z_dim: int, num_components: int, identity_weight: float = 0.0):
        super().__init__(min(num_components, z_dim), name="pca")
        self.identity_weight = identity_weight
        self.centre = self.add_constant("centre", (z_dim,))
        self.to_components = self.add_constant("to_components", (z_dim, self.output_dim), "identity")
        self.from_components = self.add_constant("from_components", (self.output_dim, z_dim), "identity")
        self.built = True

    def fit(self, codes: TrainingCodes, seed: int, random: np.random.Generator) -> None:
        """Finds the components in closed form. All images must have the same posterior variance."""
        std = codes.std[0]
        means = codes.mean / std
        centre = means.mean(0)
        means -= centre
        covariance = (means.T @ means).astype(np.float64) / len(means)
        criterion = covariance
        if self.identity_weight:
            criterion = covariance - self.identity_weight * between_identities(means, codes.identity)
        components = np.linalg.eigh(criterion)[1][:, ::-1]
        variance = np.sum(components * (covariance @ components), axis=0)
        scale = np.sqrt(np.maximum(variance, 0) + 1.0)
        to_components, from_components = components / scale / std[:, None], (components * scale).T * std
        kept = slice(0, self.output_dim)
        self.set_weights([centre * std, to_components[:, kept], from_components[kept]])

    def forward(self, posterior: Posterior, s: tf.Tensor) -> Posterior:
        mean = tf.matmul(posterior.mean - self.centre, self.to_components)
        # All images have one variance. Computed for each, its last bits would depend on the place in the batch.
        variance = tf.matmul(tf.exp(posterior.log_var[:1]), tf.square(tf.convert_to_tensor(self.to_components)))
        return Posterior(mean, tf.broadcast_to(tf.math.log(variance), tf.shape(mean)))

    def inverse(self, z: tf.Tensor, s: tf.Tensor) -> tf.Tensor:
        """Raw z [B, z_dim], the dropped components 0."""
        return tf.matmul(z, self.from_components) + self.centre

    def folded_into_encoder(
        self, kernel: np.ndarray, bias: np.ndarray, log_var: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Kernel [K, C], bias and log-variance [C] of an encoder's z head that outputs the C components.

        kernel: [K, z_dim], bias and log_var: [z_dim], of the head that gives raw z.
        """
        # (x W + b - centre) T = x (W T) + (b - centre) T
        to_components = self.to_components.numpy().astype(np.float64)
        variance = np.exp(log_var.astype(np.float64)) @ to_components**2
        return kernel @ to_components, (bias - self.centre.numpy()) @ to_components, np.log(variance)

    def folded_into_decoder(self, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Kernel [C, K] and bias [K] of a decoder's first layer that takes the C components; kernel [z_dim, K]."""
        # (z F + centre) W = z (F W) + centre W
        kernel = kernel.astype(np.float64)
        return self.from_components.numpy() @ kernel, self.centre.numpy() @ kernel


def between_identities(means: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """Unbiased covariance [D, D] of the identities' expected codes, from centred codes [N, D].

    That of their means over a few images would contain a part of the variance within identities (analysis of variance
    with random effects).
    """
    of_identities, _, count = means_of_identities(means, identity)
    between = (of_identities.T * count) @ of_identities
    within = (means.T @ means - between) / max(len(means) - len(count), 1)
    return (between - (len(count) - 1) * within) / max(len(means) - np.sum(count**2) / len(means), 1)
