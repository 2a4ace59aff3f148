"""The CLIP tab's routes over HTTP, with the model that ships: what a page may send, and one sentence for what it may not."""

import json

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.clip_search import ui

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


@pytest.mark.parametrize("item", ["--5", "9" * 16, "7" * 5000, "1e3", "-1"])
def test_what_is_no_picture(site, item):
    sentence(site.get(X + "image", params={"item": item, "collection": "faces", "size": 64}))


def test_twenty_words_can_be_looked_for(site):
    body = {"terms": [RED], "where": [["caption", "has", "red " * 20]]}
    assert site.post(X + "search", content=json.dumps(body)).json()["matched"] > 0
