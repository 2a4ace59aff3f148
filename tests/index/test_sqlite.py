"""What only a file can do: outlive its process, be shared by several, and keep its promises while others write."""

import multiprocessing
import sqlite3
import threading

import numpy as np
import pytest

from explorer.index.sqlite import SqliteIndex, peek
from explorer.index.where import checked, sql

DIM = 16


def vectors(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, DIM))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "index.sqlite"


def test_it_is_there_again(path):
    first = SqliteIndex(path, DIM, "m")
    first.upsert(range(50), vectors(50), [{"name": f"{i}", "attr.x": i % 3} for i in range(50)])
    first.delete([7])
    want = first.search(np.ones(DIM), 20, [("attr.x", "==", 1)])
    first.close()
    again = SqliteIndex(path, DIM, "m")
    assert again.count() == 49 and again.search(np.ones(DIM), 20, [("attr.x", "==", 1)]) == want
    assert again.search(np.ones(DIM), 1000) and again.get([7]) == [None]


def test_wal_and_real_columns(path):
    index = SqliteIndex(path, DIM, "m")
    index.upsert([1], vectors(1), [{"path": "a/b.jpg", "folder": "a", "attr.shirt": "red"}])
    db = sqlite3.connect(path)
    assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    assert db.execute("select typeof(raw), raw, folder, status from item").fetchone() == ("blob", b"a/b.jpg", "a", "ok")
    assert db.execute("select typeof(vec), length(vec) from vector").fetchone() == ("blob", 2 * DIM)
    for where in ([("folder", "==", "a")], [("mtime", ">=", 3)], [("attr.shirt", "==", "red")], [("caption", "has", "a word")]):
        condition, args = sql(checked(where))
        plan = " ".join(str(row) for row in db.execute(f"explain query plan select id from item where {condition}", args))
        assert "COVERING INDEX" in plan or "USING PRIMARY KEY" in plan and "SCAN item'" not in plan, plan


def test_two_processes_of_one_file_see_each_other(path):
    one, two = SqliteIndex(path, DIM, "m"), SqliteIndex(path, DIM, "m")
    v = vectors(30)
    one.upsert(range(10), v[:10], [{}] * 10)
    assert two.count() == 10 and two.search(v[3], 1)[0][0] == 3
    two.upsert(range(10, 20), v[10:20], [{}] * 10)
    one.delete([3])
    two.upsert([4], v[25:26], [{}])
    one.upsert(range(20, 25), v[20:25], [{}] * 5)
    for index in (one, two):
        assert index.count() == 24 and index.ids().tolist() == [i for i in range(25) if i != 3]
        assert index.search(v[25], 1)[0][0] == 4 and index.search(v[17], 1)[0][0] == 17
    assert one.search(np.ones(DIM), 30) == two.search(np.ones(DIM), 30)


def _write(path, part):
    index = SqliteIndex(path, DIM, "m")
    v = vectors(200, part)
    for at in range(0, 200, 10):
        ids = range(1000 * part + at, 1000 * part + at + 10)
        index.upsert(ids, v[at : at + 10], [{"note": str(part)}] * 10)
    index.close()


def test_several_processes_write_at_once(path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write, args=(path, part)) for part in range(3)]
    [process.start() for process in processes]
    [process.join(120) for process in processes]
    assert [process.exitcode for process in processes] == [0, 0, 0]
    index = SqliteIndex(path, DIM, "m")
    assert index.count() == 600 and index.facets("note") == {"0": 200, "1": 200, "2": 200}
    for part in range(3):
        v = vectors(200, part)
        assert index.search(v[77], 1)[0][0] == 1000 * part + 77


def test_adding_while_searching(path):
    index = SqliteIndex(path, DIM, "m")
    v = vectors(2000)
    index.upsert(range(100), v[:100], [{"note": "old"}] * 100)
    stop, wrong = threading.Event(), []

    def search():
        while not stop.is_set():
            n = index.count()
            found = [i for i, _ in index.search(v[5], 3000)]
            if len(found) < n or len(set(found)) != len(found) or found[0] != 5 or index.count([("note", "==", "old")]) != 100:
                wrong.append((n, len(found)))

    threads = [threading.Thread(target=search) for _ in range(2)]
    [thread.start() for thread in threads]
    for at in range(100, 2000, 64):
        index.upsert(range(at, min(2000, at + 64)), v[at : at + 64], [{"note": "new"}] * len(v[at : at + 64]))
    stop.set()
    [thread.join() for thread in threads]
    assert not wrong and index.count() == 2000


def test_a_batch_that_fails_changes_nothing(path):
    index = SqliteIndex(path, DIM, "m")
    index.upsert([1], vectors(1), [{}])
    with pytest.raises(ValueError):
        index.upsert([2, 3], vectors(2), [{}, {"attr.x": float("nan")}])
    with pytest.raises(ValueError):
        index.upsert([2, 3], vectors(2), [{}, {"attr.x": object()}])
    with pytest.raises((ValueError, OverflowError)):
        index.upsert([2, 3], vectors(2), [{}, {"bytes": 10**30}])
    assert index.count() == 1 and index.search(np.ones(DIM), 5)[0][0] == 1
    index.upsert([2], vectors(1), [{}])
    assert index.count() == 2


def test_the_same_id_twice_in_a_batch_is_the_last_one(path):
    index, v = SqliteIndex(path, DIM, "m"), vectors(3)
    index.upsert([1, 2, 1], v, [{"note": "a"}, {}, {"note": "b"}])
    assert index.count() == 2 and index.get([1])[0].payload["note"] == "b"
    assert sorted(i for i, _ in index.search(v[2], 9)) == [1, 2] and index.search(v[2], 1)[0][0] == 1


def test_a_copied_vector_stays_what_it_was_to_the_bit(path):
    index = SqliteIndex(path, DIM, "m")
    index.upsert(range(50), vectors(50), [{}] * 50)
    items = index.get(range(50))
    index.upsert(range(50, 100), np.stack([item.vector for item in items]).astype(np.float16), [{}] * 50)
    assert all(np.array_equal(a.vector, b.vector) for a, b in zip(items, index.get(range(50, 100))))


def test_peeking_loads_nothing(path):
    from explorer.index import File

    assert peek(path) == (0, [])
    index = SqliteIndex(path, DIM, "m")
    index.upsert(range(5), vectors(5), [{}] * 5)
    bad = File(9, b"b.jpg", "", 1, 2, "error", "Broken.")
    index.fail([bad])
    assert peek(path) == (5, [bad])


def test_a_closed_index_says_so(path):
    index = SqliteIndex(path, DIM, "m")
    index.close()
    with pytest.raises(ValueError, match="closed"):
        index.search(np.ones(DIM))
