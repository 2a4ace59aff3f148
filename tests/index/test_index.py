"""What every index must do, on each of its homes: SQLite and Qdrant, and a Qdrant server where QDRANT_URL names one."""

import os
import uuid

import numpy as np
import pytest

from explorer.index import File, open_index
from explorer.index.qdrant import QdrantIndex
from explorer.index.sqlite import SqliteIndex

DIM = 32
KINDS = ["memory", "file", "qdrant"] + (["server"] if os.environ.get("QDRANT_URL") else [])


@pytest.fixture(params=KINDS)
def index(request, tmp_path, monkeypatch):
    monkeypatch.delenv("QDRANT_URL", raising=False) if request.param != "server" else None
    made = {
        "memory": lambda: open_index(":memory:", DIM, "model"),
        "file": lambda: open_index(tmp_path / "some" / "index.sqlite", DIM, "model"),
        "qdrant": lambda: QdrantIndex("test", DIM, "model"),
        "server": lambda: open_index(f"/t/{uuid.uuid4().hex}.sqlite", DIM, "model"),
    }[request.param]()
    yield made
    if request.param == "server":
        made.drop()
    made.close()


def vectors(n: int, seed: int = 0) -> np.ndarray:
    """(n, DIM) unit vectors as they are stored: rounded to halves."""
    x = np.random.default_rng(seed).normal(size=(n, DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)


COLOURS = ["red", "blue", "green"]
FOLDERS = ["", "a", "a/b", "ab", "a/b/c"]


def payload(n: int) -> dict:
    return {
        "name": f"IMG_{n}.jpg", "path": f"{FOLDERS[n % 5]}/IMG_{n}.jpg".lstrip("/"), "folder": FOLDERS[n % 5],
        "hash": f"{n:064x}", "bytes": 1000 + n, "mtime": 1.7e9 + n / 4, "width": 100 + n, "height": 50,
        "orientation": "landscape", "caption": f"A face with {COLOURS[n % 3]} hair, number {n}", "note": "",
        "damaged": n % 7 == 0, "attr.hair colour": COLOURS[n % 3], "attr.age": n % 11,
    }  # fmt: skip


def filled(index, n=200):
    v = vectors(n)
    index.upsert(range(n), v, [payload(i) for i in range(n)])
    return v


def by_numpy(v, q, keep, k, offset=0):
    """The truth: all scores, best first, equal ones by id."""
    q = q / np.linalg.norm(q)
    ids = np.flatnonzero(keep)
    scores = v[ids].astype(np.float64) @ q
    order = np.lexsort((ids, -scores))[offset : offset + k]
    return [(int(ids[i]), float(scores[i])) for i in order]


def same(found, truth):
    assert [i for i, _ in found] == [i for i, _ in truth]
    assert np.allclose([s for _, s in found], [s for _, s in truth], atol=3e-6 if len(found) else 0)


def test_search_and_scores_are_numpys(index):
    v = filled(index)
    for seed in range(5):
        q = np.random.default_rng(100 + seed).normal(size=DIM)
        same(index.search(q, 10), by_numpy(v, q, np.ones(200, bool), 10))
        ids, scores = index.scores(q)
        assert ids.tolist() == list(range(200)) and np.allclose(scores, v @ (q / np.linalg.norm(q)), atol=3e-6)


FILTERS = {
    "equal": ([("attr.hair colour", "==", "red")], lambda p: p["attr.hair colour"] == "red"),
    "equal number": ([("attr.age", "==", 3)], lambda p: p["attr.age"] == 3),
    "equal column": ([("width", "==", 120)], lambda p: p["width"] == 120),
    "truth": ([("damaged", "==", True)], lambda p: p["damaged"]),
    "in": ([("attr.hair colour", "in", ["red", "blue"])], lambda p: p["attr.hair colour"] in ("red", "blue")),
    "in numbers": ([("height", "in", [50, 60]), ("attr.age", "in", [1, 2])], lambda p: p["attr.age"] in (1, 2)),
    "in nothing": ([("attr.hair colour", "in", [])], lambda p: False),
    "prefix": ([("folder", "prefix", "a")], lambda p: p["folder"] == "a" or p["folder"].startswith("a/")),
    "prefix below": ([("folder", "prefix", "a/b/")], lambda p: p["folder"] in ("a/b", "a/b/c")),
    "prefix of all": ([("folder", "prefix", "")], lambda p: True),
    "folder itself": ([("folder", "==", "a")], lambda p: p["folder"] == "a"),
    "top folder": ([("folder", "==", "")], lambda p: p["folder"] == ""),
    "range": ([("width", ">=", 150), ("width", "<=", 170)], lambda p: 150 <= p["width"] <= 170),
    "dates": ([("mtime", ">=", 1.7e9 + 30.25)], lambda p: p["mtime"] >= 1.7e9 + 30.25),
    "bytes": ([("bytes", "<=", 1010)], lambda p: p["bytes"] <= 1010),
    "attribute range": ([("attr.age", ">=", 9)], lambda p: p["attr.age"] >= 9),
    "no number": ([("attr.hair colour", ">=", 1)], lambda p: False),
    "has": ([("caption", "has", "RED Hair")], lambda p: "red hair" in p["caption"]),
    "has whole words": ([("caption", "has", "numb")], lambda p: False),
    "has in any order": ([("caption", "has", "12 number")], lambda p: p["caption"].endswith(" 12")),
    "name": ([("name", "has", "img_7")], lambda p: p["name"] == "IMG_7.jpg"),
    "unknown attribute": ([("attr.shoe", "==", "red")], lambda p: False),
    "no such value": ([("attr.hair colour", "==", "red' or 1=1 --")], lambda p: False),
    "several": (
        [("folder", "prefix", "a"), ("attr.hair colour", "==", "blue"), ("width", ">=", 120)],
        lambda p: p["folder"] in ("a", "a/b", "a/b/c") and p["attr.hair colour"] == "blue" and p["width"] >= 120,
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_exact(index, name):
    where, truth = FILTERS[name]
    v = filled(index)
    keep = np.array([bool(truth(payload(i))) for i in range(200)])
    q = np.random.default_rng(7).normal(size=DIM)
    assert index.count(where) == keep.sum()
    assert index.ids(where).tolist() == np.flatnonzero(keep).tolist()
    for offset in (0, 5):
        same(index.search(q, 7, where, offset), by_numpy(v, q, keep, 7, offset))
    assert index.scores(q, where)[0].tolist() == np.flatnonzero(keep).tolist()


@pytest.mark.parametrize(
    "where",
    [
        [("shoe", "==", 1)], [("payload", "==", 1)], [("id", "==", 1)], [('attr.a"b', "==", 1)], [("attr.x' or 1", "==", 1)],
        [("name", "like", "a")], [("name", "==", None)], [("width", ">=", "a")], [("width", ">=", float("nan"))],
        [("name", "in", "abc")], [("width", "prefix", "a")], [("folder", "has", "a")], [("name",)], ["name"], [3],
        [("width", "==", [1])], [("width", "<=", 10**400)],
    ],
)  # fmt: skip
def test_what_is_no_filter_gets_one_sentence(index, where):
    filled(index, 3)
    with pytest.raises(ValueError) as problem:
        index.search(np.ones(DIM), 1, where)
    assert str(problem.value).endswith(".") and "\n" not in str(problem.value)


def test_pages_follow_each_other_without_gap(index):
    v = filled(index)
    q = np.random.default_rng(1).normal(size=DIM)
    pages = [hit for offset in range(0, 210, 24) for hit in index.search(q, 24, offset=offset)]
    same(pages, by_numpy(v, q, np.ones(200, bool), 200))
    assert index.search(q, 10, offset=200) == [] == index.search(q, 0)


def test_equal_scores_come_by_id(index):
    one = vectors(1)[0]
    index.upsert([9, 3, 77, 12], [one] * 4, [{}] * 4)
    index.upsert(range(100, 130), vectors(30, 5), [{}] * 30)
    assert [i for i, _ in index.search(one, 4)] == [3, 9, 12, 77]
    assert [i for i, _ in index.search(one, 2)] == [3, 9] and [i for i, _ in index.search(one, 2, offset=2)] == [12, 77]


def test_a_row_is_replaced_and_deleted(index):
    v = filled(index, 20)
    new = vectors(1, 99)[0]
    index.upsert([5], [new], [{"caption": "other"}])
    assert index.count() == 20 and index.search(new, 1)[0][0] == 5
    item = index.get([5])[0]
    assert item.payload == {"caption": "other"} and np.allclose(item.vector, new, atol=1e-3)
    assert index.search(v[5], 1)[0][0] != 5 or index.search(v[5], 1)[0][1] < 0.999

    index.delete([5, 6, 4000])
    assert index.count() == 18 and index.get([5, 7])[0] is None
    assert not {5, 6} & set(index.ids().tolist()) and not {5, 6} & {i for i, _ in index.search(new, 20)}
    index.upsert([5], [new], [{}])
    assert index.search(new, 1)[0][0] == 5


def test_get_keeps_order_and_payloads(index):
    filled(index, 10)
    items = index.get([7, 3, 99, 3])
    assert [item and item.id for item in items] == [7, 3, None, 3]
    stored = items[0].payload
    assert {key: stored[key] for key in payload(7)} == payload(7)
    assert items[0].vector.shape == (DIM,) and items[0].vector.dtype == np.float32
    assert abs(np.linalg.norm(items[0].vector) - 1) < 1e-3 and index.get([]) == []


def test_facets(index):
    filled(index, 100)
    assert index.facets("attr.hair colour") == {"red": 34, "blue": 33, "green": 33}
    assert index.facets("folder", [("folder", "prefix", "a/b")]) == {"a/b": 20, "a/b/c": 20}
    assert index.facets("damaged") == {False: 85, True: 15} and index.facets("attr.shoe") == {}
    with pytest.raises(ValueError):
        index.facets("payload")


def test_attributes_spans_and_counts_between(index):
    assert index.attributes() == [] and index.span("mtime") is None and index.within("width", [0, 1e6]) == [0]
    filled(index, 100)
    index.upsert([200], vectors(1), [{"name": "one more", "attr.shoe": "left"}])  # without times and sizes
    index.fail([File(300, b"bad.png", "", 5, 0, "error", "It is bad.")])
    assert index.attributes() == ["attr.age", "attr.hair colour", "attr.shoe"]
    times = np.array([payload(n)["mtime"] for n in range(100)])
    assert index.span("mtime") == (times.min(), times.max()) and index.span("bytes") == (1000, 1099)
    assert index.span("height") == (50, 50)
    edges = [1.7e9 - 5, 1.7e9, 1.7e9 + 3.25, 1.7e9 + 20, 1.8e9]
    assert index.within("mtime", edges) == [((times >= a) & (times < b)).sum() for a, b in zip(edges, edges[1:])]
    assert index.within("bytes", [1000, 1099, 1100]) == [99, 1] and index.within("bytes", [1000]) == []
    for field in ("name", "attr.age", "payload", "mtime; drop table item"):
        with pytest.raises(ValueError):
            index.span(field)
        with pytest.raises(ValueError):
            index.within(field, [0, 1])
    index.delete([200])
    assert index.attributes() == ["attr.age", "attr.hair colour"]


@pytest.mark.parametrize("bad", [np.zeros(DIM), np.full(DIM, np.nan), np.r_[np.inf, np.ones(DIM - 1)], np.ones(DIM + 1)])
def test_vectors_that_are_none_are_refused_whole(index, bad):
    good = np.ones(DIM)
    with pytest.raises(ValueError):
        index.upsert([1, 2], [good, bad] if bad.shape == good.shape else [bad, bad], [{}, {}])
    assert index.count() == 0
    index.upsert([1], [good], [{}])
    with pytest.raises(ValueError):
        index.search(bad)


@pytest.mark.parametrize("ids", [[-1], [2**53], [1, 2]])
def test_ids_that_a_page_cannot_hold_are_refused(index, ids):
    with pytest.raises(ValueError):
        index.upsert(ids, vectors(1), [{}])


def test_lengths_do_not_matter(index):
    index.upsert([1, 2], [np.ones(DIM) * 1e-3, -np.ones(DIM) * 1e3], [{}, {}])
    found = index.search(np.ones(DIM) * 50, 2)
    assert [i for i, _ in found] == [1, 2] and np.allclose([s for _, s in found], [1, -1], atol=1e-3)


def test_an_empty_index_answers(index):
    assert index.search(np.ones(DIM)) == [] and index.count() == 0 and index.get([1]) == [None]
    assert index.scores(np.ones(DIM))[0].shape == (0,) and list(index.files()) == [] and index.facets("folder") == {}
    index.upsert([], [], [])
    index.delete([])


def test_files_are_remembered_whole(index):
    odd = b"caf\xe9/\xff.jpg"
    index.upsert([1], vectors(1), [payload(1) | {"raw": odd, "mtime_ns": 1_763_000_000_123_456_789, "hash": "ab"}])
    index.fail([File(2, b"bad.jpg", "cd", 12, 5, "error", "This file is empty.")])
    assert list(index.files()) == [
        File(2, b"bad.jpg", "cd", 12, 5, "error", "This file is empty."),
        File(1, odd, "ab", 1001, 1_763_000_000_123_456_789, "ok", ""),
    ]
    assert index.count() == 1 and index.get([2]) == [None] and len(index.search(np.ones(DIM), 10)) == 1
    assert index.get([1])[0].payload["raw"] == odd
    index.fail([File(1, odd, "", 0, 6, "error", "gone")])  # a file that was good and is bad now
    assert index.count() == 0 and index.search(np.ones(DIM), 10) == []
    index.upsert([2], vectors(1), [{"path": "bad.jpg"}])  # and back
    assert index.count() == 1 and [file.status for file in index.files()] == ["ok", "error"]


def test_names_in_two_unicode_forms_are_one_name(index):
    index.upsert([1], vectors(1), [{"name": "Cafe\u0301.jpg", "folder": "Gru\u0308n", "caption": "Gro\u0308ße"}])
    assert index.count([("folder", "==", "Gr\u00fcn")]) == index.count([("folder", "prefix", "Gru\u0308n")]) == 1
    assert index.count([("caption", "has", "GRÖSSE")]) == index.count([("name", "has", "café")]) == 1


def test_another_model_is_refused(tmp_path):
    open_index(tmp_path / "a.sqlite", DIM, "one").close()
    for dim, model in ((DIM, "two"), (DIM + 1, "one")):
        with pytest.raises(ValueError, match="built with another model"):
            open_index(tmp_path / "a.sqlite", dim, model)
    open_index(tmp_path / "a.sqlite", DIM, "one").close()

    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    QdrantIndex("a", DIM, "one", client)
    for dim, model in ((DIM, "two"), (DIM + 1, "one")):
        with pytest.raises(ValueError, match="built with another model"):
            QdrantIndex("a", dim, model, client)
    assert QdrantIndex("a", DIM, "one", client).count() == 0


def test_a_file_that_is_no_index_is_named(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ValueError, match="is no index"):
        SqliteIndex(tmp_path / "a.sqlite", DIM, "one")
