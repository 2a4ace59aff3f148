"""What a page that shows a latent plane draws from: codes, boards of decoded pictures, the manifold in prior quantiles.

All of it for any VAE whose code is two numbers. What everybody sees is computed once and kept with its model.
"""

import io
import itertools
import math
import threading
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image
from scipy.stats import norm

from explorer import corpus, export
from explorer.tabs.vae import worlds
from explorer.tabs.vae.engine import Code, Vae
from explorer.tabs.vae.sources import Avatars

NEAR = 3.5  # prior sigmas from the middle to the edge of a board: 99.9 % of the prior
SIDE = {32: 33, 64: 25}  # pictures in a row of a board, by their size: half a second, or three, of one core
QUALITY = 80  # of the sheet of a board, which is a preview: about 38 dB, a tenth of the bytes of a PNG
CODES = 2000  # pictures on a map
EDGE = 0.001  # the manifold ends at these quantiles, 3.1 sigma out; beyond them is a five-hundredth of the prior a side
NARROW = 1e-4  # the narrowest share of the prior that is worth a grid of its own
KEPT_BYTES = 64_000_000  # of answers, over all models; the least lately used go. A manifold of large pictures is 5.4 MB

_kept: WeakKeyDictionary[Vae, dict[tuple, tuple[int, object]]] = WeakKeyDictionary()  # key -> when it was last used, answer
_clock = itertools.count()
_lock = threading.Lock()


def flat(vae: Vae) -> Vae:
    """The same model. Raises ValueError where its code is no point of a plane."""
    if vae.dims != 2:
        raise ValueError(f"A map needs a code of two numbers; this model's has {vae.dims}.")
    return vae


def kept(vae: Vae, key: tuple, make: Callable):
    """`make()`, or what it gave before for this model and key."""
    with _lock:
        mine = _kept.setdefault(vae, {})
        if key in mine:
            mine[key] = next(_clock), mine[key][1]
            return mine[key][1]
    made = make()
    with _lock:
        mine[key] = next(_clock), made
        _trim()
    return made


def _trim() -> None:
    found = [(used, _bytes(answer), mine, key) for mine in _kept.values() for key, (used, answer) in mine.items()]
    total = sum(size for _, size, _, _ in found)
    for _, size, mine, key in sorted(found, key=lambda one: one[0])[:-1]:  # the newest stays, whatever its size
        if total <= KEPT_BYTES:
            break
        del mine[key]
        total -= size


def _bytes(answer) -> int:
    if isinstance(answer, Code):
        return answer.mu.nbytes + answer.sigma.nbytes + answer.kl.nbytes
    if isinstance(answer, tuple):
        return sum(map(_bytes, answer))
    return answer.nbytes if isinstance(answer, np.ndarray) else len(answer)


def codes(vae: Vae) -> tuple[Code, np.ndarray]:
    """The posteriors of the pictures on its map, and their labels (N, factors)."""

    def encode():
        if vae.card.get("stops"):  # one that ships with them
            dial = worlds.load(vae.source.name)
            for stop, mine in dial.stops.items():
                if mine is vae:
                    return dial.codes[stop], dial.labels
        pictures, labels = vae.source.batch(CODES)
        return vae.encode(pictures), labels

    return kept(flat(vae), ("codes",), encode)


def shown(vae: Vae, index: int) -> np.ndarray:
    """(size, size, 3) uint8: one picture of its map. Raises ValueError where there is none."""
    count = len(codes(vae)[1])
    if not 0 <= index < count:
        raise ValueError(f"The map holds pictures 0 to {count - 1}; there is no {index}.")
    if isinstance(vae.source, Avatars):
        return corpus.batch("val", index, 1)[0][0]  # one face is drawn, not two thousand
    return vae.source.batch(index + 1)[0][index]


