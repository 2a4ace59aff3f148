"""Are all kinds of data reached, and how soon? Shares per mode, beside a GAN of the same data, and the race of step counts."""

from dataclasses import replace

import numpy as np

from explorer import toy2d
from explorer.assets import Missing
from explorer.tabs.diffusion import twin, twin_gan, twin_sampler
from explorer.tabs.diffusion.twin_guidance import affordable

SAMPLES = 1000
RACE = (2, 5, 10, 25, 50, 100)
SHOWN = 250  # points of each panel
DIRECTIONS = 32


def distance(x: np.ndarray, y: np.ndarray) -> float:
    """Sliced Wasserstein-1: the mean over directions of how far the sorted shadows lie apart, in the plot's units."""
    angle = np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    lines = np.stack([np.cos(angle), np.sin(angle)])
    at = (np.arange(400) + 0.5) / 400
    return float(np.abs(np.quantile(x @ lines, at, axis=0) - np.quantile(y @ lines, at, axis=0)).mean())


def compare(settings: twin.Settings) -> dict:
    """The exact score without a class, and the GAN, against the truth: shares of modes, points near data, distance."""
    free = replace(settings, y=None, n=SAMPLES)
    free = replace(free, n=affordable(free, 1, SAMPLES))
    truth, _ = twin.fresh(settings, 4000, settings.seed)
    again, _ = twin.fresh(settings, free.n, settings.seed + 1)
    rows = [_row("truth", "The data themselves, drawn again", again, settings, truth)]
    rows.append(_row("diffusion", "Diffusion with the exact score", twin_sampler.samples(free), settings, truth))
    gan, why = None, ""
    if settings.data in toy2d.TOYS:
        try:
            fakes, card = twin_gan.samples(settings.data, free.n, settings.seed)
            rows.append(_row("gan", "The GAN of the GAN tab", fakes, settings, truth))
            gan = {"updates": card.get("counters", {}).get("g_updates"), "title": card.get("title")}
        except Missing as missing:
            why = f"{missing}."
    else:
        why = "No GAN was trained on your own points; choose one of the presets to compare."
    preset = twin.presets().get(settings.data)
    shares = preset.shares.tolist() if preset is not None and preset.shares is not None else None
    modes = preset.modes.tolist() if shares else None
    return {"n": free.n, "rows": rows, "gan": gan, "why": why, "shares": shares, "modes": modes}


def _row(name, title, x, settings, truth):
    row = {
        "name": name, "title": title, "points": x[:SHOWN].round(4).tolist(), "near": near_truth(settings, x),
        "distance": distance(x, truth),
    }  # fmt: skip
    preset = twin.presets().get(settings.data)
    if preset is not None and preset.modes is not None:
        square = (((x[:, None] - preset.modes) / preset.spreads) ** 2).sum(2)
        inside = square.min(1) <= 9
        counts = np.bincount(square.argmin(1)[inside], minlength=len(preset.modes))
        row |= {"shares": (counts / len(x)).tolist(), "hit": int((counts > 0).sum())}
    return row


def near_truth(settings, x) -> float:
    """The share of points within three widths of the true law's parts."""
    preset = twin.presets().get(settings.data)
    if preset is not None and preset.law is not None:
        return float(twin.near(preset.law, x).mean())
    if preset is not None:
        return float((toy2d.TOYS[preset.name].density(x / twin.SCALE) > 0).mean())
    return float(twin.near(twin.mixture(settings), x).mean())


def race(settings: twin.Settings) -> dict:
    """The same noise in 2 to 100 steps, by the ODE and by the SDE: how many points end near data, and how far off all are."""
    settings, rows = replace(settings, w=1.0), []  # more guidance has another goal than the data
    mine = twin.mixture(settings).only(settings.y)
    goal = mine.sample(4000, np.random.default_rng([settings.seed, 9]))[0]
    n = affordable(replace(settings, steps=sum(RACE)), 2, settings.n)
    for steps in RACE:
        row = {"steps": steps}
        for name, eta in (("ode", 0.0), ("sde", 1.0)):
            x = twin_sampler.samples(replace(settings, steps=steps, eta=eta, n=n))
            row[name] = {
                "near": float(twin.near(mine, x).mean()),
                "distance": distance(x, goal),
                "points": x[:SHOWN].round(4).tolist(),
            }
        rows.append(row)
    own = mine.sample(n, np.random.default_rng([settings.seed, 10]))[0]
    return {"n": n, "rows": rows, "truth": {"near": float(twin.near(mine, own).mean()), "distance": distance(own, goal)}}
