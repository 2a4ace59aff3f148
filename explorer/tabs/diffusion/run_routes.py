"""The diffusion tab's runs over the wire: start and watch them, scrub, steer, compare and take home. See runs.py.

A run is named by an id that is never given twice, so a browser may keep every picture of a run that is over. An <img> or a link
can send no header: it says its page as ?session_hash=.
"""

import asyncio
import re
import time

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import export
from explorer import routes as wire

POLL_SECONDS = 1.0  # that a question for news may wait for some
TICK = 0.02  # seconds between two looks at a run
PARKED = 6  # questions that wait at once: they hold places (limits.WORKERS) that others' pictures need
PAUSE = 400  # ms after which the page of one more question may ask again
SCALES_MOST = 8  # runs of one comparison
FPS = "6"  # of an exported film: 25 steps take four seconds


def routes() -> list[Route]:
    return [
        wire.get("diffusion/start", start),
        wire.command("diffusion/run", run),
        wire.command("diffusion/stop", stop),
        wire.get("diffusion/news", news),
        wire.get("diffusion/runs", tree),
        wire.command("diffusion/forget", forget),
        wire.get("diffusion/strip", strip),
        wire.get("diffusion/channels", channels),
        wire.get("diffusion/latents", latents),
        wire.get("diffusion/sweep", sweep),
        wire.get("diffusion/curves", curves),
        wire.command("diffusion/compare", compare),
        wire.get("diffusion/terms", terms),
        wire.get("diffusion/terms.png", terms_pictures),
        wire.get("diffusion/difference", difference),
        wire.get("diffusion/difference.json", difference_numbers),
        wire.post("diffusion/upload", upload),
        wire.get("diffusion/picture", picture),
        wire.get("diffusion/export", take_home),
    ]


def left(session: str) -> None:
    """A page was closed: its runs end and are forgotten."""
    from explorer.tabs.diffusion import runs  # not from sys.modules, where it stands half loaded while the first page asks for it

    runs.left(session)


def warm() -> None:
    """Loads the model and takes one short run through every decoder, so that the first visitor does not wait."""
    from explorer.tabs.diffusion import frames, runs

    made, _ = runs.wanted("warm", {"settings": {"steps": 1}})
    made.work()
    for view in ("x0", "eps"):
        frames.strip(made, view)
    runs.left("warm")


# ---- What requests name --------------------------------------------------------------------------------------------------


def _model(given):
    from explorer.tabs.diffusion import models

    return models.load(str(given.get("model") or ""))


def _page(session: str):
    from explorer.tabs.diffusion import runs

    return runs.of(session)


def _run(request: Request, name: str = "run"):
    """The run that a query names."""
    return _page(wire.session(request)).get(request.query_params.get(name, ""))


def _optional(request: Request, name: str) -> int | None:
    return wire.whole(request, name) if request.query_params.get(name) else None


