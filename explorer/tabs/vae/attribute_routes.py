"""The routes of the part "attributes", below `vae/attributes/`: directions, films, what else moves, arithmetic with faces."""

import base64
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import routes as roads
from explorer.tabs.vae import model_routes

PREFIX = "vae/attributes/"
SHOWN = 24  # pictures of the pool that one request brings
FILMS = 24  # kept: 400 kB each

_films = ThreadPoolExecutor(1, "vae-attribute-films")  # so that single pictures never wait behind films
_kept: OrderedDict[tuple, tuple] = OrderedDict()
_lock = Lock()


def routes() -> list[Route]:
    def get(path, handler):
        return roads.get(PREFIX + path, handler)

    def command(path, work):
        return roads.command(PREFIX + path, work)

    return [
        get("start", start), get("faces", faces), get("film", film), get("reading", reading),
        get("matrix", matrix), get("row", row), get("kept", kept), get("drift", drift), get("examples", examples),
        command("directions", directions), command("look", look), command("equation", equation), command("stop", stop),
    ]  # fmt: skip


def left(session: str) -> None:
    from explorer.tabs.vae import attribute_work

    attribute_work.left(session)
    with _lock:
        for key in [key for key in _kept if key[1] == session]:
            _kept.pop(key)


def warm() -> None:
    """The codes that directions are fitted on; what else an edit moves is measured when somebody looks."""
    from explorer.tabs.vae import attribute_pool, models

    attribute_pool.progress(models.get())


def _asked(request: Request):
    session = model_routes.session_of(request)
    return model_routes.named(request.query_params.get("model"), session), session


def _edits(text):
    from explorer.tabs.vae import attribute_stack

    return attribute_stack.parse(text)


def _edit(text):
    found = _edits(text)
    if len(found) != 1:
        raise ValueError("This takes one edit.")
    return found[0]


def start(request: Request) -> Response:
    """?model=: what can be edited here, and how many pictures directions are fitted on; or how far their encoding has come."""
    from explorer.tabs.vae import (
        attribute_directions,
        attribute_effects,
        attribute_equation,
        attribute_pool,
        attribute_reader,
        attribute_stack,
    )

    vae, _ = _asked(request)
    done, total = attribute_pool.progress(vae)
    if done < total:
        return roads.answer({"state": "busy", "done": done, "total": total})
    pool, reader = attribute_pool.of(vae), attribute_reader.of(vae)
    usual = [edit.text for edit in attribute_effects.usual(pool.factors)]
    known = [term for term in attribute_equation.USUAL if int(term[0].partition(":")[2]) < len(pool.mu)]
    equation = known if vae.source.judged and len(known) == 3 else [("gallery:1", 1.0), ("gallery:0", -1.0), ("gallery:2", 1.0)]
    gallery = len(vae.gallery().captions)
    equation = [(name if name.startswith("random") or int(name[8:]) < gallery else "gallery:0", w) for name, w in equation]
    return roads.answer({
        "state": "done", "factors": {name: list(values) for name, values in pool.factors.items()}, "usual": usual,
        "fit": pool.fit, "held": len(pool.mu) - pool.fit, "pool": len(pool.mu),
        "methods": attribute_directions.METHODS, "ways": attribute_stack.WAYS, "extreme": attribute_directions.EXTREME,
        "reader": reader.name if reader else None, "doses": attribute_effects.DOSES.tolist(), "most": attribute_stack.MOST,
        "picked": attribute_stack.PICKED, "terms": attribute_equation.TERMS,
        "equation": [{"picture": name, "weight": weight} for name, weight in equation],
    })  # fmt: skip


def faces(request: Request) -> Response:
    """?model=&from=: pictures of the pool from that number on, as a sprite."""
    from explorer.tabs.vae import attribute_pool

    vae, _ = _asked(request)
    first, size = roads.whole(request, "from", 0), attribute_pool.size(vae.source)
    if not size:
        raise ValueError("This model has no pictures to draw from.")
    numbers = (first + np.arange(min(SHOWN, size))) % size
    return roads.png_sprite(attribute_pool.pictures(vae.source, numbers))


