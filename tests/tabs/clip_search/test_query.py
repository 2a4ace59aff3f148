import math

import numpy as np
import pytest

from explorer.tabs.clip_search import query


def text(words, weight=1):
    return dict(kind="text", text=words, weight=weight)


def unit(v):
    return v / np.linalg.norm(v)


@pytest.fixture(scope="module")
def picture(tiny):
    return tiny.images(np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8), raw=True)[0]


def test_one_text_is_its_own_vector(tiny):
    q = query.build(tiny, dict(terms=[text("  a red\n face ")]))
    assert np.allclose(q.vector, tiny.texts(["a red face"])[0], atol=1e-6)
    assert q.equation == [dict(sign="+", weight=1.0, label="a red face", kind="text", length=1.0)]
    assert q.notes == [] and q.unknown == []


def test_balanced_terms_are_normalised_before_their_weights(tiny, picture):
    terms = [text("red hair", 2), text("blue shirt", -0.5), dict(kind="image", vector=picture, weight=1)]
    q = query.build(tiny, dict(terms=terms))
    red, blue = tiny.texts(["red hair", "blue shirt"])
    assert np.allclose(q.vector, unit(2 * red - 0.5 * blue + unit(picture)), atol=1e-6)
    assert [(e["sign"], e["weight"], e["kind"]) for e in q.equation] == [("+", 2, "text"), ("-", 0.5, "text"), ("+", 1, "image")]
    assert any("outweighs" in note for note in q.notes)


def test_plain_terms_keep_the_lengths_the_towers_gave_them(tiny, picture):
    q = query.build(tiny, dict(balanced=False, terms=[text("red hair"), dict(kind="image", vector=picture, weight=-1)]))
    raw = tiny.texts(["red hair"], raw=True)[0]
    assert np.allclose(q.vector, unit(raw - picture), atol=1e-6)
    assert [e["length"] for e in q.equation] == [round(float(np.linalg.norm(v)), 3) for v in (raw, picture)]


def test_templates_and_their_mean(tiny):
    one = query.build(tiny, dict(terms=[text("red hair")], template="a face with {}"))
    assert np.allclose(one.vector, tiny.texts(["a face with red hair"])[0], atol=1e-6)
    two = query.build(tiny, dict(terms=[text("red hair")], template=["a face with {}", "someone with {}"]))
    mean = tiny.texts(["a face with red hair", "someone with red hair"]).mean(0)
    assert np.allclose(two.vector, unit(mean), atol=1e-6)
    braces = query.build(tiny, dict(terms=[text("{red} {0} hair")], template="a face with {}"))
    assert np.allclose(braces.vector, tiny.texts(["a face with {red} {0} hair"])[0], atol=1e-6)


def test_liked_and_disliked_as_a_mean(tiny):
    """Qdrant's average vector: positives + positives - negatives."""
    likes, dislikes = (np.random.default_rng(s).standard_normal((2, 32)).astype(np.float32) for s in (1, 2))
    q = query.build(tiny, {}, likes, dislikes)
    assert np.allclose(q.vector, unit(2 * likes.mean(0) - dislikes.mean(0)), atol=1e-6)
    q = query.build(tiny, dict(terms=[text("red hair")]), likes)
    words = tiny.texts(["red hair"])
    assert np.allclose(q.vector, unit(np.concatenate([words, likes]).mean(0)), atol=1e-6)
    assert q.equation[-1]["label"] == "2 liked pictures" and not q.best
    assert np.allclose(query.build(tiny, {}, None, dislikes).vector, -unit(dislikes.mean(0)), atol=1e-6)


def test_liked_ones_apart_and_words_as_one_of_them(tiny):
    likes, dislikes = np.eye(32, dtype=np.float32)[:2], np.eye(32, dtype=np.float32)[2:3]
    q = query.build(tiny, dict(terms=[text("red hair")], strategy="best"), likes, dislikes)
    assert q.best and len(q.likes) == 3 and len(q.dislikes) == 1
    assert np.allclose(q.likes[2], tiny.texts(["red hair"])[0], atol=1e-6)


def test_nothing_asked_is_no_vector(tiny):
    assert query.build(tiny, {}).vector is None
    assert query.build(tiny, dict(terms=[text("  "), text("red", 0)])).vector is None


def test_endless_text_is_cut_with_a_note_and_unknown_words_are_named(tiny):
    q = query.build(tiny, dict(terms=[text("red " * 50_000)]))
    assert np.isfinite(q.vector).all() and "cut off" in q.notes[0] and len(q.equation[0]["label"]) <= 60
    q = query.build(tiny, dict(terms=[text("a red zebra 🙂 zebra")]))
    assert q.unknown == ["zebra", "🙂"] and q.known == {"a", "red"}


BAD = {
    "not a number": (dict(terms=[text("red", math.nan)]), "between -10 and 10"),
    "a word as weight": (dict(terms=[text("red", "much")]), "between -10 and 10"),
    "infinite": (dict(terms=[text("red", math.inf)]), "between -10 and 10"),
    "fifty terms": (dict(terms=[text(f"red {n}") for n in range(50)]), "at most 8 terms, not 50"),
    "cancelled": (dict(terms=[text("red"), text("red", -1)]), "cancel each other"),
    "no list": (dict(terms="red"), "list of terms"),
    "no kind": (dict(terms=[dict(text="red")]), "a text or an image"),
    "a number as text": (dict(terms=[dict(kind="text", text=3)]), "line of text"),
    "another model's picture": (dict(terms=[dict(kind="image", vector=np.ones(7))]), "another model"),
    "no picture": (dict(terms=[dict(kind="image")]), "another model"),
    "a picture of zeros": (dict(terms=[dict(kind="image", vector=np.zeros(32))]), "no direction"),
    "a picture of NaN": (dict(terms=[dict(kind="image", vector=np.full(32, np.nan))]), "no direction"),
    "template without a place": (dict(terms=[text("red")], template="a face"), "{} once"),
    "template with two": (dict(terms=[text("red")], template="{} {}"), "{} once"),
    "template with a name": (dict(terms=[text("red")], template="{x} {}"), "{} once"),
    "template of numbers": (dict(terms=[text("red")], template=[1]), "line of text"),
    "unknown strategy": (dict(terms=[text("red")], strategy="median"), "'mean'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_request_may_not_hold(tiny, case):
    request, sentence = BAD[case]
    with pytest.raises(ValueError, match=sentence) as info:
        query.build(tiny, request)
    assert str(info.value).endswith(".") and "\n" not in str(info.value)


def test_only_dislikes_need_a_like_to_be_compared_one_by_one(tiny):
    with pytest.raises(ValueError, match="like as well"):
        query.build(tiny, dict(strategy="best"), None, np.eye(32, dtype=np.float32)[:1])


@pytest.mark.parametrize("given", ["5", 5, [1.5], [True], ["a"], {"a": 1}])
def test_pictures_are_marked_by_numbers(given):
    with pytest.raises(ValueError, match="numbers"):
        query.ids(given, "Liked pictures")


def test_marks_are_counted_and_doubled_ones_are_one():
    assert query.ids([3, 3, 5], "Liked pictures") == [3, 5] and query.ids(None, "x") == []
    with pytest.raises(ValueError, match="At most 32"):
        query.ids(list(range(33)), "Liked pictures")
