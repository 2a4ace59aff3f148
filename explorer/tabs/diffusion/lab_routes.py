"""The routes of the forward lab (`forward/...`) and of the three guidances (`guidances/...`): pictures and numbers."""

import asyncio
import time

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import corpus
from explorer import routes as wire

PREFIX = "diffusion/"
GALLERY = 12  # faces that the forward lab offers at once
POLL_SECONDS = 1.0  # that a question for news may wait for some
TICK = 0.02  # seconds between two looks at a comparison
PARKED = 3  # questions that wait at once: they hold places (limits.WORKERS) that others' pictures need
PAUSE = 400  # ms after which the page of one more question may ask again

_parked = 0


def routes() -> list[Route]:
    def get(path, handler):
        return wire.get(PREFIX + path, handler)

    def command(path, work):
        return wire.command(PREFIX + path, work)

    return [
        get("forward/start", forward_start), get("forward/faces", faces), wire.post(PREFIX + "forward/upload", upload),
        get("forward/numbers", numbers), get("forward/film", film), get("forward/guess", guess),
        get("forward/estimates", estimates), get("forward/example", example), get("forward/example.png", example_pictures),
        get("guidances/start", guidances_start), command("guidances/run", run), command("guidances/stop", stop),
        get("guidances/news", news), get("guidances/strip", strip), get("guidances/numbers", guidance_numbers),
        get("guidances/recombined", recombined),
    ]  # fmt: skip


def left(session: str) -> None:
    from explorer.tabs.diffusion import lab_work

    lab_work.left(session)


def _floats(array: np.ndarray) -> Response:
    """float32 as bare bytes; the header x-shape says how they lie."""
    headers = wire.KEEP | {"x-shape": ",".join(map(str, array.shape))}
    return Response(np.ascontiguousarray(array, "<f4").tobytes(), media_type="application/octet-stream", headers=headers)


# ---- Forward ------------------------------------------------------------------------------------------------------------


def forward_start(request: Request) -> Response:
    """The schedules with all their numbers, the film's time steps, and what the network is."""
    from explorer.tabs.diffusion import forward, lab_work

    model = lab_work.model()
    told = {
        "schedules": [
            {"name": one.name, "title": one.title, "about": one.about, "abar": [float(f"{a:.6g}") for a in one.abar],
             "asked": [round(float(t), 3) for t in forward.own_times(one.abar[np.array(forward.FRAMES)])]}
            for one in forward.schedules().values()
        ],
        "own": forward.OWN,
        "last": float(forward.schedules()[forward.OWN].abar[-1]), "frames": list(forward.FRAMES),
        "latent": list(model.latent), "image": [64, 64, 3],
        "prediction": model.scheduler_config.get("prediction_type", "epsilon"), "faces": len(corpus.SPLITS["test"]),
        "gallery": GALLERY,
    }  # fmt: skip
    return wire.answer(told)


def faces(request: Request) -> Response:
    """?from=: GALLERY faces that no model has seen, as a sprite."""
    first = wire.whole(request, "from", 0)
    images, _ = corpus.batch("test", first, GALLERY)
    return wire.png_sprite(images)


async def upload(request: Request) -> Response:
    from explorer.tabs.diffusion import lab_work

    who, body = wire.session(request), await request.body()
    return wire.answer(await asyncio.to_thread(lab_work.keep, who, body))


def _asked(request: Request) -> tuple[str, str, int, str, str]:
    """(session, picture, seed, schedule, caption) of a question to the forward lab."""
    query = request.query_params
    return (
        wire.session(request), query.get("picture", "face:0"), wire.whole(request, "seed", 0),
        query.get("schedule", "scaled_linear"), query.get("caption", ""),
    )  # fmt: skip


def numbers(request: Request) -> Response:
    """?picture=&seed=: x0 and eps of the latent (256 each), then x0 and eps of the pixels (3, 64, 64 each), as float32."""
    from explorer.pixels import to_tensor
    from explorer.tabs.diffusion import forward, lab_work

    session, picture, seed, _, _ = _asked(request)
    what, (latent, pixels) = lab_work.subject(session, picture), forward.noises(seed)
    parts = [what.x0, latent, to_tensor(what.pixels[None]), pixels]
    answer = _floats(np.concatenate([part.numpy().reshape(-1) for part in parts]))
    answer.headers["x-caption"] = "".join(c if " " <= c <= "~" else "?" for c in what.caption)  # all that a header may hold
    return answer


def film(request: Request) -> Response:
    """?picture=&seed=&schedule=: x_t decoded, as a sprite; with &format=gif|mp4|strip as a file."""
    from explorer.tabs.diffusion import lab_work

    frames = lab_work.film(*_asked(request)[:4])
    if "format" in request.query_params:
        return wire.download(frames, request.query_params, "forward")
    return wire.png_sprite(frames)


def guess(request: Request) -> Response:
    """?picture=&seed=&schedule=&caption=: the predicted eps of all frames, without and with caption: float32 (1 or 2, F, 256)."""
    from explorer.tabs.diffusion import lab_work

    found = lab_work.guess(*_asked(request))
    return _floats(np.stack([one.flatten(1).numpy() for one in (found.untold, found.told) if one is not None]))


def estimates(request: Request) -> Response:
    """The same question: x0 in one shot, decoded, as a sprite of F or 2 F frames."""
    from explorer.tabs.diffusion import lab_work

    return wire.png_sprite(lab_work.estimates(lab_work.guess(*_asked(request))))


def _example(request: Request):
    from explorer.tabs.diffusion import lab_work

    session, picture, seed, schedule, caption = _asked(request)
    return lab_work.example(session, picture, schedule, caption, seed)


