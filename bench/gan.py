"""How fast the GAN lab trains, as ratios in one run: `python -m bench.gan`

The step measured is the default one: data of 150, nets 2-8-8-2 and 2-8-8-1, two updates of D and one of G, SGD. Baseline is
what one would write without a second thought: nn.Sequential, autograd, torch.optim. Ways take turns, so that a busy moment
of the machine meets them all, and are timed by the seconds that their thread computed: those of one core.
"""

import argparse
import os
import time
from itertools import count
from pathlib import Path

import app  # noqa: F401  the environment in which the app runs, its thread count above all: the same for every way

import numpy as np  # isort: skip
import torch
import torch.nn.functional as F
from torch import nn

from explorer.tabs.gan import engine, fast, reference
from explorer.tabs.gan.config import check
from explorer.tabs.gan.state import start

STUDENTS, ROWS = 100, 32


def baseline(device: str = "cpu"):
    """step() of the same training in plain PyTorch."""

    def net(*sizes):
        layers = [part for n, m in zip(sizes, sizes[1:]) for part in (nn.Linear(n, m), nn.ReLU())]
        return nn.Sequential(*layers[:-1]).to(device)

    g, d, data = net(2, 8, 8, 2), net(2, 8, 8, 1), torch.randn(12_000, 2, device=device)
    g_optimizer, d_optimizer = torch.optim.SGD(g.parameters(), lr=0.1), torch.optim.SGD(d.parameters(), lr=0.1)

    def step():
        for _ in range(2):
            x = data[torch.randint(len(data), (150,), device=device)]
            fakes = g(torch.randn(150, 2, device=device)).detach()
            loss = F.softplus(-d(x)).mean() + F.softplus(d(fakes)).mean()
            d_optimizer.zero_grad()
            loss.backward()
            d_optimizer.step()
        loss = F.softplus(-d(g(torch.randn(150, 2, device=device)))).mean()
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()

    return step


SEEDS = count(1)


def runs(how_many: int, **settings):
    """So many runs of seeds of their own: none finds its draws made for another."""
    made = [check({**settings, "seed": next(SEEDS)}) for _ in range(how_many)]
    return [(s, start(s)) for s in made]


def in_turns(ways: dict, turns: int, clock=time.thread_time) -> dict[str, float]:
    """name -> (function, rounds that a call trains) becomes name -> rounds a second over all turns.

    Not the median: drawing a block of noise takes one turn in several, and belongs to the price.
    """
    spent = dict.fromkeys(ways, 0.0)
    for turn in range(turns + 1):
        for name, (work, _) in ways.items():
            begin = clock()
            work()
            if turn:  # the first warms things up
                spent[name] += clock() - begin
    return {name: turns * rounds / spent[name] for name, (_, rounds) in ways.items()}


def goal(title: str, value: float, least: float) -> None:
    print(f"{title:<68}{value:>9.2f}  {'PASS' if value >= least else 'under'}")


def engines(turns: int) -> None:
    """One core: one run, a class, a batch."""
    engine.warm(wait=True)
    if not fast.ready():
        print("numba is not installed or could not compile: only torch is measured.")
    torch.set_num_threads(1)
    plain, (alone,), students, rows = baseline(), runs(1), runs(STUDENTS), reference.Batch(runs(ROWS))

    def of_class():  # a slice each, as the page's scheduler gives them
        for s, state in students:
            engine.advance(s, state, 10)

    ways = {
        "plain PyTorch": (lambda: [plain() for _ in range(40)], 40),
        "one run": (lambda: engine.advance(*alone, 1000 if fast.ready() else 40), 1000 if fast.ready() else 40),
        f"{STUDENTS} runs in turn, all": (of_class, 10 * STUDENTS),
        f"{ROWS} runs as a batch of torch, all": (lambda: rows.advance(16), 16 * ROWS),
    }
    speed = in_turns(ways, turns)
    base = speed["plain PyTorch"]
    print(f"\n{'the default step, one core':<44}{'rounds/s':>12}{'/ plain':>12}{'µs/round':>12}")
    for name, found in speed.items():
        print(f"{name:<44}{found:>12,.0f}{found / base:>12.1f}{1e6 / found:>12.1f}")
    print(f"\n{'goal':<68}{'is':>9}")
    _, one, many, batch = speed.values()
    goal("fast engine, one run / plain PyTorch >= 25", one / base, 25)
    goal(f"{STUDENTS} runs at once, each / plain PyTorch >= 0.3", many / STUDENTS / base, 0.3)
    goal(f"{ROWS} runs as one batch, all / plain PyTorch >= 8", batch / base, 8)


