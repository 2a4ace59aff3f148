"""Long work on one thread for the whole host: generators of progress, each stepped in its turn.

Nobody is called back. A job that is paused is not stepped, one that is cancelled is closed, and all can see all jobs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from explorer.tabs.clip_search.indexer import Progress

REST = 0.002  # seconds after each step in which pages get the interpreter


class Job:
    """One generator of Progress, and what visitors asked of it."""

    def __init__(self, collection: str, model: str, steps: Callable[[], Iterator[Progress]]) -> None:
        self.collection, self.model, self.progress = collection, model, Progress()
        self.asked = ""  # "", "pause" or "cancel"
        self.began, self.ended = time.monotonic(), threading.Event()
        self._make, self._steps = steps, None

    def step(self) -> bool:
        """One step; whether there is another. Only the thread of its Jobs calls this."""
        try:
            if self.asked == "cancel":
                self._close()
                return self._end("cancelled", "Cancelled; what was indexed so far stays.")
            if self._steps is None:
                self._steps = self._make()
            self.progress = next(self._steps)
            return True
        except StopIteration:
            return self._end("done", self.progress.say)
        except ValueError as problem:
            return self._end("failed", str(problem))
        except Exception as problem:  # the sentence goes to the page, the rest to the log of the host
            logging.getLogger(__name__).exception("indexing of %s", self.collection)
            return self._end("failed", f"Indexing stopped ({type(problem).__name__}); what was indexed so far stays.")

    def _close(self) -> None:
        if self._steps is not None:
            self._steps.close()

    def _end(self, state: str, say: str) -> bool:
        self.progress = Progress(**(asdict(self.progress) | {"state": state, "say": say, "left": None}))
        self._steps = None
        self.ended.set()
        return False

    def as_dict(self) -> dict:
        """As the page is told: see Progress; state "paused" besides."""
        facts = asdict(self.progress)
        if not self.ended.is_set() and self.asked == "pause":
            facts |= {"state": "paused", "rate": 0.0, "left": None}
        return {"collection": self.collection, **facts, "shard": None}


class Jobs:
    """All jobs of this process. Safe from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: dict[tuple[str, str], Job] = {}  # (collection, model)
        self._thread: threading.Thread | None = None
        self._closed = False

    def start(self, job: Job) -> Job:
        """Adds a job, unless one of its collection and model runs: then that one, which goes on if it was paused."""
        with self._changed:
            if self._closed:
                raise ValueError("This host is shutting down.")
            key = job.collection, job.model
            now = self._jobs.pop(key, job)
            if now is not job and not now.ended.is_set() and now.asked != "cancel":
                now.asked, job = "", now
            self._jobs[key] = job  # at the end: the newest
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="indexing", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return job

    def get(self, collection: str) -> Job | None:
        """The job of a collection that runs, else the newest."""
        with self._changed:
            mine = [job for (name, _), job in self._jobs.items() if name == collection]
        return next((job for job in reversed(mine) if not job.ended.is_set()), mine[-1] if mine else None)

    def ask(self, collection: str, what: str) -> Job | None:
        """ "pause", "" to go on, or "cancel"."""
        with self._changed:
            for (name, _), job in self._jobs.items():
                if name == collection and not job.ended.is_set() and job.asked != "cancel":
                    job.asked = what
            self._changed.notify_all()
        return self.get(collection)

    def drop(self, collection: str) -> None:
        """Cancels the jobs of a collection, waits until they have let go of their index, and forgets them."""
        self.ask(collection, "cancel")
        with self._changed:
            mine = [key for key in self._jobs if key[0] == collection]
        for key in mine:
            self._jobs[key].ended.wait(60)
        with self._changed:
            for key in mine:
                self._jobs.pop(key, None)

    def close(self) -> None:
        """Cancels everything; for tests and the command line."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                job.asked = "cancel"
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(60)

    def _run(self) -> None:
        while True:
            with self._changed:
                active = [job for job in self._jobs.values() if not job.ended.is_set() and job.asked != "pause"]
                if not active:
                    if self._closed:
                        return
                    self._changed.wait()
                    continue
            for job in active:
                job.step()
                time.sleep(REST)
