"""The CLIP tab's page: two views, and the routes through which they search, explain, index and train.

A picture is named in one of three ways: {"item", "collection"} for one that is indexed, {"picture"} for one that this page
brought along, {"face"} for a face of the corpus. Here the name becomes pixels; engines take pixels, texts and numbers.
"""

import asyncio
import io
import re
from functools import cache

import gradio as gr
import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import corpus, limits, routes
from explorer.views.clip_lessons import ClipLessons
from explorer.views.clip_search import ClipSearch

WARM_SECONDS = 300  # that indexing the bundled faces may take on a slow host
SIDES = 32, 1024  # of a picture that is sent to the page, in pixels
SHOWN = {"cache-control": "private, max-age=600", "x-content-type-options": "nosniff"}
ANEW = SHOWN | {"cache-control": "private, no-cache"}
EXAMPLES = (
    "red hair and a blue shirt", "sunglasses on a pink background", "a sad face with a beard", "someone sticking the tongue out",
    "blonde dreadlocks", "a winking face with an afro",
)  # fmt: skip
TEMPLATES = ("{}", "a face with {}", "someone with {}", "a portrait with {}", "a photo of {}")


def build() -> list[Route]:
    """Draws the tab into the Blocks around it and returns its routes."""
    ClipSearch(routes="clip", elem_id="clip-search")
    ClipLessons(routes="clip", elem_id="clip-lessons")
    _endpoints()
    gr.context.Context.root_block.unload(left)
    return [
        routes.get("clip/start", start),
        routes.get("clip/image", image),
        routes.post("clip/picture", picture),
        routes.command("clip/search", search),
        routes.command("clip/script", script),
        routes.get("clip/facets", facets),
        routes.command("clip/why", why),
        routes.command("clip/classify", classify),
        routes.command("clip/confusion", confusion),
        routes.get("clip/browse", browse),
        routes.command("clip/index", index),
        routes.get("clip/job", job),
        routes.get("clip/errors", errors),
        routes.post("clip/upload", upload),
        routes.command("clip/forget", forget),
        routes.command("clip/matrix", matrix),
        routes.get("clip/pairs", pairs),
        routes.command("clip/fresh", fresh),
        routes.command("clip/batches", batches),
        routes.command("clip/tokens", tokens),
        routes.get("clip/gap", gap),
        routes.command("clip/probe", probe),
        routes.command("clip/indexlab", indexlab),
    ]


def warm() -> None:
    """Loads the model, learns what is sure, renders and indexes the bundled faces, and answers one query. The first to come
    while this lasts shares it."""
    from explorer.tabs.clip_search import faces, sure

    model = _model({})
    sure.background(model)
    _library().get("faces", "warm", model, wait=WARM_SECONDS)
    search("warm", {"terms": [{"kind": "text", "text": EXAMPLES[0], "weight": 1}]})
    faces.vectors(model, range(faces.MOST))  # lessons ask for them


def left(request: gr.Request) -> None:
    """A page was closed: its pictures and its training go."""
    if _visitors.cache_info().currsize:
        _visitors().leave(request.session_hash)
    if _library.cache_info().currsize:
        _library().forget(request.session_hash)


# ---- What all pages share ----------------------------------------------------------------------------------------------


@cache
def _visitors():
    from explorer.tabs.clip_search.visitors import Visitors

    return Visitors()


@cache
def _library():
    from explorer.tabs.clip_search import library

    return library.opened()


def _model(given):
    """The model that a request names; ours where it names none."""
    from explorer.tabs.clip_search import models

    return models.load(str(given.get("model") or ""))


def _collection(session: str, given, model):
    return _library().get(str(given.get("collection") or "faces"), session, model)


def _pixels(session: str, ref, model, at_least: int = 0) -> Image.Image:
    """The picture that a reference names, upright RGB. Raises ValueError for one that names none."""
    if isinstance(ref, dict):
        if ref.get("face") is not None:
            return Image.fromarray(_face(ref["face"]))
        if ref.get("picture"):
            return _visitors().get(session).picture(ref["picture"])
        if ref.get("item") is not None:
            return _collection(session, ref, model).picture(_whole(ref["item"]), max(at_least, model.size))
    raise ValueError("Choose a picture first.")


