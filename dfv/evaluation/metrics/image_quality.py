"""How much generated images look like real ones, without a true image to compare with. Not in the paper.

Fréchet distance: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium"
(NIPS 2017), in the features of the oracle classifier instead of those of Inception, which would have to be downloaded.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dfv.evaluation.encoded_images import EncodedImages, draw_prior
from dfv.evaluation.metrics.oracle_classifier import OracleClassifier
from dfv.evaluation.metrics.spectrum import measure_spectrum
from dfv.evaluation.sampling import SampleSizes, batches, pairs_of_other_identity, sample_rows
from dfv.model.codec import Codec


@dataclass(frozen=True)
class Realism:
    """A set of images, compared with as many real test images.

    frechet_distance: between Gaussians fitted to the features of both sets; 0 is best.
    high_frequencies, stride_frequencies: the share of spectral energy at high frequencies and at those of the decoder's
      strides (see `spectrum.Spectrum`), divided by the share in the real images; 1 is best. More high frequencies are
      grain and fewer are blur; more at the strides are a lattice. NaN if the real images have none.
    """

    frechet_distance: float
    high_frequencies: float
    stride_frequencies: float


@dataclass(frozen=True)
class ImageQuality:
    """Realism of reconstructions, of swaps with the mean and a sample of z, of prior samples, and of training images.

    images: number of images in each set.
    real: real training images, compared with the test images; farther from them if they show other identities.
    """

    images: int
    real: Realism
    reconstruction: Realism
    swap: Realism
    swap_sampled: Realism
    prior_sample: Realism


def measure_image_quality(
    model: Codec, train: EncodedImages, test: EncodedImages, oracle: OracleClassifier, sizes: SampleSizes, seed: int = 0
) -> ImageQuality:
    """Measures as many images of each kind as both splits have, at most `sizes.image_quality`."""
    number = min(len(train), len(test), sizes.image_quality)
    rows = sample_rows(len(test), number, seed)
    s_rows, z_rows = pairs_of_other_identity(test.identity, number, seed)
    prior = draw_prior(model, number, np.random.default_rng(seed))
    truth = test.image_set.images[rows]
    realism = _comparison_with(truth, oracle)

    def decoded(s_rows: np.ndarray, z: np.ndarray) -> Realism:
        return realism(np.concatenate([model.decode(test.s[s_rows[some]], z[some]) for some in batches(number)]))

    return ImageQuality(
        images=number,
        real=realism(train.image_set.images[sample_rows(len(train), number, seed)]),
        reconstruction=decoded(rows, test.z_mean[rows]),
        swap=decoded(s_rows, test.z_mean[z_rows]),
        swap_sampled=decoded(s_rows, test.z_sampled(seed)[z_rows]),
        prior_sample=decoded(s_rows, prior),
    )


def _comparison_with(truth: np.ndarray, oracle: OracleClassifier) -> Callable[[np.ndarray], Realism]:
    true_features, true_spectrum = oracle.features(truth), measure_spectrum(truth)

    def realism(images: np.ndarray) -> Realism:
        spectrum = measure_spectrum(images)
        return Realism(
            frechet_distance(oracle.features(images), true_features),
            _ratio(spectrum.high, true_spectrum.high),
            _ratio(spectrum.stride, true_spectrum.stride),
        )

    return realism


def _ratio(share: float, true_share: float) -> float:
    return share / true_share if true_share else float("nan")


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared 2-Wasserstein distance between Gaussians with the means and covariances of a [N, D] and b [M, D]."""
    of_a, of_b = _covariance(a), _covariance(b)
    root = _square_root(of_a)
    # The trace of the square root of the product of both covariances.
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ of_b @ root), 0)).sum()
    between = ((a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64)) ** 2).sum()
    return max(float(between + np.trace(of_a) + np.trace(of_b) - 2 * shared), 0.0)


def _covariance(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(0, dtype=np.float64)
    return centred.T @ centred / len(features)


def _square_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
