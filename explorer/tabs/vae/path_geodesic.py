"""The shortest way between two codes, measured in decoded pictures.

A decoder g draws distances into its latent space: a step dz is as long as the picture changes, |J dz| with J the Jacobian of
phi(g) (Arvanitidis et al. 2018, arXiv 1710.11379; Chen et al. 2018, 1711.01204; Shao et al. 2018, 1711.08014). The curve of
least energy  sum_i |phi(g(z_i+1)) - phi(g(z_i))|^2  between two ends is a geodesic walked at constant speed.

Our decoder is deterministic: it paints something between the codes too, and nothing tells the curve that no picture was
encoded there. So it may cut through holes (Hauberg 2018, 1806.04994).
"""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.path_eye import Eye, lengths
from explorer.tabs.vae.path_lines import lerp, slerp, steps

KNOTS = 13  # pictures that the energy compares: every second one of those shown
WAVES = 8  # z(t) = line + sum_k c_k sin(k pi t) / k: ends that stay, and no more bends than so many knots can see
STEPS = 30  # of the optimiser, from each start
SIDE = 64  # of the decoded grid over a plane of codes
MOVES = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))  # king's and knight's, one of each two directions

Tick = Callable[[float], None]


@dataclass(frozen=True)
class Geodesic:
    """The shortest path found (FRAMES, D), the start it came from, its length, and the length of every candidate."""

    path: np.ndarray
    start: str
    length: float
    tried: dict[str, float]


def geodesic(vae: Vae, eye: Eye, a: np.ndarray, b: np.ndarray, tick: Tick = lambda share: None, most: int = STEPS) -> Geodesic:
    """From a to b (D,). Never longer than lerp or slerp, measured over FRAMES pictures: where the optimiser finds nothing
    shorter, it is one of them. `tick(share)` may raise to stop it."""
    t = steps()
    candidates = {"lerp": lerp(a, b, t), "slerp": slerp(a, b, t).clip(-vae.far, vae.far)}  # an arc may leave what is decoded
    starts = dict(candidates)
    if np.allclose(candidates["lerp"], candidates["slerp"]):
        starts.pop("slerp")
    plane = vae.dims == 2 and not np.allclose(a, b)
    share = 1 / (len(starts) + 2 * plane)
    if plane:
        grid = plane_of(vae, eye, lambda done: tick(done * share))
        starts["grid"] = grid.between(a, b)
    begun = 1 - share * len(starts)
    for i, (name, start) in enumerate(starts.items()):
        found = relax(vae, eye, a, b, start, lambda done, i=i: tick(begun + (i + done) * share), most)
        candidates["from " + name] = found
    measured = {name: float(lengths(eye, vae, path).sum()) for name, path in candidates.items()}
    best = min(measured, key=measured.get)
    if measured[best] > measured["lerp"] * (1 - 1e-5):  # no shorter than rounding: the line itself
        best = "lerp"
    tick(1.0)
    return Geodesic(candidates[best], best.removeprefix("from "), measured[best], measured)


