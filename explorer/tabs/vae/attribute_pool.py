"""Pictures of which everything is known, and their codes: what directions are fitted on, and what they are tried on.

The first part of a source's pictures is fitted on, the rest is held out; no training of the model saw either, as far as the
source says. Codes are computed once per model, in the background where a page has to wait for them.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from explorer import corpus
from explorer.tabs.vae import codes as shipped_codes
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.sources import AVATARS

FIT, HELD = 3000, 1500  # faces to fit on, and held out from it: a few seconds of encoding, and 100 of the rarest hair cut
CHUNK = 250
MODELS = 20  # models whose codes are kept: half a megabyte each


@dataclass(frozen=True, eq=False)
class Pool:
    """mu (N, D), labels (N, factors), names of the factors' values; [:fit] is fitted on, [fit:] is held out."""

    mu: np.ndarray
    labels: np.ndarray
    factors: dict[str, tuple[str, ...]]
    fit: int

    @property
    def names(self) -> list[str]:
        return list(self.factors)

    def column(self, factor: str) -> np.ndarray:
        """(N,) the values of one factor. Raises ValueError for one that is not known of these pictures."""
        if factor not in self.factors:
            known = ", ".join(self.factors) or "none"
            raise ValueError(f"Nothing is known of {str(factor)[:40]!r} in this model's pictures; known are: {known}.")
        return self.labels[:, self.names.index(factor)]

    def value(self, factor: str, name: str) -> int:
        self.column(factor)
        if name not in self.factors[factor]:
            raise ValueError(f"{factor.capitalize()} can be {', '.join(self.factors[factor])}; not {str(name)[:40]!r}.")
        return self.factors[factor].index(name)

    def sides(self, factor: str, before: str, after: str, held: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the pictures that show `before` ("rest": anything but `after`) and of those that show `after`."""
        column, after = self.column(factor), self.value(factor, after)
        mask = np.arange(len(column)) >= self.fit if held else np.arange(len(column)) < self.fit
        if before == "rest":
            start = column != after
        elif (number := self.value(factor, before)) == after:
            raise ValueError("An edit goes from one value to another; choose two that differ.")
        else:
            start = column == number
        return np.flatnonzero(start & mask), np.flatnonzero((column == after) & mask)


@dataclass
class _Making:
    """One pool under way, shared by all that wait for it."""

    done: int = 0
    total: int = 1
    pool: Pool | None = None
    error: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)


_made: OrderedDict[int, tuple[Vae, _Making]] = OrderedDict()
_lock = threading.Lock()


def of(vae: Vae) -> Pool:
    """The pool of a model; waits until it is there."""
    making = _begin(vae)
    making.over.wait()
    if making.error:
        raise making.error
    return making.pool


def progress(vae: Vae) -> tuple[int, int]:
    """How many of how many pictures are encoded; begins it where nobody has."""
    making = _begin(vae)
    if making.error:
        raise making.error
    return (making.total, making.total) if making.over.is_set() else (min(making.done, making.total - 1), making.total)


def _begin(vae: Vae) -> _Making:
    with _lock:
        found = _made.get(id(vae))
        if found is None or found[1].error:
            found = _made[id(vae)] = vae, _Making()
            threading.Thread(target=_make, args=found, name="vae-pool", daemon=True).start()
        _made.move_to_end(id(vae))
        while len(_made) > MODELS:
            _made.popitem(last=False)
        return found[1]


def forget(gone) -> None:
    """Lets go of the models for which `gone(vae)` holds."""
    with _lock:
        for key in [key for key, (vae, _) in _made.items() if gone(vae)]:
            _made.pop(key)


def _make(vae: Vae, making: _Making) -> None:
    try:
        source = vae.source
        making.total = total = min(FIT + HELD, source.most)
        codes, labels = [], []
        if source is AVATARS and (ready := shipped_codes.shipped(vae)) is not None:
            codes, labels, making.done = [ready[:total]], [shipped_codes.labels(0, total)], total
        for start in range(making.done, total, CHUNK):
            pixels, known = _batch(source, start, min(CHUNK, total - start))
            codes.append(vae.encode(pixels).mu)
            labels.append(known)
            making.done = start + len(pixels)
        fit = FIT if total == FIT + HELD else round(total * FIT / (FIT + HELD))
        labels = np.concatenate(labels).astype(np.int64)
        making.pool = Pool(np.concatenate(codes).astype(np.float64), labels, dict(source.factors), fit)
    except Exception as error:
        making.error = error
    making.over.set()


def _batch(source, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    if source is AVATARS:  # drawn when asked for, so that no page's worth of pixels is kept
        return corpus.batch("val", start, count)
    pixels, labels = source.batch(source.most)
    return pixels[start : start + count], labels[start : start + count]


def size(source) -> int:
    """How many pictures of a source have a number here."""
    return min(FIT + HELD, source.most)


def picture(source, number: int) -> np.ndarray:
    """(size, size, 3) uint8: the picture of that number. Raises ValueError where there is none."""
    return pictures(source, [number])[0]


def pictures(source, numbers) -> np.ndarray:
    """(N, size, size, 3) uint8. Raises ValueError for a number that is not here."""
    numbers, most = np.asarray(numbers, np.int64), size(source)
    if not len(numbers) or numbers.min() < 0 or numbers.max() >= most:
        raise ValueError(f"There are pictures 0 to {most - 1} to draw from.")
    if source is AVATARS:
        return corpus.render(numbers + corpus.SPLITS["val"].start)
    return source.batch(source.most)[0][numbers]
