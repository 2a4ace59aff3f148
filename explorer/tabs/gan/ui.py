"""The GAN tab's page: its view, and the binary routes through which it trains and sees its runs.

A page is known by Gradio's session. Its desk is made at its first request, trained by the one scheduler of this host,
and freed when the page closes. The engine is imported at first need, so that the app starts without torch and numba.
"""

import asyncio
import base64
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import gradio as gr
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from explorer import export, limits, routes
from explorer.views.gan_lab import GanLab

STREAMS = 3  # of one page; a fourth ends the oldest, whose page has lost it
QUIET = 10.0  # seconds without news after which the stream says that it lives
PROGRAM_SECONDS = 30  # that the named endpoint trains for a program at most
FILM = 120  # moments of a run that the page gets to scrub through
EXPORTED = 96  # moments of a run in a film that leaves the page


def build() -> list[Route]:
    """Draws the tab into the Blocks around it and returns its routes."""
    GanLab(routes="gan", elem_id="gan-lab")
    _endpoints()
    gr.context.Context.root_block.unload(left)
    return [
        routes.get("gan/start", start),
        routes.post("gan/do", do),
        routes.get("gan/scene", scene),
        routes.get("gan/frame", frame),
        routes.get("gan/film", film),
        routes.get("gan/curves", curves),
        routes.get("gan/stream", stream),
        routes.get("gan/export", exported),
        routes.post("gan/load", load),
        routes.post("gan/data", own_data),
        routes.get("gan/wall", wall),
    ]


def warm() -> None:
    """Loads everything, and compiles the fast engine where that was never done on this host."""
    _floor()
    _facts()
    from explorer.tabs.gan import engine

    engine.warm()


def left(request: gr.Request) -> None:
    """A page was closed: its runs end and its memory is free."""
    if _made.cache_info().currsize:
        _floor().scheduler.leave(request.session_hash)


class _Floor:
    """What all pages of this host share: the scheduler with its desks, the rooms, and bells that wake the streams."""

    def __init__(self):
        from explorer.tabs.gan.scheduler import Scheduler
        from explorer.tabs.gan.wall import Rooms

        # A picture is a dozen short calls, and after each the training thread may hold Python for an interval: 5 ms by default.
        sys.setswitchinterval(1e-4)
        self.rooms = Rooms()
        self.scheduler = Scheduler(freed=self.rooms.leave)
        self.bells: dict[str, list[asyncio.Event]] = {}  # of a page's streams, oldest first
        self.cost = 1e-3  # seconds of processor for one message of a stream, as measured

    def ring(self, session: str) -> None:
        for bell in self.bells.get(session, ()):
            bell.set()


@cache
def _made() -> _Floor:
    return _Floor()


_making = threading.Lock()


def _floor() -> _Floor:
    with _making:  # warming up and the first page may come at once, and there is one floor
        return _made()


# ---- Who asks ----------------------------------------------------------------------------------------------------------


def _desk(request: Request):
    """The desk of this page. Raises ValueError where there is none."""
    desk = _floor().scheduler.desk(routes.session(request))
    if desk is None:
        raise ValueError("The server has forgotten this page's runs; it opens them again.")
    return desk


# ---- What the page is told ---------------------------------------------------------------------------------------------


def start(request: Request) -> Response:
    """What the page needs to know before there is a desk, as JSON."""
    return JSONResponse(_facts(), headers={"cache-control": "no-store"})


@cache
def _facts() -> dict:
    from explorer import toy2d
    from explorer.assets import Missing
    from explorer.tabs.gan import config, desk, gallery, presets

    trained = {}
    for data in presets.PRESETS:
        try:
            presets.load(data)
            trained[data] = True
        except Missing:
            trained[data] = False
    return {
        "menu": config.menu(),
        "toys": [{"name": name, "label": toy.label, "thumb": _thumb(toy)} for name, toy in toy2d.TOYS.items()],
        "presets": {
            data: {"settings": preset.settings, "rounds": preset.rounds, "why": preset.why, "trained": trained[data]}
            for data, preset in presets.PRESETS.items()
        },
        "failures": [
            {
                "name": name, "title": failure.title, "see": failure.see, "why": failure.why, "rounds": failure.rounds,
                "cure_title": failure.cure_title, "settings": failure.settings, "cure": failure.cure, "cured": failure.cured,
            }
            for name, failure in gallery.FAILURES.items()
        ],
        "speeds": list(desk.SPEEDS), "most_lanes": desk.LANES,
        "exports": [*(kind for kind in export.formats() if kind in ("gif", "mp4")), "csv", "script", "save"],
    }  # fmt: skip


