"""The routes of the part "metrics", below `vae/metrics/`: codes and factors, turns and their bills, films of axes, flat maps."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import routes as roads
from explorer.tabs.vae import model_routes

PREFIX = "vae/metrics/"
FRAMES = 33  # of a film of one axis
SAP_CODES = 2400  # two thirds learn, one third checks: a linear SVM for each number and factor takes 5 ms
SAP_FITS = 500  # at most for one answer
WAITING = 5  # answers that wait for that thread

# SVMs of many pages take turns on one thread: however many turn their dials, the rest of the app keeps a core.
_svms = ThreadPoolExecutor(1, "vae-metric-svms")
_waiting = 0


def routes() -> list[Route]:
    def get(path, handler):
        return roads.get(PREFIX + path, handler)

    return [
        get("start", start), get("state", state), get("codes", codes), get("toy", toy), get("logarithm", logarithm),
        get("picture", picture), get("bill", bill), get("film", film), get("sap", sap),
        get("maps/start", maps_start), get("maps/points", maps_points), get("maps/worth", maps_worth),
        get("maps/faces", maps_faces), get("maps/board", maps_board), get("maps/decode", maps_decode),
    ]  # fmt: skip


def _floats(array: np.ndarray, kind: str = "<f4") -> Response:
    """Bare numbers; the header x-shape says how they lie."""
    headers = roads.KEEP | {"x-shape": ",".join(map(str, array.shape))}
    return Response(np.ascontiguousarray(array, kind).tobytes(), media_type="application/octet-stream", headers=headers)


# ---- Codes and scores -------------------------------------------------------------------------------------------------------


async def start(request: Request) -> Response:
    """?model=: how many codes there will be, the factors known, the dimensions' KL and effects, and what ships computed."""
    vae = await model_routes.asked(request)
    return roads.answer(await asyncio.to_thread(_start, vae, request.query_params.get("model") or "faces"))


def _start(vae, name: str) -> dict:
    from explorer.tabs.vae import elbo, metric_codes, metric_report, metric_scores, metric_toys

    found = metric_codes.of(vae)
    folder = {"faces": "avatars"}.get(name) or ("worlds-" + name.partition("-")[0])
    report = metric_report.read(folder, vae.card["sha256"]) if "sha256" in vae.card else {}
    return {
        "total": found.total, "done": found.done, "block": metric_codes.BLOCK, "bins": metric_scores.BINS,
        "prune": metric_scores.PRUNE, "vote": metric_scores.VOTE, "factors": found.factors, "axes": vae.axes, "dead": elbo.DEAD,
        "report": report.get("models", {}).get(name), "stops": report.get("models", {}),
        "turned": report.get("turned") if name == "faces" else None,
        "toys": metric_report.read(metric_report.TOYS), "names": metric_toys.TOYS,
        "toy_factors": {factor: list(values) for factor, values in metric_toys.FACTORS.items()}, "frames": FRAMES,
    }  # fmt: skip


async def state(request: Request) -> Response:
    """?model=: {done, total, error} of the encoding that all visitors share."""
    from explorer.tabs.vae import metric_codes

    found = await asyncio.to_thread(metric_codes.of, await model_routes.asked(request))
    return roads.answer({"done": found.done, "total": found.total, "error": found.error})


async def codes(request: Request) -> Response:
    """?model=&from=&count=: rows of D codes and K factors, float32 (count, D + K)."""
    from explorer.tabs.vae import metric_codes

    vae = await model_routes.asked(request)
    begin, count = roads.whole(request, "from", 0), roads.whole(request, "count")
    found = await asyncio.to_thread(metric_codes.of, vae)
    if not 1 <= count <= 2000 or begin + count > found.total:
        raise ValueError(f"There are {found.total:,} codes; up to 2,000 of them can be asked for at once.")
    z, v = found.first(begin + count)
    return _floats(np.hstack([z[begin:], v[begin:]]))


def toy(request: Request) -> Response:
    """?toy=: the 4,000 codes of the golden table and their factors, float32 (4000, D + 3)."""
    from explorer.tabs.vae import metric_toys

    z, v, _, _ = metric_toys.pair(request.query_params.get("toy", "perfect"))
    return _floats(np.hstack([z, v]))


# ---- The dial ---------------------------------------------------------------------------------------------------------------


