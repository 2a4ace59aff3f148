"""The VAE tab's page: its parts, the binary routes they speak to, and the same abilities as named endpoints.

Numbers go to the engine, arrays come back. The engine is imported at first need, so that the app starts without torch.
"""

import asyncio
import base64
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import gradio as gr
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from explorer import export, routes, uploads
from explorer.batcher import MicroBatcher
from explorer.tabs.vae import (
    attribute_routes,
    elbo_routes,
    metric_routes,
    model_routes,
    path_routes,
    training_routes,
    worlds_routes,
)
from explorer.views.film import Film
from explorer.views.latent_desk import LatentDesk
from explorer.views.morph import Morph
from explorer.views.vae_attributes import VaeAttributes
from explorer.views.vae_bar import VaeBar
from explorer.views.vae_elbo import VaeElbo
from explorer.views.vae_metrics import VaeMetrics
from explorer.views.vae_paths import VaePaths
from explorer.views.vae_train import VaeTrain
from explorer.views.vae_worlds import VaeWorlds

log = logging.getLogger("explorer")

PARTS = (model_routes, worlds_routes, elbo_routes, attribute_routes, path_routes, metric_routes, training_routes)
VIEWS = (
    (VaeWorlds, "worlds"), (VaeElbo, "elbo"), (VaeAttributes, "attributes"), (VaePaths, "paths"),
    (VaeMetrics, "metrics"), (VaeTrain, "train"),
)  # fmt: skip
PAIR = 0, 2  # faces of the gallery that the first morph joins: unlike in hair and shirt, alike in their background
FRAMES = 33  # of a morph
MOST = 128  # pictures that one request may ask for


def build() -> list[Route]:
    """Draws the tab into the Blocks around it and returns its routes."""
    VaeBar(routes="vae", elem_id="vae-bar")
    LatentDesk(routes="vae", elem_id="vae-desk")
    with Morph(routes="vae", desk="#vae-desk", pair=PAIR, frames=FRAMES, elem_id="vae-morph"):
        Film("Morph")
    for view, name in VIEWS:
        view(routes="vae", elem_id="vae-" + name)
    _endpoints()
    gr.context.Context.root_block.unload(left)
    return [
        routes.get("vae/start", start),
        routes.get("vae/decode", decode),
        routes.get("vae/film", film),
        routes.get("vae/ends", ends),
        routes.get("vae/sample", sample),
        routes.get("vae/morph", morph),
        routes.post("vae/encode", encode),
        *(route for part in PARTS for route in part.routes()),
    ]


def left(request: gr.Request) -> None:
    """A page was closed: what the parts keep for it goes."""
    for part in PARTS:
        try:
            getattr(part, "left", lambda session: None)(request.session_hash)
        except Exception:  # the other parts' things must go all the same
            log.exception("%s did not let a closed page's things go.", part.__name__)


def warm() -> None:
    """Loads the model and takes every path once, so that the first visitor does not wait for it."""
    vae = _vae()
    vae.decode(vae.gallery().codes.mu[:1])
    for part in PARTS:
        if hasattr(part, "warm"):
            part.warm()


@cache
def _vae():
    from explorer.tabs.vae import engine

    return engine.load()


# Single pictures are batched across visitors. Whole films take turns on a thread of their own, so that however many
# are asked for, they hold up no single picture for longer than they share the processor with it.
def _decoded(rows: list) -> list[np.ndarray]:
    """(model, code) pairs -> pictures, those of one model in one call."""
    out: list = [None] * len(rows)
    for vae in {id(vae): vae for vae, _ in rows}.values():
        mine = [i for i, (other, _) in enumerate(rows) if other is vae]
        for i, face in zip(mine, vae.decode(np.stack([rows[i][1] for i in mine]))):
            out[i] = face
    return out


_faces = MicroBatcher(_decoded)
_films = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vae-films")


async def _in_turn(work, *args):
    return await asyncio.get_running_loop().run_in_executor(_films, work, *args)


# ---- Routes: codes as comma-separated numbers, pictures as bytes --------------------------------------------------------