def _face(number) -> np.ndarray:
    faces = corpus.SPLITS["test"]
    if not 0 <= _whole(number) < len(faces):
        raise ValueError(f"There are {len(faces):,} faces, 0 to {len(faces) - 1:,}.")
    return corpus.render([faces.start + _whole(number)])[0]


def _whole(value) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,16}", value, re.ASCII):  # no more digits than 2^53 has
        value = int(value)
    if type(value) is not int or abs(value) >= 2**53:
        raise ValueError("A picture is named by a whole number below 2^53.")
    return value


def _number(given: dict, name: str, default: float) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        raise ValueError(f"{name} takes a number.")
    return value


def _texts(given: dict, name: str, most: int) -> list[str]:
    """A list of texts from a command. Raises ValueError for anything else, and for too many or endless ones."""
    found = given.get(name)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ValueError(f"{name} takes a list of texts.")
    if len(found) > most or any(len(text) > limits.QUERY_CHARS for text in found):
        raise ValueError(f"{name} takes at most {most} texts of at most {limits.QUERY_CHARS:,} characters.")
    return found


# ---- What there is -----------------------------------------------------------------------------------------------------


def start(request: Request) -> Response:
    """What the page needs to know before it asks anything: models, collections, words. ?model= chooses the model."""
    from explorer.tabs.clip_search import models
    from explorer.tabs.clip_search.visitors import PICTURES

    session, model = routes.session(request), _model(request.query_params)
    facts = ("name", "label", "dim", "size", "context", "has_attention", "scale", "fingerprint")
    return routes.answer(
        {
            "models": models.menu(),
            "model": {name: getattr(model, name) for name in facts} | {"words": sorted(model.words) if model.words else None},
            "collections": _library().collections(session),
            "roots": _library().roots(),
            "factors": {factor: list(values) for factor, values in corpus.FACTORS.items()},
            "templates": list(TEMPLATES),
            "examples": list(EXAMPLES),
            "limits": {"pictures": PICTURES, "uploads": limits.COLLECTION_UPLOADS, "labels": 50, "terms": 8},
            "formats": "PNG, JPEG, WebP, GIF, AVIF, BMP, TIFF or HEIC",
        }
    )


def image(request: Request) -> Response:
    """?item=&collection=&model= or ?picture= or ?face=, and ?size=: the picture, its longest side at most that many pixels.

    ?v= names the version of an indexed picture, by which a browser may keep it; without one it may have changed.
    """
    query, session = request.query_params, request.query_params.get("session_hash", "")  # <img> sends no header
    side = routes.whole(request, "size", 256)
    if not SIDES[0] <= side <= SIDES[1]:
        raise ValueError(f"A picture's size lies between {SIDES[0]} and {SIDES[1]} pixels.")
    shown = _pixels(session, dict(query), _model(query), side)
    shown.thumbnail((side, side), Image.Resampling.LANCZOS)
    file, small = io.BytesIO(), max(shown.size) <= 128
    shown.save(file, "PNG", compress_level=1) if small else shown.save(file, "JPEG", quality=90)
    stays = query.get("item") is None or query.get("collection", "faces") == "faces" or query.get("v")
    return Response(file.getvalue(), media_type="image/png" if small else "image/jpeg", headers=SHOWN if stays else ANEW)


async def picture(request: Request) -> Response:
    """POST an image file: {picture: its name for this page, width, height, note}. Kept in memory until the page closes."""
    session, data, slot = routes.session(request), await request.body(), request.query_params.get("slot", "")[:20]
    return routes.answer(await asyncio.to_thread(lambda: _visitors().get(session).keep(data, slot)))


# ---- Search ------------------------------------------------------------------------------------------------------------


def search(session: str, given: dict) -> dict:
    """Terms, weights, likes and filters -> hits with scores, and how sure they are."""
    from explorer.tabs.clip_search import search as engine

    model = _model(given)
    return engine.search(model, _collection(session, given, model), given | {"terms": _resolved(session, given, model)})


