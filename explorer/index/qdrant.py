"""The same index on a Qdrant server or cluster: the way out of one machine.

Ids come from paths and writing is idempotent, so any number of machines may fill one collection at once. What is remembered of
failed files are points without a vector, which no search returns. `QdrantClient(":memory:")` is the same protocol for tests.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from . import scan
from .rows import File, Item
from .where import COLUMNS, NUMBERS, TEXTS, WORDS, Where, checked, is_field, parents, words

VECTOR = "clip"
PAGE = 1000  # points of one request
TIES = 32  # more than asked for, so that equal scores at the end of a page are put in order by id
META = 2**63 - 1  # the point that says which model a collection belongs to: no other id is as large
STATUS, WORDS_OF, PARENTS, RAW, MTIME_NS = "_status", "_words_", "_parents", "_raw", "_mtime_ns"


class QdrantIndex:
    """See `explorer.index.Index`. `server` is a URL, or ":memory:", or a client."""

    def __init__(self, name: str, dim: int, model: str, server: Any = ":memory:") -> None:
        from qdrant_client import QdrantClient, models

        self.name, self.dim, self.model, self._m = name, int(dim), model, models
        self._own = isinstance(server, str)
        if not self._own:
            self._client = server
        elif server == ":memory:":
            self._client = QdrantClient(":memory:")
        else:
            self._client = QdrantClient(url=server, api_key=os.environ.get("QDRANT_API_KEY") or None, timeout=60)
        self._local = type(getattr(self._client, "_client", None)).__name__ == "QdrantLocal"
        if self._local:
            self._client = _OneByOne(self._client)
        self._indexed: set[str] = set()
        self._prepare()

    def _prepare(self) -> None:
        m, client = self._m, self._client
        if not client.collection_exists(self.name):
            size = m.VectorParams(size=self.dim, distance=m.Distance.DOT, datatype=m.Datatype.FLOAT16)
            client.create_collection(self.name, vectors_config={VECTOR: size})
            meta = {STATUS: "meta", "model": self.model, "dim": self.dim}
            client.upsert(self.name, [m.PointStruct(id=META, vector={}, payload=meta)], wait=True)
            kinds = {STATUS: "keyword", PARENTS: "keyword", **{f"{WORDS_OF}{field}": "keyword" for field in WORDS}}
            kinds |= {field: "keyword" for field in ("hash", "folder", "orientation")}
            kinds |= {field: "float" for field in NUMBERS if field != "damaged"}
            for field, kind in kinds.items():
                self._index_field(field, kind)
        found = client.retrieve(self.name, [META], with_payload=True)
        meta = (found[0].payload or {}) if found else {}
        if (meta.get("model"), meta.get("dim")) != (self.model, self.dim):
            if self._own:
                client.close()
            raise ValueError(
                f"This index was built with another model ({meta.get('model')}, {meta.get('dim')} numbers), "
                f"not with {self.model}, {self.dim} numbers; choose that model, or index the pictures again."
            )

    def _index_field(self, field: str, kind: str) -> None:
        self._indexed.add(field)
        if not self._local:  # in memory every filter is a scan, and an index only a warning
            self._client.create_payload_index(self.name, _quoted(field), field_schema=kind, wait=True)

    # --- Changing ---

    def upsert(self, ids: Sequence[int], vectors, payloads: Sequence[dict]) -> None:
        """Adds rows, or replaces those of the same id. One request, acknowledged when it is written."""
        ids = [int(i) for i in ids]
        if any(not 0 <= i < 2**53 for i in ids):
            raise ValueError("An id is a whole number from 0 to 2^53 - 1.")
        vectors = scan.unit(np.empty((0, self.dim)) if not ids else vectors, self.dim)
        if not len(ids) == len(vectors) == len(payloads):
            raise ValueError(f"There are {len(ids)} ids, {len(vectors)} vectors and {len(payloads)} payloads.")
        if not ids:
            return
        for field in sorted({f for p in payloads for f in p if f.startswith("attr.") and is_field(f)} - self._indexed)[:32]:
            self._index_field(field, "keyword")
        last = {i: at for at, i in enumerate(ids)}
        self._put([(i, vectors[at].astype(np.float32).tolist(), _stored(payloads[at], "ok")) for i, at in last.items()])

    def fail(self, files: Sequence[File]) -> None:
        """Remembers files without a vector."""
        rows = []
        for file in files:
            payload = _stored({"hash": file.hash, "bytes": file.bytes, "raw": file.path, "mtime_ns": file.mtime_ns}, file.status)
            rows.append((int(file.id), None, payload | {"_error": file.error}))
        self._put(rows)

    def _put(self, rows: list[tuple[int, list | None, dict]]) -> None:
        points = [
            self._m.PointStruct(id=i, vector={} if vector is None else {VECTOR: vector}, payload=payload)
            for i, vector, payload in rows
        ]
        if points:
            self._client.upsert(self.name, points, wait=True)

    def delete(self, ids: Sequence[int]) -> None:
        """Forgets rows and files."""
        ids = [int(i) for i in ids if int(i) != META]
        if ids:
            self._client.delete(self.name, self._m.PointIdsList(points=ids), wait=True)

    # --- Asking ---

    def _filter(self, where: Where):
        m = self._m
        must = [m.FieldCondition(key=STATUS, match=m.MatchValue(value="ok"))]
        for field, op, value in checked(where):
            key = _quoted(field)
            if op == "prefix":
                must += [m.FieldCondition(key=PARENTS, match=m.MatchValue(value=value))] if value else []
            elif op == "has":
                must += [m.FieldCondition(key=f"{WORDS_OF}{field}", match=m.MatchValue(value=word)) for word in value]
            elif op == ">=":
                must.append(m.FieldCondition(key=key, range=m.Range(gte=float(value))))
            elif op == "<=":
                must.append(m.FieldCondition(key=key, range=m.Range(lte=float(value))))
            else:
                options = [self._equal(field, one) for one in (value if op == "in" else [value])]
                must.append(m.Filter(should=options) if options else m.HasIdCondition(has_id=[]))
        return m.Filter(must=must)

    def _equal(self, field: str, value: Any):
        m = self._m
        if field == "damaged":
            return m.FieldCondition(key=field, match=m.MatchValue(value=bool(value)))
        if isinstance(value, str):
            return m.FieldCondition(key=_quoted(field), match=m.MatchValue(value=value))
        return m.FieldCondition(key=_quoted(field), range=m.Range(gte=float(value), lte=float(value)))

    def _query(self, q: np.ndarray, limit: int, where: Where) -> list:
        answer = self._client.query_points(
            self.name, query=q.tolist(), using=VECTOR, query_filter=self._filter(where), limit=limit, with_payload=False,
            search_params=None if self._local else self._m.SearchParams(exact=True),
        )  # fmt: skip
        return answer.points

    def search(self, q, k: int = 10, where: Where = (), offset: int = 0) -> list[tuple[int, float]]:
        """(id, score), best first. Exact: the server compares every vector that the filter lets through."""
        q = scan.unit_query(q, self.dim)
        if k < 0 or offset < 0:
            raise ValueError("A search returns 0 or more rows, from row 0 on.")
        if not k:
            return []
        found = [(int(point.id), float(point.score)) for point in self._query(q, k + offset + TIES, where)]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[offset : offset + k]

    def scores(self, q, where: Where = ()) -> tuple[np.ndarray, np.ndarray]:
        """Ids (N,) and scores (N,) of all rows; for collections that one answer can hold."""
        q = scan.unit_query(q, self.dim)
        found = sorted((int(point.id), point.score) for point in self._query(q, max(1, self.count(where)), where))
        return np.array([i for i, _ in found], np.int64), np.array([score for _, score in found], np.float32)

    def get(self, ids: Sequence[int]) -> list[Item | None]:
        """Items by id; None for those that are not there."""
        ids, found = [int(i) for i in ids], {}
        for at in range(0, len(ids), PAGE):
            points = self._client.retrieve(self.name, ids[at : at + PAGE], with_payload=True, with_vectors=True)
            for point in points:
                if point.payload.get(STATUS) == "ok":
                    found[int(point.id)] = Item(
                        int(point.id), np.asarray(point.vector[VECTOR], np.float32), _payload(point.payload)
                    )
        return [found.get(i) for i in ids]

    def _scroll(self, condition, fields: list[str] | bool) -> Iterator:
        at = None
        while True:
            points, at = self._client.scroll(
                self.name, scroll_filter=condition, limit=PAGE, offset=at, with_payload=fields, with_vectors=False
            )
            yield from points
            if at is None:
                return

    def ids(self, where: Where = ()) -> np.ndarray:
        return np.sort(np.array([int(point.id) for point in self._scroll(self._filter(where), False)], np.int64))

    def facets(self, field: str, where: Where = ()) -> dict[Any, int]:
        """value -> how many rows have it, most frequent first."""
        if not is_field(field):
            raise ValueError(f"There is no field {str(field)[:60]!r}.")
        values = (point.payload.get(field) for point in self._scroll(self._filter(where), True))
        counts = Counter(value for value in values if value is not None)
        return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))

    def attributes(self) -> list[str]:
        """The fields "attr.<factor>" that some row has, sorted."""
        found = self._scroll(self._filter(()), True)
        return sorted({field for point in found for field in point.payload if field.startswith("attr.") and is_field(field)})

    def span(self, field: str) -> tuple[float, float] | None:
        """The least and the largest value of a number's field; None where no row has one."""
        _number(field)
        ends = []
        for way in (self._m.Direction.ASC, self._m.Direction.DESC):
            points, _ = self._client.scroll(
                self.name, scroll_filter=self._filter(()), limit=1, with_payload=[field], with_vectors=False,
                order_by=self._m.OrderBy(key=field, direction=way),
            )  # fmt: skip
            ends += [point.payload[field] for point in points]
        return tuple(ends) if len(ends) == 2 else None

    def within(self, field: str, edges: Sequence[float]) -> list[int]:
        """How many rows have a number from each edge on and below the next: one count less than edges."""
        m, out = self._m, []
        for low, high in pairwise(edges):
            between = m.FieldCondition(key=_number(field), range=m.Range(gte=float(low), lt=float(high)))
            condition = m.Filter(must=[*self._filter(()).must, between])
            out.append(self._client.count(self.name, count_filter=condition, exact=True).count)
        return out

    def count(self, where: Where = ()) -> int:
        return self._client.count(self.name, count_filter=self._filter(where), exact=True).count

    def files(self) -> Iterator[File]:
        """Every `File`, indexed or failed."""
        m = self._m
        condition = m.Filter(must_not=[m.FieldCondition(key=STATUS, match=m.MatchValue(value="meta"))])
        found = []
        for point in self._scroll(condition, True):
            p = point.payload
            if RAW in p:
                found.append(File(
                    int(point.id), bytes.fromhex(p[RAW]), p.get("hash") or "", p.get("bytes") or 0, int(p.get(MTIME_NS) or 0),
                    p[STATUS], p.get("_error", ""),
                ))  # fmt: skip
        yield from sorted(found, key=lambda file: file.path)

    def drop(self) -> None:
        """Removes the whole collection from the server."""
        self._client.delete_collection(self.name)

    def close(self) -> None:
        if self._own:
            self._client.close()