def _thumb(toy) -> str:
    """The density on 24 x 24 cells, brightest 255, from the lower left."""
    line = (np.arange(24) + 0.5) / 12 - 1
    density = toy.density(np.stack(np.meshgrid(line, line), -1).reshape(-1, 2))
    share = np.sqrt(density / max(density.max(), 1e-12))
    return _text((share * 255).astype("u1").tobytes())


def _told(session: str, desk) -> dict:
    floor = _floor()
    room = floor.rooms.room(session)
    people = floor.rooms.people(room) if room else []
    here = {"code": room, "people": len(people), "name": dict(people).get(session, "")} if room else None
    return desk.told() | {"room": here}


# ---- Commands ----------------------------------------------------------------------------------------------------------


async def do(request: Request) -> Response:
    """POST {"do": command, ...}: the desk after it, as JSON."""
    session = routes.session(request)
    body = await request.body()
    answer = await asyncio.to_thread(_do, session, body)
    _floor().ring(session)
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def _do(session: str, body: bytes) -> dict:
    from explorer.tabs.gan.desk import Desk

    given, floor = routes.given(body), _floor()
    what = str(given.get("do"))
    desk = floor.scheduler.desk(session, Desk if what == "open" else None)
    if desk is None:
        return {"gone": True}
    if what == "join":
        said = None
        floor.rooms.join(session, str(given.get("room") or ""), str(given.get("name") or ""))
        desk.version += 1
    elif what == "leave":
        said = None
        floor.rooms.leave(session)
        desk.version += 1
    else:
        said = desk.do(what, given)
    if desk.playing:
        floor.scheduler.wake()
    return _told(session, desk) | desk.notes() | {"say": said}


async def load(request: Request) -> Response:
    """POST a saved run: it is put on the desk."""
    session, desk = routes.session(request), _desk(request)
    data = await request.body()

    def adopt():
        from explorer.tabs.gan.desk import load as read

        desk.adopt(read(data))
        return _told(session, desk) | desk.notes()

    answer = await asyncio.to_thread(adopt)
    _floor().ring(session)
    return JSONResponse(answer, headers={"cache-control": "no-store"})


async def own_data(request: Request) -> Response:
    """POST a table of points as text: {points for the settings, count, note}. It is not kept."""
    from explorer import toy2d
    from explorer.tabs.gan.config import pack_points

    points, note = await asyncio.to_thread(toy2d.read_csv, await request.body())
    return JSONResponse({"points": pack_points(points), "count": len(points), "note": note})


# ---- Pictures ----------------------------------------------------------------------------------------------------------


def scene(request: Request) -> Response:
    """?lane=: what stays the same while a run goes on, as JSON with packed numbers."""
    from explorer.tabs.gan import desk as desks
    from explorer.tabs.gan import packing, state, view

    settings = _lane(request).settings
    stage, toy = view.scene(settings), state.toy(settings)
    modes = None if toy.modes is None else np.round(np.asarray(toy.modes), 4).tolist()
    return JSONResponse(
        {
            "id": desks.scene_id(settings), "label": toy.label, "modes": modes, "sd": toy.mode_sd,
            "noise_dim": settings.noise_dim, "noise_kind": settings.noise,
            "reals": _text(packing.points16(stage.reals)), "noise": _text(stage.noise.astype("<f4").tobytes()),
            "grid_noise": _text(stage.grid_noise.astype("<f4").tobytes()),
        },
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lane(request: Request):
    desk, lane = _desk(request), routes.whole(request, "lane", 0)
    if lane >= len(desk.lanes):
        raise ValueError("There is no such run on this desk.")
    return desk.lanes[lane]


def frame(request: Request) -> Response:
    """?lane=&step=: the moment of a run nearest before a round; without step the newest of all runs. One message."""
    desk = _desk(request)
    if "step" in request.query_params:
        return _bytes(desk.past(routes.whole(request, "lane", 0), routes.whole(request, "step", 0)))
    return _bytes(desk.message())


def film(request: Request) -> Response:
    """?lane=&count=: a run from its first moment to its last, as messages one after the other."""
    desk, lane = _desk(request), routes.whole(request, "lane", 0)
    count = min(routes.whole(request, "count", FILM), FILM)
    return _bytes(b"".join(desk.past(lane, step) for step in _thinned(_lane(request).steps, count)))


def _thinned(steps: list[int], count: int) -> list[int]:
    """At most `count` of them, the first and the last included."""
    if len(steps) <= count:
        return steps
    return [steps[round(i)] for i in np.linspace(0, len(steps) - 1, max(count, 2))]


def curves(request: Request) -> Response:
    """?lane=: what the run's rounds were like, as columns, and when its metrics were taken."""
    desk, lane = _desk(request), _lane(request)
    with desk.lock:
        trace, measures = lane.curve.columns(), lane.measures.columns()
    told = trace | {"metrics_step": measures.pop("step")} | measures
    return JSONResponse(told, headers={"cache-control": "no-store"})


def _bytes(body: bytes) -> Response:
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


async def stream(request: Request) -> Response:
    """Messages without end: pictures while something moves, words when something changed, a sign of life otherwise."""
    session, desk = routes.session(request), _desk(request)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_messages(session, desk), media_type="application/octet-stream", headers=headers)


