"""What the page asks of paths between codes, boards of four corners, and the sampling lab."""

import asyncio
from concurrent.futures import Future

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from explorer import export
from explorer import routes as roads
from explorer.tabs.vae import model_routes

MAP = 800  # codes of a plane that are drawn


def routes() -> list[Route]:
    return [
        roads.get("vae/paths/start", start),
        roads.get("vae/paths/ends", ends),
        roads.get("vae/paths/measure", measure),
        roads.get("vae/paths/strip", strip),
        roads.command("vae/paths/geodesic", geodesic),
        roads.command("vae/paths/stop", stop),
        roads.get("vae/paths/board", board),
        roads.get("vae/paths/drive", drive),
        roads.get("vae/paths/sheet", sheet),
        roads.command("vae/paths/curves", curves),
        roads.get("vae/paths/script", script),
    ]


def left(session: str) -> None:
    """A page was closed: what it waits for is let go."""
    from explorer.tabs.vae import path_work

    path_work.jobs.leave(session)


async def start(request: Request) -> Response:
    """?model=: {frames, exports, eye, sides, sheet, sources, psis, reach, map: the codes of a plane and their labels}."""
    vae = await model_routes.asked(request)
    return roads.answer(await asyncio.to_thread(_facts, vae))


def _facts(vae) -> dict:
    from explorer.tabs.vae import path_board, path_eye, path_lines, sampling_draw, sampling_measures
    from explorer.tabs.vae.path_codes import known_codes

    eye = path_eye.eye_of(vae)
    told = {
        "frames": path_lines.FRAMES, "exports": export.formats(), "eye": {"name": eye.name, "unit": eye.unit, "words": eye.words},
        "sides": path_board.SIDES, "sheet": sampling_draw.SHEET, "psis": sampling_measures.PSIS, "reach": sampling_draw.REACH,
        "count": sampling_measures.COUNT, "map": None,
    }  # fmt: skip
    if vae.dims == 2:
        codes = known_codes(vae)[:MAP]
        labels = vae.source.batch(len(codes))[1] if vae.source.factors else None
        name, values = next(iter(vae.source.factors.items()), ("", ()))
        told["map"] = {
            "codes": codes.round(3).tolist(), "factor": name, "values": list(values),
            "labels": labels[:, 0].tolist() if labels is not None and labels.size else None,
        }  # fmt: skip
    return told


async def ends(request: Request) -> Response:
    """?faces=gallery:0|draw:prior:7:0:1:1: {faces: [{name, title, z, norm}]}, the means of pictures and what was drawn."""
    found = await _ends(request, "faces", 1, 8)
    return roads.answer({"faces": [
        {"name": one.name, "title": one.title, "z": [round(float(v), 4) for v in one.z],
         "norm": round(float(np.linalg.norm(one.z)), 4)} for one in found[1]
    ]})  # fmt: skip


async def measure(request: Request) -> Response:
    """?a=&b=: lerp and slerp from a to b: codes, norms, each step's distance, the length."""
    vae, (a, b) = await _pair(request)
    from explorer.tabs.vae import path_work

    return roads.answer(await asyncio.wrap_future(path_work.measured(vae, a, b)))


async def strip(request: Request) -> Response:
    """?way=lerp|slerp|geodesic&a=&b=: its pictures as a sprite; with &format=gif|mp4|strip as a file."""
    vae, (a, b) = await _pair(request)
    from explorer.tabs.vae import path_work

    way = request.query_params.get("way", "")
    return await _pictures(request, path_work.strip(vae, way, a, b), way)


def geodesic(session: str, given: dict) -> dict:
    """{model, a, b}: begins to look for it, or says how far that is: {state, share, error, path}."""
    from explorer.tabs.vae import path_codes, path_work

    vae = model_routes.named(given.get("model"), session)
    a, b = (path_codes.end(vae, session, given.get(name)).z for name in ("a", "b"))
    return path_work.told(path_work.geodesic(vae, session, a, b), "path")


def stop(session: str, given: dict) -> dict:
    """{kind: "geodesic" or "curves"}: this page no longer waits for it."""
    from explorer.tabs.vae import path_work

    if given.get("kind") not in ("geodesic", "curves"):
        raise ValueError("One can stop a geodesic or curves.")
    path_work.jobs.leave(session, given["kind"])
    return {}


async def board(request: Request) -> Response:
    """?corners=&side=11&keep=0: its cells row by row as a sprite; with &format=strip as one picture."""
    vae, found = await _ends(request, "corners", 4, 4)
    from explorer.tabs.vae import path_work

    side, keep = roads.whole(request, "side", 11), _yes(request, "keep")
    pictures = await asyncio.wrap_future(path_work.board(vae, _stack(found), side, keep))
    if "format" in request.query_params:
        return _file(export.grid(pictures, side), "board")
    return roads.png_sprite(pictures)


