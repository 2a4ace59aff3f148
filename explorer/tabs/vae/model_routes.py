"""What every part of the tab asks: which models there are, one model's gallery, a place for the visitor's own picture."""

import asyncio

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from explorer import routes as roads


def routes() -> list[Route]:
    return [
        roads.get("vae/models", models),
        roads.get("vae/model", model),
        roads.get("vae/gallery", gallery),
        roads.post("vae/picture", picture),
    ]


def left(session: str) -> None:
    """A page was closed: its pictures and models go."""
    from explorer.tabs.vae import models, subjects

    models.left(session)
    subjects.left(session)


async def asked(request: Request):
    """The model that a request names with ?model=, loaded in a thread. Raises ValueError for one that is not there."""
    return await asyncio.to_thread(named, request.query_params.get("model"), session_of(request))


def named(name: str | None, session: str):
    """The same for a name and a session, for `routes.command`."""
    from explorer.tabs.vae import models

    return models.get(name if isinstance(name, str) else None, session)


def session_of(request: Request) -> str:
    """The page that asks, "" where it does not say: what ships belongs to everybody."""
    return request.headers.get("x-session") or request.query_params.get("session_hash") or ""


def subject(vae, session: str, name) -> np.ndarray:
    """The picture that a request names ("gallery:3", "upload:..."), at the model's size. Raises ValueError."""
    from explorer.tabs.vae import subjects

    return subjects.pixels(vae, session, name if isinstance(name, str) else None)


async def models(request: Request) -> Response:
    """{models: [{name, title, own}]}, the page's own ones last."""
    from explorer.tabs.vae import models as known

    return roads.answer({"models": await asyncio.to_thread(known.offer, session_of(request))})


async def model(request: Request) -> Response:
    """?model=: the facts of one model, with the captions of its gallery."""
    from explorer.tabs.vae import models as known

    vae = await asked(request)
    told = await asyncio.to_thread(lambda: vae.gallery().captions)
    return roads.answer(known.facts(request.query_params.get("model") or known.FACES, vae) | {"captions": told})


async def gallery(request: Request) -> Response:
    """?model=: the pictures of its gallery, in the order of `captions`: a sprite."""
    vae = await asked(request)
    sprite = roads.png_sprite((await asyncio.to_thread(vae.gallery)).images)
    sprite.headers["cache-control"] = "no-store"  # another model may have another gallery
    return sprite


async def picture(request: Request) -> Response:
    """POST an image file of any common kind: {picture: its name for this page, note}."""
    from explorer.tabs.vae import subjects

    session, data = roads.session(request), await request.body()
    return JSONResponse(await asyncio.to_thread(subjects.keep, session, data))
