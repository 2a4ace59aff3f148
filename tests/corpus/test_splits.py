"""Who sees what: disjoint splits, held-out pairs, and factors that stay uniform and independent."""

import itertools

import numpy as np
import pytest

from explorer import corpus
from explorer.corpus.factors import column, value

NAMES = list(corpus.FACTORS)


def chi_square(counts: np.ndarray, expected) -> float:
    return float((np.square(counts - expected) / expected).sum())


def bound(freedom: int) -> float:
    """About the 1 - 1e-6 quantile of chi-square (Wilson and Hilferty 1931)."""
    return freedom * (1 - 2 / (9 * freedom) + 4.75 * (2 / (9 * freedom)) ** 0.5) ** 3


def pairs():
    for (a, b), values in corpus.HELD_OUT.items():
        yield column(a), column(b), [(value(a, x), value(b, y)) for x, y in values]


def test_splits_are_disjoint():
    for one, other in itertools.combinations(corpus.SPLITS.values(), 2):
        assert one.stop <= other.start or other.stop <= one.start


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_no_held_out_pair_is_ever_trained_or_tested_on(split):
    rows = corpus.attributes(range(10_000), split=split)
    assert not corpus.held_out(rows).any()
    for a, b, values in pairs():
        for x, y in values:
            assert not ((rows[:, a] == x) & (rows[:, b] == y)).any()


def test_compose_shows_nothing_else():
    rows = corpus.attributes(range(10_000), split="compose")
    assert corpus.held_out(rows).all()
    for a, b, values in pairs():
        for x, y in values:  # and every pair of it
            assert ((rows[:, a] == x) & (rows[:, b] == y)).mean() > 0.15


def test_about_a_fifteenth_of_the_space_is_held_out():
    uniform = [np.arange(len(names)) for names in corpus.FACTORS.values()]
    used = sorted({c for a, b, _ in pairs() for c in (a, b)})
    grid = np.zeros((int(np.prod([len(uniform[c]) for c in used])), len(uniform)), np.int64)
    grid[:, used] = np.stack(np.meshgrid(*[uniform[c] for c in used], indexing="ij"), -1).reshape(-1, len(used))
    assert 0.05 < corpus.held_out(grid).mean() < 0.08


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_every_factor_is_uniform(split):
    rows = corpus.attributes(range(50_000), split=split)
    for number, names in enumerate(corpus.FACTORS.values()):
        counts = np.bincount(rows[:, number], minlength=len(names))
        assert chi_square(counts, len(rows) / len(names)) < bound(len(names) - 1), NAMES[number]


def test_factors_are_independent_outside_the_held_out_groups():
    rows = corpus.attributes(range(100_000))
    sizes = [len(names) for names in corpus.FACTORS.values()]
    grouped = {frozenset((a, b)) for a, b, _ in pairs()}
    for a, b in itertools.combinations(range(len(sizes)), 2):
        if frozenset((a, b)) not in grouped:
            counts = np.bincount(rows[:, a] * sizes[b] + rows[:, b], minlength=sizes[a] * sizes[b])
            expected = len(rows) / (sizes[a] * sizes[b])
            assert chi_square(counts, expected) < bound(sizes[a] * sizes[b] - 1), (NAMES[a], NAMES[b])


def test_an_index_means_the_same_from_the_start_of_its_split():
    start = corpus.SPLITS["test"].start
    assert (corpus.attributes([5, 9], split="test") == corpus.attributes([start + 5, start + 9])).all()
    assert (corpus.batch("test", 5, 1)[0] == corpus.render([start + 5])).all()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: corpus.batch("training", 0, 1), "no split 'training'"),
        (lambda: corpus.batch("val", -1, 1), "val has images 0 to"),
        (lambda: corpus.batch("val", 999_999, 2), "val has images 0 to"),
        (lambda: corpus.attributes([10**9]), "images 0 to"),
    ],
)
def test_wrong_places_are_refused_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