def _one(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    return float(wire.numbers(text, 1, name)[0]) if text else None


def _scale(request: Request) -> float | None:
    from explorer.tabs.diffusion import asked

    scale = _one(request, "w")
    return None if scale is None else asked.scale(scale)


def _decoder(request: Request) -> str:
    return request.query_params.get("decoder") or "full"


def _sprite(pictures: np.ndarray, *runs, **headers) -> Response:
    """Frames as a sprite, which a browser may keep once the runs it shows are over."""
    sprite = wire.png_sprite(pictures)
    if not all(run.over.is_set() for run in runs):
        sprite.headers["cache-control"] = "no-store"
    for name, value in headers.items():
        sprite.headers[f"x-{name}"] = str(value)
    return sprite


# ---- Runs ----------------------------------------------------------------------------------------------------------------


def start(request: Request) -> Response:
    """?model=: what the page needs to know before it asks for anything."""
    from explorer.tabs.diffusion import facts

    return wire.answer(facts.start(_model(request.query_params)))


def run(session: str, given: dict) -> dict:
    """{model, settings, picture or face, parent: {run, step}} -> {run, total, settings, warnings}. The run goes on by itself."""
    from explorer.tabs.diffusion import runs

    made, warnings = runs.wanted(session, given)
    runs.start(session, [made])
    return _begun(made) | {"warnings": warnings}


def _begun(made) -> dict:
    return {name: value for name, value in made.told().items() if name in ("run", "total", "settings", "parent", "step", "first")}


def stop(session: str, given: dict) -> dict:
    """{run}: ends it after the step that it is at; what it has made stays."""
    asked = _page(session).get(given.get("run", ""))
    asked.stop()
    return asked.told()


_parked = 0


async def news(request: Request) -> Response:
    """?run=&after=: where a run stands and its steps from `after` on, as soon as there are any, or after a second."""
    global _parked

    asked, after = await asyncio.to_thread(_run, request), wire.whole(request, "after", 0)
    waits = not _news(asked, after) and _parked < PARKED
    if waits:
        _parked += 1
        try:
            until = time.monotonic() + POLL_SECONDS
            while not _news(asked, after) and time.monotonic() < until:
                await asyncio.sleep(TICK)
        finally:
            _parked -= 1
    told = await asyncio.to_thread(asked.news, after)
    return wire.answer(told | {"pause": 0 if waits or told["steps"] or asked.over.is_set() else PAUSE})


def _news(asked, after: int) -> bool:
    return len(asked.steps) > after or asked.over.is_set()


def tree(request: Request) -> Response:
    """The runs of this page, oldest first: each with its parent and the step at which it left it."""
    return wire.answer({"runs": [one.told() for one in _page(wire.session(request)).all()]})


def forget(session: str, given: dict) -> dict:
    """{run}: drops it."""
    _page(session).forget(given.get("run", ""))
    return {}


def compare(session: str, given: dict) -> dict:
    """{run, scales}: the same run with other guidance scales, all in the same calls of the UNet -> {runs: [{run, ...}]}."""
    from explorer.tabs.diffusion import runs

    found = runs.compared(session, given, SCALES_MOST)
    return {"runs": [_begun(one) | {"scale": one.settings.guidance_scale} for one in found]}


# ---- Films ---------------------------------------------------------------------------------------------------------------


def strip(request: Request) -> Response:
    """?run=&view=&decoder=&from=&to=&size=: the frames of a view as a sprite; without `to`, all that are there."""
    from explorer.tabs.diffusion import frames

    asked, view = _run(request), request.query_params.get("view", "x0")
    chosen = frames.span(asked, view, _optional(request, "from"), _optional(request, "to"))
    side = _optional(request, "size")
    if side is not None and not 8 <= side <= 2048:
        raise ValueError("A frame has 8 to 2048 pixels a side.")
    shown = frames.strip(asked, view, _decoder(request), chosen, side)
    return _sprite(shown, asked, **{"from": chosen[0], "spread": frames.spread(asked, view)})


def channels(request: Request) -> Response:
    """?run=&view=&from=&to=: each frame's latent channels one after another, blue below zero and red above; x-scale says how
    much the strongest colours are."""
    from explorer.tabs.diffusion import frames

    asked, view = _run(request), request.query_params.get("view", "x")
    chosen = frames.span(asked, view, _optional(request, "from"), _optional(request, "to"))
    shown, most = frames.channels(asked, view, chosen)
    return _sprite(shown, asked, scale=f"{most:.4f}", channels=len(shown) // len(chosen), **{"from": chosen[0]})


def latents(request: Request) -> Response:
    """?run=&what=x,eps_uncond,eps_cond: bare float32 of shape x-shape, "steps,kinds,C,h,w"; of small latents only."""
    from explorer.tabs.diffusion import frames

    asked = _run(request)
    what = (request.query_params.get("what") or "x,eps_uncond,eps_cond").split(",")
    values = frames.numbers(asked, what)
    shape = ",".join(map(str, values.shape))
    headers = wire.KEEP | {"x-shape": shape, "x-what": ",".join(what)}
    if not asked.over.is_set():
        headers["cache-control"] = "no-store"
    return Response(values.astype("<f4").tobytes(), media_type="application/octet-stream", headers=headers)


# ---- One step ------------------------------------------------------------------------------------------------------------


def sweep(request: Request) -> Response:
    """?run=&step=&decoder=: a step's x0 estimate for every guidance scale of `start.sweep`, or for those of ?w=, as a sprite."""
    from explorer.tabs.diffusion import asked as check
    from explorer.tabs.diffusion import sweep as engine

    asked, text = _run(request), request.query_params.get("w")
    scales = engine.SCALES
    if text:
        scales = wire.numbers(text, min(text.count(",") + 1, engine.MOST), "w")
        scales = tuple(check.scale(float(scale)) for scale in scales)
    shown = engine.strip(asked, wire.whole(request, "step"), _decoder(request), scales)
    return _sprite(shown, asked, scales=",".join(f"{scale:g}" for scale in scales))


def curves(request: Request) -> Response:
    """?run=: how strong guidance is and how far it turns the noise, per step."""
    from explorer.tabs.diffusion import guidance

    return wire.answer(guidance.curves(_run(request)))


def terms(request: Request) -> Response:
    """?run=&step=&w=: the scheduler's equation with this step's numbers, at its own guidance or at w."""
    from explorer.tabs.diffusion import terms as engine

    return wire.answer(engine.told(_run(request), wire.whole(request, "step"), _scale(request)))


def terms_pictures(request: Request) -> Response:
    """The same as pictures: each term, then the result."""
    from explorer.tabs.diffusion import terms as engine

    asked = _run(request)
    return _sprite(engine.pictures(asked, wire.whole(request, "step"), _scale(request), _decoder(request)), asked)


# ---- Two runs ------------------------------------------------------------------------------------------------------------


def difference(request: Request) -> Response:
    """?a=&b=&view=&decoder=&gain=: |a - b| per frame, as a sprite."""
    from explorer.tabs.diffusion import asked, difference as engine  # noqa: I001

    a, b, gain = _run(request, "a"), _run(request, "b"), _one(request, "gain") or 1.0
    view = request.query_params.get("view", "x0")
    return _sprite(engine.strip(a, b, view, _decoder(request), asked.number(gain, engine.GAIN, "The gain")), a, b)


def difference_numbers(request: Request) -> Response:
    """?a=&b=&view=&decoder=: the same in numbers."""
    from explorer.tabs.diffusion import difference as engine

    view = request.query_params.get("view", "x0")
    return wire.answer(engine.told(_run(request, "a"), _run(request, "b"), view, _decoder(request)))


# ---- Pictures in, files out ----------------------------------------------------------------------------------------------


async def upload(request: Request) -> Response:
    """POST an image file: {picture: its name for this page, width, height, note}. Kept in memory until the page closes."""
    session, data = wire.session(request), await request.body()
    return wire.answer(await asyncio.to_thread(lambda: _page(session).pictures.keep(data)))


def picture(request: Request) -> Response:
    """?picture=: one that this page brought along, or ?face=: one of the corpus; at most 256 pixels a side."""
    from explorer.tabs.diffusion import pictures

    query = request.query_params
    shown = pictures.face(wire.whole(request, "face")) if query.get("face") else None
    shown = shown or _page(wire.session(request)).pictures.get(query.get("picture", ""))
    shown.thumbnail((256, 256))
    return wire.png_sprite(np.asarray(shown))


def take_home(request: Request) -> Response:
    """?run=&kind=gif|mp4|strip|png|tensors|python (&view=&decoder=&fps=&size=&loop=): a file."""
    from explorer.tabs.diffusion import export as engine, frames, script  # noqa: I001

    asked, query = _run(request), request.query_params
    kind, name = query.get("kind", "png"), _name(asked)
    if kind == "png":
        return _file(lambda: engine.picture(asked), "image/png", f"{name}.png")
    if kind == "tensors":
        return _file(lambda: engine.tensors(asked), "application/octet-stream", f"{name}.safetensors")
    if kind == "python":
        text = script.script(asked)
        return _file(lambda: text.encode(), "text/x-python; charset=utf-8", f"{name}.py")
    if kind not in export.formats():
        raise ValueError(f"A run can be had as {', '.join((*export.formats(), 'png', 'tensors'))} or python.")
    shown = frames.strip(asked, query.get("view", "x0"), _decoder(request))
    return wire.download(shown, {"fps": FPS, **query, "format": kind}, name)


def _file(make, media: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return wire.Encoded(make, media_type=media, headers=headers)


def _name(asked) -> str:
    """A file name of the prompt's first words and the seed."""
    words = "-".join(re.findall(r"[a-z0-9]+", asked.settings.prompt.lower())[:6])[:40]
    return f"{words or 'diffusion'}-{asked.settings.seed}"
