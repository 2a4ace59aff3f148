"""The routes of the part "worlds", below `vae/worlds/`: codes, boards, exact pictures, the dial of beta, files."""

import asyncio
import csv
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import routes as roads
from explorer.tabs.vae import model_routes
from explorer.turns import Full

MODELS = 8  # that one request may ask at once: six stops and what a page trained
POINTS = 120  # of a path
DATA = "digits"
SETTINGS = "format", "fps", "size", "loop", "pingpong"  # of a film as a file
FILM_BYTES = 48_000_000  # of films that are kept


def routes() -> list[Route]:
    return [
        roads.get("vae/worlds/start", start), roads.get("vae/worlds/facts", facts), roads.get("vae/worlds/codes", codes),
        roads.get("vae/worlds/board", board), roads.get("vae/worlds/decoded", decoded), roads.get("vae/worlds/draws", draws),
        roads.get("vae/worlds/picture", picture), roads.get("vae/worlds/pictures", pictures),
        roads.get("vae/worlds/manifold", manifold), roads.get("vae/worlds/dial", dial),
        roads.get("vae/worlds/codes.csv", table), roads.get("vae/worlds/film", film), roads.get("vae/worlds/path", path),
    ]  # fmt: skip


def warm() -> None:
    """The first view of the digits: codes and the boards of the three worlds."""
    from explorer.assets import Missing
    from explorer.tabs.vae import world_boards, world_film, worlds

    try:
        loaded = worlds.load(DATA)
    except Missing:
        return
    for stop in worlds.WORLDS:
        world_boards.sheet(loaded.stops[stop], "near")
    for vae in loaded.stops.values():
        world_boards.codes(vae)
    world_film.dial(DATA)


# Boards, grids and films take turns on one thread: however many a class asks for, the other core is for single pictures.
# A file of seconds' work holds up neither, only other files. Who waits in a line holds one of the places that all tabs share, so
# few may, and fewer for what takes long. One page that opens sends six at once: it is never refused for its own requests.
LINE, SLOW, FILES = 12, 8, 4  # requests in a line; where one that takes long is refused; files that are written or wait
BUSY = "The host works on other pages' requests; try again in a moment."


class Line:
    def __init__(self, name: str):
        self._thread, self._inside = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name), 0

    async def run(self, work, *args, most: int):
        """`work(*args)` in the line's thread, on the event loop of the app. Raises Full where as many wait or work."""
        if self._inside >= most:
            raise Full(BUSY)
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
        finally:
            self._inside -= 1


_turns, _files = Line("vae-worlds"), Line("vae-worlds-files")


async def _in_turn(work, *args, line=_turns, most=LINE):
    return await line.run(work, *args, most=most)


async def _file(work, *args):
    return await _in_turn(work, *args, line=_files, most=FILES)


# ---- What there is -------------------------------------------------------------------------------------------------------


async def start(request: Request) -> Response:
    """?data=digits|avatars: all its stops, in the order of the dial, with their card's figures; and the pictures' factors."""
    return roads.answer(await _in_turn(_started, request.query_params.get("data", DATA)))


def _started(data: str) -> dict:
    from explorer.tabs.vae import world_boards, world_film, worlds

    loaded = worlds.load(data)
    stops = []
    for stop, vae in loaded.stops.items():
        stops.append(_facts(f"{data}-{stop}", vae) | {"stop": stop, "world": worlds.WORLDS.get(stop, "")})
    first = next(iter(loaded.stops.values()))
    return {
        "data": data, "title": worlds.TITLES[data], "stops": stops, "worlds": [f"{data}-{stop}" for stop in worlds.WORLDS],
        "version": first.facts["version"], "size": first.size, "near": world_boards.NEAR, "edge": world_boards.EDGE,
        "narrow": world_boards.NARROW, "sigma": loaded.card["settings"]["sigma"], "held": loaded.card["data"]["val"],
        "factors": {name: list(values) for name, values in first.source.factors.items()},
        "pictures": world_film.PICTURES, "draws": world_film.DRAWS, "captions": first.gallery().captions,
    }  # fmt: skip


async def facts(request: Request) -> Response:
    """?model=: the same for one model whose code is two numbers, such as one that a page trained."""
    vae = await model_routes.asked(request)
    return roads.answer(await _in_turn(_facts, request.query_params.get("model") or "faces", vae))


def _facts(name: str, vae) -> dict:
    """From the card where there is one, else measured on the pictures of the map."""
    from explorer.tabs.vae import models, world_boards

    found, _ = world_boards.codes(vae)
    told = models.facts(name, vae) | {"reach": world_boards.reach(vae), "side": world_boards.side_of(vae)}
    stops, stop = vae.card.get("stops", {}), name.partition("-")[2]
    if stop in stops:
        return told | {"card": stops[stop]}
    figures = {"rate": found.kl.sum(1).mean(), "spread": found.mu.std(), "sigma": found.sigma.mean()}
    rounded = {name: round(float(value), 3) for name, value in figures.items()}
    return told | {"card": rounded | {"kl": [round(float(k), 3) for k in found.kl.mean(0)]}}


