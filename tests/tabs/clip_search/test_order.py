"""True captions against false ones: each is certainly true or false, and the counting is right."""

import numpy as np
import pytest
from scipy.stats import binomtest

from explorer import corpus
from explorer.tabs.clip_search import faces, order


def made(name, n=150):
    rng, out = np.random.default_rng(0), []
    for row in faces.rows()[:n]:
        if texts := order.TESTS[name].make(row, int(rng.integers(1000)), rng):
            out.append((corpus.describe(row), *texts))
    assert len(out) > 10
    return out


@pytest.mark.parametrize("name", ["swap", "background", "replace"])
def test_captions_are_true_and_false(name):
    for truth, right, wrong in made(name):
        assert faces.claims(right).items() <= truth.items() and len(faces.claims(right)) == 2
        assert not faces.claims(wrong).items() <= truth.items()


@pytest.mark.parametrize("name", ["swap", "background", "shuffle", "reverse"])
def test_the_same_words_are_used(name):
    for _, right, wrong in made(name):
        assert sorted(right.replace(",", "").split()) == sorted(wrong.replace(",", "").split()) and right != wrong


def test_the_control_has_a_word_of_its_own():
    assert all(set(wrong.split()) - set(right.split()) for _, right, wrong in made("replace"))


@pytest.mark.parametrize("wins, n", [(0, 20), (10, 20), (97, 100), (100, 100)])
def test_the_interval_is_wilsons(wins, n):
    low, high = order.wilson(wins, n)
    expected = binomtest(wins, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_a_model_that_only_counts_words_is_a_coin(tiny):
    """A bag of words gives both captions one vector, so every comparison is a tie, and that is half a win."""

    class Bag:
        fingerprint, dim, size = "bag", 64, 64

        def images(self, images, raw=False):
            return faces.unit(np.random.default_rng(0).normal(size=(len(images), 64))).astype(np.float32)

        def texts(self, texts, raw=False):
            words = [sorted(text.replace(",", "").split()) for text in texts]
            vectors = [sum(np.random.default_rng(sum(map(ord, w)) * len(w)).normal(size=64) for w in some) for some in words]
            return faces.unit(np.array(vectors)).astype(np.float32)

    answer = order.order(Bag(), None, {"n": 20})
    tests = {test["name"]: test for test in answer["tests"]}
    for name in ("swap", "background", "shuffle", "reverse"):
        assert tests[name]["same"] == pytest.approx(1, abs=1e-5) and tests[name]["wins"] == 0.5
    assert tests["replace"]["same"] < 0.99


def test_counting_is_numpys(tiny):
    answer = order.order(tiny, None, {"n": 25, "seed": 3})
    assert answer["of"] == 25 and answer["own"] is None and [test["name"] for test in answer["tests"]] == list(order.TESTS)
    for test in answer["tests"]:
        assert test["low"] <= test["wins"] <= test["high"] and test["of"] == 25
        assert len(test["examples"]) == 6
        for example in test["examples"]:
            image = tiny.images(faces.pixels([example["face"]]))[0]
            for side in ("right", "wrong"):
                assert example[side]["score"] == pytest.approx(image @ tiny.texts([example[side]["text"]])[0], abs=1e-5)
        margins = [e["right"]["score"] - e["wrong"]["score"] for e in test["examples"]]
        assert margins[0] == min(margins) and margins[3] == max(margins)
    assert order.order(tiny, None, {"n": 25, "seed": 3}) == answer != order.order(tiny, None, {"n": 25, "seed": 4})


def test_an_own_sentence(tiny):
    own = order.order(tiny, None, {"n": 20, "text": "red hair and a blue shirt"})["own"]
    rows = {row["name"]: row for row in own["rows"]}
    assert rows["as typed"]["same"] == pytest.approx(1, abs=1e-5)
    assert rows["colours swapped"]["text"] == "blue hair and a red shirt"
    assert rows["reversed"]["text"] == "shirt blue a and hair red" and rows["sorted"]["text"] == "a and blue hair red shirt"
    assert [row["name"] for row in order.order(tiny, None, {"n": 20, "text": "red"})["own"]["rows"]] == ["as typed"]


def test_colours_are_swapped_wherever_they_stand():
    assert order.exchanged("red hair, redder, blue shirt and red", "red", "blue") == "blue hair, redder, red shirt and blue"
    assert order.swap_colours("no colours here") == "no colours here"


def test_the_trained_model_knows_whose_colour_is_whose(avatars):
    tests = {test["name"]: test for test in order.order(avatars, None, {"n": 60})["tests"]}
    assert tests["replace"]["wins"] > 0.9 and tests["swap"]["wins"] > 0.9
    assert tests["shuffle"]["same"] > tests["swap"]["same"]  # who wears what is more of the meaning than grammar


@pytest.mark.parametrize("given, say", [({"n": 10}, "n takes"), ({"seed": -1}, "seed takes"), ({"text": " "}, "Write something")])
def test_bad_requests_are_one_sentence(tiny, given, say):
    with pytest.raises(ValueError, match=say):
        order.order(tiny, None, given)


@pytest.mark.parametrize("low, high, end", [(0.8, 1.0, "knows which colour belongs to what."), (0.4, 0.6, "a bag of words.")])
def test_shares_are_told_with_a_space_before_the_sign(low, high, end):
    say = order._say({"swap": {"wins": 0.5, "low": low, "high": high}, "replace": {"wins": 1.0}})
    assert say.startswith("A wrong colour is noticed in 100 % of the faces, swapped colours in 50 %. ") and say.endswith(end)
