"""How much detail of which fineness a picture has, and how much of it its reconstruction keeps: power spectra of luminance."""

from dataclasses import dataclass

import numpy as np

LUMINANCE = np.array([0.299, 0.587, 0.114])  # Rec. 601
HALF = 0.5


@dataclass(frozen=True)
class Spectrum:
    """Power (variance of luminance in [-1, 1]) by frequency: `plane` (S, S) with 0 in the middle, `rings` (S / 2,) its averages
    over circles of 1, 2, ... cycles per picture."""

    plane: np.ndarray
    rings: np.ndarray


def luminance(images: np.ndarray) -> np.ndarray:
    """(..., S, S, 3) uint8, or floats in [-1, 1] -> (..., S, S) in [-1, 1]."""
    images = np.asarray(images)
    values = images / 127.5 - 1 if images.dtype == np.uint8 else images
    return values.astype(np.float64) @ LUMINANCE


def window(size: int) -> np.ndarray:
    """A Hann window, (S, S), of mean square 1: faded borders, or the picture's edge would count as detail."""
    row = np.hanning(size + 1)[:size]
    both = row[:, None] * row
    return both / np.sqrt((both**2).mean())


def plane(grey: np.ndarray) -> np.ndarray:
    """|FFT|^2 of (..., S, S), 0 in the middle; its sum is the mean square of what was transformed (Parseval)."""
    size = grey.shape[-1]
    return np.abs(np.fft.fftshift(np.fft.fft2(grey), axes=(-2, -1))) ** 2 / size**4


def faded(grey: np.ndarray) -> np.ndarray:
    """Less its mean, times the window."""
    return (grey - grey.mean((-2, -1), keepdims=True)) * window(grey.shape[-1])


def radii(size: int) -> np.ndarray:
    """Cycles per picture of each value of a plane, (S, S)."""
    steps = np.arange(size) - size // 2
    return np.hypot(steps[:, None], steps)


def rings(power: np.ndarray) -> np.ndarray:
    """The average of a plane over circles of radius 1 ... S / 2, each half a cycle to both sides: (S / 2,)."""
    size = power.shape[-1]
    ring = np.rint(radii(size)).astype(int).ravel()
    sums = np.bincount(ring, power.ravel())[1 : size // 2 + 1]
    return sums / np.bincount(ring)[1 : size // 2 + 1]


def of(greys: np.ndarray) -> Spectrum:
    """The mean spectrum of pictures (B, S, S)."""
    power = plane(faded(greys)).mean(0)
    return Spectrum(power, rings(power))


def half(input: np.ndarray, output: np.ndarray) -> float | None:
    """The frequency, in cycles per picture, from which less than half of the power is left, first and between two rings; None
    where all keep more."""
    ratio = output / np.maximum(input, 1e-15)
    below = np.flatnonzero(ratio < HALF)
    if not len(below):
        return None
    i = int(below[0])
    if i == 0:
        return 1.0
    return float(i + (ratio[i - 1] - HALF) / (ratio[i - 1] - ratio[i]))