async def codes(request: Request) -> Response:
    """?model=: float32 (N, 4 + factors): mu1, mu2, sigma1, sigma2, then the labels."""
    return _floats(await _in_turn(_codes, await model_routes.asked(request)))


def _codes(vae) -> np.ndarray:
    from explorer.tabs.vae import world_boards

    found, labels = world_boards.codes(vae)
    return np.concatenate([found.mu, found.sigma, labels], axis=1, dtype=np.float32)


def _floats(array: np.ndarray) -> Response:
    headers = roads.KEEP | {"x-shape": ",".join(map(str, array.shape))}
    return Response(np.ascontiguousarray(array, "<f4").tobytes(), media_type="application/octet-stream", headers=headers)


# ---- Pictures ------------------------------------------------------------------------------------------------------------


async def board(request: Request) -> Response:
    """?model=&which=near|wide: a lattice of decoded pictures as one sheet, lossy: what a pointer is followed with."""
    from explorer.tabs.vae import world_boards

    vae = await model_routes.asked(request)
    sheet, side = await _in_turn(world_boards.sheet, vae, request.query_params.get("which", "near"))
    shape = {"x-shape": f"{side * side},{vae.size},{vae.size},3", "x-columns": str(side)}
    return Response(sheet, media_type="image/webp", headers=roads.KEEP | shape)


async def decoded(request: Request) -> Response:
    """?models=a,b,c&z=: one point of each model (two numbers each), decoded exactly: a sprite."""
    vaes = await _named(request)
    z = roads.numbers(request.query_params.get("z"), 2 * len(vaes), "z").reshape(-1, 1, 2)
    frames = await asyncio.to_thread(lambda: [vae.decode(point) for vae, point in zip(vaes, z)])
    return roads.png_sprite(np.concatenate(frames))


async def draws(request: Request) -> Response:
    """?models=&seed=&count=: the same draws from the prior, decoded by each model in turn: a sprite. x-z says the draws."""
    vaes, count = await _named(request), roads.whole(request, "count", 8)
    if not 1 <= count <= 24:
        raise ValueError("Between 1 and 24 points can be drawn at once.")
    seed = roads.whole(request, "seed", 0)
    z = vaes[0].sample(count, seed, source="prior")
    frames = await _in_turn(lambda: np.concatenate([vae.decode(z) for vae in vaes]), most=SLOW)
    sprite = roads.png_sprite(frames)
    sprite.headers["x-z"] = ",".join(f"{value:.5f}" for value in z.ravel())
    return sprite


async def picture(request: Request) -> Response:
    """?models=&picture=point:7|gallery:3|upload:...: its posterior by each model, and how well each paints it again."""
    vaes = await _named(request)
    told, _ = await asyncio.to_thread(_pictured, vaes, model_routes.session_of(request), request.query_params.get("picture"))
    return roads.answer(told)


async def pictures(request: Request) -> Response:
    """The same question: the picture and decode(mu) of each model, as a sprite."""
    vaes = await _named(request)
    _, frames = await asyncio.to_thread(_pictured, vaes, model_routes.session_of(request), request.query_params.get("picture"))
    sprite = roads.png_sprite(frames)
    sprite.headers["cache-control"] = "no-store"
    return sprite


def _pictured(vaes: list, session: str, name: str | None) -> tuple[dict, np.ndarray]:
    from explorer.pixels import psnr
    from explorer.tabs.vae import subjects, world_boards

    kind, _, key = (name or "").partition(":")
    if kind == "point":
        if not (key.isascii() and key.isdecimal() and len(key) < 6):
            raise ValueError("A picture of the map is point: and its number.")
        original, caption = world_boards.shown(vaes[0], int(key)), f"picture {int(key)} of the map"
    else:
        original = subjects.pixels(vaes[0], session, name)
        caption = subjects.title(vaes[0], name)
    told, frames = {"caption": caption, "mu": [], "sigma": [], "kl": [], "psnr_db": []}, [original]
    for vae in vaes:
        code = vae.encode(original[None])
        frames.append(vae.decode(np.clip(code.mu, -vae.far, vae.far))[0])
        for part in ("mu", "sigma", "kl"):
            told[part].append([round(float(value), 5) for value in getattr(code, part)[0]])
        told["psnr_db"].append(round(float(psnr(frames[-1][None], original[None])[0]), 2))
    return told, np.stack(frames)


async def manifold(request: Request) -> Response:
    """?model=&x0=&x1=&y0=&y1=&count=: pictures at equal shares of a part of the prior, as a sprite."""
    from explorer.tabs.vae import world_boards

    vae, edge = await model_routes.asked(request), world_boards.EDGE
    shares = tuple(_number(request, name, usual) for name, usual in zip(("x0", "x1", "y0", "y1"), (edge, 1 - edge) * 2))
    count = roads.whole(request, "count", 15)
    return roads.png_sprite(await _in_turn(world_boards.manifold, vae, shares, count, most=SLOW))


