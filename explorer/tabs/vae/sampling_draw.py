"""Random codes: from the prior or from where pictures really are, held nearer to the middle, or with less noise.

    z = mean + psi (m_k + T L_k eps - mean)

psi pulls the whole code towards the mean (truncation as of Karras et al. 2019, arXiv 1812.04948), T scales the noise around the
component k of the mixture that was drawn. The prior has one component, so there psi and T are one and the same.
"""

import numpy as np
import torch

from explorer.tabs.vae import aggregate
from explorer.tabs.vae.engine import Vae

SOURCES = ("prior", "aggregate")
SHEET = 24  # pictures side by side
MOST = 512
REACH = 2.0  # the largest psi and temperature


def mixture(vae: Vae) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights (K,), means (K, D) and Cholesky factors (K, D, D) of where pictures are. Raises ValueError for fewer than two."""
    if vae.source.most < 2:
        raise ValueError("This model knows one picture only, which is no cloud of codes to draw from; draw from the prior.")
    return tuple(vae.mixture[aggregate.PREFIX + name].float() for name in ("weights", "means", "cholesky"))


def middle(vae: Vae, source: str) -> np.ndarray:
    """The mean code of a source (D,)."""
    if source == "prior":
        return np.zeros(vae.dims, np.float32)
    weights, means, _ = mixture(vae)
    return (weights @ means / weights.sum()).numpy()


def draw(vae: Vae, source: str, n: int, seed: int, psi: float = 1.0, temperature: float = 1.0) -> np.ndarray:
    """(n, D) float32 codes. The same seed gives the same components and noise at every psi and temperature; at temperature 1
    these are the codes of `Vae.sample(n, seed, psi, source)`. Raises ValueError for what cannot be drawn."""
    if source not in SOURCES:
        raise ValueError("Codes are drawn from 'prior' or from 'aggregate'.")
    if not 1 <= n <= MOST:
        raise ValueError(f"Between 1 and {MOST} codes can be drawn at once.")
    if not (0 <= psi <= REACH and 0 <= temperature <= REACH):
        raise ValueError(f"Truncation and temperature lie between 0 and {REACH:g}.")
    rng = torch.Generator().manual_seed(int(seed) % 2**63)
    if source == "prior":
        z = psi * temperature * torch.randn(n, vae.dims, generator=rng)
    else:
        weights, means, cholesky = mixture(vae)
        chosen = torch.multinomial(weights, n, replacement=True, generator=rng)
        noise = torch.einsum("nij,nj->ni", cholesky[chosen], torch.randn(n, vae.dims, generator=rng))
        centre = weights @ means / weights.sum()
        z = centre + psi * (means[chosen] + temperature * noise - centre)
    return z.clamp(-vae.far, vae.far).numpy()
