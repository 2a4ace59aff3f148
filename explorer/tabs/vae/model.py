"""The variational autoencoder: Kingma & Welling 2013 (arXiv 1312.6114), convolutional, for small square pictures."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Config:
    """All that rebuilds the network; it travels in the card beside the weights."""

    size: int = 64  # pixels per side; 4 * 2 ** len(widths)
    latent_dim: int = 48
    widths: tuple[int, ...] = (32, 64, 128, 256)  # channels at size/2, size/4, ... 4

    def __post_init__(self):
        object.__setattr__(self, "widths", tuple(self.widths))  # JSON has no tuples
        if self.size != 4 * 2 ** len(self.widths):
            raise ValueError(f"{len(self.widths)} widths fit pictures of {4 * 2 ** len(self.widths)}, not {self.size}.")


class Vae(nn.Module):
    """Encoder to (mu, logvar) of a diagonal Gaussian, decoder to the mean picture.

    No convolution runs at full resolution: the first one strides, the last one is followed by a pixel shuffle.
    """

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        widths, deepest = config.widths, config.widths[-1]

        down = []
        for before, after in zip((3, *widths), widths):
            down += [nn.Conv2d(before, after, 4, stride=2, padding=1), _norm(after), nn.SiLU()]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(deepest * 16, 2 * config.latent_dim))

        up = [nn.Linear(config.latent_dim, deepest * 16), nn.Unflatten(1, (deepest, 4, 4)), _norm(deepest), nn.SiLU()]
        for before, after in zip(widths[::-1], widths[-2::-1]):
            up += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1), _norm(after), nn.SiLU()]
        self.decoder = nn.Sequential(*up, nn.Conv2d(widths[0], 12, 3, padding=1), nn.PixelShuffle(2))

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, size, size) in [-1, 1] -> mu, logvar, each (B, D)."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar.clamp(-12, 6)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """(B, D) -> (B, 3, size, size), about [-1, 1] and not clamped."""
        return self.decoder(z)


def reparametrize(mu: torch.Tensor, logvar: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    """z = mu + sigma * eps, eps ~ N(0, I): the sample is a function of mu and sigma, so gradients pass."""
    return mu + (0.5 * logvar).exp() * eps


def kl(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)) per dimension, in nats, same shape as `mu` (1312.6114, appendix B)."""
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1)


def nll(x: torch.Tensor, x_hat: torch.Tensor, sigma: torch.Tensor | float) -> torch.Tensor:
    """-log N(x; x_hat, sigma^2) summed over pixels, without its constant, in nats: (B,). `sigma` may vary by pixel."""
    return ((x - x_hat) / sigma).square().flatten(1).sum(1) / 2


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(8, channels // 4), channels)
