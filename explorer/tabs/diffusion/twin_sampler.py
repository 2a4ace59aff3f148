"""From noise to points by the exact score: DDIM's step, with eta from 0 (the probability-flow ODE) to 1 (DDPM, the SDE).

The same step as the image run takes, with a predictor that is right. Guidance is x̂_w = x̂_∅ + w (x̂_y − x̂_∅), which is the
same as with ε, as one is linear in the other.
"""

from dataclasses import dataclass, replace

import numpy as np

from explorer.tabs.diffusion import twin, twin_schedule
from explorer.tabs.diffusion.twin_mixture import Mixture

NOISE, TRACE = 0, 1  # each use of chance has a stream of its own
FLOOR = 1e-7  # of 1 − ᾱ, where a film goes beneath its schedule
PATHS = 6  # of the SDE from one start


@dataclass(frozen=True, eq=False)
class Film:
    """A whole run: t (S,), abar (S + 1,), x (S + 1, n, 2) from noise to points, x0 (S, n, 2) the guided estimates on the way."""

    t: np.ndarray
    abar: np.ndarray
    x: np.ndarray
    x0: np.ndarray


def guided_x0(parts: Mixture, x, a: float, y: int | None, w: float) -> np.ndarray:
    """The estimate of x_0 that guidance with scale w follows; without a class there is nothing to guide to."""
    if y is None or w == 0:
        return parts.x0(x, a)
    if w == 1:
        return parts.x0(x, a, y)
    free, told = parts.x0_pair(x, a, y)
    return free + w * (told - free)


def sigma(a: float, a_next: float, eta: float) -> float:
    """The standard deviation of the fresh noise of one step."""
    return eta * ((1 - a_next) / (1 - a) * max(0.0, 1 - a / a_next)) ** 0.5


def step(x, x0, a: float, a_next: float, eta: float, rng: np.random.Generator | None) -> np.ndarray:
    """x_{t'} = √ᾱ' x̂_0 + √(1 − ᾱ' − σ²) ε̂ + σ z."""
    eps = (x - a**0.5 * x0) / (1 - a) ** 0.5
    spread = sigma(a, a_next, eta)
    out = a_next**0.5 * x0 + max(0.0, 1 - a_next - spread**2) ** 0.5 * eps
    return out + spread * rng.standard_normal(x.shape) if spread else out


def run(settings: twin.Settings, x: np.ndarray | None = None, first: int = 0, rng: np.random.Generator | None = None) -> Film:
    """The film of these settings; from points x (n, 2) at step `first`, where they are given."""
    parts = twin.mixture(settings)
    t, abar = twin_schedule.plan(settings.schedule, settings.steps, settings.spacing)
    t, abar = t[first:], abar[first:]
    rng = rng or np.random.default_rng([settings.seed, NOISE])
    x = rng.standard_normal((settings.n, 2)) if x is None else np.asarray(x, np.float64)
    frames, guesses = [x], []
    for a, a_next in zip(abar[:-1], abar[1:]):
        guess = guided_x0(parts, x, a, settings.y, settings.w)
        x = step(x, guess, a, a_next, settings.eta, rng)
        guesses.append(guess)
        frames.append(x)
    return Film(t, abar, np.stack(frames), np.stack(guesses))


def samples(settings: twin.Settings, below: int = 0) -> np.ndarray:
    """Where such a run ends: (n, 2). Keeps no film. `below`: further steps, beneath the least noise of the schedule."""
    parts = twin.mixture(settings)
    _, abar = twin_schedule.plan(settings.schedule, settings.steps, settings.spacing)
    if below:
        abar = np.concatenate([abar[:-1], 1 - np.geomspace(1 - abar[-2], FLOOR, below + 1)[1:], abar[-1:]])
    rng = np.random.default_rng([settings.seed, NOISE])
    x = rng.standard_normal((settings.n, 2))
    for a, a_next in zip(abar[:-1], abar[1:]):
        x = step(x, guided_x0(parts, x, a, settings.y, settings.w), a, a_next, settings.eta, rng)
    return x


def trace(settings: twin.Settings, start, first: int = 0) -> dict:
    """Where one point goes from step `first` on: its one path by the ODE, and several by the SDE."""
    start = np.array([start], np.float64)
    ode = run(replace(settings, eta=0.0), start, first)
    rng = np.random.default_rng([settings.seed, TRACE])
    sde = run(replace(settings, eta=settings.eta or 1.0), np.repeat(start, PATHS, 0), first, rng)
    return {
        "first": first, "eta": settings.eta or 1.0, "ode": ode.x[:, 0].tolist(), "sde": sde.x.swapaxes(0, 1).tolist(),
        "x0": ode.x0[:, 0].tolist(),
    }  # fmt: skip
