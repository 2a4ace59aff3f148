import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from explorer import corpus
from explorer.index import open_index
from explorer.tabs.clip_search import query, search, sure

COLOURS = ("hair colour", "skin", "shirt", "background")
SHAPES = ("hair", "glasses", "mouth", "beard", "eyes", "brows")
FACES = 600


@pytest.fixture(scope="module")
def faces(avatars):
    """The first faces of the split "test", indexed as the bundled collection is."""
    images, rows = corpus.batch("test", 0, FACES)
    attributes = [{f"attr.{factor}": value for factor, value in corpus.describe(row).items()} for row in rows]
    index = open_index(":memory:", avatars.dim, avatars.fingerprint, server="")
    index.upsert(range(FACES), avatars.images(images), [{"name": str(i), "path": str(i)} | attributes[i] for i in range(FACES)])
    return SimpleNamespace(index=index, rows=rows)


def ask(text, **more):
    return dict(terms=[dict(kind="text", text=text, weight=1)], **more)


def questions(rows, kind, factors, n, seed=0):
    """Captions that name so many attributes that some face has, and those attributes: factor -> value."""
    rng = np.random.default_rng(seed)
    for number in range(n):
        row = corpus.describe(rows[rng.integers(len(rows))])
        there = [factor for factor in kind if row[factor] != "none"]
        if len(there) >= factors:
            chosen = rng.choice(there, factors, False).tolist()
            values = [corpus.FACTORS[factor].index(row[factor]) for factor in corpus.FACTORS]
            yield corpus.caption(values, number, 0, chosen), {factor: row[factor] for factor in chosen}


def rates(model, faces, kind, n):
    """Per number of attributes: shares of "sure" and of "no" among the best ten that fit; of "sure" among the best ten of what a
    filter leaves when it takes away all that has any of the attributes; and of answers "nothing here matches"."""
    out = {}
    for factors in (1, 2, 3):
        good, bad, nothing, missed = [], [], [], []
        for text, values in questions(faces.rows, kind, factors, n, seed=factors):
            answer = search.search(model, faces, ask(text, size=10))
            fits = [all(hit["attributes"][f] == v for f, v in values.items()) for hit in answer["hits"]]
            good += [hit["sure"] for hit, fit in zip(answer["hits"], fits) if fit]
            missed.append(bool(answer["nothing"]))
            where = [[f"attr.{f}", "in", [x for x in corpus.FACTORS[f] if x != v]] for f, v in values.items()]
            answer = search.search(model, faces, ask(text, size=10, where=where))
            bad += [hit["sure"] for hit in answer["hits"]]
            nothing.append(bool(answer["nothing"]))
        out[factors] = {
            "sure of what fits": np.mean([v == "sure" for v in good]), "no to what fits": np.mean([v == "no" for v in good]),
            "sure of what does not": np.mean([v == "sure" for v in bad]), "nothing, rightly": np.mean(nothing),
            "nothing, wrongly": np.mean(missed),
        }  # fmt: skip
    return out


NONSENSE = (
    "zebra", "a zebra in the sea", "quantum mechanics", "🙂", "xyzzy plugh", "a car", "an elephant riding a bicycle", "ein Hund",
    "的", "a dog and a cat", "photo of a house", "12345",
)  # fmt: skip


def test_what_is_there_is_found_surely_and_what_is_not_is_said_to_be_missing(avatars, faces):
    for factors, rate in rates(avatars, faces, COLOURS, 20).items():
        assert rate["sure of what fits"] >= 0.9, (factors, rate)
        assert rate["no to what fits"] <= 0.02, (factors, rate)
        assert rate["sure of what does not"] <= 0.05, (factors, rate)
        assert rate["nothing, rightly"] >= 0.85 and rate["nothing, wrongly"] <= 0.05, (factors, rate)


def test_shapes_are_less_sure_than_colours_but_seldom_wrong(avatars, faces):
    for factors, rate in rates(avatars, faces, SHAPES, 20).items():
        assert rate["sure of what fits"] >= 0.85, (factors, rate)
        assert rate["sure of what does not"] <= 0.2 and rate["nothing, wrongly"] <= 0.05, (factors, rate)


@pytest.mark.parametrize("text", NONSENSE)
def test_words_the_model_never_learnt_match_nothing(avatars, faces, text):
    answer = search.search(avatars, faces, ask(text))
    assert answer["nothing"], [hit["z"] for hit in answer["hits"][:3]]
    assert {hit["sure"] for hit in answer["hits"]} == {"no"}