def reach(vae: Vae) -> float:
    """Half the side of a square about the origin that holds all its codes and the prior, within what can be decoded."""
    furthest = float(np.abs(codes(vae)[0].mu).max())
    return math.floor(100 * min(vae.far, max(NEAR, 1.03 * furthest))) / 100  # never up: beyond `far` nothing is decoded


# ---- Boards: pictures at the crossings of a lattice ----------------------------------------------------------------------


def lattice(half: float, side: int) -> np.ndarray:
    """(side * side, 2) float32: points of a square about the origin, row by row, the top row at z2 = +half."""
    line = np.linspace(-half, half, side, dtype=np.float32)
    x, y = np.meshgrid(line, line[::-1])
    return np.stack([x.ravel(), y.ravel()], 1)


def side_of(vae: Vae) -> int:
    return SIDE.get(vae.size, 25)


def board(vae: Vae, half: float) -> np.ndarray:
    """(side * side, size, size, 3) uint8: the pictures of `lattice(half, side)`."""
    return flat(vae).decode(lattice(half, side_of(vae)))


def sheet(vae: Vae, which: str) -> tuple[bytes, int]:
    """The board "near" (the prior's own square) or "wide" (all codes) as one WebP of `side` columns, and `side`."""
    if which not in ("near", "wide"):
        raise ValueError("A board is near or wide.")
    side = side_of(flat(vae))

    def draw():
        half = NEAR if which == "near" else reach(vae)
        file = io.BytesIO()
        Image.fromarray(export.grid(board(vae, half), side)).save(file, "WEBP", quality=QUALITY, method=2)
        return file.getvalue()

    return kept(vae, ("board", which), draw), side


# ---- The manifold: pictures at equal shares of the prior ----------------------------------------------------------------


def quantiles(low: float, high: float, count: int) -> np.ndarray:
    """(count,) float32: the middles, in probability, of `count` equal shares of the prior between two of its quantiles."""
    shares = low + (np.arange(count) + 0.5) / count * (high - low)
    return norm.ppf(shares).astype(np.float32)


def rectangle(x0: float, x1: float, y0: float, y1: float) -> tuple[float, float, float, float]:
    """The same four shares. Raises ValueError where they bound nothing within the prior."""
    for low, high in ((x0, x1), (y0, y1)):
        if not (EDGE <= low and high <= 1 - EDGE and high - low >= NARROW * 0.99):
            raise ValueError(f"A part of the manifold lies between the shares {EDGE} and {1 - EDGE}, {NARROW} or more apart.")
    return x0, x1, y0, y1


def manifold(vae: Vae, shares: tuple[float, float, float, float], count: int) -> np.ndarray:
    """(count * count, size, size, 3) uint8, the top row at the highest z2: `shares` are x0, x1, y0, y1 of the prior."""
    if not 2 <= count <= 21:
        raise ValueError("The manifold has 2 to 21 pictures a side.")
    x0, x1, y0, y1 = rectangle(*(round(share, 6) for share in shares))

    def decode():
        x, y = np.meshgrid(quantiles(x0, x1, count), quantiles(y0, y1, count)[::-1])
        return vae.decode(np.stack([x.ravel(), y.ravel()], 1))

    return kept(flat(vae), ("manifold", x0, x1, y0, y1, count), decode)


# ---- Holes ---------------------------------------------------------------------------------------------------------------


def empty(z: np.ndarray, code: Code, near: float) -> np.ndarray:
    """(M,) bool: no code is within `near` of the point, and it lies outside three sigma of every posterior.

    The ellipse about a code has the half axes max(near, 3 sigma): a posterior narrower than `near` counts as a disc.
    """
    axes = np.maximum(near, 3 * code.sigma)
    out = np.empty(len(z), bool)
    for i in range(0, len(z), 256):  # 256 x 2000 x 2 numbers at a time
        gap = (z[i : i + 256, None] - code.mu) / axes
        out[i : i + 256] = (gap**2).sum(-1).min(1) > 1
    return out