def _resolved(session: str, given: dict, model) -> list[dict]:
    """The terms of a query, with vectors in the place of pictures."""
    terms, raw = given.get("terms") or [], given.get("balanced", True) is False
    if not isinstance(terms, list) or not all(isinstance(term, dict) for term in terms):
        raise ValueError("A query is a list of terms.")
    return [
        term | {"vector": _vector(session, term.get("ref"), model, raw)} if term.get("kind") == "image" else term
        for term in terms[:50]
    ]


def _vector(session: str, ref, model, raw: bool = False) -> np.ndarray:
    """A picture's unit vector: the stored one where it is indexed with this model. `raw`: as long as the tower gives it."""
    if isinstance(ref, dict) and ref.get("item") is not None and not raw:
        item = _collection(session, ref, model).index.get([_whole(ref["item"])])[0]
        if item is not None:
            return item.vector
    return model.images([_pixels(session, ref, model)], raw)[0]


def script(session: str, given: dict) -> dict:
    """{script}: the Python that ranks a folder of pictures by the same query, without this program."""
    from explorer.tabs.clip_search import script as engine

    return {"script": engine.script(given)}


def facets(request: Request) -> Response:
    """?collection=: what its pictures can be filtered by, with counts."""
    from explorer.tabs.clip_search import facets as engine

    query = request.query_params
    return routes.answer(engine.facets(_collection(routes.session(request), query, _model(query))))


def why(session: str, given: dict) -> dict:
    """Where in a picture, and in which words, a score comes from."""
    from explorer.tabs.clip_search import search as engine

    model = _model(given)
    return engine.why(model, _pixels(session, given.get("ref"), model), given)


def classify(session: str, given: dict) -> dict:
    """A picture against labels of one's own."""
    from explorer.tabs.clip_search import zeroshot

    model = _model(given)
    return zeroshot.classify(model, _pixels(session, given.get("ref"), model), given)


def confusion(session: str, given: dict) -> dict:
    """A whole collection against labels, where folders or attributes say what is true."""
    from explorer.tabs.clip_search import zeroshot

    model = _model(given)
    return zeroshot.confusion(model, _collection(session, given, model), given)


# ---- Collections -------------------------------------------------------------------------------------------------------


def browse(request: Request) -> Response:
    """?root=&path=: the folders there, below a root that the host named."""
    return routes.answer(_library().browse(request.query_params.get("root", ""), request.query_params.get("path", "")))


def index(session: str, given: dict) -> dict:
    """Builds, pauses, resumes, cancels, retries, refreshes or removes an index: the job as it stands."""
    wanted = {name: given.get(name) for name in ("collection", "root", "path")}
    return _library().act(str(given.get("action")), session, _model(given), **wanted)


def job(request: Request) -> Response:
    """?collection=: how far its indexing is."""
    return routes.answer(_library().job(request.query_params.get("collection", ""), routes.session(request)))


def errors(request: Request) -> Response:
    """?collection=&page=: the files that could not be indexed, with the reason."""
    name, page = request.query_params.get("collection", ""), routes.whole(request, "page", 0)
    return routes.answer(_library().errors(name, routes.session(request), page))


async def upload(request: Request) -> Response:
    """POST ?name= an image file: it joins this page's own collection, which lasts as long as the page."""
    session, data, query = routes.session(request), await request.body(), request.query_params
    add = lambda: _library().add(session, _model(query), query.get("name", "picture"), data)  # noqa: E731
    return routes.answer(await asyncio.to_thread(add))


def forget(session: str, given: dict) -> dict:
    """Drops this page's own collection."""
    _library().forget(session)
    return {}


# ---- Lessons -----------------------------------------------------------------------------------------------------------


def matrix(session: str, given: dict) -> dict:
    """The cosine of every picture with every caption."""
    from explorer.tabs.clip_search import matrix as engine

    model, refs = _model(given), given.get("images")
    if not isinstance(refs, list) or not 1 <= len(refs) <= engine.MOST:
        raise ValueError(f"The matrix takes 1 to {engine.MOST} pictures.")
    images = [_pixels(session, ref, model) for ref in refs]
    return engine.matrix(model, images, _texts(given, "captions", engine.MOST))


