"""A contact sheet: every option once per row of its factor, on faces that differ in nothing else. For human eyes."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import SIZE, draw
from .factors import FACTORS, column
from .splits import batch

_SCALE, _TEXT = 2, 14  # pixels per pixel, and the height of a line of names


def sheet(faces: int = 42, seed: int = 0) -> Image.Image:
    """The sheet as a picture: one row per factor, then `faces` faces of the training split."""
    rows = [(factor, *_options(number, factor)) for number, factor in enumerate(FACTORS)]
    images, _ = batch("train", 0, faces, seed)
    columns = max(len(names) for names in FACTORS.values())
    for begin in range(0, faces, columns):
        rows.append(("" if begin else "faces", images[begin : begin + columns], [""] * columns))

    side, label = SIZE * _SCALE, 84
    page = Image.new("RGB", (label + columns * side, len(rows) * (side + _TEXT)), "white")
    pen = ImageDraw.Draw(page)
    for y, (title, pictures, names) in enumerate(rows):
        top = y * (side + _TEXT)
        pen.text((4, top + side // 2), title, fill="black")
        for x, (picture, name) in enumerate(zip(pictures, names, strict=False)):
            big = Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST)
            page.paste(big, (label + x * side, top))
            pen.text((label + x * side + 4, top + side + 1), name, fill="black")
    return page


def _options(number: int, factor: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """All values of one factor on one face that is otherwise plain."""
    names = FACTORS[factor]
    plain = np.zeros(len(FACTORS), np.int64)
    plain[[column("hair"), column("hair colour"), column("skin")]] = [1, 1, 1]
    rows = np.repeat(plain[None], len(names), 0)
    rows[:, number] = range(len(names))
    return draw(rows, np.full(len(names), number)), names
