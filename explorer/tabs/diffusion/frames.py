"""A run as pictures: strips of what each step holds, decoded in one batch and remembered. Latents in, pixels out.

`x` has one frame more than the run has steps: frame k is what step k starts from, the last one is the result.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from explorer.tabs.diffusion import decoders

VIEWS = ("x", "x0", "eps_uncond", "eps_cond", "difference", "eps", "final")
NOISES = ("eps_uncond", "eps_cond", "difference", "eps")
SIDE = 256  # pixels of a strip's frames at most; a single frame comes in full
BYTES = 400_000_000  # of decoded frames in all: 30,000 of ours, 2,000 of Stable Diffusion's in a strip
SPREAD = 2.5  # standard deviations of a noise that fill the range from black to white


class Cache:
    """Pictures by (run, view, decoder, side, frame); those that nobody has looked at for longest go first."""

    def __init__(self, most: int = BYTES):
        self._most, self._bytes, self._lock = most, 0, threading.Lock()
        self._kept: OrderedDict[tuple, np.ndarray] = OrderedDict()

    def get(self, key: tuple) -> np.ndarray | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple, picture: np.ndarray) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = picture
                self._bytes += picture.nbytes
            while self._bytes > self._most:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def forget(self, run: str) -> None:
        """Drops what belongs to a run."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == run]:
                self._bytes -= self._kept.pop(key).nbytes


CACHE = Cache()


def count(run, view: str) -> int:
    """How many frames of a view are there by now."""
    made = len(run.steps)
    return made + (made > 0) if view == "x" else min(made, 1) if view == "final" else made


def span(run, view: str, first: int | None, last: int | None) -> range:
    """The frames from `first` to `last`, both included; without them all that are there. Raises ValueError for others."""
    if view not in VIEWS:
        raise ValueError(f"There is no view called {str(view)[:20]!r}; there are {', '.join(VIEWS)}.")
    there = count(run, view)
    first, last = first or 0, there - 1 if last is None else last
    if not 0 <= first <= last < there:
        raise ValueError(f"Of this run frames 0 to {there - 1} are there." if there else "This run has made no step yet.")
    return range(first, last + 1)


def strip(run, view: str, decoder: str = "full", chosen: range | None = None, side: int | None = None) -> np.ndarray:
    """(F, H, W, 3) uint8: the frames of a view. All that are not remembered are decoded in one batch."""
    chosen = span(run, view, None, None) if chosen is None else chosen
    if view == "final":  # another one while the run goes on
        view, chosen = "x", range(len(run.steps), len(run.steps) + 1)
    decoder = "rgb" if view in NOISES else decoders.chosen(run.model, decoder, len(chosen))
    side = side or (SIDE if len(chosen) > 1 else 0)

    def made(missing: list[int]) -> np.ndarray:
        batch = latents(run, view, missing)
        pictures = noise(run.model, batch, spread(run, view)) if view in NOISES else decoders.decode(run.model, batch, decoder)
        return reduced(pictures, side)

    return remembered(run, (view, decoder, side), chosen, made)


def remembered(run, what: tuple, wanted: Sequence, made: Callable[[list], np.ndarray]) -> np.ndarray:
    """The pictures `wanted`, by whatever names them; `made` makes those that are not in the cache, all at once."""
    with run.lock:  # two requests for one film decode it once
        found = {one: CACHE.get((run.id, *what, one)) for one in wanted}
        missing = [one for one, picture in found.items() if picture is None]
        if missing:
            for one, picture in zip(missing, made(missing), strict=True):
                found[one] = picture
                CACHE.put((run.id, *what, one), picture)
    return np.stack([found[one] for one in wanted])


def noise(model, batch: torch.Tensor, deviation: float = 1.0) -> np.ndarray:
    """Noises (F, C, h, w) of that standard deviation as pictures: linear, around middle grey."""
    return decoders.enlarged(decoders.colours(model, batch / (SPREAD * deviation), bias=False), model.ratio)


def latents(run, view: str, chosen) -> torch.Tensor:
    """(F, C, h, w) float32: the view's latents, as noisy as in training whatever the scheduler calls x."""
    if view == "final":
        view, chosen = "x", [len(run.steps)]
    if view == "x":
        return torch.cat([_x(run.steps, k) for k in chosen])
    if view == "difference":
        return torch.cat([step.eps_cond - step.eps_uncond for step in map(run.steps.__getitem__, chosen)])
    return torch.cat([getattr(run.steps[k], view) for k in chosen])


def _x(steps: Sequence, k: int) -> torch.Tensor:
    """What step k starts from; where there is none yet, what the last one came to."""
    if k < len(steps):
        return steps[k].x * steps[k].scale
    return steps[k - 1].x_next * steps[k - 1].scale_next


def spread(run, view: str) -> float:
    """The standard deviation by which a view's noises are divided: 1 for noises, which have it; for the difference that of the
    first step, so that a strip tells a strong step from a weak one and its frames stay what they are."""
    if view != "difference":
        return 1.0
    first = run.steps[0]
    return max(float((first.eps_cond - first.eps_uncond).std()), 1e-3)


def reduced(pictures: np.ndarray, side: int) -> np.ndarray:
    """Pictures whose longer side is `side` at most, averaged by area; 0 leaves them."""
    height, width = pictures.shape[1:3]
    if not side or max(height, width) <= side:
        return pictures
    scale = side / max(height, width)
    shape = round(width * scale), round(height * scale)
    return np.stack([np.asarray(Image.fromarray(one).resize(shape, Image.Resampling.BOX)) for one in pictures])


# ---- Channels as heat maps -----------------------------------------------------------------------------------------------

NEGATIVE, ZERO, POSITIVE = (33, 102, 172), (247, 247, 247), (178, 24, 43)  # ColorBrewer's RdBu, readable without red and green


def channels(run, view: str, chosen: range) -> tuple[np.ndarray, float]:
    """(F x C, h, w, 3) uint8: each frame's channels one after another; and the value that the strongest colours stand for."""
    batch = latents(run, view, chosen)
    n, c, h, w = batch.shape
    most = max(float(batch.abs().max()), 1e-6)
    return diverging(batch.reshape(n * c, h, w).numpy() / most), most


def diverging(values: np.ndarray) -> np.ndarray:
    """Numbers in [-1, 1] -> colours (..., 3) uint8: blue below zero, white at zero, red above."""
    values = np.clip(values, -1, 1)[..., None]
    towards = np.where(values < 0, np.array(NEGATIVE), np.array(POSITIVE))
    return np.round(np.array(ZERO) + np.abs(values) * (towards - np.array(ZERO))).astype(np.uint8)


# ---- Numbers -------------------------------------------------------------------------------------------------------------

NUMBERS = 64 * 1024  # of a step at most that go to a page: ours have 256
TENSORS = ("x", "x0", "eps_uncond", "eps_cond", "eps", "x_next")


def numbers(run, what: Sequence[str]) -> np.ndarray:
    """(T, K, C, h, w) float32: the tensors `what` of every step, as the scheduler has them. Raises ValueError for large ones."""
    if not what or set(what) - set(TENSORS):
        raise ValueError(f"A step holds {', '.join(TENSORS)}.")
    steps = run.steps[:]
    if not steps:
        raise ValueError("This run has made no step yet.")
    if len(what) * steps[0].x.numel() > NUMBERS:
        raise ValueError("The latents of this model are too large to be sent as numbers; its pictures are not.")
    return torch.stack([torch.cat([getattr(step, name) for name in what]) for step in steps]).numpy()
