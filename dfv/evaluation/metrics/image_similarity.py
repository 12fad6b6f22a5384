"""Similarity of two images: squared error, PSNR and SSIM."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dfv.evaluation.sampling import batches

SMALLEST_MSE = 1e-10  # equal images would have an infinite PSNR; they count as 100 dB
SSIM_WINDOW = 11  # tf.image.ssim's own


@dataclass(frozen=True)
class Similarity:
    """Means over images: MSE with pixels in [0, 1], PSNR in dB, SSIM (None for images smaller than its window)."""

    mse: float
    psnr: float
    ssim: float | None


def squared_error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[N] float64: mean over the pixels, in [0, 1], of images [N, H, W, C] uint8."""
    errors = [np.mean((a[rows].astype(np.float64) - b[rows]) ** 2, axis=(1, 2, 3)) for rows in batches(len(a), 256)]
    return np.concatenate(errors) / 255.0**2


def psnr(mse: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of mean squared errors with pixels in [0, 1]."""
    return -10.0 * np.log10(np.maximum(mse, SMALLEST_MSE))


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """[N] float32 structural similarity (Wang et al. 2004) of images uint8; None for images that are too small."""
    if min(a.shape[1:3]) < SSIM_WINDOW:
        return None
    return np.concatenate([tf.image.ssim(a[rows], b[rows], 255).numpy() for rows in batches(len(a), 256)])


def similarity(images: np.ndarray, truth: np.ndarray) -> Similarity:
    """Mean similarity of images to the truth, both [N, H, W, C] uint8."""
    return similarity_of_batches([(images, truth)])


def similarity_of_batches(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Similarity:
    """The same over batches (images, truth), of which one is in memory at a time."""
    errors, structures = zip(*((squared_error(*pair), ssim(*pair)) for pair in pairs), strict=True)
    mse, structure = np.concatenate(errors), [part for part in structures if part is not None]
    mean_ssim = float(np.concatenate(structure).mean()) if structure else None
    return Similarity(float(mse.mean()), float(psnr(mse).mean()), mean_ssim)
