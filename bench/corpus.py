"""python -m bench.corpus: how many corpus faces one core draws per second, and how that compares with drawing the SVG.

Ours and the baseline alternate in one run, and core-seconds are counted, so the ratio holds on a busy machine.
"""

import io
import statistics
import time

import numpy as np
from PIL import Image

from explorer import corpus

ROUNDS = 7


def ours(start: int, count: int) -> None:
    """Attributes, layers, warp: what a training loop calls."""
    corpus.batch("train", start, count)


def captions(start: int, count: int) -> None:
    for seed, row in enumerate(corpus.attributes(range(start, start + count)), start):
        corpus.caption(row, seed, 0.7)


def svg(start: int, count: int) -> None:
    """The same kind of face as an SVG of python_avatars, rasterised by resvg and scaled to 64x64."""
    import python_avatars as pa
    import resvg_py

    for row in corpus.attributes(range(start, start + count)):
        drawing = pa.Avatar(
            style=pa.AvatarStyle.TRANSPARENT,
            top=list(pa.HairType)[row[0]],
            eyebrows=list(pa.EyebrowType)[row[4]],
            eyes=list(pa.EyeType)[row[3]],
            nose=pa.NoseType.DEFAULT,
            mouth=list(pa.MouthType)[row[5]],
            facial_hair=pa.FacialHairType.BEARD_MEDIUM if row[7] else pa.FacialHairType.NONE,
            skin_color=list(pa.SkinColor)[row[2]],
            hair_color=list(pa.HairColor)[row[1]],
            accessory=pa.AccessoryType.ROUND if row[6] else pa.AccessoryType.NONE,
            clothing=pa.ClothingType.SHIRT_CREW_NECK,
            clothing_color=list(pa.ClothingColor)[row[8]],
        ).render()
        png = resvg_py.svg_to_bytes(svg_string=drawing, width=corpus.SIZE)
        np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))


def resize(start: int, count: int) -> None:
    """Ten layers of 264x280 per face, scaled and pasted by Pillow."""
    layer = Image.new("RGBA", (264, 280), (200, 100, 50, 128))
    for _ in range(count):
        page = Image.new("RGBA", (corpus.SIZE, corpus.SIZE), "white")
        for _ in range(10):
            page.alpha_composite(layer.resize(page.size, Image.Resampling.BILINEAR))


def baseline():
    """What there is to compare with here: a name, and how to draw with it."""
    try:
        import python_avatars  # noqa: F401
        import resvg_py  # noqa: F401
    except ImportError:
        return "Pillow, ten layers resized", resize
    return "python_avatars + resvg", svg


def rate(draw, start: int, count: int) -> float:
    """Images per core-second."""
    began = time.process_time()
    draw(start, count)
    return count / (time.process_time() - began)


def main() -> None:
    name, other = baseline()
    rows = {
        "explorer.corpus.batch": (ours, 1000),
        "captions (detail 0.7)": (captions, 1000),
        f"baseline: {name}": (other, 40),
    }
    rates = {title: [] for title in rows}
    for draw, _ in rows.values():  # load layers and libraries
        draw(0, 2)
    for start in range(0, ROUNDS * 1000, 1000):
        for title, (draw, count) in rows.items():
            rates[title].append(rate(draw, start, count))

    base = statistics.median(list(rates.values())[-1])
    print(f"{'':40} {'images/core-s':>14} {'slowest':>9} {'ratio':>7}")
    for title, values in rates.items():
        median = statistics.median(values)
        print(f"{title:40} {median:14,.0f} {min(values):9,.0f} {median / base:7.1f}")


if __name__ == "__main__":
    main()
