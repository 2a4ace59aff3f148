"""python -m explorer.tabs.gan.train: trains the run that ships for every data set, and writes weights, card and a picture.

Players of a GAN circle around the optimum, so the last round is no better than those before it: of every 50th round in the
second half of a run the nearest to the data is kept. The same machine makes the same files; another may round differently.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from explorer import assets, palette, toy2d
from explorer.tabs.gan import engine, metrics, nets, presets
from explorer.tabs.gan.config import Settings, changes
from explorer.tabs.gan.metrics import Metrics
from explorer.tabs.gan.state import State, noise, rng, start, toy
from explorer.training import card

EVERY = 50  # rounds between two looks
CHOOSING, FINAL = 100, 101  # streams of noise: the metrics of the card are not those that the state was chosen by


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Trains the runs of the GAN tab that ship, a few minutes for all.")
    parser.add_argument("data", nargs="*", metavar="DATA", help=f"which data sets (default all): {', '.join(presets.PRESETS)}")
    parser.add_argument("--rounds", type=int, help="so many rounds instead of the preset's")
    parser.add_argument("--out", type=Path, help="folder for the data sets' folders (default assets/gan)")
    args = parser.parse_args(argv)
    if unknown := [name for name in args.data if name not in presets.PRESETS]:
        parser.error(f"there is no data set called {unknown[0]!r}")
    if args.rounds is not None and args.rounds < 1:
        parser.error("--rounds takes a number from 1")

    engine.warm(wait=True)
    torch.set_num_threads(1)  # nets as small as these run slower on more
    for data in args.data or presets.PRESETS:
        began, settings = time.perf_counter(), presets.settings(data)
        state = train(settings, args.rounds or presets.PRESETS[data].rounds)
        found = measure(settings, state, FINAL, 50_000)
        publish((args.out or assets.SHIPPED / "gan") / data, settings, state, found)
        print(f"{data:13} round {state.rounds:6,}  {said(found)}  ({time.perf_counter() - began:.0f} s)", flush=True)
    return 0


def train(settings: Settings, rounds: int) -> State:
    """The state nearest to the data in the second half of so many rounds."""
    state = start(settings)
    best, least = state, np.inf
    while state.rounds < rounds:
        engine.advance(settings, state, min(EVERY, rounds - state.rounds))
        if state.rounds * 2 >= rounds:
            found = far(measure(settings, state, CHOOSING, metrics.FAKES))
            if found < least:
                best, least = state.copy(), found
    return best


def far(found: Metrics) -> float:
    """How far from the data, in one number. Both divergences matter: JS sees shape, the distance sees what is misplaced."""
    return found.js + 3 * found.sw + 0.1 * (found.modes_total - found.modes_covered)


def measure(settings: Settings, state: State, stream: int, n: int) -> Metrics:
    """The metrics of the trained generator (not of its average) on n fakes of a stream of noise."""
    return metrics.measure(toy(settings), nets.generate(settings, state.g, noise(settings, n, rng(settings.seed, stream))))


def said(found: Metrics) -> str:
    modes = f"modes {found.modes_covered} of {found.modes_total}  " if found.modes_total else ""
    return f"distance {found.sw:.3f}  JS {found.js:.3f}  KL {found.kl:.2f} bits  {modes}good {found.high_quality:.0%}"


def publish(folder: Path, settings: Settings, state: State, found: Metrics) -> None:
    """Writes what ships. The weights stay float32: the run shall go on exactly where it was."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {name: round(value, 4) for name, value in vars(found).items() if name not in ("shares", "middle")}
    card.publish(
        folder,
        {name: torch.from_numpy(getattr(state, name)) for name in presets.VECTORS},
        {
            "title": f"GAN, trained on {toy(settings).label.lower()}",
            "settings": changes(settings),
            "counters": {name: getattr(state, name) for name in presets.COUNTERS},
            "data": {"name": settings.data, "licence": "computed by explorer/toy2d.py"},
            "licence": "MIT",
            "seed": settings.seed,
            "engine": engine.name(settings),
            "metrics": numbers | {"fakes": 50_000},
            "command": f"python -m explorer.tabs.gan.train {settings.data}",
        },
    )
    picture(settings, state).save(folder / "sheet.png", optimize=True)


def picture(settings: Settings, state: State, size: int = 320) -> Image.Image:
    """The picture to look at before the numbers are believed: 800 real points, blue, below 800 fakes, pink."""
    scale = 3  # drawn larger, for smooth dots
    image = Image.new("RGB", (size * scale, size * scale), palette.LIGHT["panel"])
    draw = ImageDraw.Draw(image)
    reals = toy2d.TOYS[settings.data].sample(800, rng(settings.seed, FINAL, 1))
    fakes = nets.generate(settings, state.g, noise(settings, 800, rng(settings.seed, FINAL)))
    for points, colour in ((reals, "sym-real"), (fakes, "sym-fake")):
        for x, y in (np.array([1, -1]) * points / 1.1 + 1) / 2 * size * scale:
            draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=palette.LIGHT[colour])
    return image.resize((size, size), Image.Resampling.LANCZOS).quantize(32)


if __name__ == "__main__":
    sys.exit(main())