async def dial(request: Request) -> Response:
    """?data=: held-out pictures, then per stop their reconstructions and the same draws from the prior: a sprite."""
    from explorer.tabs.vae import world_film

    return roads.png_sprite(await _in_turn(world_film.dial, request.query_params.get("data", DATA)))


# ---- Files ---------------------------------------------------------------------------------------------------------------


async def table(request: Request) -> Response:
    """?models=: index, labels, and each model's mu and sigma of every picture on the map, as CSV."""
    vaes = await _named(request)
    text = await _file(_table, request.query_params["models"].split(","), vaes)
    headers = roads.KEEP | {"content-disposition": 'attachment; filename="codes.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _table(names: list[str], vaes: list) -> str:
    found = [_codes(vae) for vae in vaes]
    if len({len(rows) for rows in found}) > 1 or len({vae.source.name for vae in vaes}) > 1:
        raise ValueError("These models have different pictures on their maps; ask for one table each.")
    factors = vaes[0].source.factors
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["picture", *factors, *(f"{name} {part}" for name in names for part in ("mu1", "mu2", "sigma1", "sigma2"))])
    words = list(factors.values())
    for i in range(len(found[0])):
        labels = [words[f][int(value)] for f, value in enumerate(found[0][i, 4:])]
        writer.writerow([i, *labels, *(f"{value:.5f}" for rows in found for value in rows[i, :4])])
    return out.getvalue()


_films: dict[tuple, tuple[bytes, dict[str, str]]] = {}  # written by the one thread of files only


async def film(request: Request) -> Response:
    """?data=&factor=&format=gif|mp4|strip: the map from stop to stop, with reconstructions and draws, as a file."""
    from explorer.tabs.vae import worlds

    data, factor = request.query_params.get("data", DATA), request.query_params.get("factor")
    loaded = await _in_turn(worlds.load, data)
    factors = list(next(iter(loaded.stops.values())).source.factors)
    if factor is not None and factor not in factors:
        raise ValueError(f"The pictures are known by {', '.join(factors)}.")
    query = {"fps": "8", **request.query_params}
    roads.download(np.zeros((1, 2, 2, 3), np.uint8), query)  # says what is wrong with the settings before the work, not after
    key = data, factors.index(factor) if factor else 0, tuple((name, query[name]) for name in SETTINGS if name in query)
    body, headers = _films.get(key) or await _file(_film, *key)
    return Response(body, headers=headers)


def _film(data: str, factor: int, settings: tuple[tuple[str, str], ...]) -> tuple[bytes, dict[str, str]]:
    """Half a minute of work, so it is kept. On the one thread of files: who waited for the same finds it made."""
    from explorer.tabs.vae import world_film

    key = data, factor, settings
    if key not in _films:
        _films[key] = made = _written(world_film.film(data, factor), dict(settings), "beta")
        while sum(len(body) for body, _ in _films.values()) > FILM_BYTES and len(_films) > 1:
            del _films[next(iter(_films))]
        return made
    return _films[key]


def _written(frames: np.ndarray, query: dict[str, str], name: str) -> tuple[bytes, dict[str, str]]:
    """The bytes of a file and its headers, in the turn of this thread."""
    made = roads.download(frames, query, name)
    asyncio.run(made.encode())
    return made.body, dict(made.headers)


async def path(request: Request) -> Response:
    """?models=a,b&z=&format=gif|mp4|strip: what each model paints along a path, side by side, as a file.

    z: for each frame one point of each model.
    """
    from explorer.tabs.vae import world_film

    vaes, text = await _named(request), request.query_params.get("z") or ""
    width = 2 * len(vaes)
    count = (text.count(",") + 1) // width
    if not 2 <= count <= POINTS:
        raise ValueError(f"A path has 2 to {POINTS} points for each model; move the pointer over a map first.")
    z = roads.numbers(text, count * width, "z").reshape(count, len(vaes), 2)
    query = {"fps": "12", **request.query_params}
    body, headers = await _file(lambda: _written(world_film.path(vaes, z), query, "path"))
    return Response(body, headers=headers)


# ---- What a request names ------------------------------------------------------------------------------------------------


async def _named(request: Request) -> list:
    """The models of ?models=a,b, all of two numbers and for pictures of one size."""
    names = (request.query_params.get("models") or "").split(",")
    if len(names) > MODELS:
        raise ValueError(f"At most {MODELS} models can be asked at once.")
    return await asyncio.to_thread(_loaded, names, model_routes.session_of(request))


def _loaded(names: list[str], session: str) -> list:
    from explorer.tabs.vae import world_boards

    found = [world_boards.flat(model_routes.named(name, session)) for name in names]
    if len({vae.size for vae in found}) > 1:
        raise ValueError("These models paint pictures of different sizes; ask them one by one.")
    return found


def _number(request: Request, name: str, usual: float) -> float:
    return float(roads.numbers(request.query_params.get(name, str(usual)), 1, name)[0])
