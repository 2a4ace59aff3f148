"""How good the fakes are, measured on many of them against the exact law of the data. Knows no nets.

Divergences are in bits, on 30 x 30 cells over [-1, 1]² and one more for all that lies outside: P from the density itself,
Q from at least 10,000 fakes. With the 150 of a plot alone, chance would add 2 bits (GAN Lab's panel does that).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from explorer.toy2d import Toy

FAKES = 10_000  # at least so many are needed
CELLS = 30  # per side
SMOOTHING = 1e-4  # added to every cell of P and Q, as in GAN Lab: an empty cell of Q costs log2(p / 0.0001), not infinity
DIRECTIONS = 32  # of the sliced distance, evenly over half a turn
REALS = 2**18  # points whose quantiles stand for the law's
STEP = np.float32(1 / 8192)  # to which coordinates are rounded for sorting
NEAR = 3.0  # sds of a mode within which a fake counts as good: VEEGAN (Srivastava et al. 2017), PacGAN (Lin et al. 2018)
GOOD = 1 - math.exp(-NEAR**2 / 2)  # the share of a Gaussian within them, 0.989: what a perfect generator reaches
COVERED = 0.05  # of a mode's own share makes it covered. Both papers ask for one fake of 2,500, which strays of a wide mode are
PIXELS, REACH = 600, 1.2  # of the map of good places on a curve: pixels per side over [-REACH, REACH]²


@dataclass(frozen=True)
class Metrics:
    """kl, js: bits (KL of the data from the fakes); sw: sliced Wasserstein-1, in the plot's units; high_quality: share of
    fakes within 3 sds of a mode, or, on a curve, where the density is not in its lowest 1.1 %; shares: for each mode the
    share of all fakes that is within 3 sds of it (and nearest to it), () where there are no modes; middle: the mean of the
    fakes, which tells whether they move as a whole. All NaN for NaN fakes."""

    kl: float
    js: float
    sw: float
    modes_covered: int
    modes_total: int
    high_quality: float
    shares: tuple[float, ...]
    middle: tuple[float, float] = (math.nan, math.nan)


def measure(toy: Toy, fakes: np.ndarray) -> Metrics:
    """The fakes (N, 2), N at least 10,000, against the law of the toy."""
    total = 0 if toy.modes is None else len(toy.modes)
    fakes = np.ascontiguousarray(fakes, np.float32)
    if not np.isfinite(fakes).all():
        return Metrics(math.nan, math.nan, math.nan, 0, total, math.nan, (math.nan,) * total)
    p, q = _cells(toy), histogram(fakes)
    distance = sliced(fakes, _quantiles(toy, len(fakes)))
    shares = () if toy.modes is None else mode_shares(toy, fakes)
    good = float(_good(toy, fakes).mean()) if toy.modes is None else float(sum(shares))
    covered = int(sum(shares >= COVERED * toy.weights)) if total else 0
    middle = tuple(float(value) for value in fakes.mean(0, dtype=np.float64))
    return Metrics(kl(p, q), js(p, q), distance, covered, total, good, tuple(float(share) for share in shares), middle)


# ---- Divergences --------------------------------------------------------------------------------------------------------------


def kl(p: np.ndarray, q: np.ndarray, smoothing: float = SMOOTHING) -> float:
    """KL(P || Q) in bits of two vectors of probabilities. Both are smoothed alike, so that equals stay at 0."""
    p, q = p + smoothing, q + smoothing
    some = p > 0
    return float(p[some] @ np.log2(p[some] / q[some]))


def js(p: np.ndarray, q: np.ndarray, smoothing: float = SMOOTHING) -> float:
    """Jensen-Shannon divergence in bits: 0 for equals, and without smoothing 1 for those that share nothing."""
    middle = (p + q) / 2
    return (kl(p, middle, smoothing) + kl(q, middle, smoothing)) / 2


def histogram(points: np.ndarray) -> np.ndarray:
    """The share of (N, 2) points in each cell, row by row, and of those outside as the last: (CELLS² + 1,), sum 1."""
    column, row = np.floor((np.clip(points, -9, 9) + 1) * (CELLS / 2)).astype(np.int64).T
    inside = (column >= 0) & (column < CELLS) & (row >= 0) & (row < CELLS)
    cell = np.where(inside, row * CELLS + column, CELLS * CELLS)
    return np.bincount(cell, minlength=CELLS * CELLS + 1) / len(points)


@lru_cache(maxsize=128)
def _cells(toy: Toy) -> np.ndarray:
    """The law's probability of the same cells."""
    edges = np.linspace(-1, 1, CELLS + 1)
    inside = toy.mass(edges, edges).ravel()
    return np.append(inside, max(0.0, 1 - inside.sum()))


