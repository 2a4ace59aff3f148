"""Long work for pages: in a thread of its own, once for all who want the same, with progress, and let go when nobody waits."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from explorer.answers import Busy

log = logging.getLogger("explorer")

KEPT, LINE = 96, 24  # jobs remembered; that may wait or run: with a class of a hundred most want the same
FAILED = "Something went wrong on the server; its log says what."


class Stopped(Exception):
    """Raised within the work when no page wants it any more."""


@dataclass(eq=False)
class Job:
    """state: waiting, running, done, failed or stopped. share: 0 to 1 of the work. wanted: the pages that wait for it."""

    key: Hashable
    state: str = "waiting"
    share: float = 0.0
    result: object = None
    error: str = ""
    wanted: set[tuple[str, str]] = field(default_factory=set)

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "running")


class Jobs:
    """A page has one job of a kind at a time: its newest. A job that no page wants is stopped."""

    def __init__(self, name: str, workers: int = 1):
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._newest: dict[tuple[str, str], Job] = {}
        self._lock = threading.Lock()

    def want(self, page: tuple[str, str], key: Hashable, work: Callable[[Callable[[float], None]], object]) -> Job:
        """The job of that key for a page (session, kind): found or begun. `work(tick)` calls `tick(share)` often. Raises Busy."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.state in ("failed", "stopped"):
                if sum(one.open for one in self._jobs.values()) >= LINE and not self._newest.get(page):
                    raise Busy
                job = self._jobs[key] = Job(key)
                self._pool.submit(self._run, job, work)
            self._jobs.move_to_end(key)
            if job is not self._newest.get(page):
                self._leave(page)
            if job.open:
                job.wanted.add(page)
                self._newest[page] = job
            for old in [old for old, one in self._jobs.items() if not one.open][: max(0, len(self._jobs) - KEPT)]:
                del self._jobs[old]
            return job

    def done(self, key: Hashable):
        """The result of that key, None where there is none yet."""
        with self._lock:
            job = self._jobs.get(key)
            return job.result if job else None

    def leave(self, session: str, kind: str | None = None) -> None:
        """A page stops waiting for its job of a kind, or for all of them."""
        with self._lock:
            for page in [page for page in self._newest if page[0] == session and kind in (None, page[1])]:
                self._leave(page)

    def _leave(self, page: tuple[str, str]) -> None:
        job = self._newest.pop(page, None)
        if job:
            job.wanted.discard(page)
            if job.open and not job.wanted:
                job.state = "stopped"

    def _run(self, job: Job, work) -> None:
        def tick(share: float) -> None:
            if job.state == "stopped":
                raise Stopped
            job.share = min(1.0, float(share))

        with self._lock:
            if job.state == "waiting":
                job.state = "running"
        try:
            tick(0.0)
            result = work(tick)
            with self._lock:
                if job.state == "running":
                    job.result, job.state, job.share = result, "done", 1.0
        except Stopped:
            pass
        except ValueError as problem:
            job.error, job.state = str(problem), "failed"
        except Exception:
            log.exception("%s failed.", job.key)
            job.error, job.state = FAILED, "failed"
        finally:
            with self._lock:
                for page in job.wanted:
                    if self._newest.get(page) is job:
                        del self._newest[page]
                job.wanted.clear()


class Promises:
    """What is made in a short time and is the same for all who ask: made once, in turn, and the newest kept."""

    def __init__(self, name: str, most: int, workers: int = 1):
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[Hashable, Future] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], object]) -> Future:
        """The answer, perhaps still in the making. Raises Busy where too many are."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.cancelled() or (found.done() and found.exception()):
                if sum(not one.done() for one in self._kept.values()) >= LINE:
                    raise Busy
                found = self._kept[key] = self._pool.submit(make)
            self._kept.move_to_end(key)
            for old in [old for old, one in self._kept.items() if one.done()][: max(0, len(self._kept) - self._most)]:
                del self._kept[old]
            return found
