"""The routes of the part "train", below `vae/train/`: what may be chosen, commands, a film that grows, files in and out."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import routes as roads

PIECE = 400_000  # bytes of film that one answer holds


def routes() -> list[Route]:
    return [
        roads.get("vae/train/start", start),
        roads.command("vae/train/do", do),
        roads.get("vae/train/news", news),
        roads.get("vae/train/facts", facts),
        roads.get("vae/train/pictures", pictures),
        roads.post("vae/train/zip", bring),
        roads.get("vae/train/save", save),
        roads.post("vae/train/open", bring_back),
        roads.get("vae/train/script", script),
        roads.get("vae/train/film", film),
    ]


def left(session: str) -> None:
    """A page was closed: its trainings stop, its pictures go."""
    from explorer.tabs.vae import training_desk

    training_desk.left(session)


async def start(request: Request) -> Response:
    """What may be chosen and what is lacking here; the trainings there are. The first to ask begins the example."""
    session = roads.session(request)

    def tell() -> dict:
        from explorer.tabs.vae import training_data, training_desk, training_settings

        training_desk.example()
        return {
            "menu": training_settings.menu(), "lacking": training_data.lacking(), "most": training_desk.RUNS,
            "example": training_desk.EXAMPLE, **_state(session),
        }  # fmt: skip

    return roads.answer(await asyncio.to_thread(tell))


def _state(session: str) -> dict:
    from explorer.tabs.vae import training_desk

    mine = training_desk.known(session)
    upload = mine.upload.told if mine and mine.upload else None
    return {"runs": [run.told for run in training_desk.runs(session)], "upload": upload}


def do(session: str, given: dict) -> dict:
    """{"do": "train" with settings, "stop" | "continue" | "delete" with run, "drop" the ZIP}: the state of the page."""
    from explorer.tabs.vae import training_desk as desk

    what, name = given.get("do"), given.get("run")
    found = None
    if what == "train":
        found = desk.train(session, given.get("settings") or {}).name
    elif what == "stop":
        desk.own(session, name).stop()
    elif what == "continue":
        found = desk.go_on(session, name).name
    elif what == "delete":
        desk.delete(session, name)
    elif what == "drop":
        desk.drop(session)
    else:
        raise ValueError("One can train, stop, continue, delete a training, or drop a ZIP.")
    return {"run": found, **_state(session)}


async def news(request: Request) -> Response:
    """?run=&since=: the state of the page, and the moments of a run's film that came after number `since` - 1, packed.

    u32 length of a JSON text, the text {runs, upload, run, moments, more}, then points and sprite of each moment.
    """
    session = roads.session(request)
    name, since = request.query_params.get("run"), roads.whole(request, "since", 0)

    def tell() -> bytes:
        from explorer.tabs.vae import training_desk, training_film

        moments, newest = [], -1
        if name and (film := training_desk.run(session, name).film):
            kept = film.moments
            newest = kept[-1].number if kept else -1
            moments = film.since(since - 1, PIECE)
        more = bool(moments) and moments[-1].number < newest
        text = _state(session) | {"run": name, "moments": [moment.told for moment in moments], "more": more}
        return training_film.packed(json.dumps(text).encode(), moments)

    body = await asyncio.to_thread(tell)
    return Response(body, media_type="application/octet-stream", headers={"cache-control": "no-store"})


async def facts(request: Request) -> Response:
    """?run=: labels of the points, what they mean, how many pictures and parameters there are."""
    from explorer.tabs.vae import training_desk

    session = roads.session(request)
    return roads.answer(await asyncio.to_thread(lambda: training_desk.run(session, request.query_params.get("run")).facts()))


async def pictures(request: Request) -> Response:
    """?run=: the held-out pictures, in the order of the points: a sprite."""
    from explorer.tabs.vae import training_desk

    session = roads.session(request)
    found = await asyncio.to_thread(training_desk.pictures, session, request.query_params.get("run"))
    return roads.png_sprite(found)


async def bring(request: Request) -> Response:
    """POST a ZIP of pictures: it is judged at once and read in the background; `news` tells how far it is."""
    session, data = roads.session(request), await request.body()

    def work() -> dict:
        from explorer.tabs.vae import training_desk

        return training_desk.bring(session, data).told

    return roads.answer({"upload": await asyncio.to_thread(work)})


async def save(request: Request) -> Response:
    """?run=: the model as a ZIP of model.safetensors and card.json, the form in which this repository ships its own."""
    from explorer.tabs.vae import training_desk, training_save

    session = roads.session(request)
    run = await asyncio.to_thread(training_desk.run, session, request.query_params.get("run"))
    body = await asyncio.to_thread(training_save.zipped, run)
    headers = {"content-disposition": f'attachment; filename="vae-{run.settings.data}.zip"', "cache-control": "no-store"}
    return Response(body, media_type="application/zip", headers=headers)


async def bring_back(request: Request) -> Response:
    """POST the ZIP that `save` gave: the state of the page, and in `run` the training that came of it."""
    session, data = roads.session(request), await request.body()

    def work() -> dict:
        from explorer.tabs.vae import training_desk

        return {"run": training_desk.open_saved(session, data).name, **_state(session)}

    return roads.answer(await asyncio.to_thread(work))


async def script(request: Request) -> Response:
    """?run=: the Python that trains the same model again."""
    from explorer.tabs.vae import training_desk, training_save

    session = roads.session(request)
    run = await asyncio.to_thread(training_desk.run, session, request.query_params.get("run"))
    return roads.answer({"script": training_save.script(run)})


async def film(request: Request) -> Response:
    """?run=&format=gif|mp4|strip: reconstructions and board at every moment, as a file."""
    from explorer.tabs.vae import training_desk

    session = roads.session(request)
    run = await asyncio.to_thread(training_desk.run, session, request.query_params.get("run"))
    if run.film is None or not run.film.moments:
        raise ValueError("This training has not begun yet.")
    frames = await asyncio.to_thread(run.film.frames)
    return roads.download(frames, request.query_params, "vae-training")
