"""The collections of a host: the bundled faces, folders below the roots that it named, and what a visitor brought along.

What a visitor sends never becomes a path: roots have ids, and every part of a path is looked up below one. What goes back is
a root's label and a path below it, never where that is on the host.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from explorer import limits, uploads
from explorer.index import Index, open_index
from explorer.index.sqlite import SqliteIndex, peek
from explorer.tabs.clip_search import faces, files, jobs
from explorer.tabs.clip_search.indexer import Progress, index_folder
from explorer.tabs.clip_search.uploaded import Uploaded

BUNDLED, MINE = "faces", "mine"
FACES = faces.MOST
FACES_VERSION = "1"  # to be raised when the faces of the corpus or their captions change
PATIENCE = 1.0  # seconds that a request waits for the bundled faces before it takes what is there; a page asks again by itself
STEP = 64
ERRORS = 50  # files on a page of errors
VISITORS = limits.SEATS  # with pictures of their own at once
FULL = "Others' pictures take all the room that this host has for visitors'; please try again in a few minutes."
NOT_HERE = "There is no such collection here."


class Collection:
    """Pictures under one model: `id`, `title`, `model` (fingerprint), `index`, `temporary`."""

    def __init__(self, library: Library, id: str, title: str, model: str, index: Index, temporary: bool = False) -> None:
        self._library, self.id, self.title, self.model, self.index, self.temporary = library, id, title, model, index, temporary

    @property
    def job(self) -> dict | None:
        """What is being done to it, or was last."""
        job = self._library.jobs.get(self.id)
        return job.as_dict() if job else None

    def picture(self, item_id: int, at_least: int = 64) -> Image.Image:
        """A picture, upright RGB, its shorter side at least twice `at_least` where the file has that many pixels."""
        item = self.index.get([item_id])[0]
        if item is None:
            raise ValueError("This picture is no longer in the collection.")
        return self._open(item, at_least)

    def _open(self, item, at_least: int) -> Image.Image:
        raise NotImplementedError


class _Faces(Collection):
    def picture(self, item_id: int, at_least: int = 64) -> Image.Image:
        if not 0 <= item_id < FACES:
            raise ValueError(f"The bundled faces are 0 to {FACES - 1}.")
        return Image.fromarray(faces.pixels([item_id])[0])


class _Folder(Collection):
    base: Path

    def _open(self, item, at_least: int) -> Image.Image:
        raw = item.payload.get("raw") or os.fsencode(item.payload["path"])
        self._library.check(self.base)
        return uploads.decode(files.read(self.base, raw), at_least, files.MOST_BYTES).image


class _Mine(Collection):
    pictures: Uploaded

    def _open(self, item, at_least: int) -> Image.Image:
        return self.pictures.picture(item.id)


class Library:
    """One per host process. `roots` are folders whose pictures may be indexed and shown; `data` keeps indexes, None: nothing is
    kept."""

    def __init__(self, roots: list[Path] = (), data: Path | None = None) -> None:
        self._roots = {_root_id(Path(root).resolve()): Path(root).resolve() for root in roots}
        self._kept = data is not None
        self._scratch = None if self._kept else tempfile.TemporaryDirectory(prefix="explorer-indexes-")
        self._data = Path(data) if self._kept else Path(self._scratch.name)
        self._lock = threading.RLock()
        self._open: dict[tuple[str, str], Collection] = {}  # (id, fingerprint)
        self._opening: dict[tuple[str, str], threading.Lock] = {}  # a large index takes seconds; others need not wait
        self._mine: dict[str, Uploaded] = {}
        self.jobs = jobs.Jobs()

    def close(self) -> None:
        """Stops all work and closes all files."""
        self.jobs.close()
        with self._lock:
            for collection in self._open.values():
                collection.index.close()
            for mine in self._mine.values():
                mine.close()
            self._open.clear(), self._mine.clear()
        if self._scratch is not None:
            self._scratch.cleanup()

    # --- What there is ---

    def collections(self, session: str) -> list[dict]:
        """{id, title, count, temporary, root, path, building, models}: the faces, folders by title, the visitor's own."""
        out = [self._listed(BUNDLED, "Bundled faces", FACES)]
        for facts in sorted(self._folders(), key=lambda facts: facts["title"].casefold()):
            indexes = sorted((self._data / facts["id"]).glob("*.sqlite"))
            models = [path.stem for path in indexes]
            with self._lock:
                opened = {model: found.index for (name, model), found in self._open.items() if name == facts["id"]}
            counts = [index.count() for index in opened.values()]
            counts += [peek(path)[0] for path in indexes if path.stem not in opened]
            count = max(counts, default=0)
            out.append(self._listed(facts["id"], facts["title"], count, facts["root"], facts["path"]) | {"models": models})
        with self._lock:
            mine = self._mine.get(session)
        if mine is not None and len(mine):
            out.append(self._listed(MINE, "Your pictures", len(mine)) | {"temporary": True})
        return out

    def _listed(self, id: str, title: str, count: int, root: str = "", path: str = "") -> dict:
        job = self.jobs.get(id)
        building = job is not None and not job.ended.is_set()
        return {
            "id": id, "title": title, "count": count, "temporary": False, "root": root, "path": path, "building": building,
            "models": None,
        }  # fmt: skip

    def _folders(self) -> Iterator[dict]:
        """What was written down of every indexed folder that is below a root now."""
        for note in sorted(self._data.glob("*/collection.json")):
            try:
                base = Path(os.fsdecode(bytes.fromhex(json.loads(note.read_text(encoding="utf-8"))["base"])))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            for name, root in self._roots.items():
                if base.is_relative_to(root) and note.parent.name == collection_id(base):
                    below = files.shown(os.fsencode(base.relative_to(root))) if base != root else ""
                    title = f"{self._label(root)}/{below}" if below else self._label(root)
                    yield {"id": note.parent.name, "title": title, "root": name, "path": below, "base": base}
                    break

    def roots(self) -> list[dict]:
        """{id, label} of each folder that the host named."""
        return [{"id": name, "label": self._label(root)} for name, root in self._roots.items()]

    def _label(self, root: Path) -> str:
        return files.shown(os.fsencode(root.name)) or "Pictures"

    def browse(self, root_id: str, path: str = "") -> dict:
        """{folders: [{name, path}], pictures (in this folder itself), more}. Raises ValueError outside the roots."""
        folder = files.inside(self._root(root_id), path)
        names, pictures, more = files.listing(folder)
        here = "/".join(part for part in path.split("/") if part not in ("", "."))
        below = [{"name": name, "path": f"{here}/{name}" if here else name} for name in names]
        return {"folders": below, "pictures": pictures, "more": more}

    def _root(self, root_id: str) -> Path:
        root = self._roots.get(str(root_id))
        if root is None:
            raise ValueError("This host shows no such folder; --image-roots names those that it does.")
        return root

    def check(self, base: Path) -> None:
        """Raises ValueError unless a folder is below a root still, without a link on the way."""
        if not any(base.is_relative_to(root) for root in self._roots.values()) or base.resolve() != base:
            raise ValueError(files.OUTSIDE)

    # --- One collection ---

    def get(self, id: str, session: str, model, wait: float = PATIENCE) -> Collection:
        """A collection under a model. The bundled faces are indexed at their first use, for which it waits `wait` seconds.

        Raises ValueError for one that is not there, or not indexed with this model.
        """
        if id == BUNDLED:
            return self._faces(model, wait)
        if id == MINE:
            with self._lock:
                mine = self._mine.get(session)
            if mine is None:
                raise ValueError("There are no pictures of yours yet; add some first.")
            mine.seen = time.monotonic()
            # Made for each request: nothing is left of it here when the pictures go, and the index has all that have come.
            found = _Mine(self, MINE, "Your pictures", model.fingerprint, mine.index(model), temporary=True)
            found.pictures = mine
            return found
        return self._folder(self._known(id), model, make=False)

    def _known(self, id: str) -> dict:
        for facts in self._folders():
            if facts["id"] == id:
                return facts
        raise ValueError(NOT_HERE)

    def _opened(self, id: str, title: str, model, make, kind=Collection, **more) -> Collection:
        place = id, model.fingerprint
        with self._lock:
            turn = self._opening.setdefault(place, threading.Lock())
        with turn:
            with self._lock:
                found = self._open.get(place)
            if found is None:
                found = kind(self, id, title, model.fingerprint, make())
                found.__dict__.update(more)
                with self._lock:
                    self._open[place] = found
            return found

    def _faces(self, model, wait: float) -> Collection:
        path = self._data / BUNDLED / f"{model.fingerprint}-{FACES_VERSION}.sqlite"

        def make():
            try:
                return SqliteIndex(path, model.dim, model.fingerprint)
            except ValueError:  # a cache: whatever is wrong with it, it can be made again
                for file in path.parent.glob(f"{path.name}*"):
                    file.unlink(missing_ok=True)
                return SqliteIndex(path, model.dim, model.fingerprint)
            except (OSError, sqlite3.Error):
                return SqliteIndex(":memory:", model.dim, model.fingerprint)

        found = self._opened(BUNDLED, "Bundled faces", model, make, _Faces)
        if found.index.count() < FACES:
            job = self.jobs.start(jobs.Job(BUNDLED, model.fingerprint, lambda: index_faces(found.index, model)))
            job.ended.wait(max(0.0, job.began + wait - time.monotonic()))
        return found

    def _folder(self, facts: dict, model, make: bool) -> Collection:
        place = self._data / facts["id"] / f"{model.fingerprint}.sqlite"
        remote = bool(os.environ.get("QDRANT_URL"))
        if not make and not place.exists() and not remote:
            raise ValueError(f"{facts['title']} is not indexed with this model yet; index it first, or choose the model it has.")
        opened = lambda: open_index(place, model.dim, model.fingerprint)  # noqa: E731
        return self._opened(facts["id"], facts["title"], model, opened, _Folder, base=facts["base"])

    # --- Indexing ---

    def act(self, action: str, session: str, model, collection=None, root=None, path=None) -> dict:
        """build (root and path), refresh, retry, pause, resume, cancel, remove (collection): the job as it is then."""
        if action == "build" and not collection:
            base = files.inside(self._root(root), path or "")
            return self._start(self._note(base), model)
        if collection in (BUNDLED, MINE) or not isinstance(collection, str):
            if collection == BUNDLED and action in ("pause", "resume", "cancel"):
                self.jobs.ask(BUNDLED, "" if action == "resume" else action)
                return self.job(BUNDLED, session)
            raise ValueError("Choose a folder that was indexed; this cannot be done to the others.")
        facts = self._known(collection)
        if action in ("build", "refresh", "retry"):
            return self._start(facts, model, retry=action == "retry")
        if action in ("pause", "resume", "cancel"):
            job = self.jobs.ask(collection, "" if action == "resume" else action)
            if action == "resume" and (job is None or job.ended.is_set()):
                return self._start(facts, model)
            return self.job(collection, session)
        if action == "remove":
            self._remove(facts, model)
            say = f"The index of {facts['title']} is gone; its pictures are not."
            return _done(collection, 0) | {"say": say}
        raise ValueError("An index can be built, refreshed, retried, paused, resumed, cancelled or removed.")

    def _note(self, base: Path) -> dict:
        """Writes down that a folder is a collection, whole or not at all."""
        name = collection_id(base)
        note_collection(self._data, base)
        return self._known(name)

    def _start(self, facts: dict, model, retry: bool = False) -> dict:
        found = self._folder(facts, model, make=True)
        steps = lambda: index_folder(facts["base"], found.index, model, retry=retry)  # noqa: E731
        return self.jobs.start(jobs.Job(facts["id"], model.fingerprint, steps)).as_dict()

    def _remove(self, facts: dict, model) -> None:
        self.jobs.drop(facts["id"])
        if os.environ.get("QDRANT_URL"):
            self._folder(facts, model, make=True).index.drop()
        with self._lock:
            for key in [key for key in self._open if key[0] == facts["id"]]:
                self._open.pop(key).index.close()
                self._opening.pop(key, None)
            shutil.rmtree(self._data / facts["id"], ignore_errors=True)

    def job(self, collection: str, session: str) -> dict:
        """How far the indexing of a collection is; state "done" where nothing was to be done."""
        if collection == MINE:
            with self._lock:
                mine = self._mine.get(session)
            return _done(MINE, len(mine) if mine else 0)
        job = self.jobs.get(str(collection))
        return job.as_dict() if job else _done(str(collection), 0)

    def errors(self, collection: str, session: str, page: int = 0) -> dict:
        """{errors: [{id, path, reason, retry}], total}: the files that could not be indexed, ERRORS a page."""
        if collection == MINE:
            with self._lock:
                mine = self._mine.get(session)
            bad = list(mine.errors) if mine else []
            rows = [{"id": n, "path": name, "reason": reason, "retry": False} for n, (name, reason) in enumerate(bad)]
        elif collection == BUNDLED:
            rows = []
        else:
            self._known(collection)
            failed: dict[bytes, dict] = {}
            with self._lock:
                indexes = [found.index for (name, _), found in self._open.items() if name == collection]
            bad = [file for index in indexes for file in index.files() if file.status != "ok"]
            if not indexes:
                bad = [file for path in sorted((self._data / collection).glob("*.sqlite")) for file in peek(path)[1]]
            for file in bad:
                failed[file.path] = {"id": file.id, "path": files.shown(file.path), "reason": file.error, "retry": True}
            rows = list(failed.values())
        page = max(0, int(page))
        return {"errors": rows[page * ERRORS : (page + 1) * ERRORS], "total": len(rows)}

    # --- A visitor's own ---

    def add(self, session: str, model, name: str, data: bytes) -> dict:
        """One picture for the collection "mine" of a visitor. Raises BadImage or ValueError with one sentence."""
        with self._lock:
            self._make_room(session)
            mine = self._mine.setdefault(session, Uploaded())
        mine.seen = time.monotonic()
        mine.add(model, name, data)
        return self.job(MINE, session)

    def _make_room(self, session: str) -> None:
        """Pages that nobody has used for long lose their pictures to those who bring some; others never do."""

        def full() -> bool:
            crowded = session not in self._mine and len(self._mine) >= VISITORS
            return crowded or sum(mine.bytes for mine in self._mine.values()) >= limits.UPLOADED_BYTES

        longest = sorted(self._mine, key=lambda key: self._mine[key].seen)
        for other in longest:
            if not full():
                return
            if other != session and time.monotonic() - self._mine[other].seen > limits.IDLE_SECONDS:
                self.forget(other)
        if full():
            raise ValueError(FULL)

    def forget(self, session: str) -> None:
        """Drops what a visitor brought along."""
        with self._lock:
            mine = self._mine.pop(session, None)
        if mine is not None:
            mine.close()


