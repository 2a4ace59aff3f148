"""The routes of the part "elbo", below `vae/elbo/`: bills, walks, the bound, gradients, the decoder's density, spectra."""

import asyncio
import base64

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer import routes as roads
from explorer.tabs.vae import model_routes

PREFIX = "vae/elbo/"
DRAWS = 12  # pictures of draws from q that one request may ask for
HELD_OUT = 100  # pictures whose spectra are averaged
REACH = {"mu": 5.0, "sigma": 8.0}  # a walk: so many sigmas to both sides, so many times smaller and larger
STEPS = 33  # values of a walk
BOUND = 4000  # draws that a page may ask for at once
NO_NUMBER = "{} must be a whole number from {} to {}."


def routes() -> list[Route]:
    def get(path, handler):
        return roads.get(PREFIX + path, handler)

    def command(path, work):
        return roads.command(PREFIX + path, work)

    return [
        get("start", start), get("bill", bill), get("spectrum", spectrum), get("planes", planes), get("news", news),
        command("yours", yours), command("walk", walk), command("pixels", pixels), command("draws", draws),
        command("bound", bound), command("gradients", gradients), command("slope", slope),
        command("settle", settle), command("stop", stop),
    ]  # fmt: skip


def left(session: str) -> None:
    """A page was closed: what only it asked for stops."""
    from explorer.tabs.vae import elbo_work

    elbo_work.left(session)


def warm() -> None:
    """The first visitor's first bill and the spectra of many pictures are here before they are asked for."""
    from explorer.tabs.vae import models

    vae = models.get()
    _start(vae)
    _bill(vae, models.FACES, "", "gallery:0", None, 32, 0)
    _spectra(vae, models.FACES, "", "gallery:0")


# ---- What a request may say ---------------------------------------------------------------------------------------------


def _whole(given: dict, name: str, usual: int, low: int, high: int) -> int:
    value = given.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(NO_NUMBER.format(name, low, high))
    return value


def _text(given: dict, name: str) -> str | None:
    value = given.get(name)
    return value[:80] if isinstance(value, str) else None


def _asked(given: dict, session: str) -> tuple:
    """(model, its name, picture's name, pixels) of a command."""
    from explorer.tabs.vae import models

    name = _text(given, "model") or models.FACES
    vae = model_routes.named(name, session)
    picture = _text(given, "picture") or "gallery:0"
    return vae, name, picture, model_routes.subject(vae, session, picture)


def _posterior(vae, given: dict):
    """The visitor's q, None where the encoder's is meant."""
    from explorer.tabs.vae import elbo

    if given.get("mu") is None and given.get("sigma") is None:
        return None
    return elbo.chosen(vae, given.get("mu"), given.get("sigma"))


def _key(kind: str, vae, name: str, session: str, picture: str, *more) -> tuple:
    """What an answer is kept under: everybody's where model and picture are, else the page's own."""
    own = name.startswith("own-") or picture.startswith("upload:")
    return (session if own else "", kind, name, vae.facts["version"], picture, *more)


def _q_key(q) -> tuple:
    return () if q is None else (q.mu.tobytes(), q.sigma.tobytes())


async def _subject(request: Request) -> tuple:
    """(model, its name, session, picture's name) of a GET, in which nothing is edited."""
    from explorer.tabs.vae import models

    vae = await model_routes.asked(request)
    picture = request.query_params.get("picture", "gallery:0")[:80]
    return vae, request.query_params.get("model") or models.FACES, model_routes.session_of(request), picture


# ---- The bill -----------------------------------------------------------------------------------------------------------


async def start(request: Request) -> Response:
    """?model=: what the bill needs to know of a model: its dimensions, its constant, its sigmas."""
    vae = await model_routes.asked(request)
    return roads.answer(await asyncio.to_thread(_start, vae))


def _start(vae) -> dict:
    from explorer.tabs.vae import elbo, elbo_bound, reparam

    values, counts = np.unique(vae.sigma.round(4), return_counts=True)
    return {
        "axes": vae.axes, "order": vae.order, "dead": elbo.DEAD, "constant": elbo.constant(vae), "values": 3 * vae.size**2,
        "sigmas": [{"sigma": float(f"{v:.4g}"), "share": round(float(c / vae.sigma.size), 4)} for v, c in zip(values, counts)],
        "limits": {"samples": elbo.SAMPLES, "sigma": elbo.SIGMAS, "bound": BOUND, "gradients": reparam.MOST, "ks": elbo_bound.KS},
    }  # fmt: skip


