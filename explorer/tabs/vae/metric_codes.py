"""The codes that metrics are made of: means of up to ten thousand held-out pictures, and the factors known of them.

They are encoded once for all visitors, in the background, and can be used while they come. What a VAE keeps here goes with it.
"""

import logging
import threading
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from explorer import corpus
from explorer.tabs.vae import codes as shipped_codes
from explorer.tabs.vae import worlds
from explorer.tabs.vae.engine import Vae
from explorer.tabs.vae.sources import AVATARS

MOST = 10_000  # the papers' number; fewer make MIG look worse than it is, and noise better
BLOCK = 500  # codes that are encoded, and sent to a page, at a time

UNREADABLE = "The pictures could not be encoded; the host's log says why."
KEPT = 200  # scores of turned codes that are remembered

log = logging.getLogger("explorer")


class Codes:
    """Those of one model: `z` (total, D) float32 and `v` (total, K), of which the first `done` rows are there."""

    def __init__(self, vae: Vae):
        self.total = min(MOST, vae.source.most)
        self.factors = {name: list(values) for name, values in vae.source.factors.items()}
        self.z = np.zeros((self.total, vae.dims), np.float32)
        self.v = np.zeros((self.total, len(self.factors)), np.int64)
        self.done, self.error = 0, ""
        self._kept: dict = {}

    @property
    def ready(self) -> bool:
        return self.done == self.total

    def first(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The first `count` codes and factors. Raises ValueError where they are not there yet."""
        if self.error:
            raise ValueError(self.error)
        if count > self.done:
            raise ValueError(f"{self.done:,} of {self.total:,} codes are there so far; ask again in a moment.")
        return self.z[:count], self.v[:count]

    def once(self, key: Hashable, work: Callable):
        """What work() gives, remembered; for the one thread that computes such things."""
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = work()
        return self._kept[key]

    def put(self, z: np.ndarray, v: np.ndarray) -> None:
        end = min(self.done + len(z), self.total)
        self.z[self.done : end] = z[: end - self.done]
        self.v[self.done : end] = v[: end - self.done, : self.v.shape[1]]
        self.done = end


_known: weakref.WeakKeyDictionary[Vae, Codes] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
_encoder = ThreadPoolExecutor(1, "vae-metric-codes")


def of(vae: Vae) -> Codes:
    """Those of a model, as far as they are; the rest is begun. A failure is tried again at the next call."""
    with _lock:
        found = _known.get(vae)
        if found is None or found.error:
            found = _known[vae] = Codes(vae)
            _begin(vae, found)
            if not found.ready:
                _encoder.submit(_fill, vae, found)
        return found


def all_of(vae: Vae) -> Codes:
    """Those of a model, all, encoded by this thread: for scripts."""
    found = Codes(vae)
    _begin(vae, found)
    _fill(vae, found)
    if found.error:
        raise ValueError(found.error)
    return found


def _begin(vae: Vae, codes: Codes) -> None:
    """What ships with the faces' model or a stop of the dial is there at once."""
    if vae.source is AVATARS and (ready := shipped_codes.shipped(vae)) is not None:
        codes.put(ready[: codes.total], shipped_codes.labels(0, codes.total))
    if vae.source.name not in worlds.DATA or vae.dims != worlds.DIMS or not vae.card:
        return
    dial = worlds.load(vae.source.name)
    for name, stop in dial.stops.items():
        if stop is vae:
            codes.put(dial.codes[name].mu, dial.labels)


def _fill(vae: Vae, codes: Codes) -> None:
    try:
        while not codes.ready:
            codes.put(*_block(vae, codes.done, min(BLOCK, codes.total - codes.done)))
    except Exception as error:
        log.exception("Encoding for the metrics failed.")
        codes.error = str(error) if isinstance(error, ValueError) else UNREADABLE


def _block(vae: Vae, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    if vae.source is AVATARS:  # drawn block by block: all at once would be 120 MB
        pixels, v = corpus.batch("val", start, count)
    else:
        pixels, v = (part[start : start + count] for part in vae.source.batch(start + count))
    return vae.encode(pixels).mu, v
