"""The routes of the view "Inside": a prompt's pieces, a run's attention, a word swapped, and the networks of one step opened."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import export
from explorer import routes as wire
from explorer.turns import Full

PROMPT_CHARS = 20_000
OFF_MOST = 8  # skips that are switched off in one call: two rows of it for each
AT_ONCE = 2  # networks opened at once by all: these calls pass the bus by, and would slow down everyone's runs
PATIENCE = 4.0  # seconds in the line; longer would hold places (limits.WORKERS) that others' pictures need

_turns = threading.BoundedSemaphore(AT_ONCE)


def routes() -> list[Route]:
    return [
        wire.get("diffusion/tokens", tokens),
        wire.get("diffusion/attention", attention),
        wire.get("diffusion/maps", maps),
        wire.command("diffusion/swap", swap),
        wire.get("diffusion/text", text),
        wire.get("diffusion/unet", unet),
        wire.get("diffusion/decoder", decoder),
        wire.get("diffusion/table", table),
    ]


def tokens(request: Request) -> Response:
    """?model=&prompt= -> what the model reads of a prompt, and what else could be said in it: prompts.read and its swaps."""
    from explorer.tabs.diffusion import models, prompts

    model = models.load(request.query_params.get("model", ""))
    prompt = request.query_params.get("prompt", "")[:PROMPT_CHARS]
    found = prompts.words(model.tokenizer, prompt)
    swaps = {str(i): one for i, one in prompts.swaps(found).items()} if prompts.own_words(model) else {}
    return wire.answer(prompts.read(model, prompt) | {"swaps": swaps, "chips": prompts.chips()})


def attention(request: Request) -> Response:
    """?run= -> words, layers, and how much of the attention falls on the words: inside.told."""
    from explorer.tabs.diffusion import inside

    return wire.answer(inside.told(_run(request)))


def maps(request: Request) -> Response:
    """?run=&layer= -> (steps + 1, words, h, w) bytes, 255 = all of what the words get there; x-shape says the sizes."""
    from explorer.tabs.diffusion import inside

    shares = inside.shares(_run(request), request.query_params.get("layer") or inside.MEAN)
    told = {"x-shape": ",".join(map(str, shares.shape)), "cache-control": "no-store"}
    return Response(shares.tobytes(), media_type="application/octet-stream", headers=told)


def swap(session: str, given: dict) -> dict:
    """{run, word: its number, other, hold: 0..1, selves} -> both pictures, both films, and the new run's maps: swapping.swap."""
    from explorer.tabs.diffusion import runs, swapping

    run = runs.of(session).get(given.get("run"))
    asked = given.get("word"), given.get("other", ""), given.get("hold", 0.0), given.get("selves") is not False
    with _turn():
        done = swapping.swap(run, *asked)
    return {
        "run": run.id, "prompt": done.prompt, "word": done.word, "held": done.held, "steps": len(done.steps),
        "before": [word.text for word in done.before], "after": [word.text for word in done.after],
        "maps": base64.b64encode(done.maps.tobytes()).decode(), "shape": done.maps.shape,
        "first": len(run.steps) - len(done.steps),
        "pictures": _sprite(done.pictures), "films": None if done.films is None else _sprite(done.films, len(done.steps)),
        "changed": [float(abs(a.x_next - b.x_next).mean()) for a, b in zip(run.steps[-len(done.steps) :], done.steps)],
    }  # fmt: skip


def text(request: Request) -> Response:
    """?run= or ?model=&prompt=, and ?other= -> the text encoder's matrix: texttower.told."""
    from explorer.tabs.diffusion import models, texttower

    given = request.query_params
    if given.get("run"):
        run = _run(request)
        model, prompt = run.model, run.settings.prompt
    else:
        model, prompt = models.load(given.get("model", "")), given.get("prompt", "")
    return wire.answer(texttower.told(model, prompt[:PROMPT_CHARS], given.get("other", "")[:PROMPT_CHARS]))


def unet(request: Request) -> Response:
    """?run=&step= and ?off=0,2 -> the UNet's parts in this step, and the noise without skips: unetmap.look."""
    from explorer.tabs.diffusion import unetmap

    run, step, off = _run(request), wire.whole(request, "step"), _numbers(request.query_params.get("off"))
    with _turn():
        told, pictures = unetmap.look(run, step, off)
    return wire.answer(told | {"pictures": _sprite(pictures, len(pictures) // 2)})


def decoder(request: Request) -> Response:
    """?run=&step= -> the decoder's stages on this step's x0: decoding.told."""
    from explorer.tabs.diffusion import decoding

    run, step = _run(request), wire.whole(request, "step")
    with _turn():
        told = decoding.told(run, step)
    return wire.answer(told | {"picture": _sprite(told["picture"][None])})


def table(request: Request) -> Response:
    """?model= -> {columns}: Stable Diffusion 1.5, SDXL and the model at hand, counted from their configs."""
    from explorer.tabs.diffusion import models, table

    model = models.load(request.query_params.get("model", ""))
    return wire.answer({"columns": [table.of_model(model), *map(table.published, table.PUBLISHED)]})


@contextmanager
def _turn() -> Iterator[None]:
    """While a network is open. Raises Full where none closes in time."""
    if not _turns.acquire(timeout=PATIENCE):
        raise Full("Others are looking into the networks at this moment; try again shortly.")
    try:
        yield
    finally:
        _turns.release()


def _run(request: Request):
    from explorer.tabs.diffusion import runs

    return runs.of(wire.session(request)).get(request.query_params.get("run", ""))


def _numbers(given: str | None) -> list[int] | None:
    """At most OFF_MOST numbers separated by commas; None where nothing is given. Raises ValueError."""
    if given is None:
        return None
    parts = given.split(",") if given else []
    if len(parts) > OFF_MOST or not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
        raise ValueError(f"The parameter off takes the numbers of skip connections, separated by commas, {OFF_MOST} at most.")
    return [int(part) for part in parts]


def _sprite(frames, columns: int | None = None) -> dict:
    """(F, H, W, 3) uint8 -> a PNG in base64, with the sizes that a page cuts it by."""
    count, height, width, _ = frames.shape
    columns = columns or count
    picture = export.png(export.grid(frames, columns), effort=1)
    return {"png": base64.b64encode(picture).decode(), "count": count, "columns": columns, "height": height, "width": width}
