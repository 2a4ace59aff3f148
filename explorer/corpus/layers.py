"""Rebuilds the pre-rendered layers: python -m explorer.corpus.layers

Needs python_avatars (the art) and resvg_py (the rasteriser); running the app needs neither. Each option of the art
becomes one small picture on the canvas, premultiplied RGBA and affine in its fill colour: it is rendered once with
black and once with white, so that base + gain * colour is what the rasteriser would have drawn with that colour.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from .canvas import CANVAS, FRAME, LAYERS, MARGIN
from .factors import FACTORS, HELD_OUT

OVERSAMPLE = 4  # each canvas pixel is the mean of 4 x 4 rasterised ones
VIEW = (24.0, 14.0, 216.0)  # left, top and side of the 64x64 frame, in the drawing's own units

# Where python_avatars puts each kind of part in the drawing, and how it paints it.
PLACE = {
    "eyes": (76, 90, 'fill="#000000"'),
    "eyebrows": (76, 82, 'fill="#000000" fill-opacity="0.6"'),
    "mouth": (78, 134, 'fill="#000000"'),
    "nose": (104, 122, 'fill="#000000" fill-opacity="0.16"'),
    "clothes": (0, 170, ""),
    "accessories": (62, 89, ""),  # 4 units lower than the original: frames stay clear of the brows
    "facial_hair": (49, 72, ""),
    "top/hair": (0, 0, ""),
}

# Factor value -> file of python_avatars. Only art of the original Avataaars set, none of the later Blush additions.
PARTS: dict[str, tuple[str, dict[str, str]]] = {
    "hair": ("top/hair", {
        "cropped": "caesar", "short": "short_flat", "curly": "short_curly", "tufted": "frizzle",
        "frizzy": "short_dreads_2", "bun": "bun", "bob": "mia_wallace", "long": "straight_1", "afro": "fro",
        "headband": "fro_band", "flowers": "frida", "dreadlocks": "dreads", "wavy": "curvy", "swept": "shaved_sides",
    }),
    "eyes": ("eyes", {
        "calm": "default", "wide": "surprised", "happy": "happy", "winking": "wink", "squinting": "squint",
    }),
    "brows": ("eyebrows", {
        "level": "flat_natural", "raised": "raised_excited", "angry": "angry", "worried": "sad_concerned",
    }),
    "mouth": ("mouth", {
        "smile": "smile", "sad": "sad", "serious": "serious",
        "tongue": "tongue", "grimace": "grimace", "shouting": "scream_open",
    }),
    "glasses": ("accessories", {"round": "round", "square": "prescription_02", "sunglasses": "wayfarers"}),
    "beard": ("facial_hair", {"moustache": "moustache_magnum", "full": "beard_medium"}),
}

# Elements that take the fill colour (in a few files the artist's own colour stands there instead of a slot).
COLOURED = ("Skin-Color", "Hair-Color", "Facial-Hair-Color", "Fabric-Color")
COLOURED_IN = {"shaved_sides": ("Hair", "Copetón")}

# Units by which a part is raised: brows above the frames of glasses, the fringe above raised brows.
LIFT = {"mia_wallace": 9, "angry": 5, "sad_concerned": 5, "flat_natural": 4}
INK = 0.75  # opacity of eyes and brows; the original's 0.6 is too faint on dark skin in so few pixels


def _inner(path: Path) -> str:
    """The drawing inside an SVG file, without titles and editors' private marks."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"<(title|desc).*?</\1>", "", text, flags=re.S)
    return re.search(r"<svg[^>]*>(.*)</svg>", text, re.S).group(1)


def _fill(text: str, ids: tuple[str, ...], colour: str) -> str:
    """Sets the fill of the elements with these ids."""
    def paint(match: re.Match) -> str:
        return re.sub(r'\sfill="[^"]*"', "", match.group(1)) + f' fill="{colour}"' + match.group(2)

    for name in ids:
        text = re.sub(rf'(<\w+\b[^>]*?id="{name}"[^>]*?)(/?>)', paint, text)
    return text


def _part(art: Path, folder: str, name: str, colour: str) -> str:
    text = _fill(_inner(art / folder / f"{name}.svg"), COLOURED + COLOURED_IN.get(name, ()), colour)

    if name == "wayfarers":  # see-through violet lenses instead of black mirrors: the eyes behind must stay readable
        text = re.sub(r"<use[^>]*linearGradient[^>]*></use>", "", text)
        text = text.replace('fill-opacity="0.700000048" fill="#000000"', 'fill-opacity="0.38" fill="#a86cff"')
    if folder in ("eyes", "eyebrows"):
        text = re.sub(r'fill-opacity="0\.6\d*"|fill-opacity="0\.5999\d*"', f'fill-opacity="{INK}"', text)
    if name == "fro_band":
        text = text.replace("#92D9FF", "#f28c1b")

    x, y, paint = PLACE[folder]
    return f'<g transform="translate({x},{y - LIFT.get(name, 0)})" {paint}>{text}</g>'


def _body(art: Path, colour: str) -> str:
    """Head, neck and shoulders with the nose: everything that has the colour of the skin."""
    text = _inner(art / "styles" / "transparent.svg")
    shapes = re.search(r"<defs>.*?</defs>", text, re.S).group(0)
    body = re.search(r'(<g id="Body".*?)<g id="Clothing"', text, re.S).group(1)
    return _fill(shapes + body, COLOURED, colour) + _part(art, "nose", "default", colour)