async def logarithm(request: Request) -> Response:
    """?dims=&seed=: A, with exp(A) a random rotation: float32 (dims, dims)."""
    from explorer.tabs.vae import metric_rotation

    dims, seed = roads.whole(request, "dims"), roads.whole(request, "seed", 0)
    if not 2 <= dims <= 256:
        raise ValueError("A rotation needs 2 to 256 dimensions.")
    return _floats(await asyncio.to_thread(metric_rotation.logarithm, dims, seed))


async def picture(request: Request) -> Response:
    """?model=&picture=: the picture at the model's size, raw."""
    vae = await model_routes.asked(request)
    return roads.raw(await _subject(request, vae))


async def _subject(request: Request, vae) -> np.ndarray:
    """The picture that a request names. In a thread: the first of a gallery draws all of it."""
    session, name = model_routes.session_of(request), request.query_params.get("picture")
    return await asyncio.to_thread(model_routes.subject, vae, session, name)


async def bill(request: Request) -> Response:
    """?model=&picture=: mu and sigma of a picture, and its reconstruction term in nats over a few draws of z with its error."""
    vae = await model_routes.asked(request)
    pixels = await _subject(request, vae)
    return roads.answer(await asyncio.to_thread(_bill, vae, pixels))


def _bill(vae, pixels: np.ndarray) -> dict:
    from explorer.tabs.vae import elbo

    found = elbo.bill(vae, pixels)
    mu, sigma = ([float(v) for v in row] for row in (found.posterior.mu, found.posterior.sigma))
    distortion = float(found.squared.mean()) - found.constant  # -E log p(x|z)
    return {"mu": mu, "sigma": sigma, "draws": len(found.squared), "distortion": distortion, "error": found.error}


async def film(request: Request) -> Response:
    """?model=&picture=&turn=&dim=&from=&to=: the picture while one number of its turned code runs through a range: a sprite.

    With &format=gif|mp4|strip a file.
    """
    vae = await model_routes.asked(request)
    query = request.query_params
    pixels = await _subject(request, vae)
    dim, ends = roads.whole(request, "dim"), [_number(request, "from", -3), _number(request, "to", 3)]
    frames = await asyncio.to_thread(_film, vae, pixels, query.get("turn"), dim, ends)
    if "format" in query:
        return roads.download(frames, query, f"number-{dim}")
    return roads.png_sprite(frames)


def _film(vae, pixels: np.ndarray, turn: str | None, dim: int, ends: list[float]) -> np.ndarray:
    from explorer.tabs.vae.metric_rotation import Turn

    rows = Turn.read(turn).matrix(vae.dims) if vae.dims > 1 else np.eye(1)
    if not dim < vae.dims:
        raise ValueError(f"There are {vae.dims} dimensions, 0 to {vae.dims - 1}; there is no {dim}.")
    mu = vae.encode(pixels[None]).mu[0]
    values = np.linspace(*ends, FRAMES)[:, None]
    z = mu + (values - rows[dim] @ mu) * rows[dim]
    return vae.decode(z.clip(-vae.far, vae.far))


async def sap(request: Request) -> Response:
    """?model=|toy=&turn=: {sap, learn, check}: SAP of the turned code, by linear SVMs of one number each.

    {busy: true} where too many wait: a request that waits holds a place that others' pictures need.
    """
    from explorer.tabs.vae.metric_rotation import Turn

    global _waiting
    query = request.query_params
    turn = Turn.read(query.get("turn"))
    work = (_toy_sap, query["toy"], turn) if "toy" in query else (_sap, await model_routes.asked(request), turn)
    if _waiting >= WAITING:
        return roads.answer({"busy": True})
    _waiting += 1
    try:
        return roads.answer(await asyncio.get_running_loop().run_in_executor(_svms, *work))
    finally:
        _waiting -= 1