def example(request: Request) -> Response:
    """?picture=&schedule=&caption=&seed=: one training example: t, its noise, the predictions and their losses."""
    from explorer.tabs.diffusion import forward

    found = _example(request)
    told = {"t": int(found.times[0]), "asked": round(float(found.asked[0]), 3), "eps": _row(found.eps), "x": _row(found.x)}
    for name, one in (("untold", found.untold), ("told", found.told)):
        told[name] = None if one is None else {"eps": _row(one), "loss": float(forward.losses(one, found.eps)[0])}
    return wire.answer(told)


def example_pictures(request: Request) -> Response:
    """The same question: x_t and the estimates of x0, decoded, as a sprite of 2 or 3."""
    from explorer.tabs.diffusion import lab_work

    return wire.png_sprite(lab_work.example_pictures(_example(request)))


def _row(tensor) -> list[float]:
    return [round(float(v), 4) for v in tensor.flatten()]


# ---- Three guidances ----------------------------------------------------------------------------------------------------


def guidances_start(request: Request) -> Response:
    """What can be wished for, in words; the limits; and how well the classifier reads noisy latents."""
    from explorer.clip import pairs
    from explorer.tabs.diffusion import classifier, guidances, lab_work

    told = {
        "factors": {name: [[value, pairs.phrase(name, value)] for value in values] for name, values in corpus.FACTORS.items()},
        "limits": {"steps": guidances.STEPS, "scale": guidances.SCALES},
        "methods": guidances.METHODS, "classifier": classifier.known(lab_work.model().folder),
    }  # fmt: skip
    return wire.answer(told)


def run(session: str, given: dict) -> dict:
    """{wish, seed, steps, s, w, told} -> {run, total, text}."""
    from explorer.tabs.diffusion import lab_work

    begun = lab_work.begin(session, given)
    return {"run": begun.id, "total": begun.settings.steps, "text": begun.settings.text}


def stop(session: str, given: dict) -> dict:
    from explorer.tabs.diffusion import lab_work

    lab_work.comparison(session, given.get("run")).stop()
    return {}


def _comparison(request: Request):
    from explorer.tabs.diffusion import guidances, lab_work

    query = request.query_params
    method = query.get("method", guidances.METHODS[0])
    if method not in guidances.METHODS:
        raise ValueError(f"There is no such way of guidance; there are {', '.join(guidances.METHODS)}.")
    return lab_work.comparison(wire.session(request), query.get("run", "")), method


async def news(request: Request) -> Response:
    """?run=&after=: waits for more than `after` steps, a second at most, and holds no thread while it waits."""
    global _parked

    (found, _), after = await asyncio.to_thread(_comparison, request), wire.whole(request, "after", 0)
    waits = not _news(found, after) and _parked < PARKED
    if waits:
        _parked += 1
        try:
            until = time.monotonic() + POLL_SECONDS
            while not _news(found, after) and time.monotonic() < until:
                await asyncio.sleep(TICK)
        finally:
            _parked -= 1
    told = await asyncio.to_thread(_told, found, after)
    return wire.answer(told | {"pause": 0 if waits or told["steps"] or told["state"] != "running" else PAUSE})


def _news(found, after: int) -> bool:
    return len(found.steps) > after or found.state != "running"


def _told(found, after: int) -> dict:
    state, count = found.state, len(found.steps)  # in this order: a run that is over has all its steps
    steps = [
        {
            "index": step.index, "t": step.timestep, "abar": step.abar, "agree": step.agree,
            "gradient": float(step.gradient.norm()),
            "branches": {
                name: {"p": [float(f"{v:.4g}") for v in one.p], "seconds": one.seconds, "calls": one.calls}
                for name, one in step.branches.items()
            },
        }
        for step in found.steps[after:count]
    ]  # fmt: skip
    return {"run": found.id, "state": state, "waiting": found.waiting and state == "running", "error": found.error, "done": count,
            "total": found.settings.steps, "steps": steps, "verdict": found.verdict, "seconds": found.seconds}  # fmt: skip


def strip(request: Request) -> Response:
    """?run=&method=&view=x|x0|plain|push|final: a film as a sprite; with &format=gif|mp4|strip as a file."""
    found, method = _comparison(request)
    view = request.query_params.get("view", "x0")
    frames = found.push(method) if view == "push" else found.pictures(method, view)
    if "format" in request.query_params:
        return wire.download(frames, request.query_params, f"guidance-{method}")
    return wire.png_sprite(frames)


def recombined(request: Request) -> Response:
    """?run=&method=&step=&scale=: the estimate of the picture at a step with another scale, without asking the network."""
    found, method = _comparison(request)
    scale = float(wire.numbers(request.query_params.get("scale"), 1, "scale")[0])
    return wire.png_sprite(found.recombined(method, wire.whole(request, "step", 0), scale))


def guidance_numbers(request: Request) -> Response:
    """?run=: float32 (steps, 7, 256): of classifier guidance eps, gradient and the guided eps; of classifier-free guidance eps
    without and with the condition, and the guided eps; of explicit conditioning eps."""
    found, _ = _comparison(request)
    if not found.steps:
        raise ValueError("This comparison has no step yet.")
    rows = [
        [by.plain, step.gradient, by.eps, free.plain, free.condition, free.eps, step.branches["labels"].eps]
        for step in list(found.steps)
        for by, free in [(step.branches["classifier"], step.branches["free"])]
    ]
    return _floats(np.stack([np.stack([one.numpy().reshape(-1) for one in row]) for row in rows]))
