"""The CLIP tab's routes over HTTP, with the model that ships: what a page may send, and one sentence for what it may not."""

import io
import json

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.clip_search import models, ui
from explorer.tabs.clip_search.library import Library

X = "/gradio_api/x/clip/"


@pytest.fixture(scope="module")
def site():
    """The tab's routes alone, on an app that asks nobody to log in, as one page asks them."""
    with gr.Blocks():
        routes = ui.build()
    app = Starlette(routes=routes)
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": "page-of-test-ui"}) as client:
        yield client
    ui._library().forget("page-of-test-ui")


def sentence(reply) -> str:
    assert reply.status_code == 400, reply.text
    said = reply.json()["error"]
    assert said.endswith(".") and len(said) < 250
    return said


RED = {"kind": "text", "text": "red hair", "weight": 1}
BAD = {
    "half a pair as template": ("search", {"terms": [RED], "template": "\ud800"}, "must hold {}"),
    "half a pair as templates": ("classify", {"ref": {"face": 1}, "labels": ["a", "b"], "templates": ["\ud800"]}, "must hold {}"),
    "half a pair as method": ("why", {"ref": {"face": 1}, "text": "red", "method": "\ud800"}, "no map called"),
    "half a pair as model": ("search", {"terms": [RED], "model": "\udfff"}, "no CLIP model of that name"),
    "a like beyond all numbers": ("search", {"terms": [RED], "likes": [10**30]}, "numbers between 0 and"),
    "a dislike below them": ("search", {"terms": [RED], "dislikes": [-1]}, "numbers between 0 and"),
    "an item beyond all numbers": ("why", {"ref": {"item": 10**30}, "text": "red"}, "whole number"),
    "an item of many digits": ("why", {"ref": {"item": "7" * 5000}, "text": "red"}, "whole number"),
    "an item of many signs": ("why", {"ref": {"item": "--5"}, "text": "red"}, "whole number"),
    "an item in other digits": ("why", {"ref": {"item": "٣"}, "text": "red"}, "whole number"),
    "a face that is half": ("why", {"ref": {"face": 1.5}, "text": "red"}, "whole number"),
    "words without end": ("search", {"terms": [RED], "where": [["caption", "has", "red " * 1100]]}, "At most 20 words"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_page_may_not_send_is_one_sentence(site, case):
    name, body, said = BAD[case]
    assert said in sentence(site.post(X + name, content=json.dumps(body)))


@pytest.mark.parametrize("item", ["--5", "9" * 16, str(2**53), "7" * 5000, "1e3", "-1"])
def test_what_is_no_picture(site, item):
    sentence(site.get(X + "image", params={"item": item, "collection": "faces", "size": 64}))


def test_twenty_words_can_be_looked_for(site):
    body = {"terms": [RED], "where": [["caption", "has", "red " * 20]]}
    assert site.post(X + "search", content=json.dumps(body)).json()["matched"] > 0


@pytest.fixture
def upload(site):
    """upload(seed) -> what the server tells of a picture that joins this page's own collection"""

    def send(seed):
        file, pixels = io.BytesIO(), np.random.default_rng(seed).integers(0, 256, (96, 128, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, "PNG")
        return site.post(X + "upload", params={"name": f"{seed}.png"}, content=file.getvalue()).json()

    site.post(X + "forget", content="{}")
    yield send
    site.post(X + "forget", content="{}")


def test_a_picture_that_may_change_is_kept_by_its_version_alone(site, upload):
    """A visitor's pictures are numbered from 0 again after they were dropped; a browser may not show the old one."""
    mine = {"collection": "mine", "session_hash": "page-of-test-ui", "size": 64}
    seen = []
    for seed in (1, 2):
        upload(seed)
        hit = site.post(X + "search", content=json.dumps({"terms": [RED], "collection": "mine"})).json()["hits"][0]
        kept = site.get(X + "image", params=mine | {"item": hit["id"], "v": hit["version"]})
        assert "max-age" in kept.headers["cache-control"] and hit["id"] == 0
        assert "no-cache" in site.get(X + "image", params=mine | {"item": 0}).headers["cache-control"]
        seen.append((hit["version"], kept.content))
        site.post(X + "forget", content="{}")
    assert seen[0][0] != seen[1][0] and seen[0][1] != seen[1][1]
    for stays in ({"face": 3}, {"item": 3, "collection": "faces"}):
        assert "max-age" in site.get(X + "image", params=stays | {"size": 64}).headers["cache-control"]


def test_a_folder_that_only_another_model_knows_shows_its_pictures(site, monkeypatch, tmp_path, tiny_folder):
    root = tmp_path / "pictures"
    root.mkdir()
    for seed in range(3):
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(root / f"{seed}.png")
    library = Library([root], tmp_path / "data")
    monkeypatch.setenv("EXPLORER_CLIP", str(tiny_folder))
    monkeypatch.setattr(ui, "_library", lambda: library)
    try:
        body = {"action": "build", "root": library.roots()[0]["id"], "path": "", "model": "own"}
        name = site.post(X + "index", content=json.dumps(body)).json()["collection"]
        assert library.jobs.get(name).ended.wait(30)
        body = {"terms": [RED], "collection": name, "model": "own"}
        hits = site.post(X + "search", content=json.dumps(body)).json()["hits"]
        assert len(hits) == 3 and all(len(hit["version"]) == 8 for hit in hits)
        query = {"item": hits[0]["id"], "collection": name, "size": 64}
        shown = site.get(X + "image", params=query | {"model": "own", "v": hits[0]["version"]})
        assert shown.status_code == 200, shown.text
        assert np.asarray(Image.open(io.BytesIO(shown.content))).shape == (64, 64, 3)
        assert "not indexed with this model" in sentence(site.get(X + "image", params=query))
    finally:
        library.close()
        models._loaded.pop("own", None)
