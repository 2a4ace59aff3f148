"""The held-out faces as material for lessons: their vectors under a model, and what a text says about a face.

Face n is the n-th of the corpus's split "test". What it shows is known exactly, so success can be counted, not judged.
"""

import re
import threading
from collections import OrderedDict
from functools import cache

import numpy as np

from explorer import corpus
from explorer.corpus.factors import NAMES, value

MOST = 2000  # the bundled collection's faces; lessons look at no others
KEPT = 3  # models whose face vectors stay in memory: 1 MB each at 128 dimensions
BATCH = 64

_lock = threading.Lock()
_locks: dict[str, threading.Lock] = {}
_vectors: OrderedDict[str, np.ndarray] = OrderedDict()  # fingerprint -> (n, D) as the tower gives them

_HAIR = "hair|bob|afro|dreadlocks"
_STYLES = "cropped|short|curly|tufted|frizzy|long|wavy|swept"

# What a phrase of the captions' grammar says. The first group, where there is one, is the value.
_CLAIMS = (
    ("hair colour", rf"\b({'|'.join(corpus.FACTORS['hair colour'])}) (?:{_HAIR})\b", None),
    ("hair", rf"\b({_STYLES}) (?:\w+ )?hair\b", None), ("hair", r"\b(bob|afro|dreadlocks|headband|flowers|bun)\b", None),
    *((factor, rf"\b({'|'.join(corpus.FACTORS[factor])}) {factor}\b", None)
      for factor in ("skin", "eyes", "brows", "mouth", "shirt", "background")),
    ("mouth", r"\bsmil(?:e|ing)\b", "smile"), ("mouth", r"\btongue\b", "tongue"), ("mouth", r"\bgrimac(?:e|ing)\b", "grimace"),
    ("glasses", r"\bsunglasses\b", "sunglasses"), ("glasses", r"\b(round|square) glasses\b", None),
    ("glasses", r"\b(?:no|without) glasses\b", "none"),
    ("beard", r"\bbeard\b", "full"), ("beard", r"\bmoustache\b", "moustache"), ("beard", r"\b(?:no|without a) beard\b", "none"),
)  # fmt: skip


def claims(text: str) -> dict[str, str]:
    """Factor -> value, as far as a text in the captions' words names them: "red hair" -> {"hair colour": "red"}."""
    text, found = " ".join(text.lower().replace(",", " ").split()), {}
    for factor, pattern, name in _CLAIMS:
        if match := re.search(pattern, text):
            found[factor] = name or match.group(1)
    return found


def shows(rows: np.ndarray, wanted: dict[str, str]) -> np.ndarray:
    """bool (N,): which faces (N, A) have all of these values."""
    match = np.ones(len(rows), bool)
    for factor, name in wanted.items():
        match &= rows[:, NAMES.index(factor)] == value(factor, name)
    return match


@cache
def rows(n: int = MOST) -> np.ndarray:
    """The attributes of faces 0 to n - 1: int64 (n, A)."""
    return corpus.attributes(range(n), split="test")


def pixels(numbers) -> np.ndarray:
    """Faces by number: uint8 (N, 64, 64, 3)."""
    return corpus.render(np.asarray(numbers, np.int64) + corpus.SPLITS["test"].start)


def caption(number: int, detail: float = 1.0) -> str:
    """One sentence about a face, always the same."""
    return corpus.caption(corpus.attributes([number], split="test")[0], int(number), detail)


def number(ref) -> int | None:
    """The face that a reference of the page names, where it names one."""
    face = ref.get("face") if isinstance(ref, dict) else None
    whole = isinstance(face, int) and not isinstance(face, bool)
    return face if whole and 0 <= face < len(corpus.SPLITS["test"]) else None


def vectors(model, n: int, raw: bool = False) -> np.ndarray:
    """Faces 0 to n - 1 under a model: (n, D) float32 of length 1, or as the tower gives them. Computed once per model."""
    with _lock:
        mine = _locks.setdefault(model.fingerprint, threading.Lock())
    with mine:  # one visitor computes, the others wait for the same
        with _lock:
            known = _vectors.get(model.fingerprint, np.empty((0, model.dim), np.float32))
        parts = [known]
        for start in range(len(known), n, BATCH):
            parts.append(model.images(pixels(range(start, min(start + BATCH, n))), raw=True))
        known = np.concatenate(parts)
        with _lock:
            _vectors[model.fingerprint] = known
            _vectors.move_to_end(model.fingerprint)
            while len(_vectors) > KEPT:
                _vectors.popitem(last=False)
    return known[:n].copy() if raw else unit(known[:n])


def unit(x: np.ndarray) -> np.ndarray:
    """Every last axis at length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def asked(given: dict, name: str, default: float, low: float, high: float) -> float:
    """A number of a request, whole where the default is. Raises ValueError where it is none or outside low to high."""
    found = given.get(name)
    found = default if found is None else found
    good = isinstance(found, (int, float)) and not isinstance(found, bool) and low <= found <= high  # NaN is not
    if not good or (isinstance(default, int) and found != int(found)):
        kind = "whole number" if isinstance(default, int) else "number"
        raise ValueError(f"{name} takes a {kind} from {low:g} to {high:g}.")
    return type(default)(found)


def words(given: dict, name: str, default: str, most: int = 400) -> str:
    """A text of a request. Raises ValueError where it is none, empty or endless."""
    found = given.get(name)
    found = default if found is None else found
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"Write something for {name}.")
    if len(found) > most:
        raise ValueError(f"{name} takes at most {most} characters.")
    return " ".join(found.split())
