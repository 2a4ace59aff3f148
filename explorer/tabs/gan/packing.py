"""A moment of a run as a few thousand bytes. The page's wire.js reads what is written here; both follow this table:

    u32 bytes that follow, u8 lane, u8 flags, u16 fakes n, u16 judged m, u16 grid, u16 cells x, u16 cells y (0: a line)
    f32 x 24 scalars, in the order of SCALARS
    u16 x 2n fakes, i16 x 2n arrows, i16 x n logits of fakes, i16 x m logits of reals
    u8 x grid² heat, from the lower left, row by row; u16 x 2 (cells + 1)(cells + 1) manifold
    with flag IDEAL: u8 x grid² heat of D*, i16 x 2n its arrows

Points are 0..65535 for -2..2; arrows are shares of the scalar arrow_scale; logits are in 1/256; heat in 1/255 of its range.
"""

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from explorer.tabs.gan.view import CELLS, GRID, Ideal, Shown

SCALARS = (
    "step", "d_updates", "g_updates", "d_loss", "g_loss", "real_acc", "fake_acc", "d_norm", "g_norm", "penalty",
    "kl", "js", "sw", "modes_covered", "modes_total", "high_quality", "metrics_step", "rounds_per_second",
    "arrow_scale", "ideal_arrow_scale", "heat_lo", "heat_hi", "arrow_mean", "reserved",
)  # fmt: skip
IDEAL, AVERAGED, DIVERGED = 1, 2, 4  # flags


def message(blocks: Sequence[bytes], told: Mapping | None = None, fps: int = 0) -> bytes:
    """Some lanes' blocks, and what there is to say besides them, as one message of the stream."""
    words = json.dumps(told, allow_nan=False, separators=(",", ":")).encode() if told else b""
    body = struct.pack("<I", len(words)) + words + struct.pack("<BBH", len(blocks), fps, 0) + b"".join(blocks)
    return struct.pack("<I", len(body)) + body


def block(lane: int, shown: Shown, numbers: Mapping[str, float], ideal: Ideal | None = None, flags: int = 0) -> bytes:
    """One lane. `numbers` gives the scalars by name; what it lacks is NaN, unknown."""
    arrows, scale = _arrows(shown.arrows)
    lengths = np.sqrt((shown.arrows**2).sum(1))
    low, high = np.clip((shown.heat.min(), shown.heat.max()), *shown.heat_range)  # all bytes for what there is: D may be flat
    high = max(high, low + 1e-6)
    more = {"arrow_scale": scale, "heat_lo": low, "heat_hi": high, "arrow_mean": lengths.mean()}
    tail = b""
    if ideal is not None:
        flags |= IDEAL
        ideal_arrows, more["ideal_arrow_scale"] = _arrows(ideal.arrows)
        tail = _bytes(ideal.heat, 0, 1) + ideal_arrows

    numbers = {**numbers, **more}
    scalars = np.array([numbers.get(name, np.nan) for name in SCALARS], "<f4").tobytes()
    rows = CELLS if len(shown.manifold) > CELLS + 1 else 0
    head = struct.pack("<BB5H", lane, flags, len(shown.fakes), len(shown.real_logits), GRID, CELLS, rows)
    body = b"".join([
        head, scalars, points16(shown.fakes), arrows, _logits(shown.fake_logits), _logits(shown.real_logits),
        _bytes(shown.heat, low, high), points16(shown.manifold), tail,
    ])  # fmt: skip
    return struct.pack("<I", len(body)) + body


def points8(points: np.ndarray) -> bytes:
    """(N, 2) as u8 pairs, 0..255 for -1.25..1.25: for small pictures of many runs."""
    return np.clip((points + 1.25) * 102, 0, 255).astype("u1").tobytes()


def points16(points: np.ndarray) -> bytes:
    """(N, 2) as u16 pairs, 0..65535 for -2..2."""
    return np.clip((points + 2) * 16383.75 + 0.5, 0, 65535).astype("<u2").tobytes()


def _arrows(arrows: np.ndarray) -> tuple[bytes, float]:
    scale = float(np.abs(arrows).max()) or 1e-30
    return np.round(arrows * (32767 / scale)).astype("<i2").tobytes(), scale


def _logits(logits: np.ndarray) -> bytes:
    return np.clip(np.round(logits * 256), -32768, 32767).astype("<i2").tobytes()


def _bytes(heat: np.ndarray, low: float, high: float) -> bytes:
    return np.clip((heat - low) * (255 / (high - low)) + 0.5, 0, 255).astype("u1").tobytes()