class _OneByOne:
    """A client in memory may not be read while it is written to; a server may."""

    def __init__(self, client) -> None:
        self._inner, self._lock = client, threading.RLock()

    def __getattr__(self, name: str):
        def call(*args, **options):
            with self._lock:
                return getattr(self._inner, name)(*args, **options)

        return call


def _number(field: str) -> str:
    if field not in NUMBERS:
        raise ValueError(f"{str(field)[:60]!r} is no field of numbers.")
    return field


def _quoted(field: str) -> str:
    """A field whose name has dots is one key, not a path."""
    return f'"{field}"' if field.startswith("attr.") else field


def _stored(payload: dict, status: str) -> dict:
    """A payload as JSON, with what filters need besides."""
    out = {key: unicodedata.normalize("NFC", v) if isinstance(v, str) else v for key, v in payload.items() if v is not None}
    raw, mtime_ns = out.pop("raw", None), out.pop("mtime_ns", None)
    if raw is None and "path" in out:
        raw = os.fsencode(payload["path"])
    for field in COLUMNS:
        if field in out:
            out[field] = str(out[field]) if field in TEXTS else bool(out[field]) if field == "damaged" else out[field]
    if raw is not None:
        out[RAW] = raw.hex()
    if mtime_ns is not None:
        out[MTIME_NS] = str(mtime_ns)  # beyond what a double holds
    if "folder" in out:
        out[PARENTS] = parents(out["folder"])
    for field in WORDS:
        out[f"{WORDS_OF}{field}"] = sorted(set(words(out.get(field, ""))))
    return out | {STATUS: status}


def _payload(stored: dict) -> dict:
    out = {key: value for key, value in stored.items() if not key.startswith("_")}
    if RAW in stored:
        out["raw"] = bytes.fromhex(stored[RAW])
    if MTIME_NS in stored:
        out["mtime_ns"] = int(stored[MTIME_NS])
    return out