async def _messages(session: str, desk) -> AsyncIterator[bytes]:
    from explorer.tabs.gan import packing

    floor, bell = _floor(), asyncio.Event()
    mine = floor.bells.setdefault(session, [])
    mine.append(bell)
    for old in mine[:-STREAMS]:
        old.set()
    floor.scheduler.watch(session, +1)
    version, moved, measured, sent = None, -1, -1, time.perf_counter()
    try:
        while floor.scheduler.desk(session) is desk and bell in mine[-STREAMS:]:
            bell.clear()  # before anything is read: what changes from here on rings again
            began, work = time.perf_counter(), time.thread_time()
            fps = _pace(floor, desk)
            known = desk.version, desk.engine
            words = _told(session, desk) if known != version else {}
            if desk.measured != measured:
                words |= desk.notes()
            if words or desk.moved != moved:
                version, moved, measured, sent = known, desk.moved, desk.measured, began
                message = desk.message(words, fps)
                floor.cost = 0.95 * floor.cost + 0.05 * (time.thread_time() - work + 2e-4)  # and what sending takes
                yield message
            elif began - sent > QUIET:
                sent = began
                yield packing.message([], None, fps)
            wait = max(0.005, began + 1 / fps - time.perf_counter()) if desk.playing else QUIET
            try:
                await asyncio.wait_for(bell.wait(), wait)
            except TimeoutError:
                pass
    finally:
        floor.scheduler.watch(session, -1)
        mine.remove(bell)
        if not mine:
            floor.bells.pop(session, None)


def _pace(floor: _Floor, desk) -> int:
    """Pictures per second for one viewer: what the page can draw, and what a fair share of one core pays for."""
    affordable = limits.FRAME_SHARE / (max(1, floor.scheduler.viewers) * floor.cost)
    return int(max(2, min(25, desk.frames, affordable)))


# ---- What leaves the page ----------------------------------------------------------------------------------------------


async def exported(request: Request) -> Response:
    """?kind=gif|mp4|csv|script|save&lane=: a run as a file. Films are drawn one at a time, whoever asks."""
    if request.query_params.get("kind") in ("gif", "mp4"):
        return await asyncio.get_running_loop().run_in_executor(_films, _exported, request)
    return await asyncio.to_thread(_exported, request)


_films = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gan-films")


def _exported(request: Request) -> Response:
    desk, lane, kind = _desk(request), _lane(request), request.query_params.get("kind", "")
    with desk.lock:
        run = lane.fork()
    name = f"gan-{run.settings.data}-round-{run.rounds}"
    if kind in ("gif", "mp4"):
        return _film(run, kind, name)
    if kind == "csv":
        return _file(_csv(run).encode(), "text/csv", f"{name}.csv")
    if kind == "script":
        from explorer.tabs.gan.script import script

        return _file(script(run.settings).encode(), "text/x-python", f"gan_{run.settings.data}.py")
    if kind == "save":
        from explorer.tabs.gan import save

        return _file(save.dump(run.settings, run.state), "application/octet-stream", f"{name}.safetensors")
    raise ValueError("A run can be exported as gif, mp4, csv, script or save.")


def _film(run, kind: str, name: str) -> Response:
    from explorer.tabs.gan import picture

    moments = [run.at(step) for step in _thinned(run.steps, EXPORTED)]
    frames = np.stack([picture.draw(moment.settings, moment.state) for moment in moments])
    answer = routes.download(frames, {"format": kind, "fps": "12"}, name)
    answer.headers["cache-control"] = "no-store"  # the same address has another film after the next round
    return answer