def settings(turns: int) -> None:
    """What other settings cost, beside the default: the fast engine where it serves, and torch."""
    engine.warm(wait=True)
    torch.set_num_threads(1)
    kinds = {
        "default": {},
        "hinge, spectral norm": {"loss": "hinge", "spectral": True},
        "R1": {"r1": 0.5},
        "WGAN-GP, Adam": {"loss": "wgan_gp", "d_opt": "adam", "g_opt": "adam", "d_lr": 0.002, "g_lr": 0.002},
        "tanh": {"d_act": "tanh", "g_act": "tanh"},
        "tanh, R1, instance noise": {"d_act": "tanh", "g_act": "tanh", "r1": 0.5, "instance_noise": 0.1},
        "batch of 1024": {"batch": 1024},
        "3 x 32": {"d_layers": 3, "g_layers": 3, "d_width": 32, "g_width": 32},
        "3 x 64": {"d_layers": 3, "g_layers": 3, "d_width": 64, "g_width": 64},
        "5 x 100": {"d_layers": 5, "g_layers": 5, "d_width": 100, "g_width": 100},
        "3 x 100, batch of 1024": {"d_layers": 3, "g_layers": 3, "d_width": 100, "g_width": 100, "batch": 1024},
    }
    print(f"\n{'one run, rounds/s on one core':<44}{'numba':>12}{'torch':>12}{'ratio':>12}{'serves':>12}")
    for name, kind in kinds.items():
        (one,), (other,) = runs(1, **kind), runs(1, **kind)
        ways = {"torch": (lambda pair=other: reference.advance([pair], 10), 10)}
        if fast.ready():
            ways["numba"] = (lambda pair=one: fast.advance(*pair, 50), 50)
        found = {"numba": float("nan")} | in_turns(ways, max(3, turns // 2))
        row = f"{found['numba']:>12,.0f}{found['torch']:>12,.0f}{found['numba'] / found['torch']:>12.1f}"
        print(f"{name:<44}{row}{engine.name(one[0]):>12}")


def graphics(turns: int) -> None:
    """The same on a GPU, where a step is launched as one CUDA graph."""
    if not torch.cuda.is_available():
        print("\nNo GPU that torch can use: CUDA graphs are not measured.")
        return
    from explorer.tabs.gan import graphs

    def waited(work):
        def wrapped():
            work()
            torch.cuda.synchronize()

        return wrapped

    plain, rows = baseline("cuda"), reference.Batch(runs(ROWS), "cuda")
    captured, crowd = graphs.Graphed(runs(ROWS)), graphs.Graphed(runs(1024))
    ways = {
        "plain PyTorch": (waited(lambda: [plain() for _ in range(40)]), 40),
        f"{ROWS} runs as a batch, all": (waited(lambda: rows.advance(16)), 16 * ROWS),
        f"{ROWS} runs as a CUDA graph, all": (waited(lambda: captured.advance(64)), 64 * ROWS),
        "1024 runs as a CUDA graph, all": (waited(lambda: crowd.advance(64)), 64 * 1024),
    }
    speed = in_turns(ways, turns, time.perf_counter)
    print(f"\n{'the default step, ' + torch.cuda.get_device_name():<44}{'rounds/s':>12}{'/ plain':>12}")
    for name, found in speed.items():
        print(f"{name:<44}{found:>12,.0f}{found / speed['plain PyTorch']:>12.1f}")


def pictures(turns: int) -> None:
    """What a live picture costs the server and the page, and what a class of a hundred gets: see bench/gan_frames.py."""
    if not Path("/proc/self/stat").exists():
        print("\nPictures are measured on Linux only.")
        return
    from bench.gan_frames import frames

    print("\n" + "\n".join(frames()))


# What is measured, in this order; each prints its table.
PARTS = {"engines": engines, "settings": settings, "graphics": graphics, "pictures": pictures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15, help="how often the ways take turns (15)")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    chosen = parser.parse_args()
    for name, part in PARTS.items():
        if chosen.only in (None, name):
            part(chosen.turns)
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"\ntorch {torch.__version__}, numpy {np.__version__}, threads: {torch.get_num_threads()}; {load}")


if __name__ == "__main__":
    main()
