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


def phrases(text: str) -> list[str]:
    """The parts of a text that say something about a face: "a face with red hair" -> ["red hair"]."""
    return [match.group() for _, pattern, _ in _CLAIMS if (match := re.search(pattern, text, re.IGNORECASE))]


def shows(rows: np.ndarray, wanted: dict[str, str]) -> np.ndarray:
    """bool (N,): which faces (N, A) have all of these values."""
    match = np.ones(len(rows), bool)
    for factor, name in wanted.items():
        match &= rows[:, NAMES.index(factor)] == value(factor, name)
    return match


def attributes(numbers) -> np.ndarray:
    """The attributes of faces by number: int64 (N, A)."""
    return corpus.attributes(numbers, split="test")


@cache
def rows(n: int = MOST) -> np.ndarray:
    """The attributes of faces 0 to n - 1: int64 (n, A)."""
    return attributes(range(n))


def pixels(numbers) -> np.ndarray:
    """Faces by number: uint8 (N, 64, 64, 3)."""
    return corpus.render(np.asarray(numbers, np.int64) + corpus.SPLITS["test"].start)


def caption(number: int, detail: float = 1.0) -> str:
    """One sentence about a face, always the same."""
    return corpus.caption(attributes([number])[0], int(number), detail)


def number(ref) -> int | None:
    """The face that a reference of the page names, where it names one."""
    face = ref.get("face") if isinstance(ref, dict) else None
    whole = isinstance(face, int) and not isinstance(face, bool)
    return face if whole and 0 <= face < len(corpus.SPLITS["test"]) else None


def vectors(model, numbers, raw: bool = False) -> np.ndarray:
    """Faces by number, or the first so many, under a model: (N, D) float32 of length 1, or as the tower gives them.

    Computed once per model, as far as they are of the bundled 2,000.
    """
    numbers = np.arange(numbers) if isinstance(numbers, int) else np.asarray(numbers, np.int64)
    if len(numbers) and numbers.max() >= MOST:
        found = model.images(pixels(numbers), raw=True)
        return found if raw else unit(found)
    with _lock:
        mine = _locks.setdefault(model.fingerprint, threading.Lock())
    with mine:  # one visitor computes, the others wait for the same
        with _lock:
            table = _vectors.get(model.fingerprint)
            if table is None:
                table = _vectors[model.fingerprint] = np.full((MOST, model.dim), np.nan, np.float32)
            _vectors.move_to_end(model.fingerprint)
            while len(_vectors) > KEPT:
                _vectors.popitem(last=False)
        missing = np.unique(numbers[np.isnan(table[numbers, 0])])
        for start in range(0, len(missing), BATCH):
            some = missing[start : start + BATCH]
            table[some] = model.images(pixels(some), raw=True)
        found = table[numbers]
    return found if raw else unit(found)


def usual(model, n: int, few: int) -> int:
    """How many faces a lesson looks at where nobody says: fewer with a large model on a CPU, at some ten pictures a second."""
    return few if model.size > corpus.SIZE and str(getattr(model, "device", "cpu")).startswith("cpu") else n


def unit(x: np.ndarray) -> np.ndarray:
    """Every last axis at length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def percent(share: float, digits: int = 0) -> str:
    """.97 -> "97 %", as sentences say it."""
    return f"{100 * share:.{digits}f} %"


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
