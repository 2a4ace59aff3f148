"""The routes of the part "train": what a page asks in its life, and what it should not get."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.vae import models, training_desk, training_routes

ROOT = "/gradio_api/x/vae/train/"
SMALL = {"widths": [4, 4, 4], "batch": 8, "steps": 3}
SECONDS = 120


@pytest.fixture(scope="module")
def site():
    app = Starlette(routes=training_routes.routes())
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": "train-page"}) as client:
        yield client
    training_desk.left("train-page")


@pytest.fixture(scope="module")
def begun(site):
    """The page has asked what there is; the example is a tiny one."""
    true = training_desk.checked
    training_desk.checked = lambda given: true(SMALL | given)
    try:
        told = site.get(ROOT + "start").json()
        training_desk.example().wait(SECONDS)
    finally:
        training_desk.checked = true
    yield told
    training_desk._shared.runs.clear()
    models.forget(models.SHARED, training_desk.EXAMPLE)


@pytest.fixture(scope="module")
def run(site, begun):
    """A finished training of three steps: its name."""
    told = site.post(ROOT + "do", json={"do": "train", "settings": SMALL})
    assert told.status_code == 200, told.text
    training_desk.run("train-page", told.json()["run"]).wait(SECONDS)
    return told.json()["run"]


def news(site, run, since=0):
    """(the text, per moment its points and its sprite)."""
    reply = site.get(ROOT + "news", params={"run": run, "since": since})
    assert reply.status_code == 200, reply.text
    (length,) = struct.unpack("<I", reply.content[:4])
    told, at, moments = json.loads(reply.content[4 : 4 + length]), 4 + length, []
    for moment in told["moments"]:
        parts = [
            reply.content[at : at + moment["points"]],
            reply.content[at + moment["points"] : at + moment["points"] + moment["sprite"]],
        ]
        at += moment["points"] + moment["sprite"]
        moments.append(parts)
    assert at == len(reply.content)
    return told, moments


def test_the_first_view_has_a_training_without_a_click(begun, site):
    assert begun["menu"]["usual"]["data"] == "digits" and begun["example"] == training_desk.EXAMPLE
    assert [one["run"] for one in begun["runs"]] == [training_desk.EXAMPLE]
    told, moments = news(site, training_desk.EXAMPLE)
    assert told["runs"][0]["state"] == "done" and len(moments) >= 2


def test_a_film_comes_packed_and_only_what_is_new(site, run):
    told, moments = news(site, run)
    found = training_desk.run("train-page", run).film.moments
    assert [m["step"] for m in told["moments"]] == [m.step for m in found] and not told["more"]
    points, sprite = moments[-1]
    assert len(np.frombuffer(points, "<i2")) == 2 * 400 and Image.open(io.BytesIO(sprite)).size[0] == 256
    again, rest = news(site, run, told["moments"][-1]["number"] + 1)
    assert again["moments"] == [] and rest == []


def test_a_long_film_comes_in_pieces(site, run, monkeypatch):
    monkeypatch.setattr(training_routes, "PIECE", 1)
    told, moments = news(site, run)
    assert len(moments) == 1 and told["more"]


def test_the_state_of_the_page_without_a_film(site, run):
    told, moments = news(site, "")
    mine = next(one for one in told["runs"] if one["run"] == run)
    assert mine["state"] == "done" and mine["kept"] and moments == [] and told["upload"] is None


def test_points_have_labels_and_pictures_in_their_order(site, run):
    facts = site.get(ROOT + "facts", params={"run": run}).json()
    pictures = site.get(ROOT + "pictures", params={"run": run})
    assert len(facts["labels"]) == facts["held"] == 400 and facts["factors"] == {"digit": list("0123456789")}
    assert pictures.headers["x-shape"] == "400,32,32,3" and len(facts["shown"]) == 8


def test_a_model_is_saved_as_a_folder_in_a_zip(site, run):
    reply = site.get(ROOT + "save", params={"run": run})
    assert "vae-digits.zip" in reply.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        card = json.loads(archive.read("card.json"))
    assert card["steps"] == 3 and card["config"]["latent_dim"] == 2 and card["weights"] == "model.safetensors"


def test_a_saved_model_is_brought_back(site, run):
    file = site.get(ROOT + "save", params={"run": run}).content
    told = site.post(ROOT + "open", content=file).json()
    training_desk.run("train-page", told["run"]).wait(SECONDS)
    mine = next(one for one in news(site, told["run"])[0]["runs"] if one["run"] == told["run"])
    assert mine["state"] == "done" and mine["saved"] == mine["step"] == 3 and mine["kept"]
    script = site.get(ROOT + "script", params={"run": told["run"]}).json()["script"]
    assert "vae-digits.zip" in script
    compile(script, "script", "exec")
    site.post(ROOT + "do", json={"do": "delete", "run": told["run"]})


def test_the_python_of_a_training(site, run):
    text = site.get(ROOT + "script", params={"run": run}).json()["script"]
    assert "'steps': 3" in text and "'widths': [4, 4, 4]" in text
    compile(text, "script", "exec")


@pytest.mark.parametrize("kind, magic", [("gif", b"GIF8"), ("strip", b"\x89PNG")])
def test_a_film_as_a_file(site, run, kind, magic):
    reply = site.get(ROOT + "film", params={"run": run, "format": kind})
    assert reply.status_code == 200 and reply.content.startswith(magic)


def test_a_training_is_continued_and_deleted(site, begun):
    name = site.post(ROOT + "do", json={"do": "train", "settings": SMALL | {"seed": 3}}).json()["run"]
    training_desk.run("train-page", name).wait(SECONDS)
    assert site.post(ROOT + "do", json={"do": "continue", "run": name}).status_code == 200
    training_desk.run("train-page", name).wait(SECONDS)
    told = site.post(ROOT + "do", json={"do": "delete", "run": name}).json()
    assert all(one["run"] != name for one in told["runs"])


def test_pictures_are_brought_and_dropped(site, begun):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(3):
            picture = io.BytesIO()
            Image.fromarray(np.random.default_rng(i).integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(picture, "PNG")
            archive.writestr(f"{i}.png", picture.getvalue())
    assert site.post(ROOT + "zip", content=out.getvalue()).json()["upload"]["total"] in (0, 3)
    training_desk._reading.submit(lambda: None).result(SECONDS)  # after the one that reads
    assert news(site, "")[0]["upload"]["count"] == 3
    assert site.post(ROOT + "do", json={"do": "drop"}).json()["upload"] is None


@pytest.mark.parametrize("body", [
    {}, {"do": "dance"}, {"do": "train", "settings": {"beta": 99}}, {"do": "train", "settings": "digits"},
    {"do": "train", "settings": [1]},
    {"do": "stop"}, {"do": "stop", "run": "own-none"}, {"do": "stop", "run": 7}, {"do": "continue", "run": None},
    {"do": "delete", "run": "own-example"}, {"do": "stop", "run": "own-example"}, {"do": "train", "settings": {"data": "upload"}},
])  # fmt: skip
def test_commands_that_make_no_sense_are_one_sentence(site, begun, body):
    reply = site.post(ROOT + "do", json=body)
    assert reply.status_code == 400 and reply.json()["error"].endswith(".")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_command(site, content):
    assert site.post(ROOT + "do", content=content).status_code == 400


def test_numbers_that_json_does_not_have_are_refused(site, begun):
    reply = site.post(ROOT + "do", content=b'{"do": "train", "settings": {"beta": NaN}}')
    assert reply.status_code == 400 and "Beta" in reply.json()["error"]


@pytest.mark.parametrize("path", ["facts", "pictures", "save", "script", "film", "news"])
@pytest.mark.parametrize("name", ["own-none", "../etc", "x" * 500])
def test_a_training_that_is_not_here(site, begun, path, name):
    reply = site.get(ROOT + path, params={"run": name})
    assert reply.status_code == 400 and "no longer here" in reply.json()["error"]


@pytest.mark.parametrize("path", ["facts", "pictures", "save", "script", "film", "news"])
def test_another_pages_training_is_not_here_either(site, run, path):
    reply = site.get(ROOT + path, params={"run": run}, headers={"x-session": "someone-else"})
    assert reply.status_code == 400 and "no longer here" in reply.json()["error"]


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "9" * 30])
def test_since_is_a_whole_number(site, run, since):
    assert site.get(ROOT + "news", params={"run": run, "since": since}).status_code == 400


def test_every_route_wants_to_know_the_page(site):
    for path in ("start", "facts", "pictures", "save", "script", "film", "news"):
        assert site.get(ROOT + path, headers={"x-session": ""}).status_code == 400
    for path in ("do", "zip", "open"):
        assert site.post(ROOT + path, content=b"{}", headers={"x-session": ""}).status_code == 400


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(100)])
def test_a_zip_that_is_none(site, content):
    assert site.post(ROOT + "zip", content=content).status_code == 400
    reply = site.post(ROOT + "open", content=content)
    assert reply.status_code == 400 and "Save model" in reply.json()["error"]


def test_a_closed_page_leaves_nothing(site, begun):
    name = site.post(ROOT + "do", json={"do": "train", "settings": SMALL}, headers={"x-session": "closing"}).json()["run"]
    found = training_desk.run("closing", name)
    training_routes.left("closing")
    found.wait(SECONDS)
    assert training_desk.known("closing") is None
    with pytest.raises(ValueError):
        models.get(name, "closing")
