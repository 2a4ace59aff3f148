"""What the 2-D twin is about: its data, as a mixture whose score is exact, and the settings of a run.

Data come from explorer/toy2d.py, doubled, so that they have about unit variance as the latents of an image model have; or
they are a visitor's own points. Each preset has classes, for guidance. Knows no sampler.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from explorer import toy2d
from explorer.tabs.diffusion import twin_schedule
from explorer.tabs.diffusion.twin_mixture import Mixture

SCALE = 2.0  # from toy2d's units to these
REACH = 3.0  # of the plot, and of own points, on each side of the origin
OWN = "own"
CLASSES = "ABCD"  # that own points can have
MOST_POINTS = 1000  # of a data set, and of samples
LEAST_WIDTH = 0.05  # of a part without width, where "near the data" needs one
KINDS = {"law": "the distribution itself", "points": "a training set drawn from it"}
LIMITS = {
    "w": (0.0, 20.0), "eta": (0.0, 1.0), "steps": (1, 100), "n": (1, MOST_POINTS), "size": (1, MOST_POINTS), "s": (0.0, 1.0),
    "seed": (0, 999_999),
}  # fmt: skip
WORDS = {
    "w": "The guidance scale", "eta": "Eta", "steps": "The number of steps", "n": "The number of samples",
    "size": "The size of the training set", "s": "The width s", "seed": "The seed",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What a run depends on: the same settings give the same points."""

    data: str = "disjoint"
    kind: str = "law"
    size: int = 200  # of the training set, for kind "points"
    s: float = 0.0  # the width of each training point, for kind "points" and own points
    y: int | None = 0  # the class asked for; None for none
    w: float = 2.0
    steps: int = 25
    eta: float = 0.0  # 0: probability-flow ODE (DDIM); 1: SDE (DDPM)
    schedule: str = "scaled_linear"
    spacing: str = "leading"
    seed: int = 0
    n: int = 600
    points: tuple[tuple[float, float, int], ...] = ()  # own ones: x, y, class


# ---- Presets -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Preset:
    """One kind of data. `law` is None where only points are known; modes (M, 2) and spreads (M, 2) where data gather."""

    name: str
    title: str
    classes: tuple[str, ...]
    law: Mixture | None
    modes: np.ndarray | None = None
    spreads: np.ndarray | None = None
    shares: np.ndarray | None = None
    mode_class: np.ndarray | None = None


def _halves(means, axis):
    return (means[:, axis] > np.median(means[:, axis])).astype(int)


