"""The dial of beta as pictures: the same held-out pictures and the same draws at every stop, and a film of it for a file."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from explorer.tabs.vae import world_boards, worlds
from explorer.tabs.vae.engine import Vae

PICTURES, DRAWS = 10, 10  # held-out pictures and prior draws at every stop
# Ten colours that differ for the colour-blind too and read on white and on black (after Okabe and Ito, and Tol). The page has
# the same ones in cloud.js.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#a89200", "#7a4fbf", "#8c8c8c", "#7b4a2b")
MAP, RINGS = 320, (1, 2, 3)  # pixels a side; sigmas of the prior
PAPER, INK, LINE = "#faf9f6", "#1c1e23", "#8a8c91"


@cache
def dial(data: str, seed: int = 0) -> np.ndarray:
    """(PICTURES + stops * (PICTURES + DRAWS), size, size, 3): originals, then per stop its reconstructions and its draws."""
    stops = worlds.load(data).stops
    first = next(iter(stops.values()))
    originals = first.gallery().images[:PICTURES]
    frames = [originals]
    for vae in stops.values():
        frames += [vae.decode(vae.encode(originals).mu), vae.decode(vae.sample(DRAWS, seed, source="prior"))]
    return np.concatenate(frames)


def path(models: list[Vae], z: np.ndarray) -> np.ndarray:
    """(F, M, 2) points, one per model and frame -> (F, size, M * size, 3): what each model paints there, side by side."""
    return np.concatenate([vae.decode(z[:, i]) for i, vae in enumerate(models)], axis=2)


def film(data: str, factor: int = 0, seed: int = 0, still: int = 6, between: int = 6) -> np.ndarray:
    """(F, H, W, 3) uint8: the map and its pictures from stop to stop; `between` frames in which the points glide.

    The map keeps the prior's scale, so codes beyond its edge are not on it. Pictures are those of the nearest stop.
    """
    loaded = worlds.load(data)
    names, size = list(loaded.stops), next(iter(loaded.stops.values())).size
    pictures = dial(data, seed)
    colours = np.array([_rgb(one) for one in COLOURS], np.uint8)[loaded.labels[:, factor] % len(COLOURS)]
    frames = []
    for i, name in enumerate(names):
        block = pictures[PICTURES + i * (PICTURES + DRAWS) :][: PICTURES + DRAWS]
        panel = _panel(pictures[:PICTURES], block, size)
        stop, mu = loaded.card["stops"][name], loaded.codes[name].mu
        words = f"{_words(name)}    rate {stop['rate']:.1f}, distortion {stop['distortion']:.1f} nats"
        frames += [_frame(mu, colours, panel, words)] * still
        if i + 1 < len(names):
            following = loaded.codes[names[i + 1]].mu
            for step in range(1, between + 1):
                t = step / (between + 1)
                frames.append(_frame((1 - t) * mu + t * following, colours, panel, words))
    return np.stack(frames)


def _words(stop: str) -> str:
    return {"0": "reconstruction only", "kl": "KL only"}.get(stop, f"beta = {stop}")


def _panel(originals: np.ndarray, block: np.ndarray, size: int) -> np.ndarray:
    """Three rows: pictures, their reconstructions, draws; each picture at 32 pixels."""
    step = max(1, size // 32)
    rows = [originals, block[:PICTURES], block[PICTURES:]]
    return np.concatenate([np.concatenate(list(row[:, ::step, ::step]), axis=1) for row in rows])


def _frame(mu: np.ndarray, colours: np.ndarray, panel: np.ndarray, words: str) -> np.ndarray:
    image = Image.new("RGB", (MAP, MAP + 20 + panel.shape[0]), PAPER)
    draw, half = ImageDraw.Draw(image), world_boards.NEAR
    scale = MAP / (2 * half)
    for ring in RINGS:
        box = [MAP / 2 - ring * scale, MAP / 2 - ring * scale, MAP / 2 + ring * scale, MAP / 2 + ring * scale]
        draw.ellipse(box, outline=LINE)
    draw.text((6, MAP + 4), words, fill=INK, font=ImageFont.load_default(11))
    pixels = np.array(image)
    at = np.round(MAP / 2 + mu * scale * (1, -1)).astype(int)
    inside = ((at >= 1) & (at < MAP - 1)).all(1)
    for dy in (0, 1):
        for dx in (0, 1):
            pixels[at[inside, 1] + dy, at[inside, 0] + dx] = colours[inside]
    pixels[MAP + 20 :, : panel.shape[1]] = panel[:, :MAP]
    return pixels


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
