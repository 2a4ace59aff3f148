"""Exact search in memory: every vector is compared with the query, none is skipped.

Vectors are kept with 16 bits. They lie in segments that never change, so that a search may run while others add: adding
makes a new small segment and joins it with the last ones while those are of its size, as a log-structured tree does.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np

from .pages import enlarge

LARGEST = 1 << 18  # rows of a segment that is joined with no other: 256 MB of 512 numbers
DENSE = 0.2  # share of a segment's rows that a filter lets through, from which on all are scanned
EXTRA = 4  # more rows than asked for, to see whether equal scores go on; if they do, more are taken
SLACK = 4e-6  # how much NumPy's scores, summed up in an order that depends on the row, may differ from those handed out


@functools.cache
def _faiss():
    """The library whose scan of 16-bit vectors is fastest, or None: then they are kept with 32 bits besides."""
    try:
        import faiss
    except ImportError:
        return None
    return faiss


def unit(vectors, dim: int) -> np.ndarray:
    """(N, D) of any length but 0 -> (N, D) float16 of length 1. Those that are float16 already are left as they are.

    Raises ValueError for NaN, infinite or zero vectors and for another D.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise ValueError(f"These vectors have the shape {vectors.shape}; this index takes (N, {dim}).")
    wide = vectors.astype(np.float64)
    norms = np.sqrt(np.einsum("nd,nd->n", wide, wide))
    if not (np.isfinite(norms).all() and (norms > 1e-6).all()):
        raise ValueError("A vector is zero, infinite or not a number.")
    return vectors if vectors.dtype == np.float16 else (wide / norms[:, None]).astype(np.float16)


def unit_query(q, dim: int) -> np.ndarray:
    """(D,) -> (D,) float64 of length 1; ValueError as above."""
    q = np.asarray(q, np.float64).reshape(-1)
    norm = np.sqrt(q @ q)
    if q.shape != (dim,) or not np.isfinite(norm) or norm <= 1e-6:
        raise ValueError(f"A query is one vector of {dim} finite numbers that are not all zero.")
    return q / norm


