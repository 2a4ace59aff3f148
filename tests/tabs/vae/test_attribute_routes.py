"""The routes of the attributes: shapes, agreement with the engines, other pages' pictures, and what is refused."""

import base64
import io
import json
from weakref import WeakKeyDictionary

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import corpus
from explorer.tabs.vae import (
    attribute_effects,
    attribute_pool,
    attribute_routes,
    attribute_stack,
    engine,
    model,
    models,
    subjects,
)
from explorer.tabs.vae.sources import Own

ROOT = "/gradio_api/x/vae/attributes/"
GLASSES = "glasses,none,sunglasses,mean,,,1"


@pytest.fixture(scope="module")
def site():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attribute_pool, "FIT", 400)  # enough for a direction, and encoded in a moment
        patch.setattr(attribute_pool, "HELD", 120)
        patch.setattr(attribute_effects, "FACES", 12)
        patch.setattr(attribute_effects, "DRIFTERS", 4)
        patch.setattr(attribute_pool, "_made", WeakKeyDictionary())
        app = Starlette(routes=attribute_routes.routes())
        app.auth = app.auth_dependency = None
        with TestClient(app, headers={"x-session": "attribute-page"}) as client:
            yield client


@pytest.fixture(scope="module")
def ask(site):
    return lambda path, **query: site.get(ROOT + path, params=query)


@pytest.fixture(scope="module")
def tell(site):
    return lambda path, **given: site.post(ROOT + path, json=given)


@pytest.fixture(scope="module")
def start(ask):
    return done(ask, "start")


@pytest.fixture(scope="module")
def own():
    """A model of a page's own, of pictures of which nothing is known."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    net = model.Vae(model.Config(32, 3, (8, 8, 16)))
    small = engine.Vae(net, Own("mine", pixels), np.ones((32, 32), np.float32), {"title": "Mine", "beta": 1.0, "version": "v1"})
    name = models.keep("attribute-page", small)
    yield name
    models.left("attribute-page")


def done(ask, path, **query) -> dict:
    """Asks until it is there."""
    told = {"state": "busy"}
    while told.get("state") == "busy":
        answer = ask(path, **query)
        assert answer.status_code == 200, answer.text
        told = answer.json()
    return told


def sprite(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    count, height, width, channels = map(int, answer.headers["x-shape"].split(","))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    rows = sheet.reshape(-1, height, sheet.shape[1] // width, width, channels).swapaxes(1, 2)
    return rows.reshape(-1, height, width, channels)[:count]


def unpacked(text: str, size: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, size, size, 3)


def close(a, b) -> bool:
    """The decoder's last bit depends on the size of the batch."""
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


# --- Faces ---


def test_what_the_page_starts_with(start):
    assert list(start["factors"]) == list(corpus.FACTORS) and start["fit"] == 400 and start["held"] == 120
    assert len(start["usual"]) == 10 and GLASSES in start["usual"] and start["reader"] == "the judge"
    assert set(start["methods"]) == {"mean", "probe", "svm", "lda"} and len(start["equation"]) == 3


def test_random_pictures_are_the_pools(ask, start):
    first, more = corpus.batch("val", 500, 20)[0], corpus.batch("val", 0, 4)[0]  # round and round
    assert np.array_equal(sprite(ask("faces", **{"from": 500})), np.concatenate([first, more]))


def test_directions_are_told_by_every_method(tell, start):
    told = tell("directions", edit=GLASSES, picture="gallery:0").json()
    assert told["order"] == ["mean", "probe", "svm", "lda"] and told["like"] is None
    vae = models.get()
    for method in told["order"]:
        edit = attribute_stack.parse(GLASSES.replace("mean", method))[0]
        found = attribute_stack.direction(vae, "", edit)
        assert np.allclose(told["methods"][method]["step"], found.step, atol=1e-4)
        assert told["methods"][method]["dose"] == pytest.approx(found.dose, abs=1e-3)
        assert told["methods"][method]["accuracy"] > 0.9
    assert np.allclose(np.diag(told["cosines"]), 1) and np.allclose(told["cosines"], np.transpose(told["cosines"]))


def test_a_look_is_the_stack_decoded(tell, start):
    text = GLASSES + ";mouth,sad,smile,probe,,,-0.5"
    told = tell("look", picture="gallery:1", stack=text).json()
    vae = models.get()
    applied = attribute_stack.apply(vae, "", "gallery:1", attribute_stack.parse(text))
    assert np.allclose(told["z"], applied.z, atol=1e-4) and told["doses"] == [1.0, -0.5]
    before, after = unpacked(told["pixels"], 64)
    assert close(after, vae.decode(applied.z[None])[0]) and close(before, vae.decode(applied.mu[None])[0])
    assert [one["factor"] for one in told["read"][1]] == list(corpus.FACTORS)
    plain = tell("look", picture="gallery:1", stack="").json()
    assert plain["z"] == plain["mu"] and plain["cosines"] == []


