"""The importance-weighted bound: L_k = E log 1/k sum_i w_i, w = p(x, z) / q(z|x), z ~ q (Burda et al. 2015, 1509.00519).

L_1 is the ELBO; L_k never falls with k, stays below log p(x), and tends to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from explorer.tabs.vae import elbo
from explorer.tabs.vae.engine import Vae

KS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MOST = 20_000  # draws of one picture
FEW = 4  # groups; of fewer no standard error is said, which would be no more than a guess
CHUNK = 50  # draws between two looks: a fifth of a second for the largest network


@dataclass(frozen=True)
class Bound:
    """The estimate of L_k from `groups` groups of k draws that share none; `error` is None where groups are few."""

    k: int
    value: float
    error: float | None
    groups: int
    effective: float  # (sum w)^2 / sum w^2, averaged over the groups: how many of the k draws count


def log_weights(vae: Vae, image: np.ndarray, q: elbo.Posterior, count: int, seed: int) -> Iterator[np.ndarray]:
    """log w of `count` draws in chunks: log p(x|z) + log p(z) - log q(z|x), in nats."""
    if not 1 <= count <= MOST:
        raise ValueError(f"The bound takes 1 to {MOST} draws.")
    rng, constant = torch.Generator().manual_seed(seed), elbo.constant(vae)
    for start in range(0, count, CHUNK):
        eps = torch.randn(min(CHUNK, count - start), vae.dims, generator=rng).double().numpy()
        z = q.mu + q.sigma * eps
        prior_less_q = (eps**2 - z**2).sum(1) / 2 + np.log(q.sigma).sum()
        yield constant - elbo.squared(vae, image, z) + prior_less_q


def bounds(logs: np.ndarray, ks: tuple[int, ...] = KS) -> list[Bound]:
    """L_k for every k that `logs` has draws for. Groups are runs of neighbours, so a group of ten is two groups of five."""
    out = []
    for k in ks:
        groups = len(logs) // k
        if groups:
            rows = logs[: groups * k].reshape(groups, k)
            top = rows.max(1, keepdims=True)
            weights = np.exp(rows - top)
            values = top[:, 0] + np.log(weights.mean(1))
            effective = float((weights.sum(1) ** 2 / (weights**2).sum(1)).mean())
            error = elbo.standard_error(values) if groups >= FEW else None
            out.append(Bound(k, float(values.mean()), error, groups, effective))
    return out
