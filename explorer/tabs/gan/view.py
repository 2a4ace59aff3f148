"""What can be seen of a run at one moment: fakes, D's map, arrows, the bent noise grid. Arrays out; knows no page.

All of it belongs to one state: the same noise and the same real points are shown from the first round to the last.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from explorer.tabs.gan import losses, nets
from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import SHOWN, State, data, noise, rng, toy

REALS, JUDGED, FAKES = 450, 128, 256  # points on the plot; real points whose logits are sent along; fakes
GRID, CELLS = 40, 20  # cells of D's map across the plot; cells of the noise grid across the noise
MEASURED = 10_000  # fakes that metrics are computed from
SIGMA = 0.05  # to say what the best D would be, both densities are blurred by this much


@dataclass(frozen=True)
class Scene:
    """What stays the same while a run goes on."""

    reals: np.ndarray  # (REALS, 2)
    noise: np.ndarray  # (FAKES, noise_dim)
    grid_noise: np.ndarray  # (21 * 21, 2), the first coordinate fastest; (21, 1) for 1-D noise
    measured: np.ndarray  # (MEASURED, noise_dim)


@dataclass(frozen=True)
class Shown:
    """What belongs to one state. Points are (N, 2) in the plane, the plot being [-1, 1]²."""

    fakes: np.ndarray  # (FAKES, 2)
    arrows: np.ndarray  # (FAKES, 2): minus the gradient of the generator's loss at each fake
    fake_logits: np.ndarray  # (FAKES,)
    real_logits: np.ndarray  # (JUDGED,)
    heat: np.ndarray  # (GRID, GRID) D at the cells' centres, y upwards: in [0, 1], or a critic's value
    heat_range: tuple[float, float]  # what the ends of the colour scale mean
    manifold: np.ndarray  # (21 * 21, 2) or (21, 2)


@dataclass(frozen=True)
class Ideal:
    """The best discriminator against the current generator, D* = p / (p + q), and its arrows (Goodfellow 2014, Prop. 1)."""

    heat: np.ndarray  # (GRID, GRID) in [0, 1]
    arrows: np.ndarray  # (FAKES, 2)


def scene(settings: Settings) -> Scene:
    return _scene(settings.data, settings.points, settings.noise, settings.seed)


@lru_cache(maxsize=512)  # as many as runs of a class; 100 kB each
def _scene(name: str, points: str, kind: str, seed: int) -> Scene:
    settings = Settings(data=name, points=points, noise=kind, seed=seed)
    reach = 2.5 if kind.startswith("gaussian") else 1.0  # 98 of 100 draws are inside
    line = np.linspace(-reach, reach, CELLS + 1, dtype=np.float32)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) if settings.noise_dim == 2 else line[:, None]
    random = rng(seed, SHOWN)
    return Scene(data(settings)[:REALS], noise(settings, FAKES, random), grid, noise(settings, MEASURED, random))


def _centres(cells: int, reach: float = 1.0) -> np.ndarray:
    """The centres of cells across [-reach, reach]², row by row from below: (cells², 2) float32."""
    line = ((np.arange(cells) + 0.5) / cells * 2 - 1) * reach
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2).astype(np.float32)


_PLOT = _centres(GRID)


def generator(state: State, averaged: bool = False) -> np.ndarray:
    """The weights of the generator that is shown: the trained one, or its running average."""
    return state.ema if averaged else state.g


def look(settings: Settings, state: State, averaged: bool = False) -> Shown:
    """What belongs to this state."""
    stage, g, d = scene(settings), generator(state, averaged), nets.effective_d(settings, state)
    made = nets.generate(settings, g, np.concatenate([stage.noise, stage.grid_noise]))
    fakes, manifold = made[:FAKES], made[FAKES:]

    points = np.concatenate([_PLOT, stage.reals[:JUDGED], fakes])
    logits = nets.logits(settings, d, points)
    over_plot, fake_logits = logits[: GRID**2], logits[-FAKES:]
    slope = losses.g(settings.loss, fake_logits)[1]
    arrows = -slope[:, None] * nets.input_gradient(d, settings.d_sizes, settings.d_act, fakes)

    heat, ends = _heat(settings.loss, over_plot)
    return Shown(fakes, arrows, fake_logits, logits[GRID**2 : -FAKES], heat.reshape(GRID, GRID), ends, manifold)


def _heat(loss: str, logits: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """D as it is meant: a probability, least squares' value, or a critic's value on a scale around its middle."""
    values = losses.output(loss, logits)
    if loss in losses.LOG or loss == "least_squares":
        return values, (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if loss == "hinge":  # its middle is 0
        high = max(abs(low), abs(high), 1e-6)
        return values, (-high, high)
    return values, (low, max(high, low + 1e-6))


def fakes(settings: Settings, state: State, averaged: bool = False) -> np.ndarray:
    """(MEASURED, 2) points of the generator, always from the same noise."""
    return nets.generate(settings, generator(state, averaged), scene(settings).measured)


# ---- The best D ------------------------------------------------------------------------------------------------------

_WIDE, _REACH = 160, 2.0  # cells across [-2, 2]²: four to a cell of the plot's map


def ideal(settings: Settings, shown: Shown, many: np.ndarray) -> Ideal | None:
    """D* from the exact density p and the density q of `many` fakes, both blurred by SIGMA.

    None where it is another thing: hinge's best D only says which density is larger, and so has no slope, and the best
    critic of a Wasserstein GAN is no function of p and q at each point.
    """
    if settings.loss in ("hinge", "wgan", "wgan_gp"):
        return None
    p, cell = _density(settings.data, settings.points), 2 * _REACH / _WIDE
    counts, _, _ = np.histogram2d(many[:, 1], many[:, 0], bins=_WIDE, range=[[-_REACH, _REACH]] * 2)
    q = gaussian_filter(counts / len(many) / cell**2, SIGMA / cell)

    # Beyond all points both densities are rounding errors, and D* is no number: a floor of one fake in a thousand cells.
    floor = 1e-3 / len(many) / cell**2
    best = (1 - _smoothing(settings)) * (p + floor) / (p + q + 2 * floor)
    values = best if settings.loss == "least_squares" else np.log(best) - np.log1p(-best)  # the network's output there
    slope_y, slope_x = np.gradient(values, cell)

    def at(grid, points):
        return map_coordinates(grid, ((points[:, ::-1] + _REACH) / cell - 0.5).T, order=1, mode="nearest")

    here = losses.g(settings.loss, at(values, shown.fakes))[1]
    arrows = -here[:, None] * np.stack([at(slope_x, shown.fakes), at(slope_y, shown.fakes)], -1)
    heat = at(best, _PLOT).reshape(GRID, GRID)
    return Ideal(heat.astype(np.float32), arrows.astype(np.float32))


def _smoothing(settings: Settings) -> float:
    return settings.smoothing if settings.loss in losses.LOG else 0.0


@lru_cache(maxsize=32)
def _density(name: str, points: str) -> np.ndarray:
    """The exact density on the wide grid, blurred as the fakes' is: (_WIDE, _WIDE)."""
    exact = toy(Settings(data=name, points=points)).density(_centres(_WIDE, _REACH).astype(np.float64))
    return gaussian_filter(exact.reshape(_WIDE, _WIDE), SIGMA / (2 * _REACH / _WIDE))
