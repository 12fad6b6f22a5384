"""Energy of images by spatial frequency: grain is at high ones, a lattice of the decoder at those of its strides.

Images are converted to grey, their mean is subtracted, and a Hann window keeps their borders, where they do not
continue periodically, out of the spectrum.
"""

from dataclasses import dataclass

import numpy as np

from dfv.data.image_operations import LUMINANCE
from dfv.evaluation.sampling import batches

HIGH_FREQUENCY = 0.4  # cycles per pixel: 0.8 of the Nyquist frequency
# Cycles per pixel of patterns that repeat every 4 or every 2 pixels, as strides of 2 leave them.
STRIDE_FREQUENCIES = (0.0, 0.25, 0.5, 0.75)
ROUNDING = 1e-12  # energy of flat images by rounding
ZERO = STRIDE_FREQUENCIES.index(0.0)


@dataclass(frozen=True)
class Spectrum:
    """Spectral energy of a set of images, as shares of all of it, both in [0, 1].

    high: share at frequencies above HIGH_FREQUENCY, in any direction.
    stride: share at the STRIDE_FREQUENCIES of both axes, without that of the mean.
    """

    high: float
    stride: float


def measure_spectrum(images: np.ndarray) -> Spectrum:
    """The spectrum of images [N, H, W, C] uint8; shares are of the energy of all images, and 0 if they are flat."""
    energy, high, stride = np.sum([_energies(images[rows]) for rows in batches(len(images), 256)], axis=0)
    return Spectrum(float(high / energy), float(stride / energy)) if energy > ROUNDING else Spectrum(0.0, 0.0)


def _energies(images: np.ndarray) -> tuple[float, float, float]:
    """Energy of the images, of their high frequencies, and at the strides."""
    windowed = _windowed(images)
    height, width = windowed.shape[1:]
    power = np.abs(np.fft.fft2(windowed)) ** 2 / (height * width)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    strides = np.abs(_fourier_rows(height) @ windowed @ _fourier_rows(width).T) ** 2 / (height * width)
    strides[:, ZERO, ZERO] = 0
    return power.sum(), power[:, frequency > HIGH_FREQUENCY].sum(), strides.sum()


def _windowed(images: np.ndarray) -> np.ndarray:
    """[N, H, W] float64: grey images in [0, 1] with mean 0 under a Hann window."""
    height, width = images.shape[1:3]
    window = _hann(height)[:, None] * _hann(width)
    grey = images @ np.array(LUMINANCE if images.shape[-1] == 3 else [1.0]) / 255
    means = (grey * window).sum((1, 2), keepdims=True) / window.sum()
    return (grey - means) * window


def _hann(size: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def _fourier_rows(size: int) -> np.ndarray:
    """[4, size] complex: rows of the Fourier transform at the STRIDE_FREQUENCIES."""
    return np.exp(-2j * np.pi * np.outer(STRIDE_FREQUENCIES, np.arange(size)))
