"""An exponential moving average of a model's weights: steadier than the last step, and what ships."""

import copy

import torch
from torch import nn


class Ema:
    """Holds a second copy of `model` whose weights follow it slowly.

    The decay grows from 0 towards `decay` as (1 + step) / (10 + step), so that the random start is forgotten
    quickly (the warm-up of TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, model: nn.Module, decay: float = 0.999):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        ours, theirs = list(self.model.parameters()), list(model.parameters())
        torch._foreach_lerp_(ours, theirs, 1 - decay)
        for mine, its in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(its)
