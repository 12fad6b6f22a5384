"""Images decoded from the mean of z, with their own s and with the s of another image of their identity."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.metrics.image_similarity import Similarity, similarity_of_batches
from dfv.evaluation.sampling import SampleSizes, batches, pairs_of_same_identity, sample_rows
from dfv.model.codec import Codec
from dfv.model.codes import Posterior
from dfv.model.losses.reconstruction import kl_to_prior


@dataclass(frozen=True)
class Reconstruction:
    """Similarity to the image that gave z, and the KL divergence of z's posterior from the prior.

    own: decoded with the image's own s. swap_same: with the s of another image; None if no identity has two images.
    kl: nats, mean over images, of z at inference.
    """

    own: Similarity
    swap_same: Similarity | None
    kl: float


def measure_reconstruction(model: Codec, test: EncodedImages, sizes: SampleSizes, seed: int = 0) -> Reconstruction:
    """Measures at most `sizes.reconstructions` test images with their own s, and as many with that of another image."""
    number = sizes.reconstructions
    rows = sample_rows(len(test), number, seed)
    s_rows, z_rows = pairs_of_same_identity(test.identity, number, seed)
    kl = np.asarray(kl_to_prior(Posterior(test.z_mean, test.z_log_var)), np.float64)
    swap_same = _similarity(model, test, s_rows, z_rows) if len(z_rows) else None
    return Reconstruction(_similarity(model, test, rows, rows), swap_same, float(kl.mean()))


def _similarity(model: Codec, test: EncodedImages, s_rows: np.ndarray, z_rows: np.ndarray) -> Similarity:
    chosen = ((s_rows[some], z_rows[some]) for some in batches(len(z_rows)))
    return similarity_of_batches((model.decode(test.s[s], test.z_mean[z]), test.image_set.images[z]) for s, z in chosen)
