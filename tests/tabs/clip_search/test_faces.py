"""Faces as material: vectors once per model, and what a text says about a face. Claims in captions: test_matrix.py."""

import threading

import numpy as np
import pytest

from explorer import corpus
from explorer.tabs.clip_search import faces


class Counting:
    """A model whose vectors are the mean colours of its pictures, and which counts what it was asked to look at."""

    dim, size = 3, 64

    def __init__(self, name):
        self.fingerprint, self.looked = name, 0

    def images(self, images, raw=False):
        self.looked += len(images)
        x = np.asarray(images).mean((1, 2)).astype(np.float32)
        return x if raw else faces.unit(x)


@pytest.fixture
def model(request):
    yield Counting(request.node.name)
    faces._vectors.pop(request.node.name, None)


def test_faces_are_looked_at_once(model):
    expected = corpus.render(np.arange(70) + corpus.SPLITS["test"].start).mean((1, 2))
    np.testing.assert_allclose(faces.vectors(model, 40, raw=True), expected[:40], rtol=1e-5)
    np.testing.assert_allclose(faces.vectors(model, 70, raw=True), expected, rtol=1e-5)
    np.testing.assert_allclose(faces.vectors(model, [5, 69, 5]), faces.unit(expected[[5, 69, 5]]), rtol=1e-5)
    assert model.looked == 70


def test_faces_beyond_the_bundled_ones_are_not_kept(model):
    assert faces.vectors(model, [faces.MOST + 3]).shape == (1, 3) and faces.vectors(model, []).shape == (0, 3)
    assert model.looked == 1


def test_what_was_handed_out_is_the_askers_own(model):
    first = faces.vectors(model, 5, raw=True)
    first[:] = 0
    assert faces.vectors(model, 5, raw=True).min() > 0


def test_visitors_at_once_wait_for_the_same(model):
    threads = [threading.Thread(target=faces.vectors, args=(model, 100)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert model.looked == 100


def test_few_models_are_kept():
    names = [f"kept {i}" for i in range(faces.KEPT + 2)]
    for name in names:
        faces.vectors(Counting(name), 1)
    assert len(faces._vectors) == faces.KEPT and names[-1] in faces._vectors
    for name in names:
        faces._vectors.pop(name, None)


@pytest.mark.parametrize(
    "text, found",
    [
        ("red hair", {"hair colour": "red"}),
        ("Short RED hair, a blue shirt", {"hair": "short", "hair colour": "red", "shirt": "blue"}),
        ("a black afro", {"hair": "afro", "hair colour": "black"}), ("no beard", {"beard": "none"}),
        ("a beard", {"beard": "full"}),
        ("no glasses", {"glasses": "none"}), ("sunglasses", {"glasses": "sunglasses"}), ("round glasses", {"glasses": "round"}),
        ("brown skin and brown hair", {"skin": "brown", "hair colour": "brown"}), ("red", {}), ("happiness", {}), ("", {}),
        ("a sad mouth and happy eyes", {"mouth": "sad", "eyes": "happy"}), ("smiling", {"mouth": "smile"}),
        ("hair in a bun with flowers", {"hair": "bun"}),
    ],
)  # fmt: skip
def test_claims(text, found):
    assert faces.claims(text) == found


def test_phrases_are_what_the_claims_are_read_from():
    text = "someone wearing a Blue shirt, with short red hair and no beard"
    assert faces.phrases(text) == ["red hair", "short red hair", "Blue shirt", "beard", "no beard"]
    assert faces.phrases("nothing") == []


def test_shows_are_all_of_it():
    rows = faces.attributes(range(300))
    wanted = {"hair colour": "red", "shirt": "blue"}
    expected = [corpus.describe(row)["hair colour"] == "red" and corpus.describe(row)["shirt"] == "blue" for row in rows]
    assert faces.shows(rows, wanted).tolist() == expected and any(expected)
    assert faces.shows(rows, {}).all()


@pytest.mark.parametrize(
    "ref, number", [({"face": 3}, 3), ({"face": -1}, None), ({"face": 10**7}, None), ({"face": True}, None), ({"item": 4}, None),
                    (None, None), ("face", None), ({"face": "3"}, None)]
)  # fmt: skip
def test_numbers_of_references(ref, number):
    assert faces.number(ref) == number


def test_numbers_of_requests():
    assert faces.asked({}, "n", 5, 1, 9) == 5 and faces.asked({"n": 7.0}, "n", 5, 1, 9) == 7
    assert isinstance(faces.asked({"n": 7.0}, "n", 5, 1, 9), int) and faces.asked({"x": 1}, "x", 0.5, 0, 1) == 1.0
    for bad in (0, 10, 2.5, "3", True, float("nan"), float("inf"), [3]):
        with pytest.raises(ValueError, match="n takes a whole number from 1 to 9"):
            faces.asked({"n": bad}, "n", 5, 1, 9)


def test_texts_of_requests():
    assert faces.words({"text": "  red \n hair "}, "text", "x") == "red hair" and faces.words({}, "text", "x") == "x"
    for bad in ("", "  ", 3, ["red"]):
        with pytest.raises(ValueError, match="Write something for text"):
            faces.words({"text": bad}, "text", "x")
