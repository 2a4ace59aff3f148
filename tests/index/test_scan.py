"""The scan against numpy: every score, every order, with faiss and without, while rows come and go."""

import threading

import numpy as np
import pytest

from explorer.index import scan


@pytest.fixture(params=["faiss", "numpy"])
def library(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(scan, "_faiss", lambda: None)
    return request.param


def clustered(n: int, dim: int, seed: int = 0) -> np.ndarray:
    """Unit vectors as images have them: on a cone, in clusters, many of them close to each other. float32."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, n // 50), dim)) + 2 * rng.normal(size=dim) / np.sqrt(dim) * 3
    x = centres[rng.integers(0, len(centres), n)] + 0.4 * rng.normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def truth(v, q, k, offset=0, ids=None):
    ids = np.arange(len(v)) if ids is None else ids
    scores = (v[ids].astype(np.float64) @ q).astype(np.float32)
    return ids[np.lexsort((ids, -scores))][offset : offset + k].tolist()


@pytest.mark.parametrize("n, dim", [(1, 8), (17, 8), (3000, 64), (3000, 512)])
def test_the_best_are_those_of_exact_float32(library, n, dim):
    halves = scan.unit(clustered(n, dim), dim)
    matrix = scan.Matrix(dim)
    matrix.upsert(np.arange(n), halves)
    for seed in range(5):
        q = scan.unit_query(clustered(1, dim, 50 + seed)[0], dim)
        found = matrix.search(q, 10)
        exact = halves.astype(np.float32) @ q.astype(np.float32)
        best = np.sort(exact)[::-1][: len(found)]
        assert len(found) == min(10, n)
        assert np.allclose([s for _, s in found], best, atol=1e-6)
        assert {i for i, _ in found} == set(truth(halves, q, 10))  # recall 1.0


def test_halves_lose_almost_nothing_of_float32():
    """Against the vectors before they were rounded: what differs are scores that differ by less than a thousandth."""
    v = clustered(5000, 512)
    matrix = scan.Matrix(512)
    matrix.upsert(np.arange(5000), scan.unit(v, 512))
    hits = 0
    for seed in range(20):
        q = scan.unit_query(clustered(1, 512, 90 + seed)[0], 512)
        scores = v @ q.astype(np.float32)
        least = np.sort(scores)[-10] - 1e-3  # the tolerance of ann-benchmarks
        hits += sum(scores[i] >= least for i, _ in matrix.search(q, 10))
    assert hits == 200


def test_any_order_of_adding_gives_the_same(library):
    halves = scan.unit(clustered(1500, 32), 32)
    rng = np.random.default_rng(0)
    matrix, at = scan.Matrix(32), 0
    order = rng.permutation(1500)
    while at < 1500:
        size = int(rng.integers(1, 90))
        matrix.upsert(order[at : at + size], halves[order[at : at + size]])
        at += size
    assert len(matrix) == 1500 and len(matrix.segments) <= 12
    for _ in range(5):
        q = scan.unit_query(rng.normal(size=32), 32)
        for k, offset in ((10, 0), (24, 24), (1500, 0), (5, 1498)):
            assert [i for i, _ in matrix.search(q, k, offset)] == truth(halves, q, k, offset)
        ids, scores = matrix.scores(q)
        assert ids.tolist() == list(range(1500)) and np.allclose(scores, halves.astype(np.float32) @ q, atol=1e-6)


def test_rows_that_are_gone_or_filtered_are_never_found(library):
    halves, rng = scan.unit(clustered(800, 16), 16), np.random.default_rng(1)
    matrix = scan.Matrix(16)
    for at in range(0, 800, 100):
        matrix.upsert(np.arange(at, at + 100), halves[at : at + 100])
    gone = rng.choice(800, 300, replace=False)
    matrix.remove(gone)
    left = np.setdiff1d(np.arange(800), gone)
    q = scan.unit_query(rng.normal(size=16), 16)
    assert len(matrix) == 500 and matrix.ids().tolist() == left.tolist()
    assert [i for i, _ in matrix.search(q, 600)] == truth(halves, q, 600, ids=left)
    some = np.sort(rng.choice(900, 200, replace=False))  # some of them gone, some never there
    here = np.intersect1d(some, left)
    assert [i for i, _ in matrix.search(q, 600, ids=some)] == truth(halves, q, 600, ids=here)
    assert matrix.scores(q, some)[0].tolist() == here.tolist()
    matrix.remove(np.arange(800))
    assert len(matrix) == 0 and matrix.search(q, 3) == [] and matrix.segments == ()


def test_many_equal_scores_stay_in_order(library):
    """Exact duplicates are common; however many there are, they come by id, on every page."""
    one, other = scan.unit(np.ones((1, 8)), 8), scan.unit(-np.ones((1, 8)), 8)
    ids = np.random.default_rng(0).permutation(500)
    matrix = scan.Matrix(8)
    for at in range(0, 500, 50):
        matrix.upsert(ids[at : at + 50], np.repeat(one, 50, 0))
    matrix.upsert(np.arange(500, 600), np.repeat(other, 100, 0))
    q = scan.unit_query(np.ones(8), 8)
    pages = [i for offset in range(0, 600, 7) for i, _ in matrix.search(q, 7, offset)]
    assert pages == list(range(600))


def test_a_replaced_row_has_one_place(library):
    matrix, halves = scan.Matrix(8), scan.unit(clustered(40, 8), 8)
    matrix.upsert(np.arange(40), halves)
    for turn in range(30):
        matrix.upsert(np.arange(turn, turn + 5), halves[turn : turn + 5])
    q = scan.unit_query(np.ones(8), 8)
    assert sorted(i for i, _ in matrix.search(q, 100)) == list(range(40)) and len(matrix) == 40


def test_searching_goes_on_while_others_add_replace_and_delete(library):
    """Rows 0..99 are always there, whatever else happens; a search must always find them, and each once."""
    dim, rng = 16, np.random.default_rng(2)
    steady = scan.unit(clustered(100, dim), dim)
    matrix = scan.Matrix(dim)
    matrix.upsert(np.arange(100), steady)
    q = scan.unit_query(steady[3], dim)
    stop, wrong, searches = threading.Event(), [], [0]

    def search():
        while not stop.is_set():
            found = [i for i, _ in matrix.search(q, 2000)]
            searches[0] += 1
            if len(set(found)) != len(found) or not set(range(100)) <= set(found):
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(3)]
    [thread.start() for thread in threads]
    others = scan.unit(clustered(1000, dim, 3), dim)
    for _ in range(60):
        some = rng.choice(np.arange(100, 1100), 40, replace=False)
        matrix.upsert(some, others[some - 100])
        matrix.upsert(np.arange(100), steady)  # replaced by themselves
        matrix.remove(rng.choice(np.arange(100, 1100), 30, replace=False))
    while searches[0] < 20:
        pass
    stop.set()
    [thread.join() for thread in threads]
    assert not wrong


def test_large_fills_make_large_segments(monkeypatch):
    monkeypatch.setattr(scan, "LARGEST", 256)
    halves = scan.unit(clustered(1000, 8), 8)
    matrix = scan.Matrix(8)
    matrix.fill((np.arange(at, at + 64), halves[at : at + 64]) for at in range(0, 960, 64))
    assert [len(segment) for segment in matrix.segments] == [256, 256, 256, 192]
    matrix.upsert(np.arange(960, 1000), halves[960:])
    q = scan.unit_query(np.ones(8), 8)
    assert [i for i, _ in matrix.search(q, 10)] == truth(halves, q, 10)


def test_a_filter_that_is_asked_again_finds_what_is_there_now():
    """Rows that died meanwhile are not among them, and an array that was changed since is read anew."""
    rng = np.random.default_rng(0)
    vectors = scan.unit(rng.normal(size=(50, 8)), 8)
    segment = scan.Segment(np.arange(50), vectors)
    some = np.arange(0, 50, 2)
    some.flags.writeable = False
    assert segment.find(some).tolist() == segment.find(some).tolist() == list(range(0, 50, 2))
    left = segment.without(np.array([4, 5]))
    assert left.find(some).tolist() == [i for i in range(0, 50, 2) if i != 4]
    assert segment.find(some).tolist() == list(range(0, 50, 2))
    loose = np.array([1, 3])
    segment.find(loose)
    loose[0] = 2
    assert segment.find(loose).tolist() == [2, 3]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_a_filter_finds_the_same_whichever_way_is_quicker(monkeypatch, share):
    rng = np.random.default_rng(1)
    vectors = scan.unit(rng.normal(size=(500, 8)).round(), 8)  # rounded: many equal scores
    segment, q = scan.Segment(np.arange(500), vectors.astype(np.float16)), np.eye(8, dtype=np.float32)[0]
    rows = np.flatnonzero(rng.random(500) < share)
    found = {}
    for dense in (0.0, 2.0):
        monkeypatch.setattr(scan, "DENSE", dense)
        chosen, scores = segment.best(q, 10, rows)
        assert set(chosen) <= set(rows) and len(chosen) == 10
        found[dense] = scores
    assert np.array_equal(found[0.0], found[2.0])
    assert np.allclose(found[0.0], np.sort(vectors[rows].astype(np.float16).astype(np.float32) @ q)[::-1][:10], atol=1e-6)
