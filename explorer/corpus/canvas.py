"""Draws avatars by compositing pre-rendered layers: integers only, so the same bytes on any machine.

A pixel of the canvas is one uint64 with red, green and blue in three lanes of 16 bits, so that one multiplication
scales all three. Each layer is stacked inside its own bounding box, then one bilinear warp (tilt, scale, shift)
takes the canvas to 64x64. Knows nothing of splits and captions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from . import numbers
from .factors import COLOURS, FACTORS, column

SIZE = 64
FRAME = 96  # the 64x64 picture is 96x96 on the canvas, 1.5 canvas pixels to one
MARGIN = 4  # and may move this far before it meets the canvas's edge
CANVAS = FRAME + 2 * MARGIN
LAYERS = Path(__file__).parents[2] / "assets" / "corpus" / "layers.npz"

# Low jitter, uniform in +- these: pose must not eat a small model's latent space.
TILT = 0.0175  # rad, one degree
SCALE = 0.0175
SHIFT = 0.01  # of the picture's side
COLOUR_NOISE = 0.012  # standard deviation, of the full range, per channel and colour

_STREAM = 1  # of numbers.bits; attributes use others
_ONE = 1 << 16  # fixed point of the warp
_ROUND = np.uint64(0x0080_0080_0080)
_MASK = np.uint64(0x00FF_00FF_00FF)
_EIGHT, _SIXTEEN = np.uint64(8), np.uint64(16)

# Bottom to top. The mouth lies over the beard and the brows over the hair, so that both can always be read.
_STACK = (
    ("skin", "skin"), ("shirt", "shirt"), ("eyes", None), ("hair", "hair colour"),
    ("beard", "hair colour"), ("mouth", None), ("glasses", None), ("brows", None),
)
_COLOURED = tuple(COLOURS)  # the factors whose colours get noise, in this order


class _Layer:
    """One option, unpacked for the arithmetic below: where it lies, what it hides, what it adds."""

    def __init__(self, packed: np.ndarray, corner: np.ndarray) -> None:
        top, left = (int(x) for x in corner)
        self.box = (slice(top, top + packed.shape[0]), slice(left, left + packed.shape[1]))

        # 0..255 -> 0..256, so that dividing is a shift by 8. base + gain <= alpha holds before and after,
        # which keeps every lane below 2^16.
        wide = packed.astype(np.uint64)
        wide += wide >> np.uint64(7)
        red, green, blue, self.gain, alpha = np.moveaxis(wide, -1, 0)
        self.keep = np.ascontiguousarray(np.uint64(256) - alpha)
        self.base = (red | green << _SIXTEEN | blue << np.uint64(32)) * np.uint64(255) + _ROUND
        self.gain = np.ascontiguousarray(self.gain) if self.gain.any() else None

    def over(self, canvas: np.ndarray, colour: np.uint64) -> None:
        """canvas = canvas * (1 - alpha) + base + gain * colour, in place."""
        patch = canvas[self.box]
        total = patch * self.keep
        total += self.base
        if self.gain is not None:
            total += self.gain * colour
        total >>= _EIGHT
        np.bitwise_and(total, _MASK, out=patch)


@cache
def _layers() -> dict[tuple[str, str], _Layer]:
    if not LAYERS.exists():
        raise FileNotFoundError(f"{LAYERS} is missing: rebuild it with python -m explorer.corpus.layers")
    with np.load(LAYERS, allow_pickle=False) as packed:
        return {tuple(name.split("/")): _Layer(packed[name], packed[name + "@"]) for name in packed if "@" not in name}


@cache
def _options() -> list[tuple[int, int | None, list[_Layer | None]]]:
    """Per step of the stack: its factor's column, its colour's number, and the layer of each value."""
    layers, steps = _layers(), []
    for factor, colour in _STACK:
        one = {"skin": "body", "shirt": "crew"}.get(factor)  # a single shape, whatever the colour
        shapes = [layers.get((factor, one or name)) for name in FACTORS[factor]]
        steps.append((column(factor), _COLOURED.index(colour) if colour else None, shapes))
    return steps


@cache
def _palette(factor: str) -> np.ndarray:
    """int64 (values, 3) of a colour factor, 0..255."""
    return np.array([[int(COLOURS[factor][name][i:i + 2], 16) for i in (1, 3, 5)] for name in FACTORS[factor]])


def _colours(rows: np.ndarray, words: np.ndarray) -> np.ndarray:
    """uint64 (N, 4): the noisy fill colours in lanes. `words` are 12 random words per image."""
    clean = np.stack([_palette(factor)[rows[:, column(factor)]] for factor in _COLOURED], 1)  # (N, 4, 3)
    noise = numbers.bell(words).reshape(clean.shape) * round(COLOUR_NOISE * 255 / 147.8 * _ONE) + _ONE // 2 >> 16
    lanes = np.clip(clean + noise, 0, 255).astype(np.uint64)
    return lanes[..., 0] | lanes[..., 1] << _SIXTEEN | lanes[..., 2] << np.uint64(32)


def _poses(words: np.ndarray) -> np.ndarray:
    """int64 (N, 4): picture -> canvas in fixed point: x' = a x - b y + dx, y' = b x + a y + dy about the centres."""
    span = np.array([TILT, SCALE, SHIFT * SIZE, SHIFT * SIZE]) * _ONE
    span = np.rint(span).astype(np.int64)
    tilt, scale, dx, dy = (numbers.below(words, 2 * span + 1) - span).T

    # Second order is exact to 1e-6 at these angles, and needs no library's sine.
    size = _ONE + scale
    cosine = _ONE - (tilt * tilt >> 17)
    ratio = FRAME * _ONE // SIZE
    a = (cosine * size >> 16) * ratio >> 16
    b = (tilt * size >> 16) * ratio >> 16
    return np.stack([a, b, dx * ratio >> 16, dy * ratio >> 16], 1)


# Pixel centres relative to the middle of the picture, in half pixels: whole numbers.
_HALVES = 2 * np.arange(SIZE, dtype=np.int64) - (SIZE - 1)
_MIDDLE = (CANVAS - 1) * _ONE // 2


def _warp(canvas: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Bilinear: uint64 lanes (CANVAS, CANVAS) -> uint64 lanes (SIZE, SIZE)."""
    a, b, dx, dy = (int(p) for p in pose)
    along_a, along_b = _HALVES * a, _HALVES * b
    x = (along_a[None, :] - along_b[:, None] >> 1) + (_MIDDLE + dx)
    y = (along_b[None, :] + along_a[:, None] >> 1) + (_MIDDLE + dy)

    # Four weights of 8 bits that sum to 256 exactly.
    fx, fy = x >> 8 & 255, y >> 8 & 255
    both = fx * fy >> 8
    here = (y >> 16) * CANVAS + (x >> 16)

    flat = canvas.ravel()
    out = flat.take(here, mode="clip") * (256 - fx - fy + both).view(np.uint64)
    here += 1
    out += flat.take(here, mode="clip") * (fx - both).view(np.uint64)
    here += CANVAS
    out += flat.take(here, mode="clip") * both.view(np.uint64)
    here -= 1
    out += flat.take(here, mode="clip") * (fy - both).view(np.uint64)

    out += _ROUND
    out >>= _EIGHT
    return out


