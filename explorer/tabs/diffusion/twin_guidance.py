"""What guidance does, measured: who is right, how much spread is left, how far it overshoots; and why it is Bayes' rule."""

from dataclasses import replace

import numpy as np

from explorer.tabs.diffusion import twin, twin_sampler, twin_schedule

SCALES = (0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 20)
SAMPLES = 300
WORK = 50_000_000  # table entries of one answer: the number of samples gives way
STRAY = 6  # widths of a mode
AT = (900, 700, 500, 300, 100)  # timesteps at which the identity is checked


def affordable(settings: twin.Settings, films: int, most: int) -> int:
    """How many points each of so many films may have."""
    return int(np.clip(WORK // (films * settings.steps * len(twin.mixture(settings).weights)), 40, most))


def curve(settings: twin.Settings) -> dict:
    """Share in the right class, spread and radius over the guidance scale, with the true class's own numbers."""
    y, parts = _class(settings), twin.mixture(settings)
    n = affordable(settings, len(SCALES), min(SAMPLES, settings.n))
    centre = parts.weights @ parts.means
    truth, _ = twin.mixture(settings).only(y).sample(2000, np.random.default_rng([settings.seed, 5]))
    rows = []
    for w in SCALES:
        x = twin_sampler.samples(replace(settings, w=float(w), n=n))
        rows.append({"w": w, "right": right(parts, x, y), "radius": radius(x, centre), **spread(settings, x)})
    own = {"right": right(parts, truth, y), "radius": radius(truth, centre), **spread(settings, truth)}
    about = "within the nearest mode" if _modes(settings) is not None else "of all samples"
    return {"n": n, "rows": rows, "truth": own, "about": about}


def right(parts, x, y: int) -> float:
    """The share of points that are more likely y than not; a data set without width is judged at its noise of the last step."""
    a = 1.0 if parts.variances.min() > 0 else 1 - twin.LEAST_WIDTH**2
    return float((parts.log_class(x, a, y) > np.log(0.5)).mean())


def radius(x, centre) -> float:
    """The mean distance from the middle of all data."""
    return float(np.hypot(*(x - centre).T).mean())


def spread(settings, x) -> dict:
    """`spread`: the standard deviation per axis, around the nearest mode's points where data gather in modes; `near`: the share
    of points near the data. Points that are far from every mode count as strays, not as spread."""
    parts, modes = twin.mixture(settings), _modes(settings)
    told = {"near": float(twin.near(parts, x).mean())}
    if modes is None:
        return told | {"spread": float((x.var(0).mean()) ** 0.5)}
    away = (((x[:, None] - modes) / twin.presets()[settings.data].spreads) ** 2).sum(2)
    which = np.where(away.min(1) <= STRAY**2, away.argmin(1), -1)
    groups = [x[which == k] for k in range(len(modes)) if (which == k).sum() > 1]
    square = sum(((group - group.mean(0)) ** 2).sum() for group in groups)
    count = sum(2 * (len(group) - 1) for group in groups)
    return told | {"spread": float((square / count) ** 0.5) if count else None}


def _modes(settings):
    preset = twin.presets().get(settings.data)
    return None if preset is None else preset.modes


def bayes(settings: twin.Settings, x=None, t: int | None = None) -> dict:
    """∇log p(x|y) = ∇log p(x) + ∇log p(y|x): the left side by the class's own score, the last term by automatic differentiation
    of the exact classifier, so that neither is made from the other."""
    y, parts = _class(settings), twin.mixture(settings)
    abars = twin_schedule.abars(settings.schedule)
    axis = np.linspace(-2.5, 2.5, 15)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    rows = []
    for at in AT:
        a = float(abars[at])
        given, free, slope = parts.score(grid, a, y), parts.score(grid, a), class_slope(parts, grid, a, y)[1]
        rows.append(
            {"t": at, "abar": a, "worst": float(np.abs(given - free - slope).max()), "largest": float(np.abs(given).max())}
        )
    t = settings_t(settings) if t is None else int(twin.number(t, "The timestep", 0, twin_schedule.T - 1, whole=True))
    x = [0.5, 0.5] if x is None else [twin.number(v, "A coordinate", -10, 10) for v in x]
    a, here = float(abars[t]), np.array([x], np.float64)
    share, slope = class_slope(parts, here, a, y)
    free, given = parts.score(here, a)[0], parts.score(here, a, y)[0]
    root = (1 - a) ** 0.5
    eps_free, eps_given = -root * free, -root * given
    return {
        "rows": rows, "points": len(grid), "t": t, "abar": a, "x": list(x), "share": float(share[0]),
        "free": free.tolist(), "given": given.tolist(), "slope": slope[0].tolist(),
        "worst": float(np.abs(free + slope[0] - given).max()),
        "classifier": (eps_free - settings.w * root * slope[0]).tolist(),
        "free_guidance": (eps_free + settings.w * (eps_given - eps_free)).tolist(),
        "w": settings.w, "films": films_apart(settings),
    }  # fmt: skip


def settings_t(settings) -> int:
    return int(twin_schedule.timesteps(settings.steps, settings.spacing)[settings.steps // 2])


def class_slope(parts, x, a: float, y: int) -> tuple[np.ndarray, np.ndarray]:
    """(p(y | x_t) (n,), ∇ log p(y | x_t) (n, 2)): a classifier that is right, and its gradient by torch's autograd."""
    import torch

    m, v = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts.noisy(a))
    at = torch.tensor(np.asarray(x, np.float64), requires_grad=True)
    logs = torch.from_numpy(parts.weights).log() - 0.5 * ((at[:, None] - m) ** 2 / v + v.log()).sum(2)
    mine = torch.from_numpy(parts.label == y)
    log_share = logs[:, mine].logsumexp(1) - logs.logsumexp(1)
    (slope,) = torch.autograd.grad(log_share.sum(), at)
    return log_share.detach().exp().numpy(), slope.numpy()


def films_apart(settings: twin.Settings, n: int = 24) -> float:
    """How far the ends of the two films lie apart: one guided by the classifier's gradient, one free of it; same noise."""
    y, parts = _class(settings), twin.mixture(settings)
    _, abar = twin_schedule.plan(settings.schedule, settings.steps, settings.spacing)
    paths = []
    for classifier in (True, False):
        rng = np.random.default_rng([settings.seed, 6])
        x = rng.standard_normal((n, 2))
        for a, a_next in zip(abar[:-1], abar[1:]):
            if classifier and a > 1e-6:
                score = parts.score(x, a) + settings.w * class_slope(parts, x, a, y)[1]
                guess = (x + (1 - a) * score) / a**0.5
            else:
                guess = twin_sampler.guided_x0(parts, x, a, y, settings.w)
            x = twin_sampler.step(x, guess, a, a_next, settings.eta, rng)
        paths.append(x)
    return float(np.abs(paths[0] - paths[1]).max())


def _class(settings: twin.Settings) -> int:
    if settings.y is None:
        raise ValueError("Choose a class first: without one there is nothing to guide to.")
    if len(set(twin.mixture(settings).label.tolist())) < 2:
        raise ValueError("All points have one class; guidance needs a second one to tell it from.")
    return settings.y
