"""Many runs, one UNet: whatever is asked while the model computes rides together in its next call.

Each row of a call has its own latent, time step and context, so visitors at different steps share it. The threads that ask
take turns in driving; there is none that waits for nothing. Knows neither schedulers nor prompts.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

PATIENCE = 0.25  # of the last call's time: as long as the driver waits for runs that are about to ask again


@dataclass(eq=False)
class Rows:
    """Some rows of one visitor, and what became of them. `store` gathers their attention."""

    x: Tensor  # (n, 4, h, w), as noisy as the model expects
    t: Tensor  # (n,)
    context: Tensor  # (n, T, d)
    added: dict[str, Tensor] | None = None  # (n, ...) each: SDXL's pooled text and sizes
    store: dict | None = None
    out: Tensor | None = None
    problem: Exception | None = None

    @property
    def done(self) -> bool:
        return self.out is not None or self.problem is not None

    @property
    def shape(self) -> tuple:
        """Rows of one shape fit into one call. Who lets a row attend where another does counts rows, and rides alone."""
        borrows = id(self) if getattr(self.store, "borrow", ()) else 0
        latent = getattr(self.store, "latent", None)
        return (*self.x.shape[1:], *self.context.shape[1:], tuple(sorted(self.added or ())), latent, borrows)


@dataclass
class Call:
    """What one call of the model carried, for those who count."""

    runs: int
    rows: int
    seconds: float


class Bus:
    """`bus(rows)` gives the model's output for them, float32 on the CPU. Blocks; for any number of threads.

    `model(x, t, context, added, store)` takes up to `most` rows of equal shape, at least those of one visitor. If a call of
    several visitors fails, each is tried alone, so that the one who sent bad rows is the only one to get the exception.
    """

    def __init__(self, model: Callable[..., Tensor], most: int = 32, store: Callable[[], dict] = dict):
        self._model, self._most, self._store = model, most, store
        self._waiting: list[Rows] = []
        self._runs = 0  # that are on their way and will ask again
        self._driven = False
        self._changed = threading.Condition()
        self.last = Call(0, 0, 0.0)

    @property
    def riders(self) -> int:
        """Runs on their way."""
        return self._runs

    @property
    def waiting(self) -> int:
        """Rows' owners that wait for the next call."""
        return len(self._waiting)

    @contextmanager
    def ride(self) -> Iterator[None]:
        """While a run lasts: others wait a moment for it, so that all meet in one call again and again."""
        with self._changed:
            self._runs += 1
        try:
            yield
        finally:
            with self._changed:
                self._runs -= 1
                self._changed.notify_all()

    def __call__(self, rows: Rows) -> Tensor:
        with self._changed:
            self._waiting.append(rows)
            self._changed.notify_all()
            while not rows.done:
                if self._driven:
                    self._changed.wait()
                    continue
                self._driven = True
                try:
                    batch = self._gather()
                    self._changed.release()
                    try:
                        began = time.perf_counter()
                        self._drive(batch)
                        self.last = Call(len(batch), sum(len(one.x) for one in batch), time.perf_counter() - began)
                    finally:
                        self._changed.acquire()
                finally:
                    self._driven = False
                    self._changed.notify_all()
        if rows.problem is not None:
            raise rows.problem
        return rows.out

    def _gather(self) -> list[Rows]:
        """Who rides now: the one who waits longest, and all of the same shape who fit. Holds the lock."""
        until = time.monotonic() + PATIENCE * self.last.seconds
        while self._runs > 1 and len(self._waiting) < self._runs and (left := until - time.monotonic()) > 0:
            self._changed.wait(left)
        first = self._waiting[0]
        batch, count = [], 0
        for one in list(self._waiting):
            if one.shape == first.shape and (not batch or count + len(one.x) <= self._most):
                batch.append(one)
                count += len(one.x)
                self._waiting.remove(one)
        return batch

    def _drive(self, batch: list[Rows]) -> None:
        try:
            self._call(batch)
        except Exception as problem:
            if len(batch) > 1:
                for one in batch:
                    self._drive([one])
            else:
                batch[0].problem = problem
        except BaseException:  # the driver is stopped; nobody may wait for him forever
            for one in batch:
                one.problem = one.problem or RuntimeError("The call of the model was interrupted.")
            raise

    def _call(self, batch: list[Rows]) -> None:
        alone = len(batch) == 1
        kept = [one.store for one in batch if one.store is not None]
        store = None if not kept else kept[0] if alone else self._store()
        added = batch[0].added
        if added is not None and not alone:
            added = {name: torch.cat([one.added[name] for one in batch]) for name in added}
        x, t, context = (torch.cat([getattr(one, name) for one in batch]) for name in ("x", "t", "context"))
        out = self._model(x, t, context, added, store)

        start = 0
        for one in batch:
            mine = slice(start, start + len(one.x))
            if one.store is not None and not alone:
                put = getattr(one.store, "put", one.store.__setitem__)
                for name, maps in store.items():
                    put(name, maps[mine])
            one.out = out[mine]
            start = mine.stop
