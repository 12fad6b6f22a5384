"""Shares of energy of waves, whose spectra are known."""

import numpy as np
import pytest

from dfv.evaluation.metrics.spectrum import measure_spectrum


def wave(frequency_y: float, frequency_x: float, size: int = 32, channels: int = 1) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    grey = 127.5 + 100 * np.cos(2 * np.pi * (frequency_y * y + frequency_x * x) + 0.3)
    return np.repeat(np.rint(grey).astype(np.uint8)[None, ..., None], channels, axis=-1)


@pytest.mark.parametrize(("frequencies", "share"), [((0.1, 0.2), 0), ((0, 0.3), 0), ((0.3, 0.375), 1), ((0, 0.48), 1)])
def test_a_wave_is_of_high_frequency_or_not(frequencies, share):
    assert measure_spectrum(wave(*frequencies)).high == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("channels", [1, 3])
def test_shares_of_two_sets_are_weighted_by_their_energy(channels):
    low, high = wave(0.1, 0.1, channels=channels), wave(0.4, 0.4, channels=channels)
    assert measure_spectrum(np.concatenate([low, high, high])).high == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.parametrize("size", [28, 30, 32])
@pytest.mark.parametrize("frequencies", [(0.25, 0), (0.5, 0), (0.25, 0.5)])
def test_a_lattice_has_its_energy_at_the_strides(size, frequencies):
    # A Hann window spreads a wave over three frequencies of each axis, with 1/6, 2/3 and 1/6 of its energy.
    assert measure_spectrum(wave(*frequencies, size=size)).stride == pytest.approx(4 / 9, abs=0.06)
    other = [frequency + 4 / size for frequency in frequencies]
    assert measure_spectrum(wave(*other, size=size)).stride == pytest.approx(0, abs=0.02)


def test_noise_has_the_share_of_the_area_of_its_frequencies():
    noise = np.random.default_rng(0).integers(0, 256, (600, 32, 32, 1), dtype=np.uint8)
    spectrum = measure_spectrum(noise)
    assert spectrum.high == pytest.approx(1 - np.pi * 0.4**2, abs=0.01)
    assert spectrum.stride == pytest.approx(15 / 32**2, rel=0.1)


def test_flat_images_have_no_energy():
    assert measure_spectrum(np.full((2, 16, 16, 3), 200, np.uint8)).high == 0
