"""A classifier of noisy latents: x_t and t in, logits of all ten attributes out; and the gradient that guides with it.

Dhariwal and Nichol 2021, section 4: the classifier must have learned on noisy data, since it is asked about noisy data.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from explorer import assets, corpus

MADE_BY = "python -m explorer.tabs.diffusion.train_classifier"
FILE = "classifier/model.safetensors"
WIDTH, NARROW = 32, 24  # channels at 8x8 and at 4x4 places
WAVES = 8  # sines and as many cosines of t


class Classifier(nn.Module):
    """Three convolutions that know t, then one linear layer over 4x4 places: where something is matters as much as what."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(4, WIDTH, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(2))
        self.norms = nn.ModuleList(nn.GroupNorm(8, WIDTH) for _ in range(2))
        self.time = nn.Sequential(nn.Linear(2 * WAVES, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 4 * WIDTH))
        self.down = nn.Conv2d(WIDTH, NARROW, 3, stride=2, padding=1)
        self.head = nn.Linear(NARROW * 16, sum(len(values) for values in corpus.FACTORS.values()))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """(N, 4, 8, 8) noisy latents and (N,) time steps 0 to 999 -> (N, 61) logits, attribute after attribute."""
        told = self.time(waves(t).to(x.dtype)).view(len(x), 2, 2, WIDTH, 1, 1)
        h = self.first(x)
        for k, (conv, norm) in enumerate(zip(self.blocks, self.norms, strict=True)):
            h = h + conv(F.silu(norm(h) * (1 + told[:, k, 0]) + told[:, k, 1]))
        return self.head(F.silu(self.down(F.silu(h))).flatten(1))


def waves(t: torch.Tensor) -> torch.Tensor:
    """(N,) time steps -> (N, 16) sines and cosines, from one wave in all of time to 128."""
    angle = t.to(torch.float64)[:, None] / 1000 * 2 ** torch.arange(WAVES, device=t.device) * torch.pi
    return torch.cat([angle.sin(), angle.cos()], 1)


def split(logits: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """(N, 61) -> per attribute (N, values)."""
    return logits.split([len(values) for values in corpus.FACTORS.values()], 1)


def log_probabilities(logits: torch.Tensor, wanted: np.ndarray) -> torch.Tensor:
    """(N, 61) logits and (10,) attribute numbers, -1 where one is left open -> (N, asked) of log p(value | x_t)."""
    asked = [(part, int(value)) for part, value in zip(split(logits), wanted, strict=True) if value >= 0]
    if not asked:
        return logits.new_zeros(len(logits), 0)
    return torch.stack([part.log_softmax(1)[:, value] for part, value in asked], 1)


def gradient(net: Classifier, x: torch.Tensor, t: torch.Tensor, wanted: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of log p(y | x_t) towards x_t, shaped as x, and log p of each attribute asked for: (N, asked).

    y is all of them at once, treated as independent given x_t: their log probabilities add up. That is exact for one attribute.
    Of several it is an approximation: a face's attributes are drawn independently, and noise can still tie them to each other.
    """
    with torch.enable_grad():
        point = x.detach().requires_grad_(True)
        each = log_probabilities(net(point, t), wanted)
        if not each.shape[1]:
            return torch.zeros_like(x), each.detach()
        (found,) = torch.autograd.grad(each.sum(), point)
    return found, each.detach()


@cache
def load(folder: Path) -> Classifier:
    """The classifier of a model's folder, frozen. Raises assets.Missing."""
    from safetensors.torch import load_file

    path = Path(folder) / FILE
    if not path.is_file():
        raise assets.Missing(FILE, MADE_BY)
    net = Classifier()
    net.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return net.eval().requires_grad_(False)


def known(folder: Path) -> dict:
    """What its training said of it: accuracy per time step and attribute; {} where the folder holds no such file."""
    try:
        return json.loads((Path(folder) / "classifier" / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
