"""How likely is a point? The probability-flow ODE carries it to noise, and the divergence along the way says what that costs.

With x̄ = x/√ᾱ and σ = √((1−ᾱ)/ᾱ) the ODE is dx̄/dσ = ε(x), and log p(x_0) = log prior(x̄_end) + ∫ ∇·ε dσ. The mixture's own
log p is at hand, so the error is known in nats.
"""

import numpy as np

from explorer.tabs.diffusion import twin, twin_schedule
from explorer.tabs.diffusion.twin_mixture import Mixture

CALLS = (12, 24, 48, 96, 192)  # of the score, on the way of one point
SOLVERS = {"euler": 1, "heun": 2, "rk4": 4}  # calls of one step
POINTS = 200
WORK = 30_000_000  # table entries of one answer: the number of points gives way
NO_DENSITY = (
    "A training set with s = 0 has no density: its likelihood is infinite on the points. Give it a width s of 0.02 or more."
)


def log_likelihood(parts: Mixture, x0: np.ndarray, steps: int, last: float, solver: str = "rk4") -> tuple[np.ndarray, np.ndarray]:
    """(log p (n,) in nats, where the points end (n, 2)) by so many steps, even in log σ, up to ᾱ = `last`."""
    low = 0.02 * parts.variances.min() ** 0.5  # noise that is far below every width changes no density
    logs = np.linspace(np.log(low), 0.5 * np.log((1 - last) / last), steps + 1)
    wide = logs[1] - logs[0]
    state = np.column_stack([np.array(x0, np.float64), np.zeros(len(x0))])
    for at in logs[:-1]:
        k = _slope(parts, state, at)
        if solver == "heun":
            k = (k + _slope(parts, state + wide * k, at + wide)) / 2
        elif solver == "rk4":
            second = _slope(parts, state + wide / 2 * k, at + wide / 2)
            third = _slope(parts, state + wide / 2 * second, at + wide / 2)
            k = (k + 2 * second + 2 * third + _slope(parts, state + wide * third, at + wide)) / 6
        state = state + wide * k
    x, spread = state[:, :2], 1 + np.exp(2 * logs[-1])  # the variance of x̄ where x is N(0, I)
    return state[:, 2] - (x * x).sum(1) / (2 * spread) - np.log(2 * np.pi * spread), x / spread**0.5


def _slope(parts, state, log_sigma):
    """d(x̄, gained)/d log σ, (n, 3)."""
    sigma = np.exp(log_sigma)
    a = 1 / (1 + sigma**2)
    score, divergence = parts.divergence(a**0.5 * state[:, :2], a)
    return -sigma * np.column_stack([(1 - a) ** 0.5 * score, (a * (1 - a)) ** 0.5 * divergence])


def compare(settings: twin.Settings) -> dict:
    """The ODE's log p of true points beside the exact one, and the error over the calls of the score, for three solvers."""
    parts = twin.mixture(settings)
    if parts.variances.min() < 0.02**2:
        raise ValueError(NO_DENSITY)
    n = int(np.clip(WORK // (sum(CALLS) * len(SOLVERS) * len(parts.weights)), 20, POINTS))
    x0, _ = parts.sample(n, np.random.default_rng([settings.seed, 3]))
    exact = parts.log_density(x0, 1.0)
    last = max(float(twin_schedule.abars(settings.schedule)[-1]), 1e-4)
    rows = {}
    for solver, each in SOLVERS.items():
        rows[solver] = []
        for calls in CALLS:
            found, ends = log_likelihood(parts, x0, calls // each, last, solver)
            error = np.abs(found - exact)
            rows[solver].append({"calls": calls, "mean": float(error.mean()), "max": float(error.max())})
    return {
        "n": n, "calls": CALLS[-1], "exact": exact.tolist(), "ode": found.tolist(), "x0": x0.tolist(), "ends": ends.tolist(),
        "solvers": rows, "mean_exact": float(exact.mean()), "mean_ode": float(found.mean()), "last": last,
    }  # fmt: skip
