"""The order of a collection for one query: its first pictures, with scores and percentiles, and which are near-duplicates.

Small collections are scored whole; large ones give their best through the index's own search, and a rank is a percentile.
Knows nothing of words and pages.
"""

from dataclasses import dataclass

import numpy as np

from explorer.tabs.clip_search.query import Query

WHOLE = 200_000  # pictures up to which every score is looked at: 30 ms
GROUPED = 2000  # pictures among which near-duplicates are looked for
CHUNK = 256


@dataclass(frozen=True)
class Ranked:
    """The best `ids` (N,), best first, with `scores` and `percentiles` (N,), None where there is no query. `matched` in all."""

    ids: np.ndarray
    scores: np.ndarray | None
    percentiles: np.ndarray | None
    matched: int
    among_matched: bool = False  # the percentiles are among the filtered pictures, not the whole collection


def rank(index, q: Query, where, wanted: int, seed: int | None = None, least: bool = False, only: list | None = None) -> Ranked:
    """At least the first `wanted` pictures that `where` lets through (fewer where there are no more).

    `least` turns the order round, `seed` shuffles it; `only` keeps the pictures of these ids. Equal scores are
    ordered by id, so that pages never overlap.
    """
    total = index.count()
    if q.vector is None:
        ids = index.ids(where)
        ids = np.random.default_rng(seed).permutation(ids if only is None else ids[np.isin(ids, only)])
        return Ranked(ids[:wanted], None, None, len(ids))
    if total > WHOLE and seed is None and not q.best and only is None:
        return _large(index, q, where, wanted, least)

    ids, scores, small = *score(index, q, where), total <= WHOLE
    everything = np.sort(score(index, q, ())[1] if where and small else scores)
    if only is not None:
        keep = np.isin(ids, only)
        ids, scores = ids[keep], scores[keep]
    order = np.random.default_rng(seed).permutation(len(ids)) if seed is not None else first(scores if least else -scores, wanted)
    order = order[:wanted]
    percentiles = 100 * np.searchsorted(everything, scores[order], "right") / max(len(everything), 1)
    return Ranked(ids[order], scores[order], percentiles, len(ids), bool(where) and not small)


def _large(index, q: Query, where, wanted: int, least: bool) -> Ranked:
    """As `rank`, without looking at every score."""
    matched = index.count(where)
    found = index.search(-q.vector if least else q.vector, wanted, where)
    ids, scores = np.array([i for i, _ in found], np.int64), np.array([s for _, s in found], np.float32)
    place = np.arange(len(found))
    percentiles = 100 * (place + 1 if least else matched - place) / max(matched, 1)
    return Ranked(ids, -scores if least else scores, percentiles, matched, bool(where))


def score(index, q: Query, where) -> tuple[np.ndarray, np.ndarray]:
    """Ids (N,) ascending and scores (N,) of all that passes: a cosine.

    With examples compared one by one it is Qdrant's "best score": the likeness to the nearest liked one, or where a disliked
    one is nearer, minus the square of that likeness.
    """
    if not q.best:
        return index.scores(q.vector, where)
    scans = [[index.scores(v, where) for v in group] for group in (q.likes, q.dislikes if q.dislikes is not None else ())]
    ids = scans[0][0][0]
    for other, _ in scans[0] + scans[1]:  # pictures may come and go meanwhile
        ids = np.intersect1d(ids, other, assume_unique=True)
    aligned = [[s[np.searchsorted(i, ids)] for i, s in group] for group in scans]
    good, bad = (np.max(group, 0) if group else np.full(len(ids), -1, np.float32) for group in aligned)
    return ids, np.where(good > bad, good, -(bad**2)).astype(np.float32)


def first(keys: np.ndarray, wanted: int) -> np.ndarray:
    """Positions of the smallest `wanted` keys, smallest first, equal ones by position."""
    if wanted < len(keys):
        limit = np.partition(keys, wanted - 1)[wanted - 1]
        some = np.flatnonzero(keys <= limit)
        return some[np.argsort(keys[some], kind="stable")][:wanted]
    return np.argsort(keys, kind="stable")


def groups(index, ranked: np.ndarray, threshold: float) -> list[tuple[int, list[int]]]:
    """The best of each group of near-duplicates among `ranked` ids, with the ids it hides, in rank order.

    A picture belongs to the first one before it whose cosine reaches the threshold.
    """
    heads: list[int] = []
    hidden: list[list[int]] = []
    kept = None
    for start in range(0, len(ranked), CHUNK):
        items = [item for item in index.get([int(i) for i in ranked[start : start + CHUNK]]) if item is not None]
        for item in items:
            vector = item.vector / max(float(np.linalg.norm(item.vector)), 1e-12)
            if kept is None:
                kept = np.empty((len(ranked), len(vector)), np.float32)
            like = kept[: len(heads)] @ vector
            if len(like) and like.max() >= threshold:
                hidden[int(np.flatnonzero(like >= threshold)[0])].append(item.id)
            else:
                kept[len(heads)] = vector
                heads.append(item.id)
                hidden.append([])
    return list(zip(heads, hidden))