async def start(request: Request) -> Response:
    """What the page needs to know of the model, and the codes of the gallery, as JSON."""
    vae = await model_routes.asked(request)
    return JSONResponse(await asyncio.to_thread(_facts, vae), headers={"cache-control": "no-store"})


def _facts(vae) -> dict:
    faces = vae.gallery()
    codes = [{"mu": _list(mu), "sigma": _list(sigma)} for mu, sigma in zip(faces.codes.mu, faces.codes.sigma)]
    return {
        "version": vae.facts["version"],  # the page adds it to every address, as browsers keep what they have fetched
        "dims": vae.dims,
        "size": vae.size,
        "data": vae.source.name,
        "reach": _reach(vae, faces.codes.mu),
        "far": vae.far,
        "order": vae.order,
        "axes": vae.axes,
        "gallery": [{"caption": caption, **code} for caption, code in zip(faces.captions, codes)],
        "exports": export.formats(),
    }


def _reach(vae, mu: np.ndarray) -> float:
    """How far a slider goes: three sigmas of the prior, or of the codes where no KL term kept them near it."""
    wanted = 3 * float(np.sqrt(mu.var(0).mean()))
    return 3.0 if wanted <= 4 else min(vae.far, float(np.ceil(wanted)))


async def decode(request: Request) -> Response:
    """?z=: one face, raw RGB."""
    vae, z = await _code(request, "z")
    return routes.raw(await _faces((vae, z)))


async def film(request: Request) -> Response:
    """?z=&dim=&from=&to=&frames=: the faces of z with one number running through a range, as a sprite."""
    (vae, z), dim, count = await _code(request, "z"), routes.whole(request, "dim"), routes.whole(request, "frames", 49)
    if not 2 <= count <= MOST:
        raise ValueError(f"A film has 2 to {MOST} frames.")
    values = np.linspace(_number(request, "from", -3), _number(request, "to", 3), count)
    return routes.png_sprite(await _in_turn(vae.film, z, dim, values))


async def ends(request: Request) -> Response:
    """?z=&dims=&at=: for each of some dimensions the faces of z at -at and at +at, as a sprite of pairs."""
    (vae, z), at = await _code(request, "z"), _number(request, "at", 2.5)
    asked = request.query_params.get("dims", "")
    dims = routes.numbers(asked, min(asked.count(",") + 1, len(z)), "dims").astype(int)
    if not (0 <= dims.min() and dims.max() < len(z)):
        raise ValueError(f"There are {len(z)} dimensions, 0 to {len(z) - 1}.")
    pairs = np.repeat(z[None], 2 * len(dims), axis=0)
    pairs[np.arange(0, len(pairs), 2), dims] = -at
    pairs[np.arange(1, len(pairs), 2), dims] = at
    return routes.png_sprite(await _in_turn(vae.decode, pairs))


async def sample(request: Request) -> Response:
    """?seed=&source=: the code of a random face, and the middle it departs from, as JSON.

    A temperature T gives middle + T (z - middle), which the page computes while one drags it.
    """
    seed, source = routes.whole(request, "seed"), request.query_params.get("source", "aggregate")
    vae = await model_routes.asked(request)
    z, middle = await asyncio.to_thread(lambda: [vae.sample(1, seed, heat, source)[0] for heat in (1.0, 0.0)])
    return JSONResponse({"z": _list(z), "middle": _list(middle)})


async def morph(request: Request) -> Response:
    """?a=&b=&frames=: the faces from code a to code b as a sprite; with &format=gif|mp4|strip (&fps= ...) as a file."""
    (vae, a), (_, b) = await _code(request, "a"), await _code(request, "b")
    frames = await _in_turn(vae.morph, a, b, routes.whole(request, "frames", FRAMES))
    if "format" in request.query_params:
        return routes.download(frames, request.query_params, "morph")
    return routes.png_sprite(frames)


async def encode(request: Request) -> Response:
    """POST an image file of any common kind: its code and its pixels as the model saw them, as JSON. It is not kept."""
    vae = await model_routes.asked(request)
    picture, code = await asyncio.to_thread(_read, vae, await request.body())
    pixels = base64.b64encode(picture.pixels.tobytes()).decode()
    mu, sigma = _list(code.mu[0]), _list(code.sigma[0])
    return JSONResponse({"mu": mu, "sigma": sigma, "pixels": pixels, "note": picture.note})