def test_half_of_what_is_asked_is_a_maybe(avatars, faces):
    """Red hair is there, a blue shirt is not: two colours of which one fits."""
    verdicts = []
    for text, values in questions(faces.rows, COLOURS, 2, 20, seed=9):
        f, v = list(values.items())[0]
        where = [[f"attr.{f}", "in", [x for x in corpus.FACTORS[f] if x != v]]]
        verdicts += [hit["sure"] for hit in search.search(avatars, faces, ask(text, where=where, size=5))["hits"]]
    assert np.mean([v == "maybe" for v in verdicts]) >= 0.5 and np.mean([v == "sure" for v in verdicts]) <= 0.25


def test_a_picture_is_sure_of_itself_and_not_of_strangers(avatars, faces):
    vector = faces.index.get([5])[0].vector
    hits = search.search(avatars, faces, dict(terms=[dict(kind="image", vector=vector)], size=96))["hits"]
    assert hits[0]["id"] == 5 and hits[0]["sure"] == "sure"
    least = search.search(avatars, faces, dict(terms=[dict(kind="image", vector=vector)], least=True))["hits"]
    assert {hit["sure"] for hit in least} == {"no"}


def test_background_texts_are_many_different_and_of_every_length(tiny):
    for texts in (sure.captions(), sure.everyday()):
        lengths = [len(text.split()) for text in texts]
        assert len(texts) == sure.TEXTS and min(lengths) <= 2 and max(lengths) >= 9
    assert len(set(sure.everyday())) == sure.TEXTS and len(set(sure.captions())) > 0.8 * sure.TEXTS
    assert sure.everyday() == sure.everyday() and sure.captions() == sure.captions()
    made = sure.background(tiny)
    assert made is sure.background(tiny) and made.vectors.shape == (sure.TEXTS, 32)
    near = sure.near(made, 4)
    order = np.argsort(np.abs(made.pieces - 4), kind="stable")[: sure.NULLS]
    assert np.array_equal(near, made.vectors[order])


def test_background_texts_are_encoded_once_however_many_ask_at_once(tiny, monkeypatch):
    monkeypatch.setattr(sure, "_backgrounds", OrderedDict())
    encode, asked, together = sure._encoded, [], threading.Barrier(4)

    def once(model):
        asked.append(model)
        time.sleep(0.05)  # the others arrive meanwhile
        return encode(model)

    monkeypatch.setattr(sure, "_encoded", once)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: (together.wait(), sure.background(tiny))[1], range(4)))
    assert len(asked) == 1 and all(one is got[0] for one in got)
    monkeypatch.setattr(sure, "_backgrounds", OrderedDict())
    monkeypatch.setattr(sure, "_encoded", lambda model: 1 / 0)
    for _ in range(2):  # one that fails holds up nobody
        with pytest.raises(ZeroDivisionError):
            sure.background(tiny)


def collection(n, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((n, 32)).astype(np.float32)
    index = open_index(":memory:", 32, "test", server="")
    index.upsert(range(n), vectors, [{"name": str(i), "path": str(i)} for i in range(n)])
    return index


def test_a_pictures_unrelated_ones_are_the_collections(tiny):
    index = collection(100)
    vectors = np.stack([item.vector for item in index.get(range(100))])
    q = query.build(tiny, dict(terms=[dict(kind="image", vector=vectors[3], weight=1)]))
    ruler = sure.ruler(tiny, index, q)
    assert (ruler.nulls @ vectors.T).max(1).min() > 0.999
    z = ruler.z(vectors[:2], vectors[:2] @ vectors[3])
    cos = vectors[:2] @ ruler.nulls.T
    assert np.allclose(z, (vectors[:2] @ vectors[3] - cos.mean(1)) / cos.std(1), atol=1e-5)


def test_an_equations_unrelated_ones_are_equations(tiny):
    """Two texts with a minus sign: each null is a difference of two background texts, of length 1."""
    terms = [dict(kind="text", text="red hair", weight=1), dict(kind="text", text="blue hair", weight=-1)]
    ruler = sure.ruler(tiny, collection(30), query.build(tiny, dict(terms=terms)))
    texts = sure.near(sure.background(tiny), 2)
    differences = texts[:, None] - texts[None]
    differences /= np.maximum(np.linalg.norm(differences, axis=-1, keepdims=True), 1e-9)
    assert all((differences @ null).max() > 0.9999 for null in ruler.nulls[:10])


def test_what_has_no_measure(tiny):
    eye = np.eye(32, dtype=np.float32)
    assert sure.ruler(tiny, collection(30), query.build(tiny, {})) is None
    assert sure.ruler(tiny, collection(30), query.build(tiny, dict(strategy="best"), eye[:2])) is None
    assert sure.ruler(tiny, collection(5), query.build(tiny, {}, eye[:2])) is None
    assert sure.ruler(tiny, collection(30), query.build(tiny, {}, eye[:2], eye[2:4])).nulls.shape == (sure.NULLS, 32)
