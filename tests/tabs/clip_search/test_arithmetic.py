"""Sums of pictures and words: terms, neighbours and success are numpy's, on towers and on vectors made for the purpose."""

import numpy as np
import pytest
from PIL import Image

from explorer import corpus
from explorer.tabs.clip_search import arithmetic, faces


class Ideal:
    """A model in whose space every attribute has a direction of its own: there the sum must work, whatever the lengths.

    Pictures are five times as long as texts, and lie apart from them by an offset: a gap.
    """

    fingerprint, dim, size, device = "ideal", 62, 64, "cpu"

    def __init__(self):
        self.names = [(factor, name) for factor, names in corpus.FACTORS.items() for name in names]
        assert len(self.names) <= self.dim - 1

    def _vector(self, shown: dict, gap: float):
        x = np.zeros(self.dim, np.float32)
        for i, (factor, name) in enumerate(self.names):
            x[i] = shown.get(factor) == name
        x[-1] = gap
        return x

    def images(self, images, raw=False):
        raise AssertionError("faces are given by number here")

    def texts(self, texts, raw=False):
        out = np.stack([self._vector(faces.claims(text), -1) for text in texts])
        return out if raw else faces.unit(out)


@pytest.fixture
def ideal(monkeypatch):
    model = Ideal()

    def vectors(_, numbers, raw=False):
        rows = faces.attributes(np.arange(numbers) if isinstance(numbers, int) else numbers)
        out = 5 * np.stack([model._vector(corpus.describe(row), 1) for row in rows])
        return out if raw else faces.unit(out)

    monkeypatch.setattr(arithmetic.faces, "vectors", vectors)
    return model


def test_where_every_attribute_has_its_direction_the_sum_works(ideal):
    answer = arithmetic.arithmetic(ideal, None, {"n": 1000, "weight": 2})
    assert answer["plus"] == "blue hair" and answer["minus"] == "red hair" and answer["before"]["hair colour"] == "red"
    by = {row["name"]: row for row in answer["measured"]["rows"]}
    assert by["image"]["success"] < 0.2 and by["image"]["kept"] >= by["centred"]["kept"]
    assert by["centred"]["success"] == 1 and by["centred"]["kept"] == pytest.approx(answer["measured"]["best"], abs=0.1)
    hits = {variant["name"]: variant for variant in answer["variants"]}
    assert all(hit["right"] and hit["attributes"]["hair colour"] == "blue" for hit in hits["centred"]["hits"][:3])
    assert hits["centred"]["success"] > hits["image"]["success"]


def test_a_term_that_is_five_times_as_long_drowns_the_others(ideal):
    """Without normalisation the picture outweighs the words; with each at length 1 they are heard."""
    answer = arithmetic.arithmetic(ideal, None, {"n": 1000})
    by = {variant["name"]: variant for variant in answer["variants"]}
    assert by["raw"]["share"][0] > by["unit"]["share"][0]
    measured = {row["name"]: row["success"] for row in answer["measured"]["rows"]}
    assert measured["raw"] < measured["unit"]
    assert [term["length"] for term in answer["terms"]] == pytest.approx([5 * 11**0.5, 2**0.5, 2**0.5])


def test_terms_sums_and_neighbours_are_numpys(tiny):
    picture = Image.fromarray(faces.pixels([5])[0])
    answer = arithmetic.arithmetic(
        tiny, picture, {"ref": {"face": 5}, "plus": "blue hair", "minus": "red hair", "weight": 0.5, "n": 100, "k": 4}
    )
    base = tiny.images(faces.pixels(range(100)))
    image, (plus, minus) = base[5], tiny.texts(["blue hair", "red hair"])
    total = image + 0.5 * plus - 0.5 * minus
    scores = base @ total / np.linalg.norm(total)
    scores[5] = -1
    unit = next(variant for variant in answer["variants"] if variant["name"] == "unit")
    assert unit["length"] == pytest.approx(np.linalg.norm(total), abs=1e-4)
    assert sum(unit["share"]) == pytest.approx(1, abs=1e-5)
    assert [hit["face"] for hit in unit["hits"]] == np.argsort(-scores)[:4].tolist()
    assert [hit["score"] for hit in unit["hits"]] == pytest.approx(np.sort(scores)[::-1][:4], abs=1e-5)

    assert [(term["sign"], term["kind"]) for term in answer["terms"]] == [("+", "image"), ("+", "text"), ("-", "text")]
    assert answer["terms"][0]["length"] == pytest.approx(np.linalg.norm(tiny.images([picture], raw=True)), rel=1e-4)
    near = answer["terms"][1]["neighbours"]
    others = np.delete(np.arange(100), 5)
    assert [n["face"] for n in near] == others[np.argsort(-(base[others] @ plus))[:4]].tolist()
    assert all(n["right"] == (n["attributes"]["hair colour"] == "blue") for n in near)