async def drive(request: Request) -> Response:
    """?corners=&way=&frames=48&keep=0&format=gif: the recorded way over a board as a sprite or as a file."""
    vae, found = await _ends(request, "corners", 4, 4)
    from explorer.tabs.vae import path_work

    way, frames = request.query_params.get("way", ""), roads.whole(request, "frames", 48)
    return await _pictures(request, path_work.drive(vae, _stack(found), way, frames, _yes(request, "keep")), "drive")


async def sheet(request: Request) -> Response:
    """?source=prior|aggregate&seed=&psi=&t=: a sheet of samples as a sprite."""
    vae = await model_routes.asked(request)
    from explorer.tabs.vae import path_work

    source, seed = request.query_params.get("source", "aggregate"), roads.whole(request, "seed", 0)
    psi, temperature = _number(request, "psi"), _number(request, "t")
    return roads.png_sprite(await asyncio.wrap_future(path_work.sheet(vae, source, seed, psi, temperature)))


def curves(session: str, given: dict) -> dict:
    """{model, seed, t}: begins to measure diversity and typicality over psi, or says how far: {state, share, error, curves}."""
    from explorer.tabs.vae import path_work

    vae = model_routes.named(given.get("model"), session)
    seed, temperature = given.get("seed", 0), given.get("t", 1.0)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 10**9:
        raise ValueError("A seed is a whole number from 0 on, of at most nine digits.")
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
        raise ValueError("The temperature is a number.")
    return path_work.told(path_work.curves(vae, session, seed, float(temperature)), "curves")


async def script(request: Request) -> Response:
    """?kind=path|board|mix|sampling and what each shows: the Python that makes it again."""
    from explorer.tabs.vae import path_board, path_script

    asked = request.query_params
    kind, model = asked.get("kind", ""), asked.get("model") or "faces"
    if kind == "path":
        _, found = await _ends(request, "faces", 2, 2)
        text = path_script.path(model, found)
    elif kind == "board":
        _, found = await _ends(request, "corners", 4, 4)
        x, y, side = _number(request, "x", 0.5), _number(request, "y", 0.5), roads.whole(request, "side", 11)
        if way := asked.get("way", ""):
            path_board.unpack(way)
        if side not in path_board.SIDES or not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError("A board has 11 or 17 cells along an edge, and places from 0 to 1.")
        text = path_script.board(model, found, side, _yes(request, "keep"), x, y, way)
    elif kind == "mix":
        _, found = await _ends(request, "faces", 2, 8)
        given = roads.numbers(asked.get("w"), len(found), "w")
        if given.min() < 0 or not given.sum() > 0:
            raise ValueError("Weights are from 0 on, and not all of them are 0.")
        text = path_script.mix(model, found, given, _yes(request, "keep"))
    elif kind == "sampling":
        await model_routes.asked(request)
        text = path_script.sampling(model, roads.whole(request, "seed", 0), _number(request, "psi"), _number(request, "t"))
    else:
        raise ValueError("There is Python for a path, a board, a mix and for sampling.")
    return PlainTextResponse(text, headers={"cache-control": "no-store"})


# ---- What they share -----------------------------------------------------------------------------------------------------


async def _ends(request: Request, name: str, low: int, high: int) -> tuple:
    """(model, the faces that a request names)."""
    vae = await model_routes.asked(request)
    from explorer.tabs.vae import path_codes

    session, asked = model_routes.session_of(request), request.query_params.get(name)
    return vae, await asyncio.to_thread(path_codes.ends, vae, session, asked, low, high)


async def _pair(request: Request) -> tuple:
    """(model, (a, b)) as codes."""
    vae = await model_routes.asked(request)
    from explorer.tabs.vae import path_codes

    session, asked = model_routes.session_of(request), request.query_params
    return vae, await asyncio.to_thread(lambda: [path_codes.end(vae, session, asked.get(name)).z for name in ("a", "b")])


def _stack(found) -> np.ndarray:
    return np.stack([one.z for one in found]).astype(np.float32)


async def _pictures(request: Request, made: Future, name: str) -> Response:
    """As a sprite, or as the file that the request asks for."""
    pictures = await asyncio.wrap_future(made)
    if "format" in request.query_params:
        return roads.download(pictures, request.query_params, name)
    return roads.png_sprite(pictures)


def _file(picture: np.ndarray, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.png"', "cache-control": "no-store"}
    return roads.Encoded(lambda: export.png(picture), media_type="image/png", headers=headers)


def _number(request: Request, name: str, usual: float = 1.0) -> float:
    return round(float(roads.numbers(request.query_params.get(name, str(usual)), 1, name)[0]), 4)


def _yes(request: Request, name: str) -> bool:
    return request.query_params.get(name, "0") == "1"