def _sap(vae, turn) -> dict:
    from explorer.tabs.vae import metric_codes
    from explorer.tabs.vae import metric_scores as scores
    from explorer.tabs.vae.metric_rotation import Turn

    found = metric_codes.of(vae)
    count = min(SAP_CODES, found.total)
    z, v = found.first(count)
    if not v.shape[1]:
        raise ValueError("SAP needs pictures of which something is known; nothing is known of these.")
    if vae.dims * v.shape[1] > SAP_FITS:
        raise ValueError(f"SAP of {vae.dims} numbers and {v.shape[1]} factors takes too long here.")
    learn = 2 * count // 3

    def accuracy(turn, dims=None):
        turned = z @ turn.matrix(vae.dims).T if vae.dims > 1 else z
        return scores.svm_accuracy(turned[:learn], v[:learn], turned[learn:], v[learn:], dims)

    def table():
        if turn.kind == "all" or vae.dims < 2:
            return accuracy(turn)
        straight = found.once("sap", lambda: accuracy(Turn()))
        out, pair = straight.copy(), [turn.i, turn.j]  # all other dimensions are as they were
        out[pair] = accuracy(turn, pair)
        return out

    score = found.once(turn, lambda: scores.sap_of(table()))
    return {"sap": score, "learn": learn, "check": count - learn}


@lru_cache(maxsize=256)
def _toy_sap(toy: str, turn) -> dict:
    from explorer.tabs.vae import metric_scores as scores
    from explorer.tabs.vae import metric_toys

    z, v, z_test, v_test = metric_toys.pair(toy)
    turned = turn.matrix(z.shape[1]).T
    return {"sap": scores.sap(z @ turned, v, z_test @ turned, v_test), "learn": len(z), "check": len(z_test)}


# ---- Flat maps --------------------------------------------------------------------------------------------------------------


def _data(request: Request) -> tuple[str, str, int]:
    query = request.query_params
    return query.get("data", "digits"), query.get("kind", "pca"), roads.whole(request, "perplexity", 30)


def maps_start(request: Request) -> Response:
    """?data=: the factors and labels of the pictures, the kinds of map, and what each can do."""
    from explorer.tabs.vae import projection_maps as maps

    data, _, _ = _data(request)
    known = maps.pictures(data)
    kinds = [
        {"kind": kind, "title": title, "decodes": kind not in maps.NO_WAY_BACK, "why": maps.NO_WAY_BACK.get(kind, ""),
         "perplexity": kind in ("tsne", "umap"), "missing": maps.missing(kind)}
        for kind, title in maps.KINDS.items()
    ]  # fmt: skip
    return roads.answer({
        "count": len(known.pixels), "size": known.pixels.shape[1], "kinds": kinds, "board": maps.BOARD,
        "perplexities": maps.PERPLEXITIES, "neighbours": maps.NEIGHBOURS,
        "factors": {factor: list(values) for factor, values in known.factors.items()}, "labels": known.labels.T.tolist(),
    })  # fmt: skip


def maps_points(request: Request) -> Response:
    """?data=&kind=&perplexity=: {points: [x, y, x, y, ...], frame}, or {busy: true} while they are being made."""
    from explorer.tabs.vae import projection_maps as maps

    found = maps.points(*_data(request))
    if found is None:
        return roads.answer({"busy": True})
    return roads.answer({"points": np.round(found, 4).ravel().tolist(), "frame": maps.frame(found).tolist()})


def maps_worth(request: Request) -> Response:
    """?data=&kind=&perplexity=: trustworthiness, and how often a picture's neighbours know its attribute."""
    from explorer.tabs.vae import projection_maps as maps

    return roads.answer(maps.worth(*_data(request)))


def maps_faces(request: Request) -> Response:
    """?data=: all pictures, half their size where they are large: a sprite."""
    from explorer.tabs.vae import projection_maps as maps

    return _sheet(maps.faces_sheet(_data(request)[0]))


def _sheet(found) -> Response:
    """A sprite whose PNG is kept: a class asks for the same few."""
    headers = {"x-shape": ",".join(map(str, found.shape)), "x-columns": str(found.columns)}
    return Response(found.png, media_type="image/png", headers=roads.KEEP | headers)


def maps_board(request: Request) -> Response:
    """?data=&kind=: the pictures of a grid of places all over the map, from its top left: a sprite."""
    from explorer.tabs.vae import projection_maps as maps

    data, kind, _ = _data(request)
    return _sheet(maps.board_sheet(data, kind))


def maps_decode(request: Request) -> Response:
    """?data=&kind=&at=x,y: the picture of one place, raw."""
    from explorer.tabs.vae import projection_maps as maps

    data, kind, _ = _data(request)
    return roads.raw(maps.decode(data, kind, roads.numbers(request.query_params.get("at"), 2, "at")[None]))


def _number(request: Request, name: str, default: float) -> float:
    return float(roads.numbers(request.query_params.get(name, str(default)), 1, name)[0])