@pytest.mark.parametrize("empty", ["plus", "minus"])
def test_an_empty_field_is_no_term(tiny, empty):
    given = {"ref": {"face": 5}, "plus": "blue hair", "minus": "red hair", "n": 100, "k": 4} | {empty: "  "}
    answer = arithmetic.arithmetic(tiny, Image.fromarray(faces.pixels([5])[0]), given)
    sign, words = ("-", "red hair") if empty == "plus" else ("+", "blue hair")
    assert [(term["sign"], term["label"]) for term in answer["terms"]] == [("+", "the picture"), (sign, words)]
    base, text = tiny.images(faces.pixels(range(100))), tiny.texts([words])[0]
    text_mean = tiny.texts([faces.caption(i) for i in range(arithmetic.CAPTIONS)], raw=True).mean(0)
    means = [mean / np.linalg.norm(mean) for mean in (tiny.images(faces.pixels(range(100)), raw=True).mean(0), text_mean)]

    def unit(x):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    way = 1 if sign == "+" else -1
    for name, space, term in (("unit", base, text), ("centred", unit(base - means[0]), unit(text - means[1]))):
        scores = space @ unit(space[5] + way * term)
        scores[5] = -1
        variant = next(variant for variant in answer["variants"] if variant["name"] == name)
        assert [hit["face"] for hit in variant["hits"]] == np.argsort(-scores)[:4].tolist()
        assert len(variant["share"]) == 2 and sum(variant["share"]) == pytest.approx(1, abs=1e-5)
    assert answer["measured"] is None and "both fields" in answer["say"]


def test_the_start_is_never_among_its_own_hits(tiny):
    for name in arithmetic.VARIANTS:
        answer = arithmetic.arithmetic(tiny, None, {"weight": 0, "n": 100})
        by = {variant["name"]: variant for variant in answer["variants"]}
        assert answer["face"] not in [hit["face"] for hit in by[name]["hits"]] and len(by[name]["hits"]) == 8


def test_counts_of_what_stayed(tiny):
    answer = arithmetic.arithmetic(tiny, None, {"n": 100})
    row = faces.rows()[answer["face"]]
    for variant in answer["variants"]:
        for hit in variant["hits"]:
            shown = corpus.describe(row)
            kept = sum(hit["attributes"][factor] == shown[factor] for factor in shown if factor != "hair colour")
            assert hit["kept"] == kept and hit["others"] == 9
        assert variant["kept"] == pytest.approx(np.mean([hit["kept"] for hit in variant["hits"]]) / 9)


def test_words_that_name_nothing_known_are_not_judged(tiny):
    answer = arithmetic.arithmetic(tiny, None, {"plus": "happiness", "minus": "gloom", "n": 100})
    assert answer["measured"] is None and answer["wanted"] == {} and "own eyes" in answer["say"]
    assert all(variant["success"] is None and variant["hits"][0]["right"] is None for variant in answer["variants"])


def test_a_picture_that_is_no_face(tiny):
    picture = Image.effect_mandelbrot((90, 70), (-2, -1.5, 1, 1.5), 50).convert("RGB")
    answer = arithmetic.arithmetic(tiny, picture, {"n": 100})
    assert answer["face"] is None and answer["before"] is None and answer["variants"][0]["hits"][0]["kept"] is None
    assert answer["minus"] == "red hair" and answer["measured"] is not None


def test_the_trained_model_follows_the_words(avatars):
    measured = arithmetic.arithmetic(avatars, None, {})["measured"]
    by = {row["name"]: row for row in measured["rows"]}
    chance = faces.shows(faces.rows()[:500], {"hair colour": "blue"}).mean()
    assert by["image"]["success"] < 2 * chance and by["unit"]["success"] > 0.6 > 4 * chance and measured["of"] == 60
    assert [row["weight"] for row in measured["sweep"]] == list(arithmetic.WEIGHTS)
    assert measured["sweep"][0]["unit"]["success"] < measured["sweep"][-1]["unit"]["success"]
    assert measured["sweep"][0]["unit"]["kept"] > measured["sweep"][-1]["unit"]["kept"]


@pytest.mark.parametrize(
    "given, say",
    [({"n": 5}, "n takes"), ({"weight": 9}, "weight takes"), ({"plus": "", "minus": " "}, "Type a word"), ({"k": 0}, "k takes")],
)
def test_bad_requests_are_one_sentence(tiny, given, say):
    with pytest.raises(ValueError, match=say):
        arithmetic.arithmetic(tiny, None, given)
