"""Images decoded from the mean of z: with their own s, and with the s of another image of their identity."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import Coded
from dfv.evaluation.image_pairs import same_identity
from dfv.evaluation.metrics.image_similarity import Similarity, similarity_of_batches
from dfv.evaluation.row_selection import batches, some_rows
from dfv.model.codec import Codec


@dataclass(frozen=True)
class Reconstruction:
    """Likeness to the image that gave z, and the mean KL of z's posterior in use to the prior, nats.

    swap_same is None if no identity has two images.
    """

    own: Similarity
    swap_same: Similarity | None
    kl: float


def reconstruct(model: Codec, test: Coded, number: int, seed: int = 0) -> Reconstruction:
    """At most `number` test images of each kind."""
    rows = some_rows(len(test), number, seed)
    s_rows, z_rows = same_identity(test.part.identity, number, seed)
    kl = 0.5 * np.sum(test.mean**2 + np.exp(test.log_var) - test.log_var - 1.0, axis=1, dtype=np.float64)
    swap_same = _compare(model, test, s_rows, z_rows) if len(z_rows) else None
    return Reconstruction(_compare(model, test, rows, rows), swap_same, float(kl.mean()))


def _compare(model: Codec, test: Coded, s_rows: np.ndarray, z_rows: np.ndarray) -> Similarity:
    chosen = ((s_rows[some], z_rows[some]) for some in batches(len(z_rows)))
    return similarity_of_batches((model.decode(test.s[s], test.mean[z]), test.part.images[z]) for s, z in chosen)
