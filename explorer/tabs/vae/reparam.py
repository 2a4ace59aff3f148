"""Two ways to the gradient of E_q[f(z)], z ~ N(mu, sigma^2), with respect to mu and sigma.

Pathwise (reparametrised): z = mu + sigma eps, so the gradient is the mean of f'(z) (1, eps). Score function (REINFORCE,
Williams 1992): the mean of f(z) grad log q(z) = f(z) (eps, eps^2 - 1) / sigma, which asks no slope of f but costs variance. Both
are right on average. A baseline, the mean of the other draws' f, leaves the mean alone and takes away the part of the variance
that f's level makes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from explorer.tabs.vae import elbo
from explorer.tabs.vae.engine import Vae

WAYS = ("pathwise", "score", "baseline")
MOST = 20_000
CHUNK = 32
NODES = 24  # of the quadrature that says the truth

Scalar = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # z (B,) -> f(z), f'(z), each (B,)


@dataclass(frozen=True)
class Draws:
    """eps, f(mu + sigma eps) and its slope there, each (N,) float64."""

    eps: np.ndarray
    f: np.ndarray
    slope: np.ndarray


def square(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f(z) = z^2: the gradient of its mean mu^2 + sigma^2 is (2 mu, 2 sigma)."""
    return z**2, 2 * z


def likelihood(vae: Vae, image: np.ndarray, z: np.ndarray, dim: int) -> Scalar:
    """f(z_d) = log p(x|z) along one dimension, the other numbers as in `z` (D,); its slope is autograd's."""
    if not 0 <= dim < vae.dims:
        raise ValueError(f"There are {vae.dims} dimensions, 0 to {vae.dims - 1}.")
    x, sigma, device = elbo.subject(vae, image)
    level = elbo.constant(vae)
    others = torch.from_numpy(np.asarray(z, np.float32)).to(device)

    def f(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.enable_grad():
            moving = torch.from_numpy(np.asarray(values, np.float32)).to(device).requires_grad_()
            rows = others.expand(len(values), -1)
            codes = torch.cat([rows[:, :dim], moving[:, None], rows[:, dim + 1 :]], 1)
            found = level - elbo.halves(x, vae.net.decode(codes), sigma)
            (slope,) = torch.autograd.grad(found.sum(), moving)
        return found.detach().cpu().numpy(), slope.double().cpu().numpy()

    return f


def draws(f: Scalar, mu: float, sigma: float, count: int, seed: int) -> Iterator[Draws]:
    """`count` draws in chunks."""
    if not 2 <= count <= MOST:
        raise ValueError(f"The comparison takes 2 to {MOST} draws.")
    rng = torch.Generator().manual_seed(seed)
    for start in range(0, count, CHUNK):
        eps = torch.randn(min(CHUNK, count - start), generator=rng).double().numpy()
        yield Draws(eps, *f(mu + sigma * eps))


def joined(parts: list[Draws]) -> Draws:
    return Draws(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("eps", "f", "slope")))


def gradients(d: Draws, sigma: float) -> dict[str, np.ndarray]:
    """What each draw alone says of d/dmu and d/dsigma: way -> (N, 2)."""
    score = np.stack([d.eps, d.eps**2 - 1], 1) / sigma
    n = len(d.f)
    others = (d.f.sum() - d.f) / (n - 1) if n > 1 else np.zeros_like(d.f)  # the mean of all other draws: independent of this one
    return {
        "pathwise": d.slope[:, None] * np.stack([np.ones(n), d.eps], 1),
        "score": d.f[:, None] * score,
        "baseline": (d.f - others)[:, None] * score,
    }


def summary(d: Draws, sigma: float) -> dict[str, dict[str, list[float]]]:
    """way -> {mean, variance, error}, each for d/dmu and d/dsigma; the variance is that of one draw's estimate."""
    out = {}
    for way, found in gradients(d, sigma).items():
        variance = found.var(0, ddof=1)
        error = np.sqrt(variance / len(found))
        out[way] = {"mean": found.mean(0).tolist(), "variance": variance.tolist(), "error": error.tolist()}
    return out


def truth(f: Scalar, mu: float, sigma: float) -> list[float]:
    """d/dmu and d/dsigma of E_q[f] by Gauss-Hermite quadrature of the slopes: no luck in it, exact for smooth f."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    _, slope = f(mu + sigma * nodes)
    weights = weights / weights.sum()
    return [float(weights @ slope), float(weights @ (slope * nodes))]
