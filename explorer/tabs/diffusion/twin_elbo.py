"""DDPM's bound on the likelihood, term by term, with the predictor that is right: it tightens with the number of steps T.

−log p(x_0) ≤ L_T + Σ L_{t−1} + L_0: the prior's, the denoising and the reconstruction term, all in nats. What is left of the
gap is not the network's fault, as there is none: it is what T Gaussian steps cannot say. `total` is with the best variance of
each step (Bao et al. 2022, "Analytic-DPM"; what "Improved DDPM" learns), `fixed` with DDPM's own β̃_t, which takes the data
for a point and is loose where the noise is less than the data are wide.
"""

import numpy as np

from explorer.tabs.diffusion import twin, twin_schedule
from explorer.tabs.diffusion.twin_likelihood import NO_DENSITY
from explorer.tabs.diffusion.twin_mixture import Mixture

LEVELS = (10, 30, 100, 300, 1000)
MOST = 1500  # points x_t over which a term is a mean
FIRST = 4000  # and the reconstruction, whose error is one error
WORK = 16_000_000  # table entries of one answer


def levels(schedule: str, steps: int) -> np.ndarray:
    """ᾱ_1 .. ᾱ_T of a chain of T steps through a schedule of 1,000."""
    return twin_schedule.abars(schedule)[np.arange(1, steps + 1) * twin_schedule.T // steps - 1]


def bound(parts: Mixture, schedule: str, steps: int, seed: int = 0, work: int = WORK // len(LEVELS)) -> dict:
    """The three terms for T = `steps`, and the standard error of their sum.

    The mean over x_0 given x_t is in closed form; what is left to chance is x_t, which is drawn anew for each t.
    """
    rng = np.random.default_rng([seed, 4])
    abar = np.maximum(levels(schedule, steps), 1e-8)
    square = float(parts.weights @ (parts.means**2 + parts.variances).sum(1))  # E|x_0|²
    prior = 0.5 * (abar[-1] * square - 2 * abar[-1] - 2 * np.log1p(-abar[-1]))

    n = int(np.clip(work // (steps * len(parts.weights)), 8, MOST))
    fixed, best, variance = np.zeros(steps), np.zeros(steps), 0.0
    for i in range(1, steps):
        open_ = _left_open(parts, abar[i], n, rng)
        weight = 0.5 * (abar[i - 1] / (1 - abar[i - 1]) - abar[i] / (1 - abar[i]))  # half of what the SNR loses
        fixed[i] = weight * open_.mean()
        best[i] = np.log1p(fixed[i])  # by the variance that fits: KL = log(1 + u) where the fixed one pays u
        variance += weight**2 * open_.var() / n

    first = _left_open(parts, abar[0], FIRST, rng)
    spread = first.mean() / 2  # the variance of p(x_0 | x_1), per axis: the best one number
    reconstruction = 1 + np.log(2 * np.pi * spread)
    variance += first.var() / FIRST / (2 * spread) ** 2
    return {
        "T": steps, "prior": float(prior), "reconstruction": float(reconstruction), "denoising": float(best.sum()),
        "total": float(prior + best.sum() + reconstruction), "fixed": float(prior + fixed.sum() + reconstruction),
        "error": float(variance**0.5), "each": best[1:].tolist() if steps <= 100 else _binned(best[1:], 100),
    }  # fmt: skip


def _left_open(parts, a, n, rng):
    """|x_0 − E[x_0 | x_t]|² at n points x_t with ᾱ = a, its mean over x_0 taken."""
    x = a**0.5 * parts.sample(n, rng)[0] + (1 - a) ** 0.5 * rng.standard_normal((n, 2))
    return parts.left_open(x, a)


def _binned(values, bins):
    return [float(part.sum()) for part in np.array_split(values, bins)]


def tighten(settings: twin.Settings) -> dict:
    """The bound for several T, beside the true −log p."""
    parts = twin.mixture(settings)
    if parts.variances.min() < 0.02**2:
        raise ValueError(NO_DENSITY)
    rows = [bound(parts, settings.schedule, steps, settings.seed) for steps in LEVELS]
    return {"nll": parts.entropy(), "rows": rows}
