"""The routes of the view "Inside": shapes on the wire, agreement with the engines, and sentences for what is not there."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.diffusion import inside, inside_routes, runs, sampler

ROOT = "/gradio_api/x/diffusion/"
PAGE = "inside-page"
PROMPT = "someone with red hair and sunglasses"


@pytest.fixture(scope="module")
def site():
    app = Starlette(routes=inside_routes.routes())
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": PAGE}) as client:
        yield client
    runs.left(PAGE)


@pytest.fixture(scope="module")
def run(mini):
    made = runs.Run(mini, sampler.Settings(prompt=PROMPT, steps=4, seed=2))
    runs.start(PAGE, [made])
    assert made.over.wait(120) and made.state == "done"
    return made


@pytest.fixture(scope="module")
def ask(site):
    return lambda path, **query: site.get(ROOT + path, params=query)


def picture(sprite: dict) -> np.ndarray:
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite["png"]))))
    assert sheet.shape[1] == sprite["columns"] * sprite["width"] and sheet.shape[0] % sprite["height"] == 0
    return sheet


def test_tokens_tell_pieces_strange_words_and_what_else_could_stand_there(ask):
    told = ask("tokens", prompt="a zebra with red hair").json()
    assert [word["text"] for word in told["words"]] == ["a", "zebra", "with", "red", "hair"]
    assert told["unknown"] == ["zebra"] and told["swaps"]["3"]["factor"] == "hair colour"
    assert {"value": "red", "phrase": "red hair"} in told["chips"]["hair colour"]
    assert ask("tokens", prompt="").json()["words"] == []


def test_maps_come_as_bytes_for_every_layer(ask, run):
    told = ask("attention", run=run.id).json()
    for layer in told["layers"]:
        reply = ask("maps", run=run.id, layer=layer["name"])
        shape = [int(n) for n in reply.headers["x-shape"].split(",")]
        assert shape == [5, len(told["words"]), *layer["size"]]
        np.testing.assert_array_equal(np.frombuffer(reply.content, np.uint8).reshape(shape), inside.shares(run, layer["name"]))


def test_a_swap_brings_both_pictures_and_the_new_maps(site, run):
    reply = site.post(ROOT + "swap", json={"run": run.id, "word": 2, "other": "blue", "hold": 0.5})
    told = reply.json()
    assert told["prompt"] == PROMPT.replace("red", "blue") and told["held"] == 2
    assert np.prod(told["shape"]) == len(base64.b64decode(told["maps"]))
    assert picture(told["pictures"]).shape == (64, 128, 3) and picture(told["films"]).shape == (128, 256, 3)


def test_the_networks_of_a_step_are_told(ask, run):
    unet = ask("unet", run=run.id, step=3).json()
    assert unet["error"] < 1e-4 and len(unet["variants"]) == len(unet["skips"]) + 2
    assert picture(unet["pictures"]).shape[1] == 64 * len(unet["variants"])
    assert len(ask("unet", run=run.id, step=3, off="0").json()["variants"]) == 2
    decoder = ask("decoder", run=run.id, step=0).json()
    assert decoder["numbers"] == [256, 12288] and picture(decoder["picture"]).shape == (64, 64, 3)
    text = ask("text", run=run.id).json()
    assert text["prompt"] == PROMPT and text["width"] == 128


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("attention", {"run": "gone"}, "no longer here"),
        ("maps", {"run": "", "layer": "x"}, "no longer here"),
        ("unet", {"step": "4"}, "steps 0 to 3"),
        ("unet", {"step": "-1"}, "whole number"),
        ("unet", {"step": "0", "off": "a"}, "numbers of skip connections"),
        ("unet", {"step": "0", "off": "99"}, "skip connections 0 to 3"),
        ("unet", {"step": "0", "off": "0,1,2,3,0,1,2,3,0"}, "8 at most"),
        ("decoder", {}, "whole number"),
        ("maps", {"layer": "nowhere"}, "no such attention layer"),
        ("tokens", {"model": "nobody/nothing"}, "no diffusion model"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(ask, run, path, query, sentence):
    reply = ask(path, **{"run": run.id, **query})
    assert reply.status_code == 400 and sentence in reply.json()["error"], reply.text


def test_networks_are_opened_two_at_a_time(site, ask, run, monkeypatch):
    monkeypatch.setattr(inside_routes, "PATIENCE", 0.01)
    swapped = {"json": {"run": run.id, "word": 2, "other": "blue"}}
    with inside_routes._turn(), inside_routes._turn():
        for reply in (ask("unet", run=run.id, step=0), ask("decoder", run=run.id, step=0), site.post(ROOT + "swap", **swapped)):
            assert reply.status_code == 429 and reply.json()["error"].startswith("Others are looking"), reply.text
        assert ask("attention", run=run.id).status_code == 200  # which calls no network
    for _ in range(3):  # a refused question gives its place back too
        assert ask("unet", run=run.id, step=0, off="99").status_code == 400
    assert ask("unet", run=run.id, step=0, off="0").status_code == 200


def test_a_bad_swap_and_another_page_are_refused(site, run):
    assert site.post(ROOT + "swap", json={"run": run.id, "word": "2", "other": "blue"}).status_code == 400
    assert site.post(ROOT + "swap", json={"run": run.id, "word": 2, "other": "blue", "hold": "all"}).status_code == 400
    assert site.get(ROOT + "attention", params={"run": run.id}, headers={"x-session": "someone-else"}).status_code == 400
