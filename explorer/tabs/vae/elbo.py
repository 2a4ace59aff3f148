"""The evidence lower bound of one picture, term by term: ELBO = E_q[log p(x|z)] - KL(q(z|x) || p(z)), in nats.

The decoder is a density over pictures: p(x|z) = N(decode(z), sigma^2), pixels in [-1, 1], one sigma per pixel. Its logarithm has
two parts: minus half the squared errors in units of sigma, and a constant that no code changes,
-sum log sigma - n/2 log 2 pi. (Kingma & Welling 2013, 1312.6114.)
"""

from dataclasses import dataclass

import numpy as np
import torch

from explorer import pixels
from explorer.tabs.vae.engine import Vae

DEAD = 0.1  # nats: a dimension whose KL is smaller on average over held-out pictures carries nothing
SAMPLES = 256  # at most, of one estimate of E_q
WALK = 41  # at most, values of a walk along one number
DECODES = 1400  # at most, of one walk
SIGMAS = 1e-3, 20.1  # the encoder's lie between exp(-6) and exp(3)
MUS = 4.0  # times `far`: the encoder puts a strange picture's mu further out than a code that is decoded for the page
BATCH = 64


@dataclass(frozen=True)
class Posterior:
    """q(z|x) = N(mu, sigma^2), each (D,) float64: the encoder's, or one that a hand has moved."""

    mu: np.ndarray
    sigma: np.ndarray

    @property
    def kl(self) -> np.ndarray:
        """KL(q || N(0, 1)) of each dimension in nats, (D,)."""
        return 0.5 * (self.mu**2 + self.sigma**2 - 1) - np.log(self.sigma)


@dataclass(frozen=True)
class Bill:
    """What one picture costs under one q. `squared` (K,): half the squared errors in sigmas, for K draws z ~ q."""

    posterior: Posterior
    constant: float  # log p(x|z) = constant - squared
    squared: np.ndarray
    squared_at_mean: float  # the same at z = mu

    @property
    def elbo(self) -> float:
        return self.constant - float(self.squared.mean()) - float(self.posterior.kl.sum())

    @property
    def error(self) -> float:
        """The standard error of `elbo`, from the draws; 0 for a single draw, which says nothing of it."""
        return standard_error(self.squared)


def standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def encoded(vae: Vae, image: np.ndarray) -> Posterior:
    """The encoder's q for a picture (S, S, 3) uint8."""
    code = vae.encode(image[None])
    return Posterior(code.mu[0].astype(np.float64), code.sigma[0].astype(np.float64))


def chosen(vae: Vae, mu, sigma) -> Posterior:
    """A visitor's q. Raises ValueError for a wrong count, NaN, and numbers that no picture has."""
    mu, sigma = _numbers(vae, mu, "mu"), _numbers(vae, sigma, "sigma")
    if np.abs(mu).max() > MUS * vae.far:
        raise ValueError(f"Each mu must lie between {-MUS * vae.far:g} and {MUS * vae.far:g}.")
    if not (SIGMAS[0] <= sigma.min() and sigma.max() <= SIGMAS[1]):
        raise ValueError(f"Each sigma must lie between {SIGMAS[0]:g} and {SIGMAS[1]:g}.")
    return Posterior(mu, sigma)


def _numbers(vae: Vae, values, name: str) -> np.ndarray:
    sentence = f"{name} is a list of {vae.dims} finite numbers."
    if not isinstance(values, (list, np.ndarray)) or len(values) != vae.dims:
        raise ValueError(sentence)
    if not all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in values):
        raise ValueError(sentence)
    try:
        found = np.array(values, np.float64)
    except OverflowError:  # a whole number that no float holds
        raise ValueError(sentence) from None
    if not np.isfinite(found).all():
        raise ValueError(sentence)
    return found


def noise(count: int, dims: int, seed: int) -> np.ndarray:
    """eps ~ N(0, I), (count, dims) float64: the same for the same seed, and the first rows are those of a smaller count."""
    rng = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randn(dims, generator=rng) for _ in range(count)]).double().numpy()


def constant(vae: Vae) -> float:
    """-sum log sigma - n/2 log 2 pi over the n = 3 S S values of a picture."""
    sigma = vae.sigma.astype(np.float64)
    return float(-3 * np.log(sigma).sum() - 3 * sigma.size / 2 * np.log(2 * np.pi))