def _rasterise(drawing: str) -> np.ndarray:
    """Premultiplied RGBA of a drawing on the canvas: float64 (CANVAS, CANVAS, 4) in 0..1."""
    import resvg_py

    left, top, side = VIEW
    unit = side / FRAME  # drawing units per canvas pixel
    pixels = CANVAS * OVERSAMPLE
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{pixels}" '
        f'height="{pixels}" viewBox="{left - MARGIN * unit} {top - MARGIN * unit} {CANVAS * unit} {CANVAS * unit}">'
        f'<g fill="none" fill-rule="evenodd">{drawing}</g></svg>'
    )
    png = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA")

    rgba = np.asarray(png, np.float64) / 255
    rgba[..., :3] *= rgba[..., 3:]
    return rgba.reshape(CANVAS, OVERSAMPLE, CANVAS, OVERSAMPLE, 4).mean((1, 3))


def _layer(draw) -> np.ndarray:
    """uint8 (CANVAS, CANVAS, 5): base RGB, gain, alpha, with base + gain <= alpha."""
    black, white = _rasterise(draw("#000000")), _rasterise(draw("#ffffff"))
    base, alpha = black[..., :3], black[..., 3]
    gain = (white - black)[..., :3].mean(-1)

    alpha = np.rint(alpha * 255)
    base = np.minimum(np.rint(base * 255), alpha[..., None])
    gain = np.clip(np.rint(gain * 255), 0, alpha - base.max(-1))
    return np.concatenate([base, gain[..., None], alpha[..., None]], -1).astype(np.uint8)


def _open_mouth(layer: np.ndarray) -> np.ndarray:
    """Cuts an opening into a beard, so that the mouth is always on skin and never lost in dark hair."""
    left, top, side = VIEW
    unit = side / FRAME
    y, x = np.mgrid[:CANVAS, :CANVAS]
    x, y = (x + .5 - MARGIN) * unit + left, (y + .5 - MARGIN) * unit + top
    distance = ((x - 132) / 27) ** 4 + ((y - 158) / 14) ** 4
    keep = np.clip((distance - 1) * 4 + .5, 0, 1)
    return np.floor(layer * keep[..., None]).astype(np.uint8)


def _box(layer: np.ndarray) -> tuple[slice, slice]:
    """The smallest rectangle that holds everything drawn."""
    rows, columns = np.flatnonzero(layer.any((1, 2))), np.flatnonzero(layer.any((0, 2)))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def build() -> dict[str, np.ndarray]:
    """All layers: "factor/value" -> uint8 (h, w, 5), and "factor/value@" -> its top left corner on the canvas."""
    import python_avatars

    art = Path(python_avatars.__file__).parent / "avatar_parts"
    layers = {
        "skin/body": _layer(lambda colour: _body(art, colour)),
        "shirt/crew": _layer(lambda colour: _part(art, "clothes", "shirt_crew_neck", colour)),
    }
    for factor, (folder, files) in PARTS.items():
        for name, file in files.items():
            layers[f"{factor}/{name}"] = _layer(lambda colour, f=file, d=folder: _part(art, d, f, colour))
    layers["beard/full"] = _open_mouth(layers["beard/full"])

    packed = {}
    for name, layer in layers.items():
        box = _box(layer)
        packed[name] = layer[box]
        packed[name + "@"] = np.array([box[0].start, box[1].start], np.int64)
    return packed


def _card(path: Path) -> dict:
    """What the layers are, whose art they are, and how they were made."""
    return {
        "title": "Layers of the avatar faces",
        "factors": {name: list(values) for name, values in FACTORS.items()},
        "held_out": {" x ".join(pair): [list(values) for values in held] for pair, held in HELD_OUT.items()},
        "art": "Avataaars by Pablo Stanley, https://avataaars.com/, by way of the package python_avatars",
        "licence": "The art: free for personal and commercial use (the words of its author's page, and of DiceBear, "
        "which passes it on under the same). python_avatars: MIT, copyright 2021 Ibon. Only parts of the original "
        "Avataaars set are used, none of the later additions from blush.design. Code and renderings: MIT.",
        "changes": "Other colours, darker eyes and brows, see-through lenses, brows and one fringe raised, glasses "
        "lowered, an opening for the mouth in the full beard; framed on the face and made small.",
        "command": "python -m explorer.corpus.layers",
        "made_with": {name: version(name) for name in ("python_avatars", "resvg_py", "numpy", "pillow")},
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m explorer.corpus.layers", description="Rebuild the layers of the avatars."
    )
    parser.add_argument("--out", type=Path, default=LAYERS, help="where to write (default: %(default)s)")
    args = parser.parse_args()
    try:
        packed = build()
    except ImportError as missing:
        raise SystemExit(f"Rebuilding the layers needs {missing.name}: pip install -r requirements-dev.txt") from None
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **packed)
    args.out.with_name("card.json").write_text(json.dumps(_card(args.out), indent=2) + "\n", encoding="utf-8")
    print(f"{len(packed) // 2} layers, {args.out.stat().st_size / 1e3:.0f} kB -> {args.out}")


if __name__ == "__main__":
    main()