def draw(rows: np.ndarray, indices: np.ndarray, seed: int = 0) -> np.ndarray:
    """Avatars with these attributes: int64 (N, A) -> uint8 (N, 64, 64, 3).

    The jitter (pose and colours) is that of (seed, index); no image depends on the others of its batch.
    """
    rows, indices = np.atleast_2d(np.asarray(rows, np.int64)), np.atleast_1d(np.asarray(indices, np.int64))
    words = numbers.bits(seed, indices, _STREAM, 4 + 3 * len(_COLOURED))
    poses, colours = _poses(words[:, :4]), _colours(rows, words[:, 4:])
    background, steps = _COLOURED.index("background"), _options()

    canvas = np.empty((CANVAS, CANVAS), np.uint64)
    out = np.empty((len(rows), SIZE, SIZE, 3), np.uint8)
    for i, row in enumerate(rows.tolist()):
        canvas[:] = colours[i, background]
        for place, colour, shapes in steps:
            layer = shapes[row[place]]
            if layer is not None:
                layer.over(canvas, colours[i, colour] if colour is not None else np.uint64(0))

        lanes = _warp(canvas, poses[i])
        out[i, ..., 0] = lanes  # a cast to uint8 keeps the low byte
        out[i, ..., 1] = lanes >> _SIXTEEN
        out[i, ..., 2] = lanes >> np.uint64(32)
    return out
