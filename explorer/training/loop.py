"""The training loop, as a generator: each step is handed out, and the caller decides to print, save, draw or stop."""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from explorer.training.ema import Ema


@dataclass(frozen=True)
class Progress:
    """One step's news. `loss` and its `parts` are running means, `rate` samples per second, `left` seconds."""

    step: int
    loss: float
    parts: dict[str, float]
    rate: float
    left: float

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value:.4g}" for name, value in self.parts.items())
        left = f"{self.left / 60:.0f} min left" if self.left >= 90 else f"{self.left:.0f} s left"
        return f"step {self.step:,}  loss {self.loss:.4g} ({parts})  {self.rate:.0f} samples/s  {left}"


class Run:
    """All that a training is between two steps; `checkpoint` writes and reads it.

    `settings` are the numbers that must agree when a run is continued.
    """

    def __init__(self, model: nn.Module, settings: dict, *, lr=1e-3, weight_decay=0.01, ema_decay=0.999, seed=0):
        self.model = model
        self.ema = Ema(model, ema_decay)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=weight_decay, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.settings = dict(settings, lr=lr, weight_decay=weight_decay, ema_decay=ema_decay, seed=seed)
        self.settings = json.loads(json.dumps(self.settings))  # as a checkpoint will give them back: no tuples
        self.lr = lr
        self.step = 0
        self.seconds = 0.0


def fit(
    run: Run,
    count: int,
    loss_of: Callable[[nn.Module, torch.Tensor, torch.Generator], tuple[torch.Tensor, dict[str, torch.Tensor]]],
    *,
    batch_size: int,
    steps: int | None = None,
    minutes: float | None = None,
    warmup: int = 100,
    clip: float = 1e3,
) -> Iterator[Progress]:
    """Trains `run` until `steps` or `minutes` are reached, whichever is first; yields after every step.

    `loss_of(model, indices, generator)` gets (batch_size,) indices below `count`, drawn from the run's own generator,
    and returns the loss and its named parts. The learning rate warms up, then falls along a cosine over the budget,
    so a run that is stopped and continued ends like one that was not. Between two yields nothing is half done.
    Raises ValueError without a budget, and FloatingPointError when the loss stops being finite.
    """
    if steps is None and minutes is None:
        raise ValueError("Training needs a budget: a number of steps, or of minutes.")

    began, before, first = time.perf_counter(), run.seconds, run.step
    mean: dict[str, float] = {}
    run.model.train()
    while (done := _done(run, steps, minutes)) < 1:
        for group in run.optimizer.param_groups:
            group["lr"] = run.lr * min(1, (run.step + 1) / warmup) * (0.5 + 0.5 * math.cos(math.pi * done))

        # One step.
        indices = torch.randint(count, (batch_size,), generator=run.generator)
        loss, parts = loss_of(run.model, indices, run.generator)
        run.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(run.model.parameters(), clip)
        run.optimizer.step()
        run.ema.update(run.model, run.step)
        run.step += 1

        # What it said, averaged over about a hundred steps.
        run.seconds = before + time.perf_counter() - began
        news = {"loss": loss.item()} | {name: float(value) for name, value in parts.items()}
        if not math.isfinite(news["loss"]):
            raise FloatingPointError(f"The loss became {news['loss']} at step {run.step}; lower the learning rate.")
        mean = {name: mean.get(name, value) * 0.99 + value * 0.01 for name, value in news.items()}
        done = max(_done(run, steps, minutes), 1e-9)
        rate = (run.step - first) * batch_size / (run.seconds - before)
        shown = {name: value for name, value in mean.items() if name != "loss"}
        yield Progress(run.step, mean["loss"], shown, rate, max(0.0, run.seconds * (1 - done) / done))


def _done(run: Run, steps: int | None, minutes: float | None) -> float:
    """The share of the budget that is used up."""
    return max(run.step / steps if steps else 0.0, run.seconds / 60 / minutes if minutes else 0.0)
