"""What an index hands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class Item:
    """One row: `vector` (D,) float32, of length 1 up to the rounding of 16 bits, and its `payload`."""

    __slots__ = ("id", "payload", "_vector")

    def __init__(self, id: int, vector: np.ndarray | bytes, payload: dict) -> None:
        """`vector` may be the bytes of D halves: most who ask for a row want its payload alone."""
        self.id, self.payload, self._vector = id, payload, vector

    @property
    def vector(self) -> np.ndarray:
        if isinstance(self._vector, bytes):
            self._vector = np.frombuffer(self._vector, np.float16).astype(np.float32)
        return self._vector

    def __repr__(self) -> str:
        return f"Item({self.id}, {self.payload})"


@dataclass(frozen=True)
class File:
    """What an index remembers of a file, indexed or failed, to tell next time what has changed."""

    id: int
    path: bytes  # as the file system has it, relative to the root of its collection
    hash: str  # sha256 of its content, or "" where that could not be read
    bytes: int
    mtime_ns: int
    status: str  # "ok" or "error"
    error: str = ""  # one sentence for an error