def test_the_film_holds_the_exact_picture(ask, tell, start):
    frames = sprite(ask("film", picture="gallery:1", stack=GLASSES, which=0))
    exact = unpacked(tell("look", picture="gallery:1", stack=GLASSES).json()["pixels"], 64)[1]
    assert len(frames) == 33 and close(frames[24], exact)  # +1 dose
    read = ask("reading", picture="gallery:1", stack=GLASSES, which=0).json()
    assert len(read["wanted"]) == 33 and read["wanted"][24] > 0.5 > read["wanted"][16] and 0 < read["flip"] <= 1
    for kind, begins in (("gif", b"GIF8"), ("strip", b"\x89PNG")):
        file = ask("film", picture="gallery:1", stack=GLASSES, which=0, format=kind)
        assert file.content.startswith(begins) and "attachment" in file.headers["content-disposition"]


def test_a_row_and_what_keeping_costs(ask, start):
    row = done(ask, "row", edit=GLASSES)["answer"]
    assert row["faces"] == 12 and row["hit"] > 0.8 and set(row["moved"]) == set(corpus.FACTORS)
    kept = done(ask, "kept", edit="hair colour,black,blonde,mean,beard,span,1")["answer"]
    assert set(kept) == {"plain", "span", "white", "alike"}
    pairs = sprite(ask("examples", edit=GLASSES, numbers=",".join(map(str, row["worst"]["glasses"]))))
    assert len(pairs) == 12 and not np.array_equal(pairs[0], pairs[1])
    curves = done(ask, "drift", edit=GLASSES)["answer"]
    assert len(curves["dose"]) == len(curves["kept"]) == 13 and curves["cosine"][0] == pytest.approx(1, abs=1e-4)


def test_the_matrix_is_square(ask, start):
    rows = done(ask, "matrix", method="mean")["answer"]
    assert [row["edit"] for row in rows] == start["usual"]
    for row in rows:
        assert set(row["moved"]) == set(corpus.FACTORS) and row["moved"][row["edit"].split(",")[0]] > 0.3


def test_the_equation_that_the_page_begins_with_adds_up(tell, start, monkeypatch):
    monkeypatch.setattr(attribute_pool, "FIT", 4000)  # so that its pictures have numbers here
    from explorer.tabs.vae.attribute_equation import USUAL

    terms = [{"picture": name, "weight": weight} for name, weight in USUAL]
    told = tell("equation", terms=terms).json()
    assert told["open"] == 0 and told["right"] == 10, told["wanted"]
    assert len(unpacked(told["pictures"], 64)) == 5 and len(told["read"]) == 5


def test_an_uploaded_face_belongs_to_its_page(site, tell, start):
    file = io.BytesIO()
    Image.fromarray(corpus.batch("test", 30, 1)[0][0]).save(file, "PNG")
    name = subjects.keep("attribute-page", file.getvalue())["picture"]
    own_edit = f"own,{name},gallery:0,mean,,,1"
    told = tell("directions", edit=own_edit, picture=name).json()
    assert told["order"] == ["mean"] and told["like"]["factor"] in corpus.FACTORS
    assert tell("look", picture=name, stack=own_edit).status_code == 200
    other = site.post(ROOT + "look", json={"picture": name, "stack": ""}, headers={"x-session": "another-page"})
    assert other.status_code == 400 and "no longer here" in other.json()["error"]


# --- Other models ---


def test_a_model_of_ones_own_has_its_own_attributes(ask, tell, own):
    told = done(ask, "start", model=own)
    assert told["factors"] == {} and told["reader"] is None and told["usual"] == []
    edit = "own,random:3+random:4,gallery:0,mean,,,1"
    found = tell("directions", model=own, edit=edit, picture="gallery:1").json()
    assert len(found["methods"]["mean"]["step"]) == 3 and found["like"] is None
    looked = tell("look", model=own, picture="gallery:1", stack=edit).json()
    assert looked["size"] == 32 and looked["read"] == [[], []]
    assert sprite(ask("film", model=own, picture="gallery:1", stack=edit, which=0)).shape == (33, 32, 32, 3)
    assert tell("equation", model=own, terms=told["equation"]).json()["nearest"]["of"] == 0
    for path in ("row", "drift", "matrix"):
        assert "Nothing is known" in finally_(ask, path, model=own, edit=edit)


