"""Where a path may begin, end or turn: a picture of the gallery, the visitor's own, a random draw, or a code itself.

gallery:3   upload:4f2a...   draw:aggregate:7:3:1:1 (source, seed, which of the sheet, psi, temperature)   code:0.5,-1.25
"""

import hashlib
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from explorer.tabs.vae import subjects
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.sampling_draw import SHEET, SOURCES, draw

KINDS = "A face is gallery: and its number, upload: and its name, draw: and its settings, or code: and its numbers."
SPLIT = "|"  # between the faces of a list; in none of their names
WORLDS = {"prior": "the prior", "aggregate": "where pictures are"}


@dataclass(frozen=True)
class End:
    """One face as a code (D,): the mean mu of a picture, or what was drawn."""

    name: str
    title: str
    z: np.ndarray


def end(vae: Vae, session: str, name) -> End:
    """What a page names. Raises ValueError with one sentence."""
    if not isinstance(name, str) or len(name) > 2000:
        raise ValueError(KINDS)
    kind, _, key = name.partition(":")
    if kind in ("gallery", "upload"):
        picture = subjects.pixels(vae, session, name)
        return End(name, subjects.title(vae, name), _mean(vae, picture))
    if kind == "draw":
        return _drawn(vae, name, key)
    if kind == "code":
        z = np.array([_finite(text) for text in key.split(",")], np.float32)
        if len(z) != vae.dims:
            raise ValueError(f"A code of this model has {vae.dims} numbers, not {len(z)}.")
        if np.abs(z).max() > vae.far:
            raise ValueError(f"A code's numbers must lie between {-vae.far:g} and {vae.far:g}.")
        return End(name, "a code", z)
    raise ValueError(KINDS)


def ends(vae: Vae, session: str, names: str | None, low: int, high: int) -> list[End]:
    """Several at once, as "gallery:1|gallery:2"."""
    given = (names or "").split(SPLIT)
    if not low <= len(given) <= high or not names:
        raise ValueError(f"This takes {low} faces, not {len(given) if names else 0}." if low == high else
                         f"This takes {low} to {high} faces, not {len(given) if names else 0}.")  # fmt: skip
    return [end(vae, session, name) for name in given]


def _drawn(vae: Vae, name: str, key: str) -> End:
    source, *rest = key.split(":")
    if source not in SOURCES or len(rest) != 4:
        raise ValueError("A random face is draw:aggregate or draw:prior with a seed, a place, psi and a temperature.")
    seed, place = (_whole(text) for text in rest[:2])
    psi, temperature = (_finite(text) for text in rest[2:])
    if place >= SHEET:
        raise ValueError(f"A sheet has faces 0 to {SHEET - 1}; there is no {place}.")
    return End(name, f"random {seed}, from {WORLDS[source]}", draw(vae, source, SHEET, seed, psi, temperature)[place])


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError("Seeds and places are whole numbers from 0 on.")
    return int(text)


def _finite(text: str) -> float:
    try:
        value = float(text) if len(text) < 33 and text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("A code and the settings of a draw hold plain finite numbers only.")
    return value


# ---- Kept for a while: encoding takes longer than all else that a path needs ------------------------------------------------

# It goes with its model.
_means: WeakKeyDictionary[Vae, OrderedDict[bytes, np.ndarray]] = WeakKeyDictionary()
_known: WeakKeyDictionary[Vae, np.ndarray] = WeakKeyDictionary()
_lock = threading.Lock()
MEANS, REFERENCE = 512, 1000  # means kept of a model; pictures that are known


def _mean(vae: Vae, picture: np.ndarray) -> np.ndarray:
    key = hashlib.sha256(picture.tobytes()).digest()
    with _lock:
        mine = _means.setdefault(vae, OrderedDict())
        found = mine.get(key)
    if found is None:
        found = vae.encode(picture[None]).mu[0].clip(-vae.far, vae.far)
        with _lock:
            mine[key] = found
            while len(mine) > MEANS:
                mine.popitem(last=False)
    return found


def known_codes(vae: Vae, count: int = REFERENCE) -> np.ndarray:
    """The means of up to 1,000 pictures that no training saw first (N, D); made once for a model."""
    with _lock:
        kept = _known.get(vae)
    if kept is None:
        kept = vae.encode(vae.source.batch(min(count, vae.source.most))[0]).mu
        with _lock:
            _known[vae] = kept
    return kept
