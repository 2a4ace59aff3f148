"""Pictures of which everything is known, and their codes: what directions are fitted on, and what they are tried on.

What they are tried on, no training of the model saw. Of faces there are enough to fit on such ones, too; directions of digits and
of a visitor's pictures are fitted on those that the model was trained on. Codes are computed once per model, in the background
where a page has to wait for them.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary, ref

import numpy as np

from explorer import corpus
from explorer.tabs.vae import codes as shipped_codes
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.sources import AVATARS
from explorer.turns import Full

FIT, HELD = 3000, 1500  # faces to fit on, and held out from it: a few seconds of encoding, and 100 of the rarest hair cut
CHUNK = 250
MODELS = 20  # models whose codes are kept: half a megabyte each
PATIENCE = 20.0  # seconds that a question waits for codes


class Busy(Full):
    """Told with status 429, on which a page asks again a few times."""

    def __init__(self):
        super().__init__("This model's pictures are still being encoded; try again in a moment.")


@dataclass(frozen=True, eq=False)
class Pool:
    """mu (N, D), labels (N, factors), names of the factors' values; [:fit] is fitted on, [fit:] is held out; from `first` on no
    training of the model saw them."""

    mu: np.ndarray
    labels: np.ndarray
    factors: dict[str, tuple[str, ...]]
    fit: int
    first: int = 0

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
    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)  # codes and labels by now
    pool: Pool | None = None
    error: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)


_made: WeakKeyDictionary[Vae, _Making] = WeakKeyDictionary()  # the longest unasked first; one goes with its model
_lock = threading.Lock()
_maker = ThreadPoolExecutor(1, "vae-pool")  # one model after the other, however many are asked about


def of(vae: Vae) -> Pool:
    """The pool of a model; waits until it is there. Raises Busy where that takes too long."""
    making = _begin(vae)
    if not making.over.wait(PATIENCE):
        raise Busy
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
        making = _made.pop(vae, None)
        if making is None or making.error:
            making = _Making()
            _maker.submit(_make, ref(vae), making)
        _made[vae] = making
        while len(_made) > MODELS:
            del _made[list(_made)[0]]
        return making


def _make(named: ref, making: _Making) -> None:
    """Encodes chunk by chunk, until it is done or nobody has the model any more: this alone keeps none alive."""
    try:
        while making.pool is None and (vae := named()) is not None:
            _advance(vae, making)
            del vae
    except Exception as error:
        making.error = error.with_traceback(None)  # whose frames would keep the model
    making.parts = []
    making.over.set()


def _advance(vae: Vae, making: _Making) -> None:
    source, parts = vae.source, making.parts
    making.total = total = min(FIT + HELD, source.most)
    if not parts and source is AVATARS and (ready := shipped_codes.shipped(vae)) is not None:
        parts.append((ready[:total], shipped_codes.labels(0, total)))
        making.done = total
    if making.done < total:
        pixels, known = _batch(source, making.done, min(CHUNK, total - making.done))
        parts.append((vae.encode(pixels).mu, known))
        making.done += len(pixels)
    if making.done >= total:
        mu, labels = (np.concatenate(side) for side in zip(*parts))
        if _few(source):
            fit = first = total - source.unseen
        else:
            fit, first = FIT if total == FIT + HELD else round(total * FIT / (FIT + HELD)), 0
        if total - first < 3:  # nothing could be near to anything
            first = 0
        making.pool = Pool(mu.astype(np.float64), labels.astype(np.int64), dict(source.factors), fit, first)


def _few(source) -> bool:
    """Whether only some of the pool's pictures are unseen: these are its last then."""
    return source.unseen < size(source)


def _of_source(source, numbers: np.ndarray) -> np.ndarray:
    """The source's numbers, which begin with what is unseen, of the pool's."""
    return (numbers + source.unseen) % size(source) if _few(source) else numbers


def _batch(source, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    if source is AVATARS:  # drawn when asked for, so that no page's worth of pixels is kept
        return corpus.batch("val", start, count)
    pixels, labels = source.batch(source.most)
    numbers = _of_source(source, np.arange(start, start + count))
    return pixels[numbers], labels[numbers]


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
    return source.batch(source.most)[0][_of_source(source, numbers)]
