"""Vectors with what is known of them: kept on disk, filtered exactly, searched exactly.

Two homes, one protocol: a SQLite file on this machine, or a Qdrant server when one machine is not enough. Knows nothing of
pictures, models or pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .rows import File, Item
from .where import Where

__all__ = ["File", "Index", "Item", "Where", "open_index"]


class Index(Protocol):
    """Ids are whole numbers from 0 to 2^53 - 1, so that a page can hold them. Vectors are of length D, payloads flat dicts.

    Payload fields that filters know: name, path, folder, hash, bytes, mtime, width, height, orientation, caption, damaged,
    note, and any "attr.<factor>". A payload may hold "raw" (bytes) and "mtime_ns" besides, for `files`.
    """

    def upsert(self, ids: Sequence[int], vectors, payloads: Sequence[dict]) -> None:
        """Adds rows, or replaces those of the same id, all or none. Vectors (N, D) are normalised; float16 ones are not.

        Raises ValueError for a vector that is zero, infinite, NaN or of another length.
        """

    def fail(self, files: Sequence[File]) -> None:
        """Remembers files that have no vector; `count`, `get` and `search` do not know them."""

    def delete(self, ids: Sequence[int]) -> None:
        """Forgets rows and files; unknown ids are no error."""

    def search(self, q, k: int = 10, where: Where = (), offset: int = 0) -> list[tuple[int, float]]:
        """(id, score) of the rows with the largest q . v, best first, equal ones by id; q (D,) is normalised."""

    def scores(self, q, where: Where = ()) -> tuple[np.ndarray, np.ndarray]:
        """Ids (N,) int64, ascending, and scores (N,) float32 of all rows that `where` lets through."""

    def get(self, ids: Sequence[int]) -> list[Item | None]:
        """The rows of these ids, in their order; None where there is none."""

    def ids(self, where: Where = ()) -> np.ndarray:
        """Ids (N,) int64, ascending."""

    def facets(self, field: str, where: Where = ()) -> dict[Any, int]:
        """Each value of a field and how many rows have it, most frequent first."""

    def attributes(self) -> list[str]:
        """The fields "attr.<factor>" that some row has, sorted."""

    def span(self, field: str) -> tuple[float, float] | None:
        """The least and the largest value of a number's field; None where no row has one."""

    def within(self, field: str, edges: Sequence[float]) -> list[int]:
        """How many rows have a number from each edge on and below the next: one count less than edges."""

    def count(self, where: Where = ()) -> int:
        """How many rows `where` lets through."""

    def files(self) -> Iterator[File]:
        """Every file, indexed or failed."""

    def close(self) -> None: ...


def open_index(path: str | os.PathLike, dim: int, model: str, server: str | None = None) -> Index:
    """Opens or makes the index at `path` (":memory:" for one that is gone afterwards) for vectors (dim,) of one model.

    `model` is a fingerprint of everything that shapes a vector. Where `server` or QDRANT_URL names a Qdrant server, the
    vectors live there, in a collection that is called as the last two parts of `path`. Raises ValueError when what is
    there was built with another model or another length.
    """
    server = os.environ.get("QDRANT_URL", "") if server is None else server
    if server and str(path) != ":memory:":
        from .qdrant import QdrantIndex

        return QdrantIndex("-".join(Path(path).with_suffix("").parts[-2:]), dim, model, server)
    from .sqlite import SqliteIndex

    return SqliteIndex(path, dim, model)
