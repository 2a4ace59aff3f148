"""Kinds of indexes: vectors in, something that can be asked out. Knows nothing of queries and of measuring.

They are those of faiss (Douze et al. 2024, "The Faiss library", sections 4 to 6), on one thread.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CANDIDATES = 100  # of compressed codes, whose full vectors are compared


@dataclass(frozen=True)
class Built:
    """An index and its ways to be asked: (label, sentence, search(query (1, D), k, selector or none) -> k rows, -1: none).

    A page tells the sentence once for a kind, so it is the same for all of its ways and names what the labels say.
    """

    build_s: float
    mb: float
    ways: list[tuple[str, str, Callable]]
    exact: bool
    filtering: str


class Selector:
    """A filter as faiss takes it, and as numpy does."""

    def __init__(self, mask: np.ndarray):
        import faiss

        self.mask = mask
        self._bits = np.packbits(mask, bitorder="little")  # faiss keeps only a pointer
        self.faiss = faiss.IDSelectorBitmap(self._bits)


def _built(index, base: np.ndarray, ways, exact=False, filtering="Looked at while scanning, so nothing is lost.") -> Built:
    import faiss

    faiss.omp_set_num_threads(1)
    began = time.perf_counter()
    if not index.is_trained:
        index.train(base)
    index.add(base)
    took = time.perf_counter() - began
    mb = faiss.serialize_index(index).nbytes / 1e6
    return Built(took, mb, ways(mb), exact, filtering)


def _asking(index, kind: str, **settings) -> Callable:
    """A search with these parameters of faiss."""
    import faiss

    def search(q, k, s):
        params = getattr(faiss, kind)(**settings, **({"sel": s.faiss} if s else {}))
        return index.search(q, k, params=params)[1][0]

    return search


def _scan(index, name: str, how: str) -> Callable:
    return lambda _: [(name, how, _asking(index, "SearchParameters"))]


def exact(base):
    import faiss

    how = "Every vector is compared, 32 bits a number."
    index = faiss.IndexFlatIP(base.shape[1])
    return _built(index, base, _scan(index, "Exact", how), exact=True)


def _quantised(base, bits: str, name: str, how: str) -> Built:
    import faiss

    index = faiss.IndexScalarQuantizer(base.shape[1], getattr(faiss.ScalarQuantizer, bits), faiss.METRIC_INNER_PRODUCT)
    return _built(index, base, _scan(index, name, how))


def fp16(base):
    return _quantised(base, "QT_fp16", "SQfp16", "Every vector is compared, 16 bits a number.")


def sq8(base):
    return _quantised(base, "QT_8bit", "SQ8", "Every vector is compared, 8 bits a number.")


def ivf(base):
    """Inverted lists (Sivic and Zisserman 2003; Jégou et al. 2011, section 4)."""
    import faiss

    n, dim = base.shape
    lists = max(8, round(n**0.5))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid, index.cp.min_points_per_centroid, index.cp.niter = 64, 1, 10

    how = f"k-means made {lists} lists; nprobe says how many of them, the nearest to the query, are looked at."

    def way(nprobe):
        return f"IVF{lists}, nprobe {nprobe}", how, _asking(index, "SearchParametersIVF", nprobe=nprobe)

    filtering = "Only what passes in the lists that are visited; where these hold too little, results are missing."
    return _built(index, base, lambda _: [way(nprobe) for nprobe in (1, 8, 32) if nprobe <= lists], filtering=filtering)


def hnsw(base):
    """Hierarchical navigable small worlds (Malkov and Yashunin 2018)."""
    import faiss

    index = faiss.IndexHNSWFlat(base.shape[1], 16, faiss.METRIC_INNER_PRODUCT)

    how = "A walk along a graph of neighbours; ef says how many of the best are kept on the way."

    def way(ef):
        return f"HNSW16, ef {ef}", how, _asking(index, "SearchParametersHNSW", efSearch=ef)

    filtering = "The walk goes over all and keeps what passes; where little passes nearby, it ends too early."
    return _built(index, base, lambda _: [way(ef) for ef in (16, 64, 256)], filtering=filtering)


def pq(base):
    """Product quantisation (Jégou, Douze and Schmid 2011, "Product Quantization for Nearest Neighbor Search"); one list."""
    import faiss

    dim = base.shape[1]
    index = faiss.IndexIVFPQ(faiss.IndexFlatIP(dim), dim, 1, dim // 8, 8, faiss.METRIC_INNER_PRODUCT)
    training = index.pq.cp  # a fifth of the usual effort, for two points of recall
    training.max_points_per_centroid, training.min_points_per_centroid, training.niter = 16, 1, 5

    codes = _asking(index, "SearchParametersIVF", nprobe=1)

    def ways(mb):
        how = f"Each 8 numbers become one byte: {dim // 8} bytes instead of {4 * dim}. " + _again(mb, base)
        return [(f"PQ{dim // 8}", how, codes), (f"PQ{dim // 8} + {CANDIDATES} exact", how, _reranked(codes, base))]

    return _built(index, base, ways)


def binary(base):
    """The sign of each number (Charikar 2002), compared by counting the bits that differ."""
    import faiss

    began = time.perf_counter()
    centre = base.mean(0)  # else all signs of a cone agree
    index = faiss.IndexBinaryFlat(base.shape[1])
    index.add(np.packbits(base > centre, axis=1))
    took = time.perf_counter() - began

    def codes(q, k, s):
        found = index.search(np.packbits(q > centre, axis=1), CANDIDATES if s else k)[1][0]
        return _kept_of(found, s, k)

    def near(q, k, s):
        return _kept_of(index.search(np.packbits(q > centre, axis=1), CANDIDATES)[1][0], s, CANDIDATES)

    mb = index.ntotal * base.shape[1] / 8e6
    how = f"One bit a number, {base.shape[1] // 8} bytes a vector. " + _again(mb, base)
    ways = [("Binary", how, codes), (f"Binary + {CANDIDATES} exact", how, _reranked(near, base))]
    filtering = f"Afterwards, on the {CANDIDATES} nearest: what does not pass is gone, and nothing takes its place."
    return Built(took, mb, ways, False, filtering)


def _again(mb: float, base: np.ndarray) -> str:
    """What comparing full vectors once more costs: memory alone would hide that they are kept somewhere."""
    return (
        f"“+ {CANDIDATES} exact” compares the {CANDIDATES} best once more and needs their full vectors for that: "
        f"{_mb(mb)} and {_mb(base.nbytes / 1e6)} that may lie on disk."
    )


def _mb(mb: float) -> str:
    return f"{mb:.{3 if mb < 0.1 else 2 if mb < 1 else 1}f} MB"


def _kept_of(found: np.ndarray, selector: Selector | None, k: int) -> np.ndarray:
    """A filter after the search: the first k that pass, filled with -1."""
    if selector is not None:
        found = found[(found >= 0) & selector.mask[found.clip(0)]]
    return np.concatenate([found[:k], np.full(max(0, k - len(found)), -1)])


def _reranked(codes: Callable, base: np.ndarray) -> Callable:
    def search(q, k, s):
        near = codes(q, CANDIDATES, s)
        near = near[near >= 0]
        best = near[np.argsort(-(base[near] @ q[0]), kind="stable")[:k]]
        return np.concatenate([best, np.full(k - len(best), -1)])

    return search


KINDS = {"exact": exact, "SQfp16": fp16, "SQ8": sq8, "IVF": ivf, "HNSW": hnsw, "PQ": pq, "binary": binary}