def exact(vectors: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(N, D) float16 . (D,) float64 -> (N,) float32, where equal vectors have equal scores, wherever they lie.

    faiss sums up every row in the same order, so its scores are of this kind already; those of a BLAS are not.
    """
    return np.concatenate(
        [np.einsum("nd,d->n", vectors[at : at + 4096].astype(np.float64), q) for at in range(0, len(vectors), 4096)]
        or [np.empty(0)]
    ).astype(np.float32)


class Segment:
    """Rows that never change: `ids` (n,) ascending, `vectors` (n, D) float16, and which of them are `alive` (n,) or None."""

    def __init__(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        order = np.argsort(ids, kind="stable")
        self.ids, self.alive, self.index, self.wide = ids[order], None, None, None
        vectors = np.ascontiguousarray(vectors[order])
        faiss = _faiss()
        if faiss is None:
            self.vectors, self.wide = vectors, vectors.astype(np.float32)
            enlarge(self.wide)
            return
        size, dim = vectors.shape
        self.index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self.index.add_sa_codes(vectors.view(np.uint8))  # its codes are IEEE halves, and there is one copy of them
        self.vectors = faiss.rev_swig_ptr(self.index.codes.data(), size * 2 * dim).view(np.float16).reshape(size, dim)
        enlarge(self.vectors)

    def __len__(self) -> int:
        return len(self.ids)

    def living(self) -> int:
        return len(self) if self.alive is None else int(self.alive.sum())

    def without(self, ids: np.ndarray) -> Segment:
        """The same rows, some of them dead."""
        rows = self.find(ids)
        if not len(rows):
            return self
        other = Segment.__new__(Segment)
        other.__dict__.update(self.__dict__)
        other.alive = np.ones(len(self), bool) if self.alive is None else self.alive.copy()
        other.alive[rows] = False
        return other

    def find(self, ids: np.ndarray) -> np.ndarray:
        """The rows of those of these ascending ids that are here and alive."""
        rows = np.searchsorted(self.ids, ids)
        rows[rows == len(self)] = 0
        rows = rows[self.ids[rows] == ids] if len(self) else rows[:0]
        return rows if self.alive is None else rows[self.alive[rows]]

    def best(self, q: np.ndarray, n: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of the n best, best first; of those in `rows` if given."""
        if rows is None and self.alive is not None:
            rows = np.flatnonzero(self.alive)
        n = min(n, len(self) if rows is None else len(rows))
        if not n:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if self.index is None:
            scores = self.wide @ q if rows is None else self.wide[rows] @ q
            top = np.argpartition(-scores, n - 1)[:n] if n < len(scores) else np.arange(n)
            top = top[np.argsort(-scores[top], kind="stable")]
            return (top if rows is None else rows[top]), scores[top]

        faiss, chosen = _faiss(), None
        if rows is not None:
            keep = np.zeros(len(self), bool)
            keep[rows] = True
            share = len(rows) / len(self)
            if share > DENSE:  # picking rows is slower than scanning all and dropping some
                scores, found = self.index.search(q[None], min(len(self), int(4 * n / share) + 32))
                kept = keep[found[0]]
                if kept.sum() >= n:
                    return found[0][kept][:n], scores[0][kept][:n]
            bits = np.packbits(keep, bitorder="little")
            chosen = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        scores, found = self.index.search(q[None], n, params=chosen)
        return found[0], scores[0]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Matrix:
    """All rows. Whoever adds or removes must take turns; whoever searches need not."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.segments: tuple[Segment, ...] = ()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def fill(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        """Many batches of (ids, vectors float16), none of which is here yet, in segments of their largest size."""
        parts, count = [], 0
        for ids, vectors in batches:
            parts.append((ids, vectors))
            count += len(ids)
            if count >= LARGEST:
                self._add(*map(np.concatenate, zip(*parts)))
                parts, count = [], 0
        if parts:
            self._add(*map(np.concatenate, zip(*parts)))

    def upsert(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """ids (n,) int64, each once; vectors (n, D) float16. A running search sees all of them or none."""
        segments = self._without(ids)
        self._add(ids, vectors, segments)

    def remove(self, ids: np.ndarray) -> None:
        self._set(self._without(ids))

    def _without(self, ids: np.ndarray) -> tuple[Segment, ...]:
        ids = np.sort(ids)
        kept = (segment.without(ids) for segment in self.segments)
        return tuple(segment for segment in kept if segment.alive is None or segment.alive.any())

    def _add(self, ids: np.ndarray, vectors: np.ndarray, before: tuple[Segment, ...] | None = None) -> None:
        segments = list(self.segments if before is None else before)
        if len(ids):
            together = [(ids, vectors)]
            size = len(ids)
            while segments and segments[-1].living() < 2 * size and segments[-1].living() + size <= LARGEST:
                last = segments.pop()
                alive = slice(None) if last.alive is None else last.alive
                together.append((last.ids[alive], last.vectors[alive]))
                size += len(together[-1][0])
            segments.append(Segment(*map(np.concatenate, zip(*together))))
        self._set(tuple(segments))

    def _set(self, segments: tuple[Segment, ...]) -> None:
        self.segments, self._size = segments, sum(segment.living() for segment in segments)

    # --- Searching: each takes the segments once and keeps to them ---

    def search(self, q: np.ndarray, k: int, offset: int = 0, ids: np.ndarray | None = None) -> list[tuple[int, float]]:
        """The k best after `offset`, best first, equal ones by id; among `ids` (ascending) if given. q (D,) float64."""
        want, parts = k + offset, [(s, None if ids is None else s.find(ids)) for s in self.segments]
        if k < 1 or not parts:
            return []
        found, scores = self._candidates(parts, q, want)
        order = np.lexsort((found, -scores))[offset:want]
        return list(zip(found[order].tolist(), scores[order].tolist()))

    def _candidates(self, parts, q: np.ndarray, want: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids and scores of every row that may belong to the `want` best, however many are equal."""
        q32, extra, slack = q.astype(np.float32), EXTRA, 0.0 if _faiss() else SLACK
        while True:
            hits = [segment.best(q32, want + extra, rows) for segment, rows in parts]
            scores = _joined([score for _, score in hits])
            floor = -np.inf
            if len(scores) > want:
                floor = (scores[want - 1] if len(hits) == 1 else np.partition(scores, -want)[-want]) - slack
            # A segment whose answer was cut off among scores that may count is asked for more.
            if not any(len(score) == want + extra and score[-1] >= floor for _, score in hits):
                break
            extra = 8 * extra + want
        if not slack:
            return _joined([segment.ids[rows] for (segment, _), (rows, _) in zip(parts, hits)]), scores
        chosen = [(segment, rows[score >= floor]) for (segment, _), (rows, score) in zip(parts, hits)]
        vectors = _joined([segment.vectors[rows] for segment, rows in chosen])
        return _joined([segment.ids[rows] for segment, rows in chosen]), exact(vectors, q)

    def scores(self, q: np.ndarray, ids: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Ids (N,) ascending and scores (N,) float32 of all rows, or of `ids` (ascending)."""
        q32, found = q.astype(np.float32), []
        for segment in self.segments:
            rows, scores = segment.best(q32, len(segment), None if ids is None else segment.find(ids))
            found.append((segment.ids[rows], scores))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        all_ids, scores = map(np.concatenate, zip(*found))
        order = np.argsort(all_ids)
        return all_ids[order], scores[order]

    def ids(self) -> np.ndarray:
        found = [s.ids if s.alive is None else s.ids[s.alive] for s in self.segments]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


