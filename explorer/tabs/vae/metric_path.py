"""PPL-phi: how far pictures move, in the eyes of phi, while a code walks from one draw of the prior to another.

E || d phi(G(z)) / dz . (b - a) ||^2 with a, b ~ N(0, I) and z = (1 - t) a + t b, t even from 0 to 1. It is the limit of
the path length of Karras et al. 2019 (1812.04948, section 4.1) for an endless short step, with phi in the place of LPIPS, by
one forward derivative: finite steps of float32 are mostly rounding.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch

BATCH = 16


def pixel_phi(x: torch.Tensor) -> torch.Tensor:
    """Mean squared differences of pixels in [-1, 1] become squared distances: (B, 3, S, S) -> (B, 3 S S)."""
    return x.flatten(1) / x[0].numel() ** 0.5


@cache
def judge_phi() -> Callable[[torch.Tensor], torch.Tensor]:
    """What our judge sees in a face: the layer before its answers, scaled to a mean square of 1 on held-out faces."""
    from explorer import corpus, pixels
    from explorer.judge import engine

    trunk = engine.load().net.trunk
    where = next(trunk.parameters()).device
    with torch.no_grad():
        seen = trunk(pixels.to_tensor(corpus.batch("val", 0, 256)[0], where))
    scale = 1 / seen.square().sum(1).mean().sqrt()
    return lambda x: trunk(x) * scale


def lengths(decode: Callable, phi: Callable, dims: int, count: int, seed: int = 0, dtype=torch.float32) -> np.ndarray:
    """(count,) squared speeds at as many random places of as many random paths; their mean is PPL-phi."""
    rng = torch.Generator().manual_seed(seed)
    ends, t = torch.randn(count, 2, dims, generator=rng).to(dtype), torch.rand(count, 1, generator=rng).to(dtype)
    a, b = ends[:, 0], ends[:, 1]
    z, way, out = (1 - t) * a + t * b, b - a, []
    with torch.no_grad():
        for i in range(0, count, BATCH):
            _, speed = torch.func.jvp(lambda z: phi(decode(z)), (z[i : i + BATCH],), (way[i : i + BATCH],))
            out.append(speed.square().sum(1))
    return torch.cat(out).double().numpy()


def path_length(vae, eyes: str = "judge", count: int = 1000, seed: int = 0) -> tuple[float, float]:
    """(PPL-phi, its standard error) of a model, in the eyes of "judge" (judged 64-pixel faces only) or "pixels"."""
    if eyes == "judge" and not (vae.source.judged and vae.size == 64):
        raise ValueError("The judge reads faces of 64 pixels only; ask for pixels instead.")
    phi = judge_phi() if eyes == "judge" else pixel_phi
    found = lengths(vae.net.decode, phi, vae.dims, count, seed)
    return float(found.mean()), float(found.std(ddof=1) / np.sqrt(count))
