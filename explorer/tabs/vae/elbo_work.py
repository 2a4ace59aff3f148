"""Long answers about the ELBO: shared among pages that ask the same, bounded, and stopped when nobody looks any more."""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from explorer.answers import Answers, Busy, Places

log = logging.getLogger("explorer")

WORKERS = 2  # runs that compute at once; the others take turns with them, a chunk each
RUNS = 200  # that are kept or on their way; a finished one holds at most some hundred kilobytes
ANSWERS = 200
COMPUTING, LINE, PATIENCE = 2, 6, 10.0  # short answers computed at once, that wait, and for how many seconds
GONE = "This run is no longer here; start it again."


class Run:
    """Chunks of a long computation. `parts` only grows; `state` is running, done, stopped or failed."""

    def __init__(self, key, kind: str, chunks: Iterator, total: int, facts: dict):
        self.id, self.key, self.kind, self.total, self.facts = secrets.token_hex(8), key, kind, total, facts
        self.parts: list = []
        self.state, self.error = "running", ""
        self.followers: set[str] = set()  # pages for whom it runs
        self.readers: set[str] = set()  # pages that may ask for what there is
        self._chunks = chunks

    def advance(self) -> bool:
        """Computes one chunk. False where it was the last."""
        try:
            part = next(self._chunks, None)
        except Exception:  # the engine's own fault: what was asked has been checked before
            log.exception("A run of the ELBO part failed.")
            self.state, self.error = "failed", "Something went wrong on the server; its log says what."
            return False
        if part is None:
            self.state = "done"
            return False
        self.parts.append(part)
        return True


_runs: OrderedDict[str, Run] = OrderedDict()  # id -> run, the longest unasked first
_lock = threading.Lock()
_pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="vae-elbo")


def begin(session: str, key, kind: str, make: Callable[[], Iterator], total: int, **facts) -> Run:
    """The run of that key: the one that is here, or a new one. What this page followed of its kind it follows no longer."""
    with _lock:
        found = next((run for run in _runs.values() if run.key == key and run.state in ("running", "done")), None)
        for other in list(_runs.values()):
            if other.kind == kind and other is not found:
                _unfollow(other, session)
        if found is None:
            idle = [name for name, run in _runs.items() if run.state != "running"]
            while len(_runs) >= RUNS and idle:
                _runs.pop(idle.pop(0))
            if len(_runs) >= RUNS:
                raise Busy
            found = Run(key, kind, make(), total, facts)
            _runs[found.id] = found
            _pool.submit(_step, found)
        found.followers.add(session)
        found.readers.add(session)
        _runs.move_to_end(found.id)
        return found


def _step(run: Run) -> None:
    # One chunk, then to the end of the line: a run of a minute holds up nobody's run of a second.
    if run.state == "running" and run.advance() and run.state == "running":
        _pool.submit(_step, run)


def get(session: str, name) -> Run:
    """Raises ValueError for a run that this page has not begun."""
    with _lock:
        found = _runs.get(name) if isinstance(name, str) else None
        if found is None or session not in found.readers:
            raise ValueError(GONE)
        _runs.move_to_end(found.id)
        return found


def stop(session: str, name) -> None:
    """The page has seen enough: the run ends, unless others look at it."""
    run = get(session, name)
    with _lock:
        _unfollow(run, session)


def left(session: str) -> None:
    with _lock:
        for run in list(_runs.values()):
            _unfollow(run, session)
            run.readers.discard(session)
            if not run.readers and (run.state != "done" or run.key[0]):  # nobody else can ask for it
                _runs.pop(run.id, None)


def _unfollow(run: Run, session: str) -> None:
    if session not in run.followers:
        return
    run.followers.discard(session)
    if not run.followers and run.state == "running":
        run.state = "stopped"


places = Places(COMPUTING, LINE, PATIENCE)
answers = Answers(ANSWERS, places)