def relax(vae: Vae, eye: Eye, a: np.ndarray, b: np.ndarray, start: np.ndarray, tick: Tick, most: int = STEPS) -> np.ndarray:
    """The path of least energy near `start` (F, D), at FRAMES points: L-BFGS over the heights of sine waves."""
    where = next(vae.net.parameters()).device
    a32, b32 = (np.asarray(end, np.float32) for end in (a, b))
    t, knots = steps(), np.linspace(0, 1, KNOTS)
    height, line = _waves(knots), torch.from_numpy(lerp(a32, b32, knots)).to(where)
    waves = torch.from_numpy(height.astype(np.float32)).to(where)
    given = np.stack([np.interp(t, np.linspace(0, 1, len(start)), column) for column in np.asarray(start, np.float64).T], 1)
    first = np.linalg.lstsq(_waves(t), given - lerp(a32, b32, t), rcond=None)[0]
    with torch.no_grad():
        ends = eye.see(vae, line[[0, -1]])
    done, scale = 0, None

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal done, scale
        tick(min(1.0, done / (1.25 * most)))
        done += 1
        heights = torch.tensor(flat.reshape(WAVES, -1), dtype=torch.float32, device=where, requires_grad=True)
        with torch.enable_grad():
            z = (line + waves @ heights)[1:-1].clamp(-vae.far, vae.far)
            seen = torch.cat([ends[:1], eye.see(vae, z), ends[1:]])
            total = (seen[1:] - seen[:-1]).square().mean(1).sum()
            (slope,) = torch.autograd.grad(total, heights)
        total = float(total.detach())
        scale = scale or max(total, 1e-12)  # the optimiser's tolerances are absolute
        return total / scale, slope.cpu().numpy().astype(np.float64).ravel() / scale

    found = minimize(energy, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": most, "maxfun": int(1.25 * most)})
    path = (lerp(a32, b32, t) + _waves(t) @ found.x.reshape(WAVES, -1)).astype(np.float32).clip(-vae.far, vae.far)
    path[0], path[-1] = a, b
    return path


def _waves(t: np.ndarray) -> np.ndarray:
    """(F,) -> (F, WAVES): sin(k pi t) / k, exactly zero at both ends."""
    k = np.arange(1, WAVES + 1)
    waves = np.sin(np.pi * np.asarray(t, np.float64)[:, None] * k) / k
    waves[(np.asarray(t) == 0) | (np.asarray(t) == 1)] = 0
    return waves


# ---- A plane of codes as a road map ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plane:
    """Places (side^2, 2) on a grid, the roads between neighbours, each as long as its pictures differ."""

    xs: np.ndarray
    ys: np.ndarray
    roads: coo_array

    def between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The shortest way by road from a to b, at FRAMES points evenly in its length, its ends exact."""
        places = np.stack(np.meshgrid(self.xs, self.ys, indexing="ij"), -1).reshape(-1, 2)
        from_a, to_b = (int(((places - end) ** 2).sum(1).argmin()) for end in (a, b))
        walked, before = dijkstra(self.roads.tocsr(), directed=False, indices=from_a, return_predecessors=True)
        way = [to_b]
        while way[-1] != from_a and before[way[-1]] >= 0:
            way.append(int(before[way[-1]]))
        points, far = places[way[::-1]].astype(np.float64), walked[way[::-1]]
        points = np.concatenate([[a], points[1:-1], [b]]) if len(points) > 2 else np.stack([a, b]).astype(np.float64)
        far = far if len(far) == len(points) else np.array([0.0, 1.0])
        at = steps() * max(far[-1], 1e-12)
        return np.stack([np.interp(at, far, points[:, i]) for i in (0, 1)], 1).astype(np.float32)


def roads_of(xs: np.ndarray, ys: np.ndarray, features: torch.Tensor) -> Plane:
    """Features (len(xs) * len(ys), M), x slowest: the grid with a road to each king's and knight's neighbour."""
    nodes = np.arange(len(xs) * len(ys)).reshape(len(xs), len(ys))
    rows, columns, far = [], [], []
    for dx, dy in MOVES:
        here = nodes[: len(xs) - dx, max(0, -dy) : len(ys) - max(0, dy)].ravel()
        there = nodes[dx:, max(0, dy) : len(ys) - max(0, -dy)].ravel()
        rows.append(here)
        columns.append(there)
        for part in np.array_split(np.arange(len(here)), max(1, len(here) // 1024)):
            far.append((features[here[part]] - features[there[part]]).square().mean(1).sqrt().numpy())
    weights = np.maximum(np.concatenate(far).astype(np.float64), 1e-9)  # a road of no length would count as none
    return Plane(xs, ys, coo_array((weights, (np.concatenate(rows), np.concatenate(columns))), shape=(nodes.size,) * 2))


_planes: WeakKeyDictionary[Vae, Plane] = WeakKeyDictionary()


def plane_of(vae: Vae, eye: Eye, tick: Tick = lambda share: None, side: int = SIDE) -> Plane:
    """The map of a model with two numbers, over where its gallery and its pictures have their codes; made once."""
    kept = _planes.get(vae)
    if kept is None:
        from explorer.tabs.vae.path_codes import known_codes

        codes = known_codes(vae)
        low, high = codes.min(0), codes.max(0)
        margin = 0.1 * np.maximum(high - low, 0.5)
        low, high = np.maximum(low - margin, -vae.far), np.minimum(high + margin, vae.far)
        xs, ys = (np.linspace(low[i], high[i], side, dtype=np.float32) for i in (0, 1))
        places = np.stack(np.meshgrid(xs, ys, indexing="ij"), -1).reshape(-1, 2)
        kept = roads_of(xs, ys, eye.features(vae, places, tick))
        _planes[vae] = kept
    return kept
