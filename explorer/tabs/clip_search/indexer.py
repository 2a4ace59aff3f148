"""Pictures of a folder -> vectors in an index, and again later only what has changed.

A generator: each step commits one batch in one transaction and says how far it is, so whoever steps it may pause, stop or be
killed at any moment, and what was committed stays. Decoding runs in threads ahead of the model, which is then the limit.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from explorer import uploads
from explorer.index import File, Index
from explorer.tabs.clip_search import files

BATCH = 64  # rows of a transaction at most
SECONDS = 0.25  # of the model per batch: a slow model gets smaller ones, so that pages and pauses do not wait
FACTS = ("width", "height", "orientation", "damaged", "note")
WINDOW = 20  # seconds over which the rate is taken, so that the time left follows what happens now
LISTED = 500  # files between two steps while a folder is walked


@dataclass(frozen=True)
class Progress:
    """How far a job is: counts of files, `rate` in pictures per second, `left` in seconds or None."""

    state: str = "scanning"
    found: int = 0
    done: int = 0  # of `found`: unchanged, indexed, moved or failed
    new: int = 0
    changed: int = 0
    moved: int = 0
    deleted: int = 0
    errors: int = 0
    rate: float = 0.0
    left: float | None = None
    say: str = ""


@dataclass(frozen=True)
class _Ready:
    """One file on its way into the index: with pixels to encode, with the vector of the same content, or with an error."""

    found: files.Found
    id: int
    hash: str = ""
    payload: dict | None = None
    pixels: object = None
    vector: np.ndarray | None = None
    error: str = ""
    touched: bool = False  # the same content as before


def index_folder(
    base: str | os.PathLike, index: Index, model, *, shard: tuple[int, int] | None = None, retry: bool = False,
    workers: int | None = None, batch: int = BATCH,
) -> Iterator[Progress]:  # fmt: skip
    """Brings `index` to what is below the folder `base`; yields after every transaction.

    `shard` (i, n) does part i of n, i from 1; several processes may write their parts into one index at once. `retry` tries
    files again that failed and have not changed since. Raises ValueError where there is no such folder.
    """
    base = Path(base).resolve()
    if not base.is_dir():
        raise ValueError("This folder is not there now; what was indexed of it stays.")
    run = _Run(base, index, model, shard, retry, min(BATCH, max(1, batch)))
    yield from run.scan()
    with ThreadPoolExecutor(workers or max(2, os.cpu_count() or 2), "decode") as pool:
        try:
            yield from run.work(pool)
        finally:
            run.stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
    yield from run.clean()


class _Run:
    """What one run knows. Its threads only read."""

    def __init__(self, base: Path, index: Index, model, shard, retry: bool, batch: int) -> None:
        self.base, self.index, self.model, self.shard, self.retry, self.most = base, index, model, shard, retry, batch
        self.captions = threading.local()
        self.stopped = threading.Event()
        self.progress = Progress()
        self.known: dict[bytes, File] = {}
        self.absent: dict[bytes, File] = {}  # known, and not found any more
        self.by_hash: dict[str, list[File]] = {}  # of the absent: a file of the same content has moved
        self.todo: list[files.Found] = []
        self.lost: list[files.Lost] = []

    # --- 1. What is there, and what of it is new ---

    def scan(self) -> Iterator[Progress]:
        self.known = {file.path: file for file in self.index.files() if files.in_shard(file.path, self.shard)}
        taken = {file.id: file.path for file in self.known.values()}
        self.ids: dict[bytes, int] = {}
        seen, walked, found, errors = set(), 0, 0, 0
        for entry in files.walk(self.base):
            if isinstance(entry, files.Lost):
                if not entry.path:
                    raise ValueError(entry.reason)
                self.lost.append(entry)
                continue
            walked += 1
            if not files.in_shard(entry.path, self.shard):
                continue
            seen.add(entry.path)
            found += 1
            old = self.known.get(entry.path)
            if old is None or (old.bytes, old.mtime_ns) != (entry.bytes, entry.mtime_ns) or (old.status != "ok" and self.retry):
                self.todo.append(entry)
            errors += old is not None and old.status != "ok" and (not self.todo or self.todo[-1] is not entry)
            number = old.id if old else files.number(entry.path)
            while taken.setdefault(number, entry.path) != entry.path:  # two paths with one hash: once in some billions
                number = (number + 1) % 2**53
            self.ids[entry.path] = number
            if found % LISTED == 0:
                yield self._now(state="scanning", found=found)

        if not walked and self.known:
            raise ValueError("No picture is in this folder now. If its disk is missing, nothing is lost; else remove it here.")
        below = tuple(entry.path + b"/" for entry in self.lost)
        gone = {path: file for path, file in self.known.items() if path not in seen and not (below and path.startswith(below))}
        self.absent = gone
        for file in gone.values():
            if file.status == "ok":
                self.by_hash.setdefault(file.hash, []).append(file)
        yield self._now(state="running", found=found, done=found - len(self.todo), errors=errors)

    # --- 2. Content into vectors ---

    def work(self, pool: ThreadPoolExecutor) -> Iterator[Progress]:
        waiting, ahead, rest = deque[Future](), 2 * BATCH, iter(self.todo)
        size, marks = min(16, self.most), deque([(time.perf_counter(), self.progress.done)], maxlen=40)
        while True:
            while len(waiting) < ahead and (entry := next(rest, None)) is not None:
                waiting.append(pool.submit(self._prepare, entry))
            if not waiting:
                return
            # A full batch, or what is there after a moment: a slow disk should not look like a standstill.
            some, deadline = [waiting.popleft().result()], time.perf_counter() + 1
            while waiting and len(some) < size and (waiting[0].done() or time.perf_counter() < deadline):
                some.append(waiting.popleft().result())
            size = max(1, min(self.most, self._commit(some, size)))
            done = self.progress.done + len(some)
            marks.append((time.perf_counter(), done))
            while len(marks) > 2 and marks[-1][0] - marks[0][0] > WINDOW:
                marks.popleft()
            rate = (done - marks[0][1]) / max(1e-6, marks[-1][0] - marks[0][0])
            yield self._now(done=done, rate=rate, left=(self.progress.found - done) / rate)

    def _prepare(self, entry: files.Found) -> _Ready:
        """In a thread: reads, recognises, decodes and preprocesses one file. Raises only what the index raises."""
        number = self.ids[entry.path]
        if self.stopped.is_set():
            return _Ready(entry, number)
        try:
            data = files.read(self.base, entry.path)
        except ValueError as problem:
            return _Ready(entry, number, error=str(problem))
        content = files.digest(data)
        old = self.known.get(entry.path)
        touched = old is not None and old.status == "ok" and old.hash == content
        same = self.index.get([number])[0] if touched else self._same(content)
        if same is not None:
            facts = {key: same.payload[key] for key in FACTS if key in same.payload}
            vector = same.vector.astype(np.float16)
            return _Ready(entry, number, content, self._payload(entry, content, facts), vector=vector, touched=touched)
        try:
            decoded = uploads.decode(data, self.model.size, files.MOST_BYTES)
            if uploads.flat(decoded.image):
                raise uploads.BadImage(uploads.ONE_COLOUR)
            payload = self._payload(entry, content, picture_facts(decoded))
            return _Ready(entry, number, content, payload, _pixels(self.model, decoded.image))
        except ValueError as problem:
            return _Ready(entry, number, content, error=str(problem))
        except MemoryError:
            return _Ready(entry, number, content, error="There was not enough memory for this picture.")
        except Exception as problem:  # one file never stops the others; its name says what to report
            return _Ready(entry, number, content, error=f"This picture cannot be read ({type(problem).__name__}).")

    def _same(self, content: str):
        """A row with the same content, wherever it lies."""
        ids = self.index.ids([("hash", "==", content)])
        return self.index.get(ids[:1])[0] if len(ids) else None

    def _payload(self, entry: files.Found, content: str, facts: dict) -> dict:
        if not hasattr(self.captions, "reader"):
            self.captions.reader = files.Captions(self.base)
        described, path = self.captions.reader.of(entry), files.shown(entry.path)
        folder, _, name = path.rpartition("/")
        attributes = {f"attr.{factor}": value for factor, value in described.attributes.items()}
        return {
            "name": name, "path": path, "folder": folder, "hash": content, "bytes": entry.bytes, "mtime": entry.mtime,
            "caption": described.caption, "raw": entry.path, "mtime_ns": entry.mtime_ns, **facts, **attributes,
        }  # fmt: skip

    def _commit(self, some: list[_Ready], size: int) -> int:
        """Encodes and writes a batch; the size of the next one."""
        fresh = [ready for ready in some if ready.pixels is not None]
        vectors, failed = {}, [ready for ready in some if ready.error]
        if fresh:
            started = time.perf_counter()
            for ready, vector in zip(fresh, _encode(self.model, [ready.pixels for ready in fresh])):
                if np.isfinite(vector).all() and np.linalg.norm(vector) > 1e-6:
                    vectors[ready.id] = vector
                else:
                    failed.append(replace(ready, error="The model makes no vector of this picture."))
            each = (time.perf_counter() - started) / len(fresh)
            size = int(min(2 * size, SECONDS / max(each, 1e-9)))
        rows = [ready for ready in some if ready.vector is not None or ready.id in vectors]
        if rows:
            # Halves as they will be stored: a copied vector stays what it was, to the bit.
            halves = np.stack([_half(vectors[r.id]) if r.vector is None else r.vector for r in rows])
            refused = self._write(rows, halves)
            failed += refused
            rows = [ready for ready in rows if ready.id not in {bad.id for bad in refused}]
        if failed:
            self.index.fail(
                [File(r.id, r.found.path, r.hash, r.found.bytes, r.found.mtime_ns, "error", r.error) for r in failed]
            )
        self._count(rows, len(failed))
        return size

    def _write(self, rows: list[_Ready], halves: np.ndarray) -> list[_Ready]:
        """All rows in one transaction; where the index refuses something in them, each by itself. The refused ones."""
        try:
            self.index.upsert([ready.id for ready in rows], halves, [ready.payload for ready in rows])
            return []
        except (ValueError, TypeError, OverflowError):  # not what is wrong with a disk or a server
            refused = []
        for ready, half in zip(rows, halves):
            try:
                self.index.upsert([ready.id], half[None], [ready.payload])
            except (ValueError, TypeError, OverflowError) as problem:
                refused.append(replace(ready, error=f"The index cannot hold what this file says ({type(problem).__name__})."))
        return refused

    def _count(self, rows: list[_Ready], failed: int) -> None:
        new = changed = moved = 0
        gone = []
        for ready in rows:
            away = self.by_hash.get(ready.hash)
            if ready.found.path in self.known:
                changed += not ready.touched
            elif away:
                moved += 1
                gone.append(away.pop())
            else:
                new += 1
        if gone:  # only now that the same content is there under its new name
            self.index.delete([file.id for file in gone])
            for file in gone:
                del self.absent[file.path]
        now = self.progress
        self._now(new=now.new + new, changed=now.changed + changed, moved=now.moved + moved, errors=now.errors + failed)

    # --- 3. What is no longer there ---

    def clean(self) -> Iterator[Progress]:
        gone = [file.id for file in self.absent.values()]
        for at in range(0, len(gone), 500):
            self.index.delete(gone[at : at + 500])
            yield self._now(deleted=min(at + 500, len(gone)))
        say = ""
        if self.lost:
            first = files.shown(self.lost[0].path)
            more = f" and {len(self.lost) - 1} more" if len(self.lost) > 1 else ""
            say = f"The folder {first}{more} could not be read; what was indexed below stays."
        yield self._now(state="done", left=0.0, say=say)

    def _now(self, **changes) -> Progress:
        self.progress = replace(self.progress, **changes)
        return self.progress


def picture_facts(decoded: uploads.Decoded) -> dict:
    """What a decoded file says of itself, as FACTS of a payload."""
    shape = (decoded.width > decoded.height) - (decoded.width < decoded.height)
    orientation = ("square", "landscape", "portrait")[shape]
    return dict(zip(FACTS, (decoded.width, decoded.height, orientation, decoded.damaged, decoded.note)))


def _half(vector: np.ndarray) -> np.ndarray:
    vector = np.asarray(vector, np.float64)
    return (vector / np.sqrt(np.einsum("d,d->", vector, vector))).astype(np.float16)


def _pixels(model, image: Image.Image):
    """Preprocessed in the thread that decoded it, where the model offers that; small in any case."""
    return model.pixels([image]) if hasattr(model, "encode") else image


def _encode(model, pixels: list) -> np.ndarray:
    if not hasattr(model, "encode"):
        return model.images(pixels)
    import torch

    return model.encode(torch.cat(pixels))