def directions(session: str, given: dict) -> dict:
    """{model, edit, picture} -> the direction by each method: {accuracy, dose, step, distance of the picture} or {error}; the
    cosines between them; and for one's own, which known attribute it is most like."""
    from explorer.tabs.vae import attribute_directions, attribute_pool, attribute_stack

    vae = model_routes.named(given.get("model"), session)
    edit, pool = _edit(given.get("edit")), attribute_pool.of(vae)
    face = attribute_stack.pixels(vae, session, given.get("picture") or "gallery:0")
    mu = vae.encode(face[None]).mu[0].astype(np.float64)
    values = attribute_stack.shown(vae, face) if edit.how == "alike" else {}
    own = edit.factor == attribute_stack.OWN
    sides = None if own else attribute_stack.groups(pool, edit.bare, held=True)
    found, told = {}, {}
    for method in ["mean"] if own else attribute_directions.METHODS:
        try:
            d = attribute_stack.direction(vae, session, replace(edit, method=method), values)
        except ValueError as problem:
            told[method] = {"error": str(problem)}
            continue
        found[method] = d
        told[method] = {
            "dose": round(d.dose, 4), "distance": round(float(d.distance(mu)), 4), "step": [round(float(v), 5) for v in d.step],
            "accuracy": round(d.accuracy(*sides), 4) if sides and all(map(len, sides)) else None,
        }  # fmt: skip
    cosines = attribute_directions.cosines([d.step for d in found.values()]).round(4).tolist() if found else []
    like = None
    if own and found and pool.factors:
        like = attribute_stack.alike(pool, found["mean"])
    held = [len(side) for side in sides] if sides else None
    return {"methods": told, "order": list(found), "cosines": cosines, "like": like, "held": held}


def look(session: str, given: dict) -> dict:
    """{model, picture, stack} -> the reconstruction and the edited face, what is read from each, and the angles of the stack."""
    from explorer.tabs.vae import attribute_directions, attribute_effects, attribute_stack

    vae = model_routes.named(given.get("model"), session)
    edits = _edits(given.get("stack"))
    applied = attribute_stack.apply(vae, session, given.get("picture") or "gallery:0", edits)
    pictures = vae.decode(np.stack([attribute_stack.reach(vae, z) for z in (applied.mu, applied.z)]))
    return {
        "pixels": base64.b64encode(pictures.tobytes()).decode(), "size": vae.size, "read": attribute_effects.words(vae, pictures),
        "mu": _short(applied.mu), "z": _short(applied.z), "doses": [round(float(a), 4) for a in applied.doses],
        "distances": [round(float(d.distance(applied.z)), 4) for d in applied.directions],
        "lengths": [round(d.dose, 4) for d in applied.directions],
        "cosines": attribute_directions.cosines([d.step for d in applied.directions]).round(4).tolist() if edits else [],
    }  # fmt: skip


def _short(values) -> list[float]:
    return [round(float(v), 5) for v in values]


def _film(request: Request) -> tuple:
    """(frames, reading) of a stack of which one edit's dose runs from -2 to 2: shared where nothing of it is a page's own."""
    from explorer.tabs.vae import attribute_stack

    vae, session = _asked(request)
    query = request.query_params
    edits, which = _edits(query.get("stack")), roads.whole(request, "which", 0)
    if which >= len(edits):
        raise ValueError("A film needs an edit whose dose it runs through.")
    picture = query.get("picture") or "gallery:0"
    own = picture.startswith("upload:") or (query.get("model") or "").startswith("own-")
    own = own or any(edit.factor == attribute_stack.OWN for edit in edits)
    key = (id(vae), session if own else "", vae.facts["version"], picture, tuple(edits), which)
    return _films.submit(_filmed, key, vae, session, picture, edits, which).result()