async def bill(request: Request) -> Response:
    """?model=&picture=&samples=&seed=: the encoder's bill."""
    vae, name, session, picture = await _subject(request)
    samples, seed = roads.whole(request, "samples", 32), roads.whole(request, "seed", 0)
    return roads.answer(await asyncio.to_thread(_bill, vae, name, session, picture, None, samples, seed))


def yours(session: str, given: dict) -> dict:
    """{model, picture, mu, sigma, samples, seed} -> the bill of that q."""
    vae, name, picture, _ = _asked(given, session)
    samples, seed = _whole(given, "samples", 32, 1, 256), _whole(given, "seed", 0, 0, 10**9 - 1)
    return _bill(vae, name, session, picture, _posterior(vae, given), samples, seed)


def _bill(vae, name: str, session: str, picture: str, q, samples: int, seed: int) -> dict:
    from explorer.tabs.vae import elbo, elbo_work

    image = model_routes.subject(vae, session, picture)
    if q:  # of a pointer's move: nobody asks for it again
        with elbo_work.places.place():
            found = elbo.bill(vae, image, q, samples, seed)
    else:
        key = _key("bill", vae, name, session, picture, samples, seed)
        found = elbo_work.answers.get(key, lambda: elbo.bill(vae, image, None, samples, seed))
    return {
        "mu": _row(found.posterior.mu), "sigma": _row(found.posterior.sigma), "kl": _row(found.posterior.kl),
        "constant": found.constant, "squared": _row(found.squared), "at_mean": found.squared_at_mean,
        "elbo": found.elbo, "error": found.error,
    }  # fmt: skip


def walk(session: str, given: dict) -> dict:
    """{model, picture, mu, sigma, dim, which, samples, seed} -> the ELBO while one number of q moves."""
    from explorer.tabs.vae import elbo, elbo_work

    vae, name, picture, image = _asked(given, session)
    q, which = _posterior(vae, given), _text(given, "which") or "sigma"
    dim = _whole(given, "dim", vae.order[0], 0, vae.dims - 1)
    samples, seed = _whole(given, "samples", 16, 2, 40), _whole(given, "seed", 0, 0, 10**9 - 1)
    if which not in REACH:
        raise ValueError("A walk moves mu or sigma.")

    def make():
        at = q or elbo.encoded(vae, image)
        return elbo.walk(vae, image, at, dim, which, _values(at, dim, which, vae.far), samples, seed)

    key = _key("walk", vae, name, session, picture, dim, which, samples, seed, *_q_key(q))
    found = elbo_work.answers.get(key, make)
    told = {part: _row(getattr(found, part)) for part in ("values", "elbo", "kl", "error")}
    return told | {"here": found.here, "best": found.best, "samples": samples}


def _values(q, dim: int, which: str, far: float) -> np.ndarray:
    from explorer.tabs.vae import elbo

    mu, sigma = float(q.mu[dim]), float(q.sigma[dim])
    if which == "mu":
        reach = REACH["mu"] * sigma
        return np.clip(np.linspace(mu - reach, mu + reach, STEPS), -far, far)
    low, high = max(elbo.SIGMAS[0], sigma / REACH["sigma"]), min(elbo.SIGMAS[1], sigma * REACH["sigma"])
    return np.geomspace(low, high, STEPS).clip(low, high)


def _row(values) -> list[float]:
    """Seven figures: more than the network's own precision, so that a sum of them is the sum."""
    return [float(f"{v:.7g}") for v in values]


# ---- The decoder as a density -------------------------------------------------------------------------------------------


def pixels(session: str, given: dict) -> Response:
    """{model, picture, z or null, seed} -> float32 (10, S, S): x, the mean decode(z), noise N(0, 1), sigma. z null: q's mean."""
    from explorer.tabs.vae import elbo

    vae, _, _, image = _asked(given, session)
    seed = _whole(given, "seed", 0, 0, 10**9 - 1)
    z = elbo.chosen(vae, given["z"], [1.0] * vae.dims).mu if given.get("z") is not None else elbo.encoded(vae, image).mu
    return _floats(np.concatenate(elbo.density(vae, image, z, seed)))