# ---- Sliced Wasserstein ------------------------------------------------------------------------------------------------------

_ANGLES = (np.arange(DIRECTIONS) + 0.5) * np.pi / DIRECTIONS
_AXES = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)]).T.astype(np.float32)  # (DIRECTIONS, 2)


def project(points: np.ndarray) -> np.ndarray:
    """Each direction's sorted coordinates of (N, 2) points: (DIRECTIONS, N) float32.

    Rounded to a STEP where all lie within 4 of the centre: NumPy sorts 16-bit numbers by radix, five times as fast.
    """
    out = _AXES @ points.T
    if np.abs(out).max() >= 3.9999:
        return np.sort(out, axis=1)
    out *= 1 / STEP
    whole = np.sort(np.rint(out, out=out).astype(np.int16), axis=1, kind="stable")
    return np.multiply(whole, STEP, out=out)


def sliced(fakes: np.ndarray, quantiles: np.ndarray) -> float:
    """Wasserstein-1 along each direction, averaged: fakes (N, 2) against another's sorted coordinates (DIRECTIONS, N).

    A copy shifted by s is about 2/π |s| away: the mean of |cos|.
    """
    gap = project(fakes)
    gap -= quantiles
    return float(np.abs(gap, out=gap).mean(dtype=np.float64))


def _quantiles(toy: Toy, n: int) -> np.ndarray:
    """n evenly spread quantiles of the law along each direction: (DIRECTIONS, n)."""
    return _steps(toy, n) * STEP


@lru_cache(maxsize=128)  # a class may draw a hundred data sets; each takes 0.6 MB for 10,000 fakes
def _steps(toy: Toy, n: int) -> np.ndarray:
    """The same in whole STEPs, int16: every law of the lab lies within 4 of the centre."""
    reals = project(np.clip(toy.sample(REALS, np.random.default_rng(0)), -2.5, 2.5))
    at = (np.arange(n) + 0.5) / n * REALS - 0.5
    low = np.clip(at.astype(np.int64), 0, REALS - 2)
    part = (at - low).astype(np.float32)
    return np.rint((reals[:, low] * (1 - part) + reals[:, low + 1] * part) / STEP).astype(np.int16)


# ---- Modes and quality -------------------------------------------------------------------------------------------------------


def mode_shares(toy: Toy, fakes: np.ndarray) -> np.ndarray:
    """For each mode the share of all fakes that lie within 3 sds of it, and nearest to it: (M,)."""
    scale = (1 / toy.spreads).astype(np.float32)
    best, mode = np.full(len(fakes), np.float32(NEAR**2)), np.full(len(fakes), len(scale))
    x, y = np.ascontiguousarray(fakes.T)
    for i, ((mx, my), (sx, sy)) in enumerate(zip(toy.modes.astype(np.float32), scale)):
        square = ((x - mx) * sx) ** 2 + ((y - my) * sy) ** 2
        nearer = square <= best
        best[nearer], mode[nearer] = square[nearer], i
    return np.bincount(mode, minlength=len(scale) + 1)[:-1] / len(fakes)


def _good(toy: Toy, fakes: np.ndarray) -> np.ndarray:
    """Where a curve's density is not low: (N,) bool."""
    return _map(toy)[_pixel(fakes)]


@lru_cache(maxsize=128)
def _map(toy: Toy) -> np.ndarray:
    """Good places as pixels, with a border that is never good. Its law holds GOOD of its own samples there."""
    centres = (np.arange(PIXELS) + 0.5) * (2 * REACH / PIXELS) - REACH
    density = np.pad(toy.grid(centres, centres), 1)
    seen = density[_pixel(toy.sample(100_000, np.random.default_rng(1)))]
    return density >= max(np.quantile(seen, 1 - GOOD) * (1 - 1e-9), 1e-300)


def _pixel(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    column, row = np.clip(((points + REACH) * (PIXELS / (2 * REACH)) + 1).astype(np.int64), 0, PIXELS + 1).T
    return row, column