def _filmed(key: tuple, vae, session: str, picture: str, edits: list, which: int) -> tuple:
    from explorer.tabs.vae import attribute_effects, attribute_stack

    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    applied = attribute_stack.apply(vae, session, picture, edits)
    _, frames = attribute_effects.film(vae, applied, edits, which)
    found = frames, attribute_effects.reading(vae, edits[which], frames)
    with _lock:
        _kept[key] = found
        while len(_kept) > FILMS:
            _kept.popitem(last=False)
    return found


def film(request: Request) -> Response:
    """?model=&picture=&stack=&which=: the frames as a sprite; with &format=gif|mp4|strip as a file."""
    frames, _ = _film(request)
    if "format" in request.query_params:
        return roads.download(frames, request.query_params, "attribute")
    return roads.png_sprite(frames)


def reading(request: Request) -> Response:
    """The same question: what is read along the film."""
    return roads.answer(_film(request)[1])


def _job(request: Request, name: str) -> Response:
    from explorer.tabs.vae import attribute_work

    vae, session = _asked(request)
    return roads.answer(getattr(attribute_work, name)(vae, session, _edit(request.query_params.get("edit"))).told())


def matrix(request: Request) -> Response:
    """?model=&method=: every usual edit against every attribute, or how far it has come."""
    from explorer.tabs.vae import attribute_directions, attribute_work

    vae, session = _asked(request)
    method = request.query_params.get("method") or "mean"
    if method not in attribute_directions.METHODS:
        raise ValueError(f"Directions are found by {', '.join(attribute_directions.METHODS)}.")
    if not vae.source.factors:
        raise ValueError("Nothing is known of this model's pictures, so nobody can say what an edit changed.")
    own = (request.query_params.get("model") or "").startswith("own-")
    return roads.answer(attribute_work.matrix(vae, session, method, own).told())


def row(request: Request) -> Response:
    """?model=&edit=: one row of it."""
    return _job(request, "row")


def kept(request: Request) -> Response:
    """?model=&edit=: the row as it is, and with what the edit keeps kept in each of the ways."""
    return _job(request, "kept")


def drift(request: Request) -> Response:
    """?model=&edit=: identity over the dose."""
    return _job(request, "drift")


def examples(request: Request) -> Response:
    """?model=&edit=&numbers=: pictures of the pool before and after, in pairs, as a sprite."""
    from explorer.tabs.vae import attribute_effects, attribute_pool

    vae, session = _asked(request)
    numbers = _numbers(request.query_params.get("numbers", ""))
    if max(numbers) >= attribute_pool.size(vae.source):
        raise ValueError("There is no picture of that number here.")
    return roads.png_sprite(attribute_effects.examples(vae, session, _edit(request.query_params.get("edit")), numbers))


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not 1 <= len(parts) <= 12 or not all(part.isascii() and part.isdecimal() and len(part) < 7 for part in parts):
        raise ValueError("The numbers of up to 12 pictures stand here, separated by commas.")
    return [int(part) for part in parts]


def equation(session: str, given: dict) -> dict:
    """{model, terms: [{picture, weight}], picture, stack} -> the sum, its picture, the nearest held-out one, and the check."""
    from explorer.tabs.vae import attribute_equation

    vae = model_routes.named(given.get("model"), session)
    terms = attribute_equation.terms(given.get("terms"))
    told = attribute_equation.solve(vae, session, terms, _edits(given.get("stack")), given.get("picture") or "gallery:0")
    return told | {"z": _short(told["z"]), "pictures": base64.b64encode(told["pictures"].tobytes()).decode(), "size": vae.size}


def stop(session: str, given: dict) -> dict:
    from explorer.tabs.vae import attribute_work

    attribute_work.stop(session)
    return {}