def _floats(array: np.ndarray) -> Response:
    """float32 as bare bytes; the header x-shape says how they lie."""
    headers = {"x-shape": ",".join(map(str, array.shape)), "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(np.ascontiguousarray(array, "<f4").tobytes(), media_type="application/octet-stream", headers=headers)


def draws(session: str, given: dict) -> Response:
    """{model, picture, mu, sigma, count, seed} -> the mean pictures of `count` draws z ~ q, as a sprite."""
    from explorer.tabs.vae import elbo

    vae, _, _, image = _asked(given, session)
    count, seed = _whole(given, "count", 6, 1, DRAWS), _whole(given, "seed", 0, 0, 10**9 - 1)
    q = _posterior(vae, given) or elbo.encoded(vae, image)
    z = q.mu + q.sigma * elbo.noise(count, vae.dims, seed)
    return roads.png_sprite(vae.decode(z.clip(-vae.far, vae.far)))


# ---- Long runs: the bound, the two gradients ----------------------------------------------------------------------------


def bound(session: str, given: dict) -> dict:
    """{model, picture, mu, sigma, count, seed} -> {run, total}: draws for the importance-weighted bound."""
    from explorer.tabs.vae import elbo, elbo_bound, elbo_work

    vae, name, picture, image = _asked(given, session)
    q = _posterior(vae, given)
    count, seed = _whole(given, "count", 2000, 1, BOUND), _whole(given, "seed", 0, 0, 10**9 - 1)
    key = _key("bound", vae, name, session, picture, count, seed, *_q_key(q))

    def chunks():
        yield from elbo_bound.log_weights(vae, image, q or elbo.encoded(vae, image), count, seed)

    run = elbo_work.begin(session, key, "bound", chunks, count)
    return {"run": run.id, "total": run.total}


def gradients(session: str, given: dict) -> dict:
    """{model, picture, of: "likelihood" or "square", dim, mu: [D], sigma: number, count, seed} -> {run, total, truth}.

    The other numbers of z are those of `mu`; without it, of the encoder's.
    """
    from explorer.tabs.vae import elbo, elbo_work, reparam

    vae, name, picture, image = _asked(given, session)
    dim = _whole(given, "dim", vae.order[0], 0, vae.dims - 1)
    count, seed = _whole(given, "count", 1024, 2, reparam.MOST // 4), _whole(given, "seed", 0, 0, 10**9 - 1)
    of = _text(given, "of") or "likelihood"
    if of not in ("likelihood", "square"):
        raise ValueError("The gradient is that of the likelihood or of the square.")
    at, sigma = elbo.encoded(vae, image), given.get("sigma")
    mu = at.mu if given.get("mu") is None else elbo.chosen(vae, given["mu"], [1.0] * vae.dims).mu
    sigmas = np.full(vae.dims, at.sigma[dim]) if sigma is None else elbo.chosen(vae, mu, [sigma] * vae.dims).sigma
    m, s = float(mu[dim]), float(sigmas[dim])
    f = reparam.square if of == "square" else reparam.likelihood(vae, image, mu, dim)
    key = _key("gradients", vae, name, session, picture, of, dim, count, seed, mu.tobytes(), s)
    truth = elbo_work.answers.get(key, lambda: reparam.truth(f, m, s))
    run = elbo_work.begin(session, key, "gradients", lambda: reparam.draws(f, m, s, count, seed), count, sigma=s)
    return {"run": run.id, "total": run.total, "truth": truth, "mu": m, "sigma": s}


def settle(session: str, given: dict) -> dict:
    """{model, picture, mu, sigma, seed} -> {run, total}: q is fitted to this picture alone."""
    from explorer.tabs.vae import elbo, elbo_settle, elbo_work

    vae, name, picture, image = _asked(given, session)
    q, seed = _posterior(vae, given), _whole(given, "seed", 0, 0, 10**9 - 1)
    key = _key("settle", vae, name, session, picture, seed, *_q_key(q))

    def chunks():
        yield from elbo_settle.settle(vae, image, q or elbo.encoded(vae, image), seed=seed)

    run = elbo_work.begin(session, key, "settle", chunks, elbo_settle.STEPS)
    return {"run": run.id, "total": run.total}


def slope(session: str, given: dict) -> dict:
    """{model, picture, dim, mu: [D], z: number} -> f = log p(x|z), its slope along one dimension there, and the picture of z."""
    from explorer.tabs.vae import elbo, reparam

    vae, _, _, image = _asked(given, session)
    dim = _whole(given, "dim", vae.order[0], 0, vae.dims - 1)
    z = elbo.encoded(vae, image).mu if given.get("mu") is None else elbo.chosen(vae, given["mu"], [1.0] * vae.dims).mu
    z[dim] = elbo.chosen(vae, [given.get("z")] * vae.dims, [1.0] * vae.dims).mu[dim]
    value, found = reparam.likelihood(vae, image, z, dim)(z[dim : dim + 1])
    picture = base64.b64encode(vae.decode(z.clip(-vae.far, vae.far)[None])[0].tobytes()).decode()
    return {"z": float(z[dim]), "f": float(value[0]), "slope": float(found[0]), "pixels": picture}


def stop(session: str, given: dict) -> dict:
    from explorer.tabs.vae import elbo_work

    elbo_work.stop(session, given.get("run"))
    return {}


def news(request: Request) -> Response:
    """?run=&after=: how far it is. Of the bound: L_k by now; of the gradients: the draws from `after` on, and what they say."""
    from explorer.tabs.vae import elbo_bound, elbo_work, reparam

    run, after = elbo_work.get(roads.session(request), request.query_params.get("run")), roads.whole(request, "after", 0)
    state, parts = run.state, list(run.parts)  # in this order: a run that is over has all its parts
    told = {"run": run.id, "state": state, "error": run.error, "total": run.total}
    if run.kind == "bound":
        logs = np.concatenate(parts) if parts else np.empty(0)
        return roads.answer(told | {"done": len(logs), "bounds": [vars(one) for one in elbo_bound.bounds(logs)]})
    if run.kind == "settle":
        last = parts[-1].posterior if parts else None
        now = {"mu": _row(last.mu), "sigma": _row(last.sigma)} if last else {"mu": None, "sigma": None}
        return roads.answer(told | now | {"done": len(parts), "elbo": _row([step.elbo for step in parts])})
    if not parts:
        return roads.answer(told | {"done": 0, "eps": [], "f": [], "slope": [], "summary": None})
    found = reparam.joined(parts)
    fresh = {part: _row(getattr(found, part)[after:]) for part in ("eps", "f", "slope")}
    return roads.answer(told | fresh | {"done": len(found.f), "summary": reparam.summary(found, run.facts["sigma"])})


# ---- Spectra ------------------------------------------------------------------------------------------------------------


def _spectra(vae, name: str, session: str, picture: str):
    """(input, output, residual) spectra of one picture, and of the average of held-out ones."""
    from explorer.tabs.vae import elbo_work

    image = model_routes.subject(vae, session, picture)
    one = elbo_work.answers.get(_key("spectrum", vae, name, session, picture), lambda: _three(vae, image[None]))
    every = elbo_work.answers.get(_key("spectra", vae, name, session if name.startswith("own-") else "", ""),
                                  lambda: _three(vae, vae.source.batch(min(HELD_OUT, vae.source.unseen))[0]))  # fmt: skip
    return one, every


def _three(vae, images: np.ndarray) -> tuple:
    from explorer.tabs.vae import spectrum

    x, out = spectrum.luminance(images), spectrum.luminance(vae.decode(vae.encode(images).mu))
    return spectrum.of(x), spectrum.of(out), spectrum.of(x - out), len(images)


async def spectrum(request: Request) -> Response:
    """?model=&picture=: power by cycles per picture of the picture and its reconstruction, and the same of many pictures."""
    one, every = await asyncio.to_thread(_spectra, *await _subject(request))
    return roads.answer({"picture": _told(one), "average": _told(every), "count": every[3]})


def _told(three: tuple) -> dict:
    from explorer.tabs.vae import spectrum as spectra

    x, out, rest = (one.rings for one in three[:3])
    return {
        "input": _row(x),
        "output": _row(out),
        "residual": _row(rest),
        "half": spectra.half(x, out),
        "placed": spectra.half(x, x - rest),
    }


async def planes(request: Request) -> Response:
    """The same question: log10 of the power by direction too, float32 (4, S, S): picture, reconstruction, and both averages."""
    one, every = await asyncio.to_thread(_spectra, *await _subject(request))
    power = np.stack([part.plane for part in (*one[:2], *every[:2])])
    return _floats(np.log10(np.maximum(power, 1e-12)))
