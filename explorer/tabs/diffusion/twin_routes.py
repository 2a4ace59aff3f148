"""The routes of the 2-D twin: settings in, films as packed numbers and lessons as JSON out."""

import json

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import routes as serve


def routes() -> list[Route]:
    """All of them, below /gradio_api/x/diffusion/."""
    return [
        serve.get("diffusion/twin/start", start),
        serve.command("diffusion/twin/film", film),
        serve.command("diffusion/twin/law", law),
        serve.command("diffusion/twin/trace", trace),
        serve.command("diffusion/twin/bayes", bayes),
        serve.command("diffusion/twin/lesson", lesson),
    ]


def start(request: Request) -> Response:
    """What the page may choose from, and where it begins."""
    from dataclasses import asdict

    from explorer.tabs.diffusion import twin, twin_schedule

    defaults = asdict(twin.Settings())
    return serve.answer(
        {
            "data": twin.menu(),
            "schedules": [
                {"name": name, "title": title, "abars": twin_schedule.abars(name).round(6).tolist()[::8]}
                for name, title in twin_schedule.NAMES.items()
            ],
            "spacings": [{"name": name, "title": title} for name, title in twin_schedule.SPACINGS.items()],
            "limits": {name: list(pair) for name, pair in twin.LIMITS.items()} | {"points": twin.MOST_POINTS},
            "classes": list(twin.CLASSES),
            "reach": twin.REACH,
            "defaults": defaults,
        }
    )


def film(session: str, given: dict) -> Response:
    """Settings in: "TWIN", the length of a JSON header as uint32, the header, then float32: x (S+1, n, 2), x0 (S, n, 2)."""
    return Response(_film(given), media_type="application/octet-stream", headers={"cache-control": "no-store"})


def _film(given: dict) -> bytes:
    from explorer.tabs.diffusion import twin, twin_sampler

    settings = twin.check(given)
    found = twin_sampler.run(settings)
    sigmas = [twin_sampler.sigma(a, b, settings.eta) for a, b in zip(found.abar[:-1], found.abar[1:])]
    header = {
        "steps": settings.steps, "n": settings.n, "t": found.t.tolist(), "abar": found.abar.tolist(), "sigma": sigmas,
        "law": _law(settings),
    }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)  # so that the numbers begin where a Float32Array may
    numbers = np.concatenate([found.x.ravel(), found.x0.ravel()]).astype("<f4")
    return b"TWIN" + len(text).to_bytes(4, "little") + text + numbers.tobytes()


def _law(settings) -> dict:
    """The mixture itself, from which the page draws densities and arrows by itself."""
    from explorer.tabs.diffusion import twin

    parts = twin.mixture(settings)
    cut = lambda table: table.round(6).tolist()  # noqa: E731
    shown, label = twin.drawn(settings) if settings.kind == "points" else twin.fresh(settings, 400, 1)
    return {
        "weights": parts.weights.tolist(), "means": cut(parts.means), "variances": parts.variances.tolist(),
        "label": parts.label.tolist(), "shown": cut(shown), "shown_label": label.tolist(), "kind": settings.kind,
    }  # fmt: skip


def law(session: str, given: dict) -> dict:
    """The mixture of these settings, without a film."""
    from explorer.tabs.diffusion import twin

    return _law(twin.check(given))


def trace(session: str, given: dict) -> dict:
    """{settings, start: [x, y], step}: where one point goes from there on."""
    from explorer.tabs.diffusion import twin, twin_sampler

    settings = twin.check(_settings(given))
    first = twin.number(given.get("step", 0), "The step", 0, settings.steps - 1, whole=True)
    return twin_sampler.trace(settings, _place(given.get("start")), first)


def bayes(session: str, given: dict) -> dict:
    """{settings, x: [x, y] or none, t}: Bayes' identity there, and over a grid at several t."""
    from explorer.tabs.diffusion import twin, twin_guidance

    where = given.get("x")
    return twin_guidance.bayes(twin.check(_settings(given)), None if where is None else _place(where), given.get("t"))


def lesson(session: str, given: dict) -> dict:
    """{settings, lesson}: one of the measurements."""
    from explorer.tabs.diffusion import twin, twin_coverage, twin_elbo, twin_guidance, twin_likelihood, twin_memory

    works = {
        "guidance": twin_guidance.curve, "coverage": twin_coverage.compare, "race": twin_coverage.race,
        "likelihood": twin_likelihood.compare, "elbo": twin_elbo.tighten, "memory": twin_memory.sweep,
    }  # fmt: skip
    name = given.get("lesson")
    if not isinstance(name, str) or name not in works:
        raise ValueError(f"There is no lesson called {str(name)[:40]!r}; there are {', '.join(works)}.")
    return works[name](twin.check(_settings(given)))


def _settings(given: dict) -> dict:
    found = given.get("settings", {})
    if not isinstance(found, dict):
        raise ValueError("Settings are names with values.")
    return found


def _place(given) -> list[float]:
    from explorer.tabs.diffusion import twin

    if not isinstance(given, list) or len(given) != 2:
        raise ValueError("A place is two numbers.")
    return [twin.number(value, "A coordinate", -10, 10) for value in given]
