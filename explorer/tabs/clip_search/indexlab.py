"""Indexes on the same vectors and queries: what is found, how fast, in how much memory, and what a filter leaves of it.

Recall is against exact search, as in ANN-benchmarks (Aumüller et al. 2020, section 2). One thread, and one measurement at a time
on a host: else they time each other.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from explorer import corpus
from explorer.tabs.clip_search import faces
from explorer.tabs.clip_search.faces import asked
from explorer.tabs.clip_search.indexkinds import KINDS, Selector

K = 10
QUERIES = 100
FACES = faces.MOST
DIMS = (64, 128, 256, 512)
FEWEST, MOST = 1000, 50_000
PATIENCE = 0.3  # seconds in line: who waits holds one of the few threads that answer requests, so a page asks again
BUSY = "Another measurement runs on this host; this one begins by itself."
KEPT_BYTES = 200_000_000  # of vectors and built indexes, so that another filter is answered at once

# Synthetic vectors, as squared shares of their length: a direction that all of a kind have in common (their cone), that of their
# cluster, and noise. Images then have cosines of .34 on average and .76 at the 99th percentile, as CLIP's have.
IMAGE = (0.34, 0.44, 0.22)
TEXT = (0.50, 0.25, 0.25)

_one = threading.Lock()
_kept: OrderedDict[tuple, tuple[int, object]] = OrderedDict()  # what -> (bytes, it); behind _one


@dataclass(frozen=True)
class Data:
    """Vectors (n, D), queries (100, D), all of length 1, and the exact answer (100, 10) as row numbers."""

    base: np.ndarray
    queries: np.ndarray
    truth: np.ndarray


def measure(model, given: dict) -> dict:
    """{n, dim, kinds, filter: share or none, queries: image | text, source: synthetic | faces} -> what each index does.

    {rows, n, dim, queries, k, source, note}; a row is {kind, name, recall, ms, mb, build_s, returned, recall_filtered,
    ms_filtered, after, exact, how, filter_how}. `returned`: the share of 10 that a search with the filter gives; `after`: that of
    a search whose results are filtered afterwards. Ask for one kind at a time to draw rows as they come. While another is
    measured: {rows: [], busy: true, say}, to be asked again soon. Raises ValueError for what cannot be measured.
    """
    n, dim = asked(given, "n", 10_000, FEWEST, MOST), asked(given, "dim", 128, min(DIMS), max(DIMS))
    kinds, kind_of_query = given.get("kinds") or list(KINDS), given.get("queries") or "image"
    source = given.get("source") or "synthetic"
    share = None if given.get("filter") is None else asked(given, "filter", 0.03, 0.01, 0.5)
    if dim not in DIMS:
        raise ValueError(f"Vectors have {', '.join(map(str, DIMS))} dimensions here.")
    if not isinstance(kinds, list) or not all(isinstance(kind, str) and kind in KINDS for kind in kinds):
        raise ValueError(f"kinds takes a list of {', '.join(KINDS)}.")
    if kind_of_query not in ("image", "text") or source not in ("synthetic", "faces"):
        raise ValueError("queries are of 'image' or 'text', the source is 'synthetic' or 'faces'.")

    if not _one.acquire(timeout=PATIENCE):
        return {"rows": [], "busy": True, "say": BUSY}
    try:
        if source == "faces":
            key = ("faces", model.fingerprint, kind_of_query)
            data = _keep(key, lambda: of_faces(model, kind_of_query), lambda d: d.base.nbytes)
        else:
            key = ("synthetic", n, dim, kind_of_query)
            data = _keep(key, lambda: synthetic(n, dim, kind_of_query), lambda d: d.base.nbytes)
        found = [row for kind in kinds for row in rows(kind, data, share, key)]
    finally:
        _one.release()
    n, dim = data.base.shape
    note = (
        "Vectors made like CLIP's: clusters in a cone, and texts in another." if source == "synthetic"
        else "The first 2,000 held-out faces under this model."
    )  # fmt: skip
    return {"rows": found, "n": n, "dim": dim, "queries": len(data.queries), "k": K, "source": source, "note": note}


def rows(kind: str, data: Data, share: float | None = None, key: tuple = ()) -> Iterator[dict]:
    """Builds an index and measures it in each of its settings, a row at a time. `key` names the data where they are kept."""
    import faiss

    faiss.omp_set_num_threads(1)  # of this thread alone; two threads on busy cores are slower than one
    built = KINDS[kind](data.base) if not key else _keep(
        ("index", kind, *key[:-1]), lambda: KINDS[kind](data.base), lambda b: int(b.mb * 1e6)
    )  # fmt: skip
    if share is not None:
        mask = allowed(len(data.base), share)
        selector, only = Selector(mask), np.flatnonzero(mask)
        best = only[_exact(data.base[only], data.queries)]
    for name, how, search in built.ways:
        found, ms = _timed(search, data.queries, None)
        row = {
            "kind": kind, "name": name, "recall": recall(found, data.truth), "ms": ms, "mb": round(built.mb, 3),
            "build_s": round(built.build_s, 3), "returned": None, "recall_filtered": None, "ms_filtered": None, "after": None,
            "exact": built.exact, "how": how, "filter_how": "",
        }  # fmt: skip
        if share is not None:
            left, ms = _timed(search, data.queries, selector)
            row |= {
                "returned": float((left >= 0).mean()), "recall_filtered": recall(left, best), "ms_filtered": ms,
                "after": float(mask[found.clip(0)][found >= 0].sum() / found.size), "filter_how": built.filtering,
            }  # fmt: skip
        yield row


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """The share of the true rows (Q, k) among the found ones (Q, k); -1 is none. Where fewer than k exist, of those."""
    return float(np.mean([len(np.intersect1d(a[a >= 0], b)) / len(b) for a, b in zip(found, truth)]))


def allowed(n: int, share: float) -> np.ndarray:
    """bool (n,): the rows that a filter on metadata keeps; metadata that has nothing to do with what a picture shows."""
    keep = np.random.default_rng(n).permutation(n)[: max(K, round(share * n))]
    return np.isin(np.arange(n), keep)


def _timed(search: Callable, queries: np.ndarray, selector: Selector | None) -> tuple[np.ndarray, float]:
    """Row numbers (Q, k) and the median milliseconds of one query."""
    found, took = [], []
    search(queries[:1], K, selector)  # the first one pays for what is not in the cache yet
    for query in queries:
        began = time.perf_counter()
        found.append(search(query[None], K, selector))
        took.append(time.perf_counter() - began)
    return np.stack(found), round(1000 * float(np.median(took)), 4)


# ---- Vectors --------------------------------------------------------------------------------------------------------------


def synthetic(n: int, dim: int, queries: str = "image") -> Data:
    """n image-like vectors in clusters whose sizes follow a power law, and queries of the same clusters."""
    rng = np.random.default_rng(dim)
    clusters = max(20, n // 50)
    cones = np.linalg.qr(rng.standard_normal((dim, 2)))[0].T.astype(np.float32)  # (2, D): images', texts'
    centres = faces.unit(rng.standard_normal((clusters, dim), dtype=np.float32))
    weights = 1 / np.arange(1, clusters + 1) ** 0.7

    def draw(count: int, kind: str) -> np.ndarray:
        cone, cluster, noise = IMAGE if kind == "image" else TEXT
        which = rng.choice(clusters, count, p=weights / weights.sum())
        x = rng.standard_normal((count, dim), dtype=np.float32)
        x *= (noise / dim) ** 0.5
        x += cluster**0.5 * centres[which]
        x += cone**0.5 * cones[int(kind == "text")]
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return x

    base = draw(n, "image")
    asked_for = draw(QUERIES, queries)
    return Data(base, asked_for, _exact(base, asked_for))


def of_faces(model, queries: str = "image") -> Data:
    """The first 2,000 held-out faces, and as queries 100 others, or captions of these that name half of the attributes."""
    base, others = faces.vectors(model, FACES), range(faces.MOST, faces.MOST + QUERIES)
    if queries == "image":
        vectors = model.images(faces.pixels(others))
    else:
        vectors = model.texts([corpus.caption(row, i, 0.5) for i, row in enumerate(corpus.attributes(others, split="test"))])
    base, vectors = (np.ascontiguousarray(x, np.float32) for x in (base, vectors))
    return Data(base, vectors, _exact(base, vectors))


def _exact(base: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Row numbers of the 10 largest products, (Q, 10)."""
    scores = queries @ base.T
    return np.argpartition(-scores, min(K, len(base) - 1), axis=1)[:, :K]


def _keep(key: tuple, make: Callable, size: Callable):
    """What was made for this key, or makes it; the longest unused goes where all together become too large."""
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key][1]
    made = make()
    _kept[key] = (size(made), made)
    while len(_kept) > 1 and sum(bytes for bytes, _ in _kept.values()) > KEPT_BYTES:
        _kept.popitem(last=False)
    return made
