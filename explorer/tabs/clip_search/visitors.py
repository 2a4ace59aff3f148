"""What belongs to one page of the CLIP tab: the pictures that were brought along, and the small CLIP trained there."""

import io
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from explorer import limits, uploads

PICTURES = 16  # kept of a page; older ones go
SIDE = 512  # pixels of their longest side: more than any model here looks at


class Visitor:
    """One page's pictures and run. Its pictures are kept as PNG: some hundred kilobytes each instead of a megabyte."""

    def __init__(self):
        self.seen = time.monotonic()
        self.lock = threading.Lock()
        self.parts: dict[str, Any] = {}  # what lessons keep, by their name
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._slots: dict[str, str] = {}  # slot -> the name of its picture

    def keep(self, data: bytes, slot: str = "") -> dict:
        """Any image file: {picture: its name here, width, height, note}. Raises uploads.BadImage.

        Of a `slot`, such as the live webcam's, only the newest is kept, so that a stream does not drive out the others.
        """
        image, note = uploads.open_picture(data, SIDE)
        width, height = image.size
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        if np.asarray(image).std(axis=(0, 1)).max() < uploads.FLAT:
            raise uploads.BadImage("This picture is all of one colour, or its file is damaged.")
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        with self.lock:
            name = secrets.token_hex(6)  # never given twice: browsers keep what they have fetched
            self._pictures[name] = file.getvalue()
            if slot:
                self._pictures.pop(self._slots.get(slot, ""), None)
                self._slots = {other: kept for other, kept in self._slots.items() if kept in self._pictures} | {slot: name}
            while len(self._pictures) > PICTURES:
                self._pictures.popitem(last=False)
        return {"picture": name, "width": width, "height": height, "note": note}

    def picture(self, name: str) -> Image.Image:
        """A picture by the name that `keep` gave it. Raises ValueError for one that is gone."""
        with self.lock:
            data = self._pictures.get(str(name))
        if data is None:
            raise ValueError("This picture is no longer here; please bring it again.")
        return Image.open(io.BytesIO(data)).convert("RGB")

    def part(self, name: str, make: Callable[[], Any]) -> Any:
        """What a lesson keeps for this page, made at its first use."""
        with self.lock:
            if name not in self.parts:
                self.parts[name] = make()
            return self.parts[name]


class Visitors:
    """All pages that are open, by session; a limited number, of which the longest unseen makes room."""

    def __init__(self, most: int = limits.SEATS):
        self._lock = threading.Lock()
        self._most = most
        self._all: dict[str, Visitor] = {}

    def get(self, session: str) -> Visitor:
        """The page of that session; a new one where it is not known."""
        with self._lock:
            if session not in self._all and len(self._all) >= self._most:
                self._end(min(self._all, key=lambda name: self._all[name].seen))
            visitor = self._all.setdefault(session, Visitor())
            visitor.seen = time.monotonic()
            return visitor

    def leave(self, session: str) -> None:
        """The page was closed: what it kept is free."""
        with self._lock:
            if session in self._all:
                self._end(session)

    def _end(self, session: str) -> None:
        for part in self._all.pop(session).parts.values():
            getattr(part, "close", lambda: None)()
