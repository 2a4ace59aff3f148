"""The picture that a page speaks of: one of a model's gallery, or one that the visitor brought. Each page keeps its own few."""

import secrets
import threading
from collections import OrderedDict

import numpy as np

from explorer import uploads
from explorer.tabs.vae.engine import Vae

EACH, PAGES = 8, 200  # pictures of a page; pages that keep any
SIDE = 64  # pixels at which they are kept: 12 kB each
GONE = "This picture is no longer here; please bring it again."

_kept: OrderedDict[str, OrderedDict[str, np.ndarray]] = OrderedDict()
_lock = threading.Lock()


def keep(session: str, data: bytes) -> dict:
    """An image file of any common kind: {picture: its name here, note}. Raises uploads.BadImage."""
    read = uploads.read_image(data, SIDE)
    name = secrets.token_hex(6)
    with _lock:
        mine = _kept.setdefault(session, OrderedDict())
        _kept.move_to_end(session)
        mine[name] = np.array(read.pixels)
        while len(mine) > EACH:
            mine.popitem(last=False)
        while len(_kept) > PAGES:
            _kept.popitem(last=False)
    return {"picture": "upload:" + name, "note": read.note}


def pixels(vae: Vae, session: str, name: str | None) -> np.ndarray:
    """(size, size, 3) uint8: the picture that a page calls "gallery:3" or "upload:...". Raises ValueError."""
    kind, _, key = (name or "gallery:0").partition(":")
    if kind == "gallery" and key.isascii() and key.isdecimal() and len(key) < 5:
        faces = vae.gallery().images
        if int(key) >= len(faces):
            raise ValueError(f"The gallery holds pictures 0 to {len(faces) - 1}; there is no {key}.")
        return faces[int(key)]
    if kind == "upload":
        with _lock:
            found = _kept.get(session, {}).get(key)
        if found is None:
            raise ValueError(GONE)
        return _sized(found, vae.size)
    raise ValueError("A picture is gallery: and a number, or upload: and its name.")


def title(vae: Vae, name: str | None) -> str:
    """What the page may call it."""
    kind, _, key = (name or "gallery:0").partition(":")
    return vae.gallery().captions[int(key)] if kind == "gallery" else "your picture"


def left(session: str) -> None:
    """A page was closed: its pictures go."""
    with _lock:
        _kept.pop(session, None)


def _sized(picture: np.ndarray, size: int) -> np.ndarray:
    from PIL import Image

    if len(picture) == size:
        return picture
    return np.array(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))
