"""MSE, PSNR and SSIM against NumPy and SciPy, and analogies whose truth is known."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import correlate1d

from dfv.config.schema import DataConfig
from dfv.data.dataset import ImageSet
from dfv.data.sources.toy_sprites import load, true_swap
from dfv.evaluation.encoded_images import encode
from dfv.evaluation.metrics.analogies import compare_with_truth, measure_analogies, true_swaps
from dfv.evaluation.metrics.image_similarity import psnr, similarity, squared_error, ssim
from dfv.evaluation.metrics.reconstruction import measure_reconstruction
from dfv.evaluation.sampling import SampleSizes
from dfv.model.codes import Codes, Posterior

SIZES = SampleSizes(analogies=30, reconstructions=50)
RNG = np.random.default_rng(0)
A = RNG.integers(0, 256, (3, 16, 14, 3), dtype=np.uint8)
B = np.clip(A + RNG.integers(-40, 40, A.shape), 0, 255).astype(np.uint8)


def numpy_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2004, window of 11 pixels and deviation 1.5, without borders; one channel of one image, [0, 255]."""
    window = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window /= window.sum()

    def blur(x):
        return correlate1d(correlate1d(x, window, 0), window, 1)[5:-5, 5:-5]

    a, b = a.astype(float), b.astype(float)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b, cov = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
    return float(np.mean(above / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))))


def test_squared_error_and_psnr():
    mse = squared_error(A, B)
    np.testing.assert_allclose(mse, ((A / 255 - B / 255) ** 2).mean((1, 2, 3)))
    np.testing.assert_allclose(psnr(mse), tf.image.psnr(A, B, 255).numpy(), rtol=1e-5)
    assert psnr(np.zeros(1))[0] == 100.0


def test_ssim_agrees_with_its_definition():
    expected = [np.mean([numpy_ssim(A[i, ..., c], B[i, ..., c]) for c in range(3)]) for i in range(3)]
    np.testing.assert_allclose(ssim(A, B), expected, atol=1e-4)
    assert similarity(A, A).ssim == pytest.approx(1.0) and ssim(A[:, :8], B[:, :8]) is None


def test_analogies_compare_each_pair_with_its_better_source():
    truth, s_copy, z_copy = (np.zeros((2, 12, 12, 1), np.uint8) for _ in range(3))
    s_copy[0, 0, 0], z_copy[0, 0, :2] = 51, 51  # errors of 0.04 in 1 and in 2 of 144 pixels
    s_copy[1, :, :], z_copy[1, 3, 3] = 255, 51
    swap = truth.copy()
    swap[0, 0, 1] = 51
    found = compare_with_truth(truth, swap, swap, s_copy, z_copy)
    assert found.better_source_mse == pytest.approx(0.04 / 144)
    assert found.mse_ratio == pytest.approx(0.5)
    # The truth differs from a source in 2 pixels of the first pair, in all of the second.
    assert found.changed_mse == pytest.approx((0.04 / 2 + 0) / 2)
    assert found.changed_better_source_mse == pytest.approx((0.04 / 2 + 0.04 / 144) / 2)


def test_true_swaps_of_found_images(make_splits):
    """The row of of the identity of the s source and the pose of the z source, wherever it stands."""
    identity, pose = (part.ravel().astype(np.int32) for part in np.meshgrid(np.arange(3), np.arange(4), indexing="ij"))
    order = np.random.default_rng(0).permutation(12)
    identity, pose = identity[order] + 7, pose[order]
    images = (10 * identity + pose).astype(np.uint8)[:, None, None, None]
    whole = ImageSet(images, identity, factors={"pose": pose})
    s_rows, z_rows = np.array([0, 5, 3]), np.array([4, 2, 11])
    found = true_swaps("sprites", whole, whole.select(s_rows), whole.select(z_rows))
    np.testing.assert_array_equal(found[:, 0, 0, 0], 10 * identity[s_rows] + pose[z_rows])


class DrawsTheTruth:
    """Codes that are row numbers of the test split, and a decoder that draws the true swap of two rows."""

    def __init__(self, part: ImageSet):
        self.part = part

    def encode(self, images):
        rows = np.arange(len(images), dtype=np.float32)[:, None]
        return Codes(rows, Posterior(rows, np.full_like(rows, -30)))

    def decode(self, s, z):
        return true_swap(self.part.select(s[:, 0].astype(int)), self.part.select(np.rint(z[:, 0]).astype(int)))


def test_a_model_that_draws_the_truth_has_no_error_and_one_that_copies_has_all():
    test = load(DataConfig(toy_characters=10)).test
    model = DrawsTheTruth(test)
    coded = encode(model, test, 1000)
    found = measure_analogies(model, "toy_sprites", test, coded, SIZES)
    assert found.mse_ratio == 0 == found.swap_sampled.mse
    model.decode = lambda s, z: test.images[np.rint(z[:, 0]).astype(int)]
    found = measure_analogies(model, "toy_sprites", test, coded, SIZES)
    assert found.swap == found.copy_of_z_source and found.mse_ratio >= 1


def test_reconstruction_and_same_identity_swap(codec, make_splits):
    test = encode(codec(), make_splits().test, 100)
    found = measure_reconstruction(codec(), test, SIZES)
    assert found.own.mse == 0 and 0 < found.swap_same.mse < 0.01
    kl = np.mean(0.5 * np.sum(test.z_mean**2 + np.exp(test.z_log_var) - test.z_log_var - 1, axis=1))
    assert found.kl == pytest.approx(kl, rel=1e-5)
    exchanged = codec(exchanged=True)
    assert measure_reconstruction(exchanged, encode(exchanged, make_splits().test, 100), SIZES).swap_same.mse > 0.01
