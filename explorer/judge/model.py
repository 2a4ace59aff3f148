"""The judge's network: one convolutional trunk, one linear head per factor. Knows nothing of files."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Config:
    """All that rebuilds the network. `factors` are (name, number of values), in the corpus's order."""

    factors: tuple[tuple[str, int], ...]
    widths: tuple[int, ...] = (32, 64, 128, 192)  # channels at 32, 16, 8 and 4 pixels
    hidden: int = 256

    def __post_init__(self):
        object.__setattr__(self, "widths", tuple(self.widths))  # JSON has no tuples
        object.__setattr__(self, "factors", tuple((name, int(count)) for name, count in self.factors))


class Classifier(nn.Module):
    """Strided convolutions, then a dense layer over all 4x4 places: where something is matters as much as what."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config

        trunk = []
        for before, after in zip((3, *config.widths), config.widths, strict=False):
            trunk += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
        self.trunk = nn.Sequential(*trunk, nn.Flatten(), nn.Linear(config.widths[-1] * 16, config.hidden), nn.SiLU())
        self.head = nn.Linear(config.hidden, sum(count for _, count in config.factors))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(B, 3, 64, 64) in [-1, 1] -> logits per factor, each (B, values)."""
        return self.head(self.trunk(x)).split([count for _, count in self.config.factors], dim=1)
