"""The aggregate posterior q(z) = mean over faces of q(z|x), as a Gaussian mixture one can draw from.

The prior's ball has regions that no face was encoded to; drawing from a density fitted to the codes afterwards avoids
them (ex-post density estimation: Ghosh et al. 2020, arXiv 1903.12436, section 4).
"""

import numpy as np
import torch
from sklearn.mixture import GaussianMixture

PREFIX = "mixture."


def fit(z: torch.Tensor, components: int, seed: int) -> dict[str, torch.Tensor]:
    """Fits codes (N, D): weights (K,), means (K, D), cholesky factors of the covariances (K, D, D)."""
    fitted = GaussianMixture(components, reg_covar=1e-4, max_iter=200, random_state=seed).fit(z.numpy())
    return {
        "mixture.weights": torch.from_numpy(fitted.weights_).float(),
        "mixture.means": torch.from_numpy(fitted.means_).float(),
        "mixture.cholesky": torch.from_numpy(np.linalg.cholesky(fitted.covariances_)).float(),
    }


def draw(mixture: dict[str, torch.Tensor], n: int, rng: torch.Generator, temperature: float = 1.0) -> torch.Tensor:
    """(n, D) codes. The whole distribution shrinks towards its mean: at temperature 0 every draw is the mean code."""
    weights, means, cholesky = (mixture[PREFIX + name].float() for name in ("weights", "means", "cholesky"))
    chosen = torch.multinomial(weights, n, replacement=True, generator=rng)
    spread = torch.einsum("nij,nj->ni", cholesky[chosen], torch.randn(n, means.shape[1], generator=rng))
    centre = weights @ means / weights.sum()  # float16 on disk: the weights sum to almost 1
    return centre + temperature * (means[chosen] - centre + spread)