def _csv(run) -> str:
    """The run's curves as a table; metrics stand in the rows of the rounds at which they were taken."""
    trace, measures = run.curve.columns(), run.measures.columns()
    rows = {}
    for values in zip(*trace.values()):
        rows[values[0]] = dict(zip(trace, values))
    for values in zip(*measures.values()):
        rows.setdefault(values[0], {}).update(zip(measures, values))
    names = list(dict.fromkeys([*trace, *measures]))
    lines = [",".join("" if row.get(n) is None else str(row[n]) for n in names) for _, row in sorted(rows.items())]
    return "\n".join([",".join("round" if n == "step" else n for n in names), *lines]) + "\n"


def _file(body: bytes, media: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(body, media_type=media, headers=headers)


# ---- A class at once ---------------------------------------------------------------------------------------------------


def wall(request: Request) -> Response:
    """?room=: the runs of everyone in a room, small, as JSON."""
    floor, session = _floor(), routes.session(request)
    code = request.query_params.get("room", "").upper()
    if floor.rooms.room(session) != code:
        raise ValueError("Join this room first.")
    people = [(who, name, floor.scheduler.peek(who)) for who, name in floor.rooms.people(code)]
    tiles = [_tile(desk.lanes[0], desk.playing) | {"name": name, "you": who == session} for who, name, desk in people if desk]
    return JSONResponse({"room": code, "people": tiles}, headers={"cache-control": "no-store"})


def _tile(run, playing: bool) -> dict:
    """A run as a classmate sees it. Made once for all who look, until it moves."""
    from explorer.tabs.gan import desk, nets, packing, view

    key = run.shown.rounds, run.shown.d_updates, run.shown.g_updates, run.measured_at
    if getattr(run, "tile", (None,))[0] != key:
        settings = run.settings
        fakes = nets.generate(settings, run.shown.g, view.scene(settings).noise[:64])
        sw = run.metrics.sw if run.metrics is not None else None
        run.tile = key, {
            "data": settings.data, "loss": settings.loss, "step": run.rounds, "scene": desk.scene_id(settings),
            "sw": round(float(sw), 4) if sw is not None and np.isfinite(sw) else None,
            "fakes": _text(packing.points8(fakes)),
            "reals": _text(packing.points8(view.scene(settings).reals[:64])),
        }  # fmt: skip
    return run.tile[1] | {"playing": playing}


# ---- Named endpoints, for gradio_client and other programs -------------------------------------------------------------


def _endpoints() -> None:
    """Endpoints need components to describe what they take and give. Nobody sees these."""
    with gr.Row(visible=False):
        call, settings = gr.Button(), gr.JSON(label="settings")
        rounds, told = gr.Number(1000, label="rounds, 0 to 20,000", precision=0), gr.JSON(label="result")
    call.click(gan_train, [settings, rounds], [told], api_name="gan_train")


def gan_train(settings: dict | None = None, rounds: int = 1000):
    """Trains a 2-D GAN from its seed. `settings` names what differs from the defaults, as in the page's link (data, loss,
    g_lr, ...). Gives {"settings", "rounds", "metrics" (kl and js in bits, sw, modes, share of good samples),
    "fakes" (256 points)}."""
    from explorer import toy2d
    from explorer.tabs.gan.config import check
    from explorer.tabs.gan.run import Run

    try:
        run = Run(check(settings or {}, data=toy2d.TOYS))
        if not 0 <= int(rounds or 0) <= 20_000:
            raise ValueError("Rounds are a whole number from 0 to 20,000.")
    except (TypeError, ValueError) as error:
        raise gr.Error(str(error), print_exception=False) from None
    from explorer.tabs.gan import view

    end = time.monotonic() + PROGRAM_SECONDS
    while run.rounds < int(rounds or 0) and not run.halted:
        run.advance(max(1, min(int(rounds) - run.rounds, 10**8 // run.work)))
        if time.monotonic() > end:
            sentence = f"{PROGRAM_SECONDS} seconds were enough for {run.rounds:,} rounds only; ask for fewer."
            raise gr.Error(sentence, print_exception=False)
    run.measure()

    fakes = view.look(run.settings, run.shown).fakes
    measured = {k: round(float(v), 5) for k, v in vars(run.metrics).items() if np.isscalar(v)}
    told = {"settings": vars(run.settings), "rounds": run.rounds, "metrics": measured, "fakes": np.round(fakes, 4).tolist()}
    return told | ({"halted": run.halted} if run.halted else {})
