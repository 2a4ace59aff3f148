"""What a collection can be filtered by, against counts of the very rows, and against the filters that are made of it."""

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from explorer.index import open_index
from explorer.index.qdrant import QdrantIndex
from explorer.tabs.clip_search import facets as engine
from explorer.tabs.clip_search import files

N = 60
SAID = [{"age": 20}, {"age": 30, "hat": True}, {"hat": False}, {"age": 0}, {"shirt": "red"}]  # the first has not all of them


def row(n: int) -> dict:
    said = files.Described()
    files._add(said, {"attributes": SAID[n % 5]})
    return {
        "name": f"{n}", "folder": ["", "a", "a/b"][n % 3], "orientation": ["portrait", "square"][n % 2], "width": 100 + n,
        "bytes": 10 * n, "mtime": datetime(2000 + n % 7, 1 + n % 12, 28, tzinfo=UTC).timestamp(),
        **{f"attr.{name}": value for name, value in said.attributes.items()},
    }  # fmt: skip


@pytest.fixture(params=["sqlite", "qdrant"])
def index(request):
    made = open_index(":memory:", 8, "test", server="") if request.param == "sqlite" else QdrantIndex("a", 8, "test")
    yield made
    made.close()


def test_every_value_and_its_count(index):
    rows = [row(n) for n in range(N)]
    index.upsert(range(N), np.random.default_rng(0).normal(size=(N, 8)), rows)
    told = engine.facets(SimpleNamespace(index=index))
    assert told["years"] == Counter(str(datetime.fromtimestamp(r["mtime"], UTC).year) for r in rows)
    assert list(told["years"]) == sorted(told["years"])
    assert told["orientation"] == {"portrait": 30, "square": 30} and told["folders"] == [
        {"path": "a", "count": 40}, {"path": "a/b", "count": 20},
    ]  # fmt: skip
    for field in ("bytes", "mtime", "width"):
        assert told[field] == [min(r[field] for r in rows), max(r[field] for r in rows)]
    assert list(told["attributes"]) == ["age", "hat", "shirt"]
    assert told["attributes"]["age"] == {"0": 12, "20": 12, "30": 12} and told["attributes"]["hat"] == {"false": 12, "true": 12}
    for name, values in told["attributes"].items():
        for value, count in values.items():  # as the page asks for what it was told
            assert index.count([(f"attr.{name}", "in", [value])]) == count


def test_nothing_is_known_of_nothing(index):
    told = engine.facets(SimpleNamespace(index=index))
    assert told == dict(folders=[], orientation={}, years={}, attributes={}, bytes=None, mtime=None, width=None)


def test_years_end_and_begin_at_midnight(index):
    ends = [datetime(2020, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC), datetime(1969, 5, 5, tzinfo=UTC)]
    index.upsert([1, 2, 3], np.eye(8)[:3], [{"name": "x", "mtime": end.timestamp()} for end in ends])
    assert engine.facets(SimpleNamespace(index=index))["years"] == {"1969": 1, "2020": 1, "2021": 1}


def test_only_ends_are_read_of_numbers():
    """Times and sizes differ from file to file: a list of them all would be as long as the collection."""
    index = open_index(":memory:", 8, "test", server="")
    index.upsert(range(N), np.random.default_rng(0).normal(size=(N, 8)), [row(n) for n in range(N)])
    read, ask = [], index._ask
    index._ask = lambda query, args=(): read.append((query, args, len(ask(query, args)))) or ask(query, args)
    engine.facets(SimpleNamespace(index=index))
    assert max(rows for *_, rows in read) < 10
    of_numbers = [(query, args) for query, args, _ in read if "limit 1" in query or "where mtime >=" in query]
    ways = [str(ask(f"explain query plan {query}", args)) for query, args in of_numbers]
    assert len(ways) == 2 * 3 + 7 and all("COVERING INDEX item_" in way and "B-TREE" not in way for way in ways), ways
