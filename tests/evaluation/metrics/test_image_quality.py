"""The Fréchet distance against its formula, and images of which it is known how real they look."""

import numpy as np
import pytest
import scipy.linalg

from dfv.evaluation.encoded_images import encode
from dfv.evaluation.metrics.image_quality import frechet_distance, measure_image_quality
from dfv.evaluation.sampling import SampleSizes


def test_the_distance_is_the_formula():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)), rng.normal(1, 2, (300, 5))
    product = scipy.linalg.sqrtm(np.cov(a.T, bias=True) @ np.cov(b.T, bias=True)).real
    traces = np.trace(np.cov(a.T, bias=True) + np.cov(b.T, bias=True) - 2 * product)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + traces
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(a, a + 3) == pytest.approx(5 * 9)


def test_fewer_rows_than_features_have_a_distance():
    features = np.random.default_rng(0).normal(size=(4, 30)).astype(np.float32)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-5)


class Grey:
    """Features of an image: its mean and its brightest pixel, in place of a classifier."""

    def features(self, images: np.ndarray) -> np.ndarray:
        return np.stack([images.mean((1, 2, 3)), images.max((1, 2, 3))], axis=1)


@pytest.fixture
def quality(codec, make_splits):
    """Measures the images that a decoder, given the true ones, makes of them."""

    def measure(change=lambda images: images):
        model, splits = codec(), make_splits()
        decode = model.decode
        model.decode = lambda s, z: change(decode(s, z))
        train, test = (encode(model, part, 1000) for part in (splits.train, splits.test))
        return measure_image_quality(model, train, test, Grey(), SampleSizes(image_quality=50))

    return measure


def test_a_perfect_decoder_is_as_good_as_real_images(quality):
    perfect = quality()
    assert perfect.images == 50
    assert perfect.reconstruction.frechet_distance == pytest.approx(0, abs=1e-6)
    assert perfect.reconstruction.high_frequencies == perfect.reconstruction.stride_frequencies == pytest.approx(1)
    assert perfect.real.frechet_distance > 0 and perfect.swap.frechet_distance < perfect.prior_sample.frechet_distance


def test_grain_blur_and_a_lattice_are_told_apart(quality):
    def grain(images):
        noise = np.random.default_rng(0).normal(0, 40, images.shape)
        return np.clip(images + noise, 0, 255).astype(np.uint8)

    def blur(images):
        padded = np.pad(images.astype(float), ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
        return sum(padded[:, i : i + 12, j : j + 12] for i in range(3) for j in range(3)).astype(np.uint16) // 9

    def lattice(images):
        images = images.copy()
        images[:, ::2, ::2] //= 2
        return images

    kinds = {make: quality(make).reconstruction for make in (grain, blur, lattice)}
    assert kinds[grain].high_frequencies > 1.1 and kinds[blur].high_frequencies < 0.6
    assert kinds[lattice].stride_frequencies > 1.1 > kinds[grain].stride_frequencies
    assert min(kind.frechet_distance for kind in kinds.values()) > quality().reconstruction.frechet_distance
