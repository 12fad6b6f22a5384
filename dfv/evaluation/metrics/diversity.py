"""How much prior samples of one identity differ from each other. Not in the paper."""

from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedImages, draw_prior
from dfv.evaluation.sampling import sample_rows
from dfv.model.codec import Codec

MAX_IDENTITIES = 64
NUM_IMAGES = 16


@dataclass(frozen=True)
class Diversity:
    """Mean squared difference of two images of one identity, pixels in [0, 1].

    prior_samples: of images decoded from one s and two samples of the prior of z; 0 if the decoder ignores z.
    real_images: of test images.
    ratio: prior_samples / real_images; NaN if all real images of an identity are equal.
    """

    prior_samples: float
    real_images: float
    ratio: float


def measure_diversity(
    model: Codec, test: EncodedImages, num_images: int = NUM_IMAGES, seed: int = 0
) -> Diversity | None:
    """Measures `num_images` of each of MAX_IDENTITIES test identities; None if no identity has two images."""
    names, counts = np.unique(test.identity, return_counts=True)
    names = names[counts > 1]
    if not len(names):
        return None
    names = names[sample_rows(len(names), MAX_IDENTITIES, seed)]
    rng, generated, real = np.random.default_rng(seed), [], []
    for name in names:
        rows = rng.permutation(np.flatnonzero(test.identity == name))[:num_images]
        z = draw_prior(model, num_images, rng)
        generated.append(_mean_difference(model.decode(np.repeat(test.s[rows[:1]], num_images, axis=0), z)))
        real.append(_mean_difference(test.image_set.images[rows]))
    prior_samples, real_images = float(np.mean(generated)), float(np.mean(real))
    return Diversity(prior_samples, real_images, prior_samples / real_images if real_images else float("nan"))


def _mean_difference(images: np.ndarray) -> float:
    # The mean squared difference of two independent draws is twice the variance.
    return float(2 * (images / 255.0).var(0, ddof=1).mean())
