"""The index laboratory against numpy: what exact search finds, what recall means, and what a filter leaves."""

import re
import threading

import faiss
import numpy as np
import pytest

from explorer.tabs.clip_search import indexlab


@pytest.fixture(scope="module")
def data():
    return indexlab.synthetic(2000, 64)


@pytest.fixture(autouse=True)
def forgotten():
    yield
    indexlab._kept.clear()


def all_rows(data, share=None):
    return {row["name"]: row for kind in indexlab.KINDS for row in indexlab.rows(kind, data, share)}


def test_synthetic_vectors_look_like_clips():
    """Unit length, in a cone: mean cosine .34, 99th percentile about .76 as measured on CLIP; texts in another cone."""
    data = indexlab.synthetic(5000, 512, "text")
    np.testing.assert_allclose(np.linalg.norm(data.base, axis=1), 1, atol=1e-5)
    cos = (data.base[:1000] @ data.base[:1000].T)[np.triu_indices(1000, 1)]
    assert cos.mean() == pytest.approx(0.34, abs=0.02) and np.quantile(cos, 0.99) == pytest.approx(0.76, abs=0.04)
    near = {kind: (indexlab.synthetic(5000, 512, kind).queries @ data.base.T).max(1).mean() for kind in ("image", "text")}
    assert near["text"] < 0.5 < 0.7 < near["image"]
    assert np.array_equal(indexlab.synthetic(5000, 512, "text").queries, data.queries)


def test_the_true_answer_is_that_of_a_full_sort(data):
    best = np.argsort(-(data.queries @ data.base.T), axis=1)[:, :10]
    assert np.array_equal(np.sort(best), np.sort(data.truth))


def test_the_sentence_of_a_kind_fits_each_of_its_rows(data):
    """A page tells one for a kind; where full vectors are compared again, both memories are named."""
    for kind in indexlab.KINDS:
        rows = list(indexlab.rows(kind, data))
        assert len({row["how"] for row in rows}) == 1
        for setting in ("nprobe", "ef", "exact"):
            if any(f" {setting}" in row["name"] for row in rows):
                assert setting in rows[0]["how"]
    for kind in ("PQ", "binary"):
        row = next(indexlab.rows(kind, data))
        said = [float(number) for number in re.findall(r"([\d.]+) MB", row["how"])]
        assert said == pytest.approx([row["mb"], data.base.nbytes / 1e6], abs=0.05)


def test_recall_counts_what_was_found():
    truth = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert indexlab.recall(truth[:, ::-1], truth) == 1
    assert indexlab.recall(np.array([[1, 2, -1, -1], [9, 9, 9, 5]]), truth) == pytest.approx((0.5 + 0.25) / 2)
    assert indexlab.recall(np.full((2, 4), -1), truth) == 0


def test_exact_is_exact_and_the_others_trade(data):
    rows = all_rows(data)
    assert rows["Exact"]["recall"] == 1 and [row["kind"] for row in rows.values() if row["exact"]] == ["exact"]
    assert rows["SQfp16"]["recall"] > 0.98 and rows["SQ8"]["recall"] > 0.9
    for a, b in (("IVF45, nprobe 1", "IVF45, nprobe 8"), ("IVF45, nprobe 8", "IVF45, nprobe 32"), ("PQ8", "PQ8 + 100 exact"),
                 ("Binary", "Binary + 100 exact"), ("HNSW16, ef 16", "HNSW16, ef 64")):  # fmt: skip
        assert rows[a]["recall"] <= rows[b]["recall"], (a, b)
    assert rows["PQ8"]["recall"] < 0.9 and rows["PQ8 + 100 exact"]["recall"] > 0.7
    assert all(row["returned"] is None and row["ms"] > 0 and row["how"] for row in rows.values())


def test_memory_is_that_of_the_numbers(data):
    rows, numbers = all_rows(data), data.base.size
    assert rows["Exact"]["mb"] == pytest.approx(4 * numbers / 1e6, rel=0.01)
    assert rows["SQfp16"]["mb"] == pytest.approx(2 * numbers / 1e6, rel=0.01)
    assert rows["SQ8"]["mb"] == pytest.approx(numbers / 1e6, rel=0.02)
    assert rows["Binary"]["mb"] == pytest.approx(numbers / 8e6, rel=0.02)
    assert rows["PQ8"]["mb"] < rows["SQ8"]["mb"] < rows["Exact"]["mb"] < rows["HNSW16, ef 16"]["mb"]


