"""Curves cover the whole run in few points, and no value is invented."""

import numpy as np

from explorer.tabs.gan.curve import Curve


def test_every_round_is_there_while_they_are_few():
    curve = Curve(("a", "b"))
    for i in range(1, 101):
        curve.add(i, np.array([[i, np.nan]]))
    told = curve.columns()
    assert told["step"] == list(range(1, 101)) == told["a"]
    assert told["b"] == [None] * 100


def test_many_rounds_become_means_that_cover_the_run():
    curve, rounds = Curve(("a",), most=100), 0
    rng = np.random.default_rng(0)
    while rounds < 30_000:
        count = int(rng.integers(1, 700))
        rounds += count
        curve.add(rounds, np.arange(rounds - count + 1, rounds + 1, dtype=float)[:, None])
    told = curve.columns()
    assert len(told["step"]) <= 101
    assert told["step"][0] < 600 and told["step"][-1] > rounds - 600
    # The value of a round is its number, so that a mean must be the middle of the rounds it stands for.
    assert np.abs(np.array(told["step"]) - np.array(told["a"])).max() < 1
    assert np.all(np.diff(told["step"]) > 0)


def test_means_ignore_what_is_unknown():
    curve = Curve(("a",), most=2)
    curve.add(4, np.array([[1.0], [np.nan], [np.nan], [np.nan]]))
    assert curve.columns()["a"] == [1.0, None]


def test_a_curve_can_be_cut():
    curve = Curve(("a",))
    curve.add(50, np.arange(50.0)[:, None])
    cut = curve.until(20)
    cut.add(21, np.array([[99.0]]))
    assert cut.columns()["step"] == list(range(1, 22)) and cut.columns()["a"][-1] == 99
    assert curve.columns()["a"][-1] == 49


def test_the_newest():
    curve = Curve(("a",))
    assert np.isnan(curve.last()["a"])
    curve.add(3, np.array([[1.0], [2.0], [4.0]]))
    assert curve.last() == {"a": 4.0} and curve.last(2) == {"a": 3.0}
