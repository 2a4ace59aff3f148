"""Two-dimensional distributions to learn from: points, and the exact density behind them. Knows no model.

All live around the box [-1, 1]²; a few points of the wide ones fall outside. Every law but the checkerboard's is a mixture
of Gaussians: blobs have one part each, and a curve with Gaussian noise is an integral along it, done with so many parts
(Gauss-Legendre nodes closer together than the noise is wide) that the rest is below 1e-6 of the density's peak.
"""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

CLOUD_SD = 0.03  # of the Gaussian that each own point stands for
MOST_POINTS = 2_048  # that a file gives
MOST_BYTES = 8_000_000  # of a file

_erf = np.vectorize(math.erf, otypes=[float])


# ---- Laws: a density, and the probability of cells ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians along the axes: weights (K,) that sum to 1, means (K, 2), sds (K, 2)."""

    weights: np.ndarray
    means: np.ndarray
    sds: np.ndarray

    def density(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) -> (...) float64."""
        xy = np.asarray(xy, np.float64)
        flat, peak = xy.reshape(-1, 2), self.weights / (2 * math.pi * self.sds.prod(1))
        out, chunk = np.empty(len(flat)), max(1, 2**18 // len(peak))
        for i in range(0, len(flat), chunk):
            square = ((flat[i : i + chunk, None, 0] - self.means[:, 0]) / self.sds[:, 0]) ** 2
            square += ((flat[i : i + chunk, None, 1] - self.means[:, 1]) / self.sds[:, 1]) ** 2
            out[i : i + chunk] = np.exp(square * -0.5) @ peak
        return out.reshape(xy.shape[:-1])

    def grid(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """The density at every pair: (Y, X). Far cheaper than `density`, as each Gaussian is a product."""
        x, y = (self._bells(values, axis) for axis, values in enumerate((xs, ys)))
        return (y * self.weights[:, None]).T @ x

    def _bells(self, values, axis):
        sd = self.sds[:, axis, None]
        return np.exp(-0.5 * ((np.asarray(values) - self.means[:, axis, None]) / sd) ** 2) / (math.sqrt(2 * math.pi) * sd)

    def mass(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """The probability of the cells between these edges, X + 1 and Y + 1 of them: (Y, X), exact."""
        x, y = (self._shares(edges, axis) for axis, edges in enumerate((xs, ys)))
        return (y * self.weights[:, None]).T @ x

    def _shares(self, edges, axis):
        z = (np.asarray(edges) - self.means[:, axis, None]) / (math.sqrt(2) * self.sds[:, axis, None])
        return np.diff(_erf(z), axis=1) / 2


@dataclass(frozen=True, eq=False)
class Board:
    """Uniform on every second square of a chess board with n x n squares over [-half, half]², the lower left one included."""

    half: float
    n: int

    def density(self, xy: np.ndarray) -> np.ndarray:
        xy = np.asarray(xy, np.float64)
        column, row = np.moveaxis(np.floor((xy + self.half) / self.side), -1, 0)
        inside = (column >= 0) & (column < self.n) & (row >= 0) & (row < self.n)
        return np.where(inside & ((column + row) % 2 == 0), self.height, 0.0)

    def grid(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        return self.density(np.stack(np.meshgrid(xs, ys), -1))

    def mass(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        x, y = (self._overlaps(edges) for edges in (xs, ys))
        even = (np.arange(self.n)[:, None] + np.arange(self.n)) % 2 == 0
        return self.height * y @ even @ x.T

    def _overlaps(self, edges):
        """The length that each cell (rows) shares with each square's side (columns)."""
        edges, left = np.asarray(edges), np.arange(self.n) * self.side - self.half
        return np.clip(np.minimum(edges[1:, None], left + self.side) - np.maximum(edges[:-1, None], left), 0, None)

    @property
    def side(self) -> float:
        return 2 * self.half / self.n

    @property
    def height(self) -> float:
        return 1 / ((self.n * self.n + 1) // 2 * self.side**2)


@dataclass(frozen=True, eq=False)
class Toy:
    """One distribution. `sample(n, rng)` gives (n, 2) float32 and is a function that stands alone but for `np`.

    `modes` (M, 2) are the places where data gather, `spreads` (M, 2) their sds along the axes and `weights` (M,) their
    shares; all None where there are none, as on a curve. `mode_sd` is one number for all: the spreads' geometric mean.
    """

    name: str
    label: str
    sample: Callable[[int, np.random.Generator], np.ndarray]
    law: Mixture | Board
    modes: np.ndarray | None = None
    spreads: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def mode_sd(self) -> float | None:
        return None if self.spreads is None else float(np.exp(np.log(self.spreads).mean()))

    def density(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) -> (...) float64, in probability per unit of area."""
        return self.law.density(xy)

    def grid(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """The density at every pair of coordinates: (Y, X)."""
        return self.law.grid(xs, ys)

    def mass(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """The probability of every cell between these edges: (Y, X)."""
        return self.law.mass(xs, ys)


# ---- Samplers. Each stands alone, so that its source can be read, and exported, by itself. -----------------------------------
# line, gaussians, ring and disjoint are GAN Lab's (Kahng et al. 2018, ganlab_input_providers.ts), from [0, 1] to [-1, 1].


def sample_line(n, rng):
    u = rng.random(n)
    line = np.stack([0.6 - 1.5 * u, 0.2 + 0.6 * u], 1)
    return (line + 0.02 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_gaussians(n, rng):
    means, sds = np.array([[-0.4, 0.4], [0.4, -0.2]]), np.array([[0.2, 0.2], [0.1, 0.4]])
    which = rng.integers(0, 2, n)
    return (means[which] + sds[which] * rng.standard_normal((n, 2))).astype(np.float32)


def sample_ring(n, rng):
    angle = 2 * np.pi * rng.random(n)
    ring = np.stack([0.6 * np.cos(angle), -0.1 + 0.5 * np.sin(angle)], 1)
    return (ring + 0.05 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_disjoint(n, rng):
    means = np.array([[-0.3, 0.5], [0.5, 0.2], [-0.1, -0.3]])
    which = rng.choice(3, n, p=[0.333, 0.333, 0.334])
    return (means[which] + 0.05 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_ring8(n, rng):
    angle = 2 * np.pi * rng.integers(0, 8, n) / 8
    centres = 0.7 * np.stack([np.cos(angle), np.sin(angle)], 1)
    return (centres + 0.03 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_grid25(n, rng):
    centres = rng.integers(-2, 3, (n, 2)) * 0.4
    return (centres + 0.03 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_moons(n, rng):
    upper, angle = rng.random(n) < 0.5, np.pi * rng.random(n)
    x = np.where(upper, np.cos(angle) - 0.5, 0.5 - np.cos(angle))
    y = np.where(upper, np.sin(angle) - 0.25, 0.25 - np.sin(angle))
    return (0.6 * np.stack([x, y], 1) + 0.04 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_spiral(n, rng):
    radius = np.sqrt(0.15**2 + (0.8**2 - 0.15**2) * rng.random(n))  # so that every stretch of it is as likely
    angle = 3 * np.pi * radius / 0.8
    spiral = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return (spiral + 0.03 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_imbalanced(n, rng):
    means = np.array([[-0.45, 0.4], [0.5, 0.45], [0.55, -0.4], [-0.5, -0.45], [0.0, -0.75]])
    which = rng.choice(5, n, p=[0.6, 0.25, 0.1, 0.04, 0.01])
    return (means[which] + 0.06 * rng.standard_normal((n, 2))).astype(np.float32)


def sample_checkerboard(n, rng):
    row, column = rng.integers(0, 4, n), rng.integers(0, 2, n) * 2
    corner = np.stack([column + row % 2, row], 1)
    return (0.4 * (corner + rng.random((n, 2))) - 0.8).astype(np.float32)


def sample_cloud(n, rng, points, sd):
    which = rng.integers(0, len(points), n)
    return (np.asarray(points)[which] + sd * rng.standard_normal((n, 2))).astype(np.float32)


# ---- The densities behind them -----------------------------------------------------------------------------------------------


def _blobs(name, label, sample, means, sds, weights=None) -> Toy:
    means = np.asarray(means, np.float64)
    sds = np.broadcast_to(np.asarray(sds, np.float64), means.shape)
    weights = np.full(len(means), 1 / len(means)) if weights is None else np.asarray(weights, np.float64)
    return Toy(name, label, sample, Mixture(weights, means, sds), means, sds, weights)


def _curve(name, label, sample, sd, nodes, *pieces) -> Toy:
    """Pieces of a curve, each a function from u (K,), uniform in [0, 1], to points (K, 2), equally likely."""
    u, weights = np.polynomial.legendre.leggauss(nodes)
    u, weights = (u + 1) / 2, weights / 2
    means = np.concatenate([piece(u) for piece in pieces])
    weights = np.tile(weights, len(pieces)) / len(pieces)
    return Toy(name, label, sample, Mixture(weights, means, np.full(means.shape, sd)))


def _turned(radius, angle, x=0.0, y=0.0):
    return np.stack([radius * np.cos(angle) + x, radius * np.sin(angle) + y], 1)


def _ring(u):
    return np.stack([0.6 * np.cos(2 * np.pi * u), -0.1 + 0.5 * np.sin(2 * np.pi * u)], 1)


def _spiral(u):
    radius = np.sqrt(0.15**2 + (0.8**2 - 0.15**2) * u)
    return _turned(radius, 3 * np.pi * radius / 0.8)


_EIGHT = _turned(0.7, 2 * np.pi * np.arange(8) / 8)
_GRID = np.stack(np.meshgrid(*[np.arange(-2, 3) * 0.4] * 2), -1).reshape(-1, 2)

TOYS: dict[str, Toy] = {
    toy.name: toy
    for toy in (
        _curve("line", "Line", sample_line, 0.02, 192, lambda u: np.stack([0.6 - 1.5 * u, 0.2 + 0.6 * u], 1)),
        _blobs("gaussians", "Two Gaussians", sample_gaussians, [[-0.4, 0.4], [0.4, -0.2]], [[0.2, 0.2], [0.1, 0.4]]),
        _curve("ring", "Ring", sample_ring, 0.05, 192, _ring),
        _blobs("disjoint", "Three blobs", sample_disjoint, [[-0.3, 0.5], [0.5, 0.2], [-0.1, -0.3]], 0.05,
               [0.333, 0.333, 0.334]),
        _blobs("ring8", "Ring of eight", sample_ring8, _EIGHT, 0.03),
        _blobs("grid25", "Grid of 25", sample_grid25, _GRID, 0.03),
        _curve("moons", "Two moons", sample_moons, 0.04, 128,
               lambda u: _turned(0.6, np.pi * u, -0.3, -0.15), lambda u: -_turned(0.6, np.pi * u, -0.3, -0.15)),
        _curve("spiral", "Spiral", sample_spiral, 0.03, 384, _spiral),
        _blobs("imbalanced", "Rare blobs", sample_imbalanced,
               [[-0.45, 0.4], [0.5, 0.45], [0.55, -0.4], [-0.5, -0.45], [0.0, -0.75]], 0.06, [0.6, 0.25, 0.1, 0.04, 0.01]),
        Toy("checkerboard", "Checkerboard", sample_checkerboard, Board(0.8, 4)),
    )
}  # fmt: skip


def cloud(points: np.ndarray) -> Toy:
    """Own points (N, 2) as a distribution: each stands for a small Gaussian, all equally likely. Equal points, one object."""
    return _cloud(np.ascontiguousarray(points, np.float32).tobytes())


@lru_cache(maxsize=256)
def _cloud(raw: bytes) -> Toy:
    points = np.frombuffer(raw, np.float32).reshape(-1, 2)
    law = Mixture(np.full(len(points), 1 / len(points)), points.astype(np.float64), np.full(points.shape, CLOUD_SD))
    return Toy("own", "Your own", partial(sample_cloud, points=points, sd=CLOUD_SD), law)


# ---- Points from a file ------------------------------------------------------------------------------------------------------


def read_csv(raw: bytes) -> tuple[np.ndarray, str]:
    """The points of a table, (N, 2) float32 in [-1, 1], and a sentence on what was made of the file.

    Comma, semicolon, tab or spaces between columns, a line of headings or none; the first two columns with numbers count.
    Raises ValueError with one sentence for what cannot be used.
    """
    rows = _rows(raw)
    heading = None if _numeric(rows[0][1]) and len(_numeric(rows[0][1])) >= 2 else rows.pop(0)[1]
    if not rows:
        raise ValueError("This file has one line without two numbers; it takes two columns with numbers in them.")
    chosen = _numeric(rows[0][1])[:2]
    if len(chosen) < 2:
        raise ValueError(f"Line {rows[0][0]} has no two numbers; the file needs two columns with numbers in them.")
    points = np.array([[_cell(cells, column, line) for column in chosen] for line, cells in rows])
    if len(points) < 2:
        raise ValueError("This file has one point; there is nothing to learn from fewer than two.")
    if (points == points[0]).all():
        raise ValueError("All points of this file are the same; there is nothing to learn from one place.")

    note = f"{len(points):,} points"
    if len(points) > MOST_POINTS:
        kept = np.sort(np.random.default_rng(0).choice(len(points), MOST_POINTS, replace=False))
        note, points = f"{MOST_POINTS:,} of {len(points):,} points, drawn at random", points[kept]
    heading = {i: f"“{cell.strip()[:30]}”" for i, cell in enumerate(heading or ()) if cell.strip()}
    note += ", from the columns " + " and ".join(heading.get(column, str(column + 1)) for column in chosen)
    points, moved = _fit(points)
    return points.astype(np.float32), note + (", scaled into the plot." if moved else ".")


def _rows(raw: bytes) -> list[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not empty."""
    if len(raw) > MOST_BYTES:
        raise ValueError(f"This file is larger than {MOST_BYTES // 1_000_000} MB; a few thousand points are enough.")
    if b"\0" in raw:
        raise ValueError("This is not a text file; it takes a table such as a CSV file.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if sum(not (c.isprintable() or c.isspace()) for c in text[:4000]) > 0:
        raise ValueError("This is not a text file; it takes a table such as a CSV file.")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("This file is empty; it takes two columns with numbers in them.")

    often = {mark: sum(mark in line for line in lines[:20]) for mark in ";\t,"}
    mark = max(often, key=often.get) if any(often.values()) else None
    try:
        cells = csv.reader(io.StringIO(text), delimiter=mark) if mark else map(str.split, text.splitlines())
        rows = [(i + 1, [cell.replace(",", ".") if mark != "," else cell for cell in row]) for i, row in enumerate(cells)]
    except csv.Error:
        raise ValueError("This table cannot be read; it takes two columns with numbers in them.") from None
    return [(line, row) for line, row in rows if any(cell.strip() for cell in row)]


def _numeric(cells: list[str]) -> list[int]:
    return [i for i, cell in enumerate(cells) if _number(cell) is not None]


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _cell(cells: list[str], column: int, line: int) -> float:
    text = cells[column].strip() if column < len(cells) else ""
    number = _number(text)
    if number is None:
        raise ValueError(f"Line {line}: {text[:30]!r} is not a number." if text else f"Line {line} has an empty cell.")
    if not math.isfinite(number) or abs(number) > 1e100:
        raise ValueError(f"Line {line}: {text[:30]!r} is no number that can be drawn.")
    return number


def _fit(points: np.ndarray) -> tuple[np.ndarray, bool]:
    """Points as they are where they lie in the box; else centred, the wider side from -0.9 to 0.9."""
    if np.abs(points).max() <= 1:
        return points, False
    low, high = points.min(0), points.max(0)
    return (points - (low + high) / 2) * (1.8 / (high - low).max()), True