@torch.inference_mode()
def squared(vae: Vae, image: np.ndarray, z: np.ndarray) -> np.ndarray:
    """sum ((x - decode(z)) / sigma)^2 / 2 of a picture (S, S, 3) uint8 under each of B codes (B, D): (B,) float64."""
    x, sigma, device = subject(vae, image)
    parts = []
    for start in range(0, len(z), BATCH):
        codes = torch.from_numpy(np.ascontiguousarray(z[start : start + BATCH], np.float32)).to(device)
        parts.append(halves(x, vae.net.decode(codes), sigma).cpu().numpy())
    return np.concatenate(parts)


def halves(x: torch.Tensor, mean: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Half the squared errors in units of sigma, summed over each picture in double precision: (B,)."""
    return ((x - mean) / sigma).square().flatten(1).sum(1, dtype=torch.float64) / 2


def subject(vae: Vae, image: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.device]:
    """x (1, 3, S, S), sigma (S, S), and the device that both are on."""
    device = next(vae.net.parameters()).device
    return pixels.to_tensor(image[None], device), torch.from_numpy(vae.sigma).to(device), device


@torch.inference_mode()
def density(vae: Vae, image: np.ndarray, z: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What p(x|z) of a code (D,) is made of: x, its mean and noise N(0, 1), each (3, S, S), and sigma (1, S, S), float32.

    A sample is mean + sigma noise.
    """
    x, sigma, device = subject(vae, image)
    mean = vae.net.decode(torch.from_numpy(z[None]).float().to(device))
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(seed))
    return x[0].cpu().numpy(), mean[0].cpu().numpy(), noise[0].numpy(), sigma[None].cpu().numpy()


def bill(vae: Vae, image: np.ndarray, posterior: Posterior | None = None, samples: int = 32, seed: int = 0) -> Bill:
    """The bill of a picture under its encoder's q, or another one. Two bills of one seed share their noise."""
    if not 1 <= samples <= SAMPLES:
        raise ValueError(f"An estimate takes 1 to {SAMPLES} samples.")
    q = posterior or encoded(vae, image)
    z = q.mu + q.sigma * noise(samples, vae.dims, seed)
    found = squared(vae, image, np.concatenate([q.mu[None], z]))
    return Bill(q, constant(vae), found[1:], float(found[0]))


@dataclass(frozen=True)
class Walk:
    """The ELBO while one number of q runs through `values`. `error` is that of the difference from `here`, the start."""

    values: np.ndarray  # (V,), sorted; the start is one of them
    elbo: np.ndarray
    kl: np.ndarray
    error: np.ndarray
    here: int
    best: int


def walk(
    vae: Vae, image: np.ndarray, q: Posterior, dim: int, which: str, values: np.ndarray, samples: int = 16, seed: int = 0
) -> Walk:
    """Moves q's mu or sigma in one dimension through `values` and its own value. All share their noise, so the curve is smooth
    and differences are far more certain than the values. Raises ValueError for what cannot be walked."""
    if which not in ("mu", "sigma"):
        raise ValueError("A walk moves mu or sigma.")
    if not (isinstance(dim, int) and 0 <= dim < vae.dims):
        raise ValueError(f"There are {vae.dims} dimensions, 0 to {vae.dims - 1}.")
    own = getattr(q, which)[dim]
    values = np.unique(np.append(np.asarray(values, np.float64), own))
    if not 2 <= len(values) <= WALK or not 2 <= samples <= SAMPLES or len(values) * samples > DECODES:
        raise ValueError(f"A walk has 2 to {WALK} values and at most {DECODES} decodes.")
    eps = noise(samples, vae.dims, seed)
    steps = []
    for value in values:
        moved = np.array(getattr(q, which))
        moved[dim] = value
        steps.append(Posterior(moved, q.sigma) if which == "mu" else Posterior(q.mu, moved))
    z = np.concatenate([step.mu + step.sigma * eps for step in steps])
    costs = squared(vae, image, z).reshape(len(values), samples)
    here = int(np.flatnonzero(values == own)[0])
    kl = np.array([step.kl.sum() for step in steps])
    elbo = constant(vae) - costs.mean(1) - kl
    error = np.array([standard_error(row - costs[here]) for row in costs])
    return Walk(values, elbo, kl, error, here, int(elbo.argmax()))
