"""A moment of a run drawn as pixels, for films that leave the page. Knows no page; the page draws its own, with more on it."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from explorer.palette import LIGHT
from explorer.tabs.gan.config import LOSSES, Settings
from explorer.tabs.gan.state import State
from explorer.tabs.gan.view import look, scene

SIDE, HEAD = 480, 36  # pixels of the plot, and of the line above it
FINE = 2  # drawn so much larger and then made smaller, which smooths edges


def draw(settings: Settings, state: State, title: str = "") -> np.ndarray:
    """D's map, the real points as dots and the fakes as diamonds: (SIDE + HEAD, SIDE, 3) uint8."""
    shown, stage = look(settings, state), scene(settings)
    low, high = shown.heat_range
    share = np.clip((shown.heat[::-1] - low) / (high - low), 0, 1)[..., None]
    ends = _rgb(LIGHT["sym-fake"]), _rgb("#ffffff"), _rgb(LIGHT["sym-real"])
    tint = np.where(share < 0.5, _mix(ends[0], ends[1], share * 2), _mix(ends[1], ends[2], share * 2 - 1))
    heat = Image.fromarray((255 - 0.45 * (255 - tint)).astype("u1")).resize((SIDE * FINE,) * 2, Image.Resampling.BICUBIC)

    pen = ImageDraw.Draw(heat)
    for x, y in _place(stage.reals):
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=LIGHT["sym-real"])
    for x, y in _place(shown.fakes):
        pen.polygon([(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)], fill=LIGHT["sym-fake"], outline="#ffffff")

    page = Image.new("RGB", (SIDE, SIDE + HEAD), LIGHT["panel"])
    page.paste(heat.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (0, HEAD))
    line = title or f"Round {state.rounds:,} · {LOSSES[settings.loss]}"
    ImageDraw.Draw(page).text((10, HEAD // 2), line, LIGHT["ink"], ImageFont.load_default(16), anchor="lm")
    return np.asarray(page)


def _place(points: np.ndarray) -> np.ndarray:
    """Points of the plane as pixels of the large drawing."""
    return (np.clip(points, -2, 2) * (1, -1) + 1) / 2 * SIDE * FINE


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)


def _mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    return a + (b - a) * share
