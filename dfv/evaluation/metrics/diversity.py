"""How much prior samples of one identity differ among themselves."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedImages
from dfv.evaluation.sampling import sample_rows
from dfv.model.codec import Codec


@dataclass(frozen=True)
class Diversity:
    """Mean squared difference of two images of one identity, pixels in [0, 1]: of prior samples that share their s,
    of real test images, and the first over the second; 0 says that z is ignored.
    """

    prior_samples: float
    real_images: float
    ratio: float


def measure_diversity(
    model: Codec, test: EncodedImages, identities: int = 64, images: int = 16, seed: int = 0
) -> Diversity | None:
    """Over at most `identities` test identities, `images` of each; None if no identity has two images."""
    names, counts = np.unique(test.identity, return_counts=True)
    names = names[counts > 1]
    if not len(names):
        return None
    names = names[sample_rows(len(names), identities, seed)]
    rng, generated, real = np.random.default_rng(seed), [], []
    for name in names:
        rows = rng.permutation(np.flatnonzero(test.identity == name))[:images]
        z = rng.standard_normal((images, test.z_mean.shape[1]), np.float32)
        generated.append(_mean_difference(model.decode(np.repeat(test.s[rows[:1]], images, axis=0), z)))
        real.append(_mean_difference(test.image_set.images[rows]))
    values = float(np.mean(generated)), float(np.mean(real))
    return Diversity(*values, values[0] / values[1] if values[1] else float("nan"))


def _mean_difference(images: np.ndarray) -> float:
    # The mean squared difference of two draws is twice the variance.
    return float(2 * (images / 255.0).var(0, ddof=1).mean())
