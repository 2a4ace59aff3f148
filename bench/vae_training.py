"""How fast a VAE trains on the page, as ratios in one run: `python -m bench.vae_training`

The same net, batch, optimiser and pictures three times: a plain PyTorch loop, the house's loop without a film, and the whole
live thing as a page has it, moments of the film included, each in a thread as the page's are. Ways take turns, so that a
busy moment of the machine meets them all, and are timed by the seconds that their thread computed: those of one core.
"""

import argparse
import os
import time
from dataclasses import replace

import app  # noqa: F401  the environment in which the app runs, its thread count above all: the same for every way

import numpy as np  # isort: skip
import torch

from explorer.tabs.vae import training_data, training_run
from explorer.tabs.vae.objective import negative_elbo
from explorer.tabs.vae.training_settings import Settings, checked

GOAL = 0.95


def plain(settings: Settings, data):
    """step() of the same training as one would write it: shuffled indices, float pictures, AdamW."""
    net = training_run.network(settings)
    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.lr, weight_decay=0.01)
    train = torch.from_numpy(data.train).permute(0, 3, 1, 2).contiguous()

    def step():
        x = train[torch.randint(len(train), (settings.batch,))].float() / 127.5 - 1
        eps = torch.randn(len(x), settings.dims)
        loss, _ = negative_elbo(net, x, eps, settings.sigma, settings.beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()  # whoever trains looks at the loss

    return step


class Turn:
    """A training that is taken up for so many steps at a time."""

    def __init__(self, settings: Settings, data, film: bool):
        self.training = training_run.Training(settings, data)
        if not film:
            self.training.film.due = lambda step: False
        # The film takes a share of its own training's time, not of the others', which run in this thread by turns.
        self._out, self._left = 0.0, None
        self.training.film._clock = lambda: time.thread_time() - self._out
        self.steps = self.training.steps()

    def __call__(self):
        begin = time.thread_time()
        self._out += begin - (begin if self._left is None else self._left)
        next(self.steps)
        self._left = time.thread_time()


def measure(settings: Settings, turns: int, steps: int) -> tuple[dict[str, float], int]:
    """name -> pictures a second of computing, and how many moments the film has."""
    settings = replace(settings, steps=(turns + 1) * steps)
    data = training_data.open_set(settings.data, settings.size)
    live = Turn(settings, data, film=True)
    ways = {
        "plain PyTorch loop": plain(settings, data),
        "the house's loop": Turn(settings, data, film=False),
        "the live thing": live,
    }
    spent = dict.fromkeys(ways, 0.0)
    for turn in range(turns + 1):
        for name, step in ways.items():
            begin = time.thread_time()
            for _ in range(steps):
                step()
            if turn:  # the first warms things up
                spent[name] += time.thread_time() - begin
    return {name: turns * steps * settings.batch / seconds for name, seconds in spent.items()}, len(live.training.film.moments)


KINDS = {
    "digits, the usual": {},
    "digits, channels 16-32-64": {"widths": [16, 32, 64]},
    "digits, 8 numbers, batch of 64": {"dims": 8, "batch": 64},
    "faces at 64 pixels": {"data": "avatars", "size": 64},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20, help="how often the ways take turns (20)")
    parser.add_argument("--steps", type=int, default=40, help="steps of a turn (40)")
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'pictures/s on one core':<34}{'plain':>9}{'loop':>9}{'live':>9}{'loop/plain':>12}{'live/plain':>12}{'moments':>9}")
    for name, kind in KINDS.items():
        if chosen.only in (None, name):
            found, moments = measure(checked(kind), chosen.turns, chosen.steps)
            base, loop, live = found.values()
            verdict = "PASS" if live / base >= GOAL else "under"
            row = f"{base:>9,.0f}{loop:>9,.0f}{live:>9,.0f}{loop / base:>12.3f}{live / base:>12.3f}{moments:>9}"
            print(f"{name:<34}{row}  {verdict}", flush=True)
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"\ngoal: live / plain >= {GOAL}. torch {torch.__version__}, numpy {np.__version__}, one thread; {load}")


if __name__ == "__main__":
    main()
