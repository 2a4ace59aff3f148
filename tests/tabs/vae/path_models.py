"""Small models for the tests of paths: an untrained network, and a decoder that is linear."""

import numpy as np
import torch
from torch import nn

from explorer.tabs.vae import model
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.sources import Own

FACTS = {"title": "Tiny", "beta": 1.0, "version": "tiny"}


def pictures(count: int = 40) -> Own:
    return Own("own", np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8))


def tiny(dims: int = 3, seed: int = 0, count: int = 40) -> Vae:
    """Untrained, and so that its pictures differ visibly from code to code."""
    torch.manual_seed(seed)
    net = model.Vae(model.Config(32, dims, (8, 8, 16)))
    with torch.no_grad():
        net.decoder[-2].weight.mul_(3)
        net.decoder[0].weight.mul_(2)
    return Vae(net, pictures(count), np.full((32, 32), 0.1, np.float32), FACTS)


class Linear(nn.Module):
    """g(z) = W z, small enough to be inside of what pixels can say."""

    def __init__(self, dims: int):
        super().__init__()
        self.config = model.Config(32, dims, (8, 8, 16))
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(0.05 * torch.randn(3072, dims, generator=generator))

    def decode(self, z):
        return (z @ self.weight.T).view(-1, 3, 32, 32)

    def encode(self, x):
        mu = x.flatten(1) @ self.weight * 0.01
        return mu, torch.zeros_like(mu)


def linear(dims: int = 4) -> Vae:
    return Vae(Linear(dims), pictures(), np.full((32, 32), 0.1, np.float32), FACTS)