def pairs(request: Request) -> Response:
    """?n=&seed=&detail=&twins=: faces with captions, all captions different."""
    from explorer.tabs.clip_search import matrix as engine

    detail = float(routes.numbers(request.query_params.get("detail", "0.5"), 1, "detail")[0])
    n, seed = routes.whole(request, "n", 8), routes.whole(request, "seed", 0)
    return routes.answer(engine.pairs(n, seed, detail, routes.whole(request, "twins", 0) > 0))


def fresh(session: str, given: dict) -> dict:
    """Trains a small CLIP from random weights, a second at a time."""
    from explorer.tabs.clip_search import fresh as engine

    return engine.command(_visitors().get(session).part("training", engine.Trainings), given)


def batches(session: str, given: dict) -> dict:
    """Trains it with three batch sizes on equally many pairs, a second at a time."""
    from explorer.tabs.clip_search import fresh as engine

    return engine.compare(_visitors().get(session).part("training", engine.Trainings), given)


def tokens(session: str, given: dict) -> dict:
    """A picture as the tower takes it: patches, positions, attention."""
    from explorer.tabs.clip_search import tokens as engine

    model = _model(given)
    return engine.tokens(model, _pixels(session, given.get("ref"), model), given)


def gap(request: Request) -> Response:
    """?n=: where pictures and texts lie in the shared space."""
    from explorer.tabs.clip_search import gap as engine

    return routes.answer(engine.gap(_model(request.query_params), routes.whole(request, "n", 200)))


def probe(session: str, given: dict) -> dict:
    """What a wording, an order of words, an arithmetic or a word drawn on a face does to the scores."""
    from explorer.tabs.clip_search import probes as engine

    model, ref = _model(given), given.get("ref")
    return engine.probe(model, _pixels(session, ref, model) if ref else None, given)


def indexlab(session: str, given: dict) -> dict:
    """Indexes on the same vectors and queries: recall, time, memory, and what a filter leaves of them."""
    from explorer.tabs.clip_search import indexlab as engine

    return engine.measure(_model(given), given)


# ---- Named endpoints, for gradio_client and other programs --------------------------------------------------------------


def _endpoints() -> None:
    """Endpoints need components to describe what they take and give. Nobody sees these."""
    with gr.Row(visible=False):
        call = gr.Button()
        text, count = gr.Textbox(label="text"), gr.Number(8, label="how many, 1 to 100", precision=0)
        file, labels = gr.File(label="picture", type="binary"), gr.JSON(label="labels, a list of texts")
        told = gr.JSON(label="answer")
    call.click(clip_search, [text, count], [told], api_name="clip_search")
    call.click(clip_classify, [file, labels], [told], api_name="clip_classify")
    call.click(clip_embed, [text], [told], api_name="clip_embed")


def _told(sentence) -> gr.Error:
    return gr.Error(str(sentence), print_exception=False)


def clip_search(text: str, count: int = 8):
    """The bundled faces that suit a text best: a list of {"id", "score" (cosine), "percentile", "z", "caption"}, best first."""
    try:
        model = _model({})
        _library().get("faces", "api", model, wait=WARM_SECONDS)  # a program waits for all of them; a page is shown the first
        asked = {"terms": [{"kind": "text", "text": text or "", "weight": 1}], "size": max(1, min(int(count or 8), 100))}
        wanted = ("id", "score", "percentile", "z", "caption")
        return [{name: hit.get(name) for name in wanted} for hit in search("api", asked)["hits"]]
    except ValueError as error:
        raise _told(error) from None


def clip_classify(file: bytes, labels: list[str]):
    """An image file against labels: {"labels": [{"label", "cos", "p"}]}, p = softmax(scale * cos)."""
    from explorer import uploads
    from explorer.tabs.clip_search import zeroshot

    try:
        model = _model({})
        shown, _ = uploads.open_picture(file or b"", model.size)
        return zeroshot.classify(model, shown, {"labels": labels, "templates": ["{}"], "none": False})
    except ValueError as error:
        raise _told(error) from None


def clip_embed(text: str):
    """A text's unit vector in the shared space, a list of numbers."""
    try:
        return [round(float(v), 6) for v in _model({}).texts([text or ""])[0]]
    except ValueError as error:
        raise _told(error) from None