def index_faces(index: Index, model) -> Iterator[Progress]:
    """The bundled faces into an index: faces 0 to 1,999 of the corpus's test split, with caption and attributes."""
    have, started = set(index.ids().tolist()), time.perf_counter()
    missing = [n for n in range(FACES) if n not in have]
    progress = Progress("running", FACES, len(have))
    yield progress
    rows, first = faces.rows(FACES), len(have)
    for at in range(0, len(missing), STEP):
        some = missing[at : at + STEP]
        pixels = faces.pixels(some)
        index.upsert(some, model.images(pixels), [face_payload(n, rows[n]) for n in some])
        done = first + at + len(some)
        rate = (done - first) / (time.perf_counter() - started)
        yield Progress("running", FACES, done, new=done - first, rate=rate, left=(FACES - done) / rate)
    yield Progress("done", FACES, FACES, new=FACES - first, left=0.0)


def face_payload(n: int, row: np.ndarray) -> dict:
    """What is known of face n, whose attributes are `row`."""
    from explorer import corpus

    attributes = {f"attr.{factor}": value for factor, value in corpus.describe(row).items()}
    name = f"face {n}"
    return {
        "name": name, "path": name, "folder": "", "width": corpus.SIZE, "height": corpus.SIZE, "orientation": "square",
        "caption": corpus.caption(row, n), "damaged": False, "note": "", **attributes,
    }  # fmt: skip


