"""Short answers that many pages share: computed once, the newest kept, and never in all the threads that the host has."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager

from explorer.turns import Full

BUSY = "The host is busy with other pages; try again in a moment."


class Busy(Full, ValueError):
    """No place is free for an answer. Being a Full, it is told with status 429, on which a page asks again a few times."""

    def __init__(self):
        super().__init__(BUSY)


class Places:
    """At most `computing` answers at once and `line` more that wait up to `patience` seconds, each in a thread that asks."""

    def __init__(self, computing: int, line: int, patience: float):
        self._computing, self._all = threading.BoundedSemaphore(computing), threading.BoundedSemaphore(computing + line)
        self._patience = patience

    @contextmanager
    def place(self, *locks: threading.Lock) -> Iterator[None]:
        """Holds the locks and a place. Raises Busy."""
        until = time.monotonic() + self._patience
        with ExitStack() as held:
            if not self._all.acquire(blocking=False):
                raise Busy
            held.callback(self._all.release)
            for one in (*locks, self._computing):  # who waits for another's answer takes nobody's place
                if not one.acquire(timeout=max(0.0, until - time.monotonic())):
                    raise Busy
                held.callback(one.release)
            yield


class Answers:
    """The newest answers by their questions. Each is computed once, even where two ask at the same time. Raises Busy."""

    def __init__(self, most: int, places: Places):
        self._most, self._places, self._kept, self._lock = most, places, OrderedDict(), threading.Lock()

    def get(self, key: Hashable, make: Callable):
        with self._lock:
            lock, slot = self._kept.setdefault(key, (threading.Lock(), []))
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if not slot:  # an answer that is there waits for nobody
            with self._places.place(lock):
                if not slot:
                    slot.append(self._made(key, make))
        return slot[0]

    def _made(self, key: Hashable, make: Callable):
        try:
            return make()
        except Exception:
            with self._lock:
                self._kept.pop(key, None)  # a question that has no answer takes no place from those that have one
            raise