_LABELS = {  # a class for each part of a law, by its mean; where data gather in modes, a class may hold several
    "line": (("left", "right"), lambda m: _halves(m, 0)),
    "gaussians": (("upper left", "right"), lambda m: np.arange(2)),
    "ring": (("left", "right"), lambda m: _halves(m, 0)),
    "disjoint": (("top", "right", "bottom"), lambda m: np.arange(3)),
    "ring8": (("even", "odd"), lambda m: np.arange(8) % 2),
    "grid25": (("even", "odd"), lambda m: np.arange(25) % 2),
    "moons": (("upper moon", "lower moon"), lambda m: (np.arange(len(m)) >= len(m) // 2).astype(int)),
    "spiral": (("inner", "outer"), lambda m: (np.hypot(*m.T) > np.median(np.hypot(*m.T))).astype(int)),
    "imbalanced": (("60 %", "25 %", "10 %", "4 %", "1 %"), lambda m: np.arange(5)),
    "checkerboard": (("upper half", "lower half"), None),
}


@lru_cache
def presets() -> dict[str, Preset]:
    found = {}
    for name, toy in toy2d.TOYS.items():
        titles, labels = _LABELS[name]
        law = None
        if labels:
            means = SCALE * toy.law.means
            law = Mixture(toy.law.weights / toy.law.weights.sum(), means, (SCALE * toy.law.sds) ** 2, labels(means))
        gathered = {}
        if toy.modes is not None:
            gathered = {
                "modes": SCALE * toy.modes,
                "spreads": SCALE * toy.spreads,
                "shares": toy.weights,
                "mode_class": law.label,
            }
        found[name] = Preset(name, toy.label, titles, law, **gathered)
    return found


def menu() -> list[dict]:
    """What a page may choose from."""
    rows = [
        {"name": one.name, "title": one.title, "classes": list(one.classes), "kinds": list(KINDS) if one.law else ["points"]}
        for one in presets().values()
    ]
    return [*rows, {"name": OWN, "title": "Your own points", "classes": list(CLASSES), "kinds": ["points"]}]


def drawn(settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """The training set: points (N, 2) and their classes. Own points as they are; else drawn with a fixed seed, so that only
    their number changes them."""
    if settings.data == OWN:
        table = np.array(settings.points, np.float64)
        return table[:, :2], table[:, 2].astype(int)
    return fresh(settings, settings.size, 7)


def fresh(settings: Settings, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points from the truth behind the data, not from the training set; own points are their own truth."""
    rng, preset = np.random.default_rng([seed, 2]), presets().get(settings.data)
    if preset is None:
        return mixture(settings).sample(n, rng)
    if preset.law is None:
        points = SCALE * toy2d.TOYS[preset.name].sample(n, rng).astype(np.float64)
        return points, (points[:, 1] < 0).astype(int)
    return preset.law.sample(n, rng)


def mixture(settings: Settings) -> Mixture:
    """The mixture whose score the run follows."""
    if settings.kind == "law":
        return presets()[settings.data].law
    # What changes no point makes no other mixture.
    return _training(
        Settings(settings.data, "points", 1 if settings.data == OWN else settings.size, settings.s, points=settings.points)
    )


@lru_cache(maxsize=64)
def _training(settings: Settings) -> Mixture:
    points, label = drawn(settings)
    weights = np.full(len(points), 1 / len(points))
    return Mixture(weights, points, np.full(points.shape, settings.s**2), label)


def near(parts: Mixture, x: np.ndarray, widths: float = 3.0) -> np.ndarray:
    """Whether each point lies within so many widths of some part: True for 98.9 % of a Gaussian's own points with three."""
    var = np.maximum(parts.variances, LEAST_WIDTH**2)
    square = (x * x) @ (1 / var).T - 2 * x @ (parts.means / var).T + (parts.means**2 / var).sum(1)
    return square.min(1) <= widths**2


# ---- Settings from outside ---------------------------------------------------------------------------------------------------


def check(values: Mapping) -> Settings:
    """Settings from outside values. Raises ValueError with one sentence for what cannot be."""
    if not isinstance(values, Mapping):
        raise ValueError("Settings are names with values.")
    known, given = {field.name for field in fields(Settings)}, {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"There is no setting called {str(name)[:40]!r}.")
        given[name] = value
    for name, (low, high) in LIMITS.items():
        if name in given:
            given[name] = number(given[name], WORDS[name], low, high, whole=isinstance(low, int))
    _choose(given, "schedule", twin_schedule.NAMES, "noise schedule")
    _choose(given, "spacing", twin_schedule.SPACINGS, "spacing")
    _choose(given, "kind", KINDS, "kind of score")
    _choose(given, "data", [*presets(), OWN], "data set")
    given["points"] = own_points(given.get("points") or ()) if given.get("data") == OWN else ()
    settings = replace(Settings(), **given)

    if settings.data == OWN or presets()[settings.data].law is None:
        settings = replace(settings, kind="points")
    if settings.kind == "law":
        settings = replace(settings, s=0.0)  # its parts have widths of their own
    if settings.y is not None:
        names = presets()[settings.data].classes if settings.data in presets() else CLASSES
        settings = replace(settings, y=number(settings.y, "The class", 0, len(names) - 1, whole=True))
        if not mixture(settings).has(settings.y):
            raise ValueError(f"No point has the class {names[settings.y]}; choose another, or none.")
    return settings


def number(value, what: str, low: float, high: float, whole: bool = False):
    """A number from outside, within its limits. Raises ValueError with one sentence."""
    sane = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A comparison takes whole numbers of any length, and is False for what is not a number.
    if not sane or not low <= value <= high or (whole and value != int(value)):
        raise ValueError(f"{what} is a {'whole ' if whole else ''}number from {low:,g} to {high:,g}.")
    return int(value) if whole else float(value)


def own_points(given) -> tuple[tuple[float, float, int], ...]:
    """[[x, y, class]] or [[x, y]] from outside. Raises ValueError with one sentence."""
    if not isinstance(given, (list, tuple)) or not given:
        raise ValueError("There is no point yet; draw at least one.")
    if len(given) > MOST_POINTS:
        raise ValueError(f"A drawing has at most {MOST_POINTS:,} points, not {len(given):,}.")
    out = []
    for one in given:
        if not isinstance(one, (list, tuple)) or len(one) not in (2, 3):
            raise ValueError("A point is two numbers and, if you like, its class.")
        x, y = (number(v, "A coordinate", -REACH, REACH) for v in one[:2])
        out.append((x, y, number(one[2] if len(one) > 2 else 0, "A point's class", 0, len(CLASSES) - 1, whole=True)))
    return tuple(out)


def _choose(given, name, choices, what):
    if name in given and (not isinstance(given[name], str) or given[name] not in choices):
        raise ValueError(f"There is no {what} called {str(given[name])[:40]!r}.")
