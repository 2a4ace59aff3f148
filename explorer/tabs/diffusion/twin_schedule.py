"""Noise schedules as arrays of ᾱ, and the timesteps that a sampler visits. As diffusers has them; knows no mixture."""

from functools import lru_cache

import numpy as np

T = 1000  # training timesteps
NAMES = {
    "scaled_linear": "Scaled linear (Stable Diffusion)",
    "linear": "Linear (DDPM)",
    "cosine": "Cosine",
    "zero_snr": "Scaled linear, zero terminal SNR",
}
SPACINGS = {"leading": "leading (as Stable Diffusion)", "trailing": "trailing (starts at t = 999)"}


@lru_cache
def abars(name: str) -> np.ndarray:
    """ᾱ_t for t = 0 .. 999, read-only."""
    if name == "cosine":
        bar = lambda u: np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2  # noqa: E731
        at = np.arange(T + 1) / T
        betas = np.minimum(1 - bar(at[1:]) / bar(at[:-1]), 0.999)
    elif name == "linear":
        betas = np.linspace(1e-4, 0.02, T)
    else:
        betas = np.linspace(0.00085**0.5, 0.012**0.5, T) ** 2
    found = np.cumprod(1 - betas)
    if name == "zero_snr":  # Lin et al. 2023: shift √ᾱ so that the last is 0, scale so that the first stays
        root = np.sqrt(found)
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        found = root**2
    found.setflags(write=False)
    return found


def timesteps(steps: int, spacing: str = "leading") -> np.ndarray:
    """The t of each step, the noisiest first. `leading` with Stable Diffusion's offset of 1."""
    if spacing == "trailing":
        return np.round(np.arange(T, 0, -T / steps)).astype(int)[:steps] - 1
    return np.minimum(np.arange(steps)[::-1] * (T // steps) + 1, T - 1)


def plan(name: str, steps: int, spacing: str = "leading") -> tuple[np.ndarray, np.ndarray]:
    """(t (S,), ᾱ (S + 1,)): ᾱ before each step and, last, 1: a film ends without noise."""
    at = timesteps(steps, spacing)
    return at, np.append(abars(name)[at], 1.0)
