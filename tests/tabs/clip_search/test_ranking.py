import numpy as np
import pytest

from explorer.index import open_index
from explorer.tabs.clip_search import ranking
from explorer.tabs.clip_search.query import Query


@pytest.fixture(scope="module")
def index():
    rng = np.random.default_rng(0)
    index = open_index(":memory:", 16, "test", server="")
    payloads = [{"name": str(i), "path": str(i), "width": i % 7} for i in range(500)]
    index.upsert(range(500), rng.standard_normal((500, 16)), payloads)
    return index


@pytest.fixture
def q():
    v = np.random.default_rng(1).standard_normal(16).astype(np.float32)
    return Query(v / np.linalg.norm(v))


@pytest.mark.parametrize("wanted", [1, 3, 9, 10])
def test_the_first_are_those_of_a_full_sort_with_ties_by_position(wanted):
    keys = np.array([3, 1, 2, 1, 1, 0, 3, 2, 1, 0], np.float32)
    assert ranking.first(keys, wanted).tolist() == np.argsort(keys, kind="stable")[:wanted].tolist()


@pytest.mark.parametrize("where", [[], [("width", ">=", 3)]])
@pytest.mark.parametrize("least", [False, True])
def test_large_collections_have_the_order_of_small_ones(monkeypatch, index, q, where, least):
    """The two ways to the same answer; only the percentile of a filtered search is among other pictures."""
    small = ranking.rank(index, q, where, 60, least=least)
    monkeypatch.setattr(ranking, "WHOLE", 10)
    large = ranking.rank(index, q, where, 60, least=least)
    assert large.ids.tolist() == small.ids[:60].tolist() and large.matched == small.matched
    assert np.allclose(large.scores, small.scores[:60], atol=1e-5)
    assert large.among_matched == bool(where) and not small.among_matched
    if not where:
        assert np.allclose(large.percentiles, small.percentiles[:60])


def test_without_a_query_there_is_only_an_order(index):
    found = ranking.rank(index, Query(None), [("width", "==", 2)], 30, seed=4)
    assert found.scores is None and found.percentiles is None and len(found.ids) == 30
    assert found.matched == len(index.ids([("width", "==", 2)])) and {i % 7 for i in found.ids.tolist()} == {2}


def test_a_picture_joins_the_first_that_is_like_it(index):
    """Three on a line: the middle one is like both ends, which are unlike each other."""
    angles = np.radians([0, 10, 20, 90])
    line = open_index(":memory:", 2, "test", server="")
    line.upsert(range(4), np.stack([np.cos(angles), np.sin(angles)], 1), [{"name": str(i), "path": str(i)} for i in range(4)])
    near = float(np.cos(np.radians(12)))
    assert ranking.groups(line, np.array([0, 1, 2, 3]), near) == [(0, [1]), (2, []), (3, [])]
    assert ranking.groups(line, np.array([1, 2, 0, 3]), near) == [(1, [2, 0]), (3, [])]
    assert ranking.groups(line, np.array([0, 1, 2, 3]), 0.99999) == [(0, []), (1, []), (2, []), (3, [])]
    assert ranking.groups(line, np.array([], int), near) == []
