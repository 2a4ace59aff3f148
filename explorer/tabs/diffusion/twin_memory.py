"""A perfect predictor of a finite training set returns the training set: memorisation, and what a little width does about it."""

from dataclasses import replace

import numpy as np

from explorer.tabs.diffusion import twin, twin_sampler
from explorer.tabs.diffusion.twin_coverage import distance
from explorer.tabs.diffusion.twin_guidance import affordable

WIDTHS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
SAMPLES = 300
BELOW = 12  # steps beneath the least noise of the schedule, which is wider than training points lie apart
SHOWN = 250
COPY = 1 / 3  # a sample is a copy where its nearest training point is three times nearer than the second


def nearest(x: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(distance to the nearest, to the second nearest, which is nearest) of each point."""
    away = np.hypot(x[:, None, 0] - train[:, 0], x[:, None, 1] - train[:, 1])
    which = away.argmin(1)
    two = np.partition(away, 1, axis=1)[:, :2] if len(train) > 1 else np.column_stack([away[:, 0], np.full(len(x), np.inf)])
    return two[:, 0], two[:, 1], which


def sweep(settings: twin.Settings) -> dict:
    """Samples of the training set's exact score for several widths s: how near they are to it, and how many are copies."""
    base = replace(settings, kind="points", y=None)
    train = np.unique(twin.drawn(base)[0], axis=0)  # of two points in one place, none would be the nearest
    n = affordable(base, len(WIDTHS), SAMPLES)
    own = settings.data == twin.OWN
    truth, fresh = (None, None) if own else (twin.fresh(settings, size, 11 + size)[0] for size in (4000, n))
    rows = [_row(replace(base, s=s, n=n), train, truth) for s in WIDTHS]
    return {
        "n": n, "size": len(train), "rows": rows, "train": train.round(4).tolist(), "copy": COPY, "below": BELOW,
        "fresh": None if own else _facts(fresh, train, truth), "now": settings.s if settings.kind == "points" else None,
    }  # fmt: skip


def _row(settings, train, truth):
    x = twin_sampler.samples(settings, BELOW)
    return {"s": settings.s, "points": x[:SHOWN].round(4).tolist(), **_facts(x, train, truth)}


def _facts(x, train, truth):
    first, second, which = nearest(x, train)
    return {
        "median": float(np.median(first)), "worst": float(first.max()), "copies": float((first < COPY * second).mean()),
        "used": int(len(np.unique(which))), "distance": None if truth is None else distance(x, truth),
    }  # fmt: skip
