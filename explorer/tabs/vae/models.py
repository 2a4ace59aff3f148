"""Every VAE that a page can speak of, by name: the faces' own, the stops of the beta dial, and what a visitor trained here."""

import secrets
import threading
from collections import OrderedDict

from explorer.tabs.vae import engine, worlds
from explorer.tabs.vae.engine import Vae

FACES = "faces"
OWN, OWN_EACH, PAGES = "own-", 4, 80  # models kept of a page, pages that keep any
SHARED = ""  # the session of a model that was trained here for everybody
GONE = "This model was trained on a page that is closed, or it was let go for newer ones; train it again."

_own: OrderedDict[str, OrderedDict[str, Vae]] = OrderedDict()  # session -> name -> model, oldest first
_lock = threading.Lock()


def get(name: str | None = FACES, session: str = "") -> Vae:
    """The model called "faces", "digits-4", "avatars-kl" or "own-..." of that page.

    Raises ValueError for a name that does not exist, assets.Missing where a shipped one is not here.
    """
    name = name or FACES
    if name == FACES:
        return engine.load()
    data, _, stop = name.partition("-")
    if data in worlds.DATA and stop in worlds.STOPS:
        return worlds.load(data).stops[stop]
    if name.startswith(OWN):
        with _lock:
            found = _own.get(session, {}).get(name) or _own.get(SHARED, {}).get(name)
        if found is None:
            raise ValueError(GONE)
        return found
    raise ValueError(f"There is no model {name[:40]!r} here.")


def offer(session: str = "") -> list[dict]:
    """What a page may choose from, without loading anything shipped: {name, title, own}, the first is the usual one."""
    shipped = [{"name": FACES, "title": "Faces, 48 numbers", "own": False}]
    for data in worlds.DATA:
        for stop in worlds.STOPS:
            words = {"0": "reconstruction only", "kl": "KL only"}.get(stop, f"β = {stop}")
            shipped.append({"name": f"{data}-{stop}", "title": f"{worlds.TITLES[data]}, 2 numbers, {words}", "own": False})
    with _lock:
        mine = _own.get(SHARED, {}) | (_own.get(session, {}) if session else {})
        own = [{"name": name, "title": vae.facts["title"], "own": True} for name, vae in mine.items()]
    for i, one in enumerate(own):  # two trainings with the same settings are told apart
        alike = sum(other["title"].startswith(one["title"]) for other in own[:i])
        one["title"] += f" ({alike + 1})" if alike else ""
    return shipped + own


def facts(name: str, vae: Vae) -> dict:
    """What the page needs to know of one model."""
    beta = vae.facts["beta"]
    return {
        "name": name, "title": vae.facts["title"], "version": vae.facts["version"],
        "beta": "kl" if beta == float("inf") else beta, "dims": vae.dims, "size": vae.size, "far": vae.far,
        "data": vae.source.name, "judged": vae.source.judged,
        "factors": {factor: list(values) for factor, values in vae.source.factors.items()},
    }  # fmt: skip


def keep(session: str, vae: Vae, name: str = "") -> str:
    """Keeps a model that a page trained, and gives its name; under a name that is known it takes the other's place.

    The page's oldest goes when it has too many, and the pages that have been without news for longest.
    """
    name = name or OWN + secrets.token_hex(4)
    with _lock:
        mine = _own.setdefault(session, OrderedDict())
        _own.move_to_end(session)
        mine[name] = vae
        while len(mine) > OWN_EACH:
            mine.popitem(last=False)
        pages = [page for page in _own if page not in (SHARED, session)]
        while len(pages) >= PAGES:
            del _own[pages.pop(0)]
    return name


def forget(session: str, name: str) -> None:
    """The visitor lets one go."""
    with _lock:
        _own.get(session, {}).pop(name, None)


def left(session: str) -> None:
    """A page was closed: its models go."""
    with _lock:
        _own.pop(session, None)