def _read(vae, data: bytes):
    picture = uploads.read_image(data, vae.size)
    return picture, vae.encode(np.array([picture.pixels]))


def _list(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]


async def _code(request: Request, name: str) -> tuple:
    """The model that is asked, and a code (D,) from the query."""
    vae = await _asked(request)
    return vae, routes.numbers(request.query_params.get(name), vae.dims, name)


async def _asked(request: Request):
    """As `model_routes.asked`, but for the usual model no thread is needed once it is loaded."""
    if not request.query_params.get("model") and _vae.cache_info().currsize:
        return _vae()
    return await model_routes.asked(request)


def _number(request: Request, name: str, default: float) -> float:
    return float(routes.numbers(request.query_params.get(name, str(default)), 1, name)[0])


# ---- Named endpoints, for gradio_client and other programs --------------------------------------------------------------


def _endpoints() -> None:
    """Endpoints need components to describe what they take and give. Nobody sees these."""
    with gr.Row(visible=False):
        call = gr.Button()
        file, z, b = gr.File(label="picture", type="binary"), gr.JSON(label="z"), gr.JSON(label="b")
        seed, temperature = gr.Number(0, label="seed", precision=0), gr.Number(1.0, label="temperature, 0 to 3")
        source = gr.Textbox("aggregate", label="'aggregate' or 'prior'")
        frames = gr.Number(FRAMES, label="frames, 2 to 128", precision=0)
        code, face = gr.JSON(label="code"), gr.Image(label="face", format="png")
        faces = gr.Gallery(label="faces", format="png")
    call.click(vae_encode, [file], [code, face], api_name="vae_encode")
    call.click(vae_decode, [z], [face], api_name="vae_decode")
    call.click(vae_sample, [seed, temperature, source], [code, face], api_name="vae_sample")
    call.click(vae_morph, [z, b, frames], [faces], api_name="vae_morph")


def _told(sentence) -> gr.Error:
    return gr.Error(str(sentence), print_exception=False)


def vae_encode(file: bytes):
    """Encodes an image file. Gives {"mu", "sigma", "kl" (nats): one number per dimension each, "mse", "psnr_db", "note"}
    and the reconstruction, 64 x 64."""
    from explorer.pixels import psnr

    if not file:
        raise _told("Give an image file.")
    try:
        picture, code = _read(_vae(), file)
    except ValueError as error:
        raise _told(error) from None
    face = _vae().decode(code.mu)[0]
    mse = float(((face.astype(float) - picture.pixels) ** 2).mean() / 255**2)
    numbers = {name: _list(getattr(code, name)[0]) for name in ("mu", "sigma", "kl")}
    told = {"mse": round(mse, 6), "psnr_db": round(float(psnr(face[None], picture.pixels)[0]), 2), "note": picture.note}
    return numbers | told, face


def vae_decode(z: list[float]):
    """Decodes a code, a list of one number per dimension in units of the prior's sigma (-12 to 12), to a face, 64 x 64."""
    try:
        return _vae().decode(_array(z)[None])[0]
    except ValueError as error:
        raise _told(error) from None


def vae_sample(seed: int = 0, temperature: float = 1.0, source: str = "aggregate"):
    """Draws a random code and its face. Same seed, same face. `temperature` (0 to 3) scales its distance from the middle;
    `source` is "aggregate" (the density of encoded faces) or "prior" (N(0, I))."""
    try:
        z = _vae().sample(1, int(seed or 0), float(1.0 if temperature is None else temperature), source or "aggregate")
        return {"z": _list(z[0])}, _vae().decode(z)[0]
    except ValueError as error:
        raise _told(error) from None


def vae_morph(a: list[float], b: list[float], frames: int = FRAMES):
    """The faces on the straight line from code a to code b, both included: `frames` (2 to 128) pictures of 64 x 64."""
    try:
        return list(_vae().morph(_array(a), _array(b), int(frames or FRAMES)))
    except ValueError as error:
        raise _told(error) from None


def _array(z) -> np.ndarray:
    try:
        return np.array(z, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError):
        raise ValueError("A code is a list of numbers.") from None
