"""What an index hands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Item:
    """One row: `vector` (D,) float32, of length 1 up to the rounding of 16 bits, and its `payload`."""

    id: int
    vector: np.ndarray
    payload: dict


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