def collection_id(base: Path) -> str:
    """A folder's name that says nothing of where it is."""
    return hashlib.sha256(b"folder " + os.fsencode(base)).hexdigest()[:12]


def note_collection(data: Path, base: Path) -> Path:
    """The folder for the indexes of `base`, in which its path is written down; made where it is not there."""
    place = data / collection_id(base)
    note = place / "collection.json"
    if not note.exists():
        place.mkdir(parents=True, exist_ok=True)
        draft = place / f"collection.{os.getpid()}.{threading.get_ident()}.json.part"
        draft.write_text(json.dumps({"base": os.fsencode(base).hex()}) + "\n", encoding="utf-8")
        draft.replace(note)
    return place


def _root_id(root: Path) -> str:
    return hashlib.sha256(b"root " + os.fsencode(root)).hexdigest()[:8]


def _done(collection: str, count: int) -> dict:
    return {"collection": collection, **asdict(Progress("done", count, count)), "shard": None}


def data_folder() -> Path | None:
    """Where indexes are kept: EXPLORER_DATA, or a folder of the user's cache; None where neither can be written."""
    place = Path(os.environ.get("EXPLORER_DATA") or Path.home() / ".cache" / "generative-explorer").expanduser()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except (OSError, RuntimeError):
        return None


@functools.cache
def opened() -> Library:
    """The library of this process, with the roots and the data folder that the environment names."""
    roots = [Path(root).expanduser() for root in os.environ.get("EXPLORER_IMAGE_ROOTS", "").split(os.pathsep) if root]
    library = Library([root for root in roots if root.is_dir()], data_folder())
    atexit.register(library.close)  # a batch that is under way when Python ends would end it with a cry
    return library