def finally_(ask, path, **query) -> str:
    """The sentence that it ends in."""
    while (answer := ask(path, **query)).status_code == 200 and answer.json()["state"] == "busy":
        pass
    assert answer.status_code == 400
    return answer.json()["error"]


def test_digits_are_read_by_a_classifier(ask, tell):
    told = done(ask, "start", model="digits-1")
    assert list(told["factors"]) == ["digit"] and told["reader"] == "a classifier of the pixels"
    found = tell("directions", model="digits-1", edit="digit,rest,3,mean,,,1", picture="gallery:0").json()
    assert len(found["methods"]["lda"]["step"]) == 2
    looked = tell("look", model="digits-1", picture="gallery:0", stack="digit,rest,3,mean,,,1").json()
    assert looked["read"][1][0]["factor"] == "digit"


# --- Bad input ---


@pytest.mark.parametrize(
    "path, query",
    [
        ("start", {"model": "nobody"}), ("start", {"model": "own-00000000"}), ("faces", {"from": "-1"}), ("faces", {"from": "x"}),
        ("film", {"stack": ""}), ("film", {"stack": GLASSES, "which": "5"}), ("film", {"stack": GLASSES, "which": "NaN"}),
        ("film", {"stack": "glasses,none,sunglasses,mean,,,nan"}), ("film", {"stack": GLASSES, "picture": "upload:ffff"}),
        ("film", {"stack": GLASSES, "format": "exe"}), ("film", {"stack": "glasses,none,hat,mean,,,1"}),
        ("matrix", {"method": "magic"}), ("row", {}), ("row", {"edit": GLASSES + ";" + GLASSES}), ("examples", {"edit": GLASSES}),
        ("examples", {"edit": GLASSES, "numbers": "9999999"}), ("examples", {"edit": GLASSES, "numbers": "99999"}),
        ("examples", {"edit": GLASSES, "numbers": "1,nan"}), ("examples", {"edit": GLASSES, "numbers": ",".join(["1"] * 13)}),
    ],
)  # fmt: skip
def test_a_bad_question_gets_one_sentence(ask, start, path, query):
    answer = ask(path, **query)
    assert answer.status_code == 400, answer.text
    sentence = answer.json()["error"]
    assert 10 < len(sentence) < 220 and sentence[0].isupper() and sentence.endswith(".") and "Traceback" not in sentence


@pytest.mark.parametrize(
    "path, given",
    [
        ("look", {"stack": 5}), ("look", {"stack": "glasses"}), ("look", {"picture": "gallery:999"}),
        ("look", {"model": "digits-9"}),
        ("look", {"picture": 7, "stack": "hat,a,b,mean,,,1"}), ("directions", {}), ("directions", {"edit": None}),
        ("directions", {"edit": "glasses,none,none,mean,,,1"}), ("equation", {}), ("equation", {"terms": [None]}),
        ("equation", {"terms": [{"picture": "gallery:0", "weight": float("nan")}]}),
        ("equation", {"terms": [{"picture": "random:-1", "weight": 1}]}),
        ("equation", {"terms": [{"picture": "gallery:0", "weight": 1}] * 9}),
    ],
)  # fmt: skip
def test_a_bad_command_gets_one_sentence(site, start, path, given):
    answer = site.post(ROOT + path, content=json.dumps(given))
    assert answer.status_code == 400, answer.text
    assert 10 < len(answer.json()["error"]) < 220


def test_a_page_that_leaves_takes_its_films_along(ask, start):
    own_edit = "own,gallery:3,gallery:4,mean,,,1"
    assert ask("film", picture="gallery:2", stack=own_edit, which=0).status_code == 200
    assert any(key[1] == "attribute-page" for key in attribute_routes._kept)
    attribute_routes.left("attribute-page")
    assert not any(key[1] == "attribute-page" for key in attribute_routes._kept)


def test_a_film_of_everybodys_picture_is_made_once_for_all(site, ask, start):
    query = {"picture": "gallery:3", "stack": GLASSES, "which": 0}
    assert ask("film", **query).status_code == 200
    kept = [key for key in attribute_routes._kept if "gallery:3" in key]
    assert kept and all(key[1] == "" for key in kept)
    assert site.get(ROOT + "film", params=query, headers={"x-session": "another-page"}).status_code == 200
    assert [key for key in attribute_routes._kept if "gallery:3" in key] == kept
