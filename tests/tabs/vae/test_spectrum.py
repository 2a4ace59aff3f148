"""Power spectra: Parseval, waves whose spectrum is known, and where half of the power is gone."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from explorer.tabs.vae import spectrum


def test_the_power_of_all_frequencies_is_the_mean_square():
    grey = np.random.default_rng(0).normal(size=(3, 32, 32))
    assert np.allclose(spectrum.plane(grey).sum((1, 2)), (grey**2).mean((1, 2)))
    assert (spectrum.window(32) ** 2).mean() == pytest.approx(1)


def test_a_wave_is_one_ring():
    x = np.arange(64) / 64
    for cycles in (3, 11, 25):
        rings = spectrum.rings(spectrum.plane(np.tile(np.sin(2 * np.pi * cycles * x), (64, 1))))
        assert rings.argmax() == cycles - 1 and rings.sum() == pytest.approx(rings.max(), rel=1e-9)
    flat = spectrum.of(np.full((1, 32, 32), 0.4))
    assert flat.rings.max() < 1e-20  # a grey picture has no detail


def test_rings_are_averages_over_circles():
    power = np.ones((32, 32))
    assert np.allclose(spectrum.rings(power), 1) and len(spectrum.rings(power)) == 16


def test_blur_halves_the_power_where_its_own_spectrum_says():
    noise = np.random.default_rng(1).normal(size=(60, 64, 64))
    s = 1.5  # pixels: the gain is exp(-2 pi^2 s^2 f^2) a pixel, so the power halves where f = sqrt(ln 2) / (2 pi s)
    soft = gaussian_filter(noise, (0, s, s), mode="wrap")
    found = spectrum.half(spectrum.of(noise).rings, spectrum.of(soft).rings)
    assert found == pytest.approx(64 * np.sqrt(np.log(2)) / (2 * np.pi * s), abs=0.6)


def test_half_is_found_between_rings_or_not_at_all():
    one = np.ones(4)
    assert spectrum.half(one, np.array([0.9, 0.7, 0.3, 0.1])) == pytest.approx(2.5)
    assert spectrum.half(one, one) is None and spectrum.half(one, 0 * one) == 1.0


def test_luminance_weighs_colours_and_reads_bytes():
    assert spectrum.luminance(np.array([[[255, 255, 255]]], np.uint8))[0, 0] == pytest.approx(1)
    assert spectrum.luminance(np.array([[[0, 255, 0]]], np.uint8))[0, 0] == pytest.approx(2 * 0.587 - 1)