def test_a_filter_leaves_exact_search_whole_and_others_with_too_little(data):
    rows = all_rows(data, 0.03)
    for name in ("Exact", "SQfp16", "SQ8", "PQ8"):
        assert rows[name]["returned"] == 1
    assert rows["Exact"]["recall_filtered"] == 1
    for name in ("IVF45, nprobe 1", "HNSW16, ef 16", "Binary"):
        assert rows[name]["returned"] < 0.9 and rows[name]["recall_filtered"] < 0.7, name
    assert all(row["after"] < 0.2 and row["filter_how"] for row in rows.values())


@pytest.mark.parametrize("kind", indexlab.KINDS)
def test_what_a_filter_returns_has_passed_it(data, kind):
    mask = indexlab.allowed(len(data.base), 0.05)
    assert mask.sum() == 100
    selector = indexlab.Selector(mask)
    for _, _, search in indexlab.KINDS[kind](data.base).ways:
        for query in data.queries[:10]:
            found = search(query[None], 10, selector)
            assert len(found) == 10 and mask[found[found >= 0]].all()
            assert len(set(found[found >= 0])) == (found >= 0).sum()


def test_filtered_exact_search_is_numpys(data):
    mask = indexlab.allowed(len(data.base), 0.03)
    scores = np.where(mask, data.queries @ data.base.T, -2)
    best = np.argsort(-scores, axis=1)[:, :10]
    (_, _, search), = indexlab.KINDS["exact"](data.base).ways
    found = np.stack([search(query[None], 10, indexlab.Selector(mask)) for query in data.queries])
    assert indexlab.recall(found, best) == 1


def test_an_answer_and_its_second_asking(monkeypatch):
    given = {"n": 1000, "dim": 64, "kinds": ["IVF", "exact"], "filter": 0.1, "queries": "text"}
    first = indexlab.measure(None, given)
    assert (first["n"], first["dim"], first["queries"], first["k"], first["source"]) == (1000, 64, 100, 10, "synthetic")
    assert [row["kind"] for row in first["rows"]] == ["IVF", "IVF", "IVF", "exact"]

    # The second time nothing is built: same index, other filter.
    monkeypatch.setitem(indexlab.KINDS, "IVF", None)
    again = indexlab.measure(None, given | {"kinds": ["IVF"], "filter": None})
    assert [row["recall"] for row in again["rows"]] == [row["recall"] for row in first["rows"][:3]]


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(indexlab, "KEPT_BYTES", 600_000)
    for n in (1000, 1100, 1200):
        indexlab.measure(None, {"n": n, "dim": 64, "kinds": ["SQfp16"]})
    assert sum(size for size, _ in indexlab._kept.values()) <= 600_000


def test_real_faces(tiny, monkeypatch):
    monkeypatch.setattr(indexlab, "FACES", 120)
    for queries in ("image", "text"):
        answer = indexlab.measure(tiny, {"source": "faces", "kinds": ["exact", "IVF"], "queries": queries, "filter": 0.2})
        assert (answer["n"], answer["dim"], answer["source"]) == (120, 32, "faces")
        assert answer["rows"][0]["recall"] == 1


def test_one_thread_is_used_and_only_one_measurement_runs(monkeypatch):
    monkeypatch.setattr(indexlab, "PATIENCE", 0.01)
    indexlab._one.acquire()
    try:
        told = indexlab.measure(None, {"n": 1000, "kinds": ["exact"]})
        assert told == {"rows": [], "busy": True, "say": indexlab.BUSY}
        with pytest.raises(ValueError):  # what can never be measured is said at once
            indexlab.measure(None, {"n": 10})
    finally:
        indexlab._one.release()
    assert indexlab.measure(None, {"n": 1000, "dim": 64, "kinds": ["exact"]})["rows"][0]["recall"] == 1
    seen = []
    thread = threading.Thread(target=lambda: (
        indexlab.measure(None, {"n": 1000, "dim": 64, "kinds": ["exact"]}), seen.append(faiss.omp_get_max_threads())
    ))  # fmt: skip
    thread.start()
    thread.join()
    assert seen == [1]


@pytest.mark.parametrize(
    "given, say",
    [
        ({"n": 10}, "n takes"), ({"n": 10**6}, "n takes"), ({"dim": 100}, "64, 128, 256, 512"), ({"dim": "many"}, "dim takes"),
        ({"kinds": ["tree"]}, "kinds takes"), ({"kinds": "exact"}, "kinds takes"), ({"kinds": [["exact"]]}, "kinds takes"),
        ({"filter": 0}, "filter takes"), ({"filter": 2}, "filter takes"),
        ({"queries": "sound"}, "image"), ({"source": 1}, "source"),
    ],
)  # fmt: skip
def test_bad_requests_are_one_sentence(given, say):
    with pytest.raises(ValueError, match=say):
        indexlab.measure(None, given)
