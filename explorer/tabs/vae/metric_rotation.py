"""Turning a code: other numbers for the same pictures, and the closed forms that say what stays and what does not.

The prior N(0, I) is the same in every direction, so z' = R z with the decoder g(R^T z') is as good a VAE, with the same ELBO,
as long as its posterior may be N(R mu, R Sigma R^T), which is no longer diagonal. (Locatello et al. 2019, 1811.12359, section 3.)
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import expm, schur


@dataclass(frozen=True)
class Turn:
    """A rotation, by name: of two dimensions by so many degrees, or a part (0 to 1) of the way to a random one."""

    kind: str = "plane"
    i: int = 0
    j: int = 1
    degrees: float = 0.0
    seed: int = 0
    part: float = 0.0

    def matrix(self, dims: int) -> np.ndarray:
        """(dims, dims) float64; rows are the new axes in old numbers. Raises ValueError for axes that are not there."""
        if self.kind == "all":
            return expm(self.part * logarithm(dims, self.seed))
        if not (0 <= self.i < dims and 0 <= self.j < dims) or self.i == self.j:
            raise ValueError(f"A plane needs two different dimensions of the {dims} there are, 0 to {dims - 1}.")
        return plane(dims, self.i, self.j, self.degrees)

    @classmethod
    def read(cls, text: str | None) -> "Turn":
        """Of text such as plane:0:1:45 or all:7:0.5. Raises ValueError for anything else."""
        kind, *parts = (text or "plane:0:1:0").split(":")
        try:
            if kind == "plane" and len(parts) == 3:
                made = cls("plane", i=int(parts[0]), j=int(parts[1]), degrees=float(parts[2]))
                good = abs(made.degrees) <= 360
            elif kind == "all" and len(parts) == 2:
                made = cls("all", seed=int(parts[0]), part=float(parts[1]))
                good = 0 <= made.part <= 1 and 0 <= made.seed < 2**31
            else:
                good = False
        except ValueError:
            good = False
        if not good:
            raise ValueError("A rotation is plane:first:second:degrees, or all:seed:part with a part from 0 to 1.")
        return made


def plane(dims: int, i: int, j: int, degrees: float) -> np.ndarray:
    """Turns dimension i towards j."""
    turned, angle = np.eye(dims), np.deg2rad(degrees)
    turned[i, i] = turned[j, j] = np.cos(angle)
    turned[i, j], turned[j, i] = -np.sin(angle), np.sin(angle)
    return turned


@lru_cache(maxsize=64)
def logarithm(dims: int, seed: int) -> np.ndarray:
    """A, antisymmetric, with exp(A) a rotation drawn evenly from all; exp(t A) is the shortest way there."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.standard_normal((dims, dims)))
    q *= np.sign(np.diag(r))  # Mezzadri 2007, math-ph/0609050: without the signs not all rotations are alike
    if np.linalg.det(q) < 0:
        q[0] *= -1
    blocks, basis = schur(q, output="real")
    # An orthogonal matrix is turns of separate planes: on the diagonal, blocks of cosine and sine, ones, and -1 in pairs.
    log, d, flipped = np.zeros((dims, dims)), 0, []
    while d < dims:
        if d + 1 < dims and abs(blocks[d + 1, d]) > 1e-12:
            angle = np.arctan2(blocks[d + 1, d], (blocks[d, d] + blocks[d + 1, d + 1]) / 2)
            log[d + 1, d], log[d, d + 1] = angle, -angle
            d += 2
            continue
        if blocks[d, d] < 0:
            flipped.append(d)
        d += 1
    for first, second in zip(flipped[::2], flipped[1::2]):
        log[second, first], log[first, second] = np.pi, -np.pi
    log = basis @ log @ basis.T
    return (log - log.T) / 2


def kl_full(mu: np.ndarray, covariance: np.ndarray) -> float:
    """KL(N(mu, covariance) || N(0, I)) in nats, for any covariance (D, D)."""
    _, log_det = np.linalg.slogdet(covariance)
    return float(np.trace(covariance) + mu @ mu - len(mu) - log_det) / 2


def bill(mu: np.ndarray, sigma: np.ndarray, turned: np.ndarray) -> dict[str, float]:
    """KL of one picture's posterior, in nats: before the turn, after it, and if the turned one had to be diagonal again.

    The best diagonal Gaussian costs the mutual information of the posterior's numbers more (1812.06775 says why VAEs,
    which have only those, come out with some axes rather than others).
    """
    mu, sigma = mu.astype(np.float64), sigma.astype(np.float64)
    covariance = (turned * sigma**2) @ turned.T
    full = kl_full(turned @ mu, covariance)
    gap = (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1]) / 2
    return {"before": float(0.5 * (mu**2 + sigma**2 - 2 * np.log(sigma) - 1).sum()), "after": full, "gap": float(gap)}
