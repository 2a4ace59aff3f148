"""The pictures that one visitor brought along, searchable for as long as the page is open."""

from __future__ import annotations

import io
import threading
import time
import unicodedata

import numpy as np
from PIL import Image

from explorer import uploads
from explorer.index.sqlite import SqliteIndex
from explorer.tabs.clip_search import files
from explorer.tabs.clip_search.indexer import picture_facts

MOST = 200  # pictures of a visitor
SIDE = 1024  # pixels of their longer side that are kept: some 150 kB each


class Uploaded:
    """Pictures as small JPEG, numbered as they came, and an index of them for each model that was asked."""

    def __init__(self) -> None:
        self.seen = time.monotonic()
        self.errors: list[tuple[str, str]] = []  # the last files that were none: name, reason
        self.bytes = 0  # of the pictures as they are kept
        self._lock, self._closed = threading.RLock(), False
        self._pictures: list[bytes] = []
        self._payloads: list[dict] = []
        self._hashes: dict[str, int] = {}
        self._indexes: dict[str, SqliteIndex] = {}

    def __len__(self) -> int:
        return len(self._pictures)

    def add(self, model, name: str, data: bytes) -> int:
        """The number of a picture; the same file has the same one. Raises BadImage or ValueError with one sentence."""
        name = " ".join(unicodedata.normalize("NFC", str(name)).encode("utf-8", "replace").decode().split())
        name = name.replace("\\", "/").rpartition("/")[2][:100] or "picture"
        content = files.digest(data)
        with self._lock:
            if content in self._hashes:
                return self._hashes[content]
            if len(self) >= MOST:
                raise ValueError(f"There is room for {MOST} pictures of yours; drop them to begin anew.")
        try:
            decoded = uploads.decode(data, SIDE // 2)
            if uploads.flat(decoded.image):
                raise uploads.BadImage(uploads.ONE_COLOUR)
        except ValueError as problem:
            with self._lock:
                self.errors = [*self.errors[-(MOST - 1) :], (name, str(problem))]
            raise
        image = decoded.image
        vector = model.images([image])
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=90)
        payload = {
            "name": name, "path": name, "folder": "", "hash": content, "bytes": len(data), "mtime": time.time(),
            "caption": "", **picture_facts(decoded),
        }  # fmt: skip
        with self._lock:
            if content in self._hashes:
                return self._hashes[content]
            if len(self) >= MOST:  # several come at once
                raise ValueError(f"There is room for {MOST} pictures of yours; drop them to begin anew.")
            self._check()
            number = len(self._pictures)
            self._pictures.append(file.getvalue())
            self._payloads.append(payload)
            self._hashes[content] = number
            self.bytes += file.tell()
            self.index(model, {number: vector[0]})
        return number

    def index(self, model, vectors: dict[int, np.ndarray] | None = None) -> SqliteIndex:
        """The index under a model, complete: pictures that came while another model was chosen are encoded now."""
        with self._lock:
            self._check()
            index = self._indexes.setdefault(model.fingerprint, None) or SqliteIndex(":memory:", model.dim, model.fingerprint)
            self._indexes[model.fingerprint] = index
            vectors = vectors or {}
            have = set(index.ids().tolist())
            missing = [n for n in range(len(self)) if n not in have]
            for at in range(0, len(missing), 16):
                some = missing[at : at + 16]
                rows = [vectors[n] if n in vectors else model.images([self.picture(n)])[0] for n in some]
                index.upsert(some, np.stack(rows), [self._payloads[n] for n in some])
            return index

    def picture(self, number: int) -> Image.Image:
        """A picture by its number, at most SIDE pixels on its longer side."""
        with self._lock:
            if not 0 <= number < len(self):
                raise ValueError("This picture is no longer here; please add it again.")
            data = self._pictures[number]
        return Image.open(io.BytesIO(data)).convert("RGB")

    def _check(self) -> None:
        if self._closed:
            raise ValueError("Your pictures were dropped meanwhile; please add them again.")

    def close(self) -> None:
        """Drops all of it; whoever still holds it is told so."""
        with self._lock:
            self._closed = True
            for index in self._indexes.values():
                index.close()
            self._indexes.clear()
