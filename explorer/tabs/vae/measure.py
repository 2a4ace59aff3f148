"""What a trained VAE can do, in numbers for its card: reconstruction, what each dimension changes, how samples look."""

import numpy as np
import torch

from explorer import pixels
from explorer.tabs.vae import model as vae


@torch.inference_mode()
def encode(net: vae.Vae, images: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, size, size, 3) uint8 -> mu, logvar, each (N, D), on the CPU."""
    device = next(net.parameters()).device
    parts = [net.encode(pixels.to_tensor(images[i : i + 256], device)) for i in range(0, len(images), 256)]
    mu, logvar = (torch.cat(part).cpu() for part in zip(*parts))
    return mu, logvar


@torch.inference_mode()
def decode(net: vae.Vae, z: torch.Tensor) -> np.ndarray:
    """(N, D) -> (N, size, size, 3) uint8."""
    device = next(net.parameters()).device
    return np.concatenate([pixels.to_uint8(net.decode(z[i : i + 256].to(device))) for i in range(0, len(z), 256)])


def reconstruction(net: vae.Vae, images: np.ndarray) -> dict:
    """PSNR of decode(mu) in 8-bit pixels, each face weighted alike, and the KL of the codes from the prior."""
    mu, logvar = encode(net, images)
    kl = vae.kl(mu, logvar).mean(0)
    return {
        "psnr_db": round(float(pixels.psnr(decode(net, mu), images).mean()), 2),
        "kl_nats": round(float(kl.sum()), 1),
        "active_dimensions": int((kl > 0.1).sum()),
    }


def posterior_samples(net: vae.Vae, images: np.ndarray, seed: int) -> torch.Tensor:
    """One z ~ q(z|x) per picture: (N, D)."""
    mu, logvar = encode(net, images)
    return vae.reparametrize(mu, logvar, torch.randn(mu.shape, generator=torch.Generator().manual_seed(seed)))


def attributes(judge, images: np.ndarray, truth: np.ndarray, names: list[str]) -> dict:
    """The share of faces whose attribute the judge still reads, per attribute and on average."""
    right = (judge.labels(images) == truth).mean(0)
    return {"mean": round(float(right.mean()), 4)} | {n: round(float(r), 4) for n, r in zip(names, right)}


def certainty(judge, images: np.ndarray) -> float:
    """How sure the judge is of what it sees: its highest probability, averaged over attributes and faces.

    Corpus faces give almost 1. A picture between two hair cuts, or of none, gives less.
    """
    return round(float(np.mean([p.max(1).mean() for p in judge.read(images).values()])), 4)


def axes(net: vae.Vae, images: np.ndarray, judge=None, reach: float = 2.0) -> list[dict]:
    """Per dimension: its mean KL, and the attribute that the judge sees change most from -reach to +reach.

    `share` is the total variation distance between the judge's readings at the two ends, averaged over the faces:
    1 if every face changes its attribute for certain, 0 if none does.
    """
    mu, logvar = encode(net, images)
    kl = vae.kl(mu, logvar).mean(0)
    out = [{"kl": round(float(k), 3), "effect": "", "share": 0.0} for k in kl]
    if judge is None:
        return out
    for d, axis in enumerate(out):
        ends = []
        for value in (-reach, reach):
            z = mu.clone()
            z[:, d] = value
            ends.append(judge.read(decode(net, z)))
        change = {name: np.abs(ends[0][name] - ends[1][name]).sum(1).mean() / 2 for name in ends[0]}
        best = max(change, key=change.get)
        axis["share"] = round(float(change[best]), 3)
        axis["effect"] = best if change[best] >= 0.1 else ""
    return out
