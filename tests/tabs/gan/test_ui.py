"""The GAN tab's routes: a page's desk from its first request to its last, the stream, exports, a class, and bad input."""

import asyncio
import base64
import io
import json

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import limits
from explorer.tabs.gan import ui
from explorer.tabs.gan.config import unpack_points
from tests.tabs.gan.test_packing import unpack

X = "/gradio_api/x/gan/"


@pytest.fixture(scope="module")
def site():
    """The tab's routes alone, on an app that asks nobody to log in."""
    with gr.Blocks():
        routes = ui.build()
    app = Starlette(routes=routes)
    app.auth = app.auth_dependency = None
    with TestClient(app) as client:
        yield client


class Page:
    """A page as the server knows it: a session."""

    def __init__(self, site, session):
        self.site, self.headers = site, {"x-session": session}

    def get(self, name, **query):
        return self.site.get(X + name, params=query, headers=self.headers)

    def post(self, name, body):
        return self.site.post(X + name, content=body, headers=self.headers)

    def do(self, command, **given):
        return self.post("do", json.dumps({"do": command, **given})).json()


@pytest.fixture
def page(site, request):
    page = Page(site, f"page-{abs(hash(request.node.name))}")
    page.do("open", lanes=[{"settings": {"seed": 4}}])
    yield page
    ui._floor().scheduler.leave(page.headers["x-session"])


def test_start_tells_all_the_page_needs(site):
    told = site.get(X + "start").json()
    assert len(told["toys"]) >= 10 and all(len(base64.b64decode(toy["thumb"])) == 24 * 24 for toy in told["toys"])
    assert set(told["presets"]) == {toy["name"] for toy in told["toys"]}
    assert all(preset["trained"] and preset["why"] for preset in told["presets"].values())
    assert len(told["failures"]) == 5 and {"csv", "script", "save"} <= set(told["exports"])
    assert {field["name"] for field in told["menu"]["fields"]} >= {"loss", "g_lr", "k_d", "batch"}


def test_a_page_that_the_server_does_not_know_is_told_so(site):
    stranger = Page(site, "stranger-1")
    assert stranger.do("play") == {"gone": True}
    assert stranger.get("frame").status_code == 400 and "forgotten" in stranger.get("frame").json()["error"]
    assert "reload" in site.get(X + "frame").json()["error"]


def test_two_pages_have_two_desks(site, page):
    other = Page(site, "another-page")
    other.do("open", lanes=[{"settings": {"data": "ring"}}])
    page.do("step", what="both")
    assert page.do("state")["lanes"][0]["step"] == 1 and other.do("state")["lanes"][0]["step"] == 0
    ui._floor().scheduler.leave("another-page")


def test_the_newest_moment_and_an_older_one(page):
    for _ in range(3):
        page.do("step", what="both")
    _, _, (lane,) = unpack(page.get("frame").content)
    assert lane["scalars"]["step"] == 3 and lane["scalars"]["d_updates"] == 6
    _, _, (old,) = unpack(page.get("frame", lane=0, step=1).content)
    assert old["scalars"]["step"] == 1 and not np.allclose(old["fakes"], lane["fakes"])


def test_the_film_of_a_run(page):
    for _ in range(5):
        page.do("step", what="both")
    data, steps = page.get("film", lane=0).content, []
    while data:
        size = int.from_bytes(data[:4], "little") + 4
        steps.append(unpack(data[:size])[2][0]["scalars"]["step"])
        data = data[size:]
    assert steps == [0, 1, 2, 3, 4, 5]


def test_the_scene(page):
    told = page.get("scene", lane=0).json()
    assert len(base64.b64decode(told["reals"])) == 450 * 4 and len(base64.b64decode(told["noise"])) == 256 * 2 * 4
    assert len(told["modes"]) == 2 and told["id"] == page.do("state")["lanes"][0]["scene"]


def test_curves(page):
    page.do("step", what="both")
    page.do("step", what="d")
    told = page.get("curves", lane=0).json()
    assert told["step"] == [1, 1] and told["g_loss"][1] is None and told["d_loss"][1] is not None
    assert told["metrics_step"] == [0, 1] and len(told["js"]) == 2


def test_the_stream_speaks_when_something_moves(page):
    """Read without a network, so that the test ends when it has seen enough."""
    session = page.headers["x-session"]
    desk = ui._floor().scheduler.desk(session)

    async def watch():
        messages = ui._messages(session, desk)
        first = unpack(await anext(messages))
        assert ui._floor().scheduler.viewers >= 1
        await asyncio.to_thread(page.do, "speed", speed=1000)
        await asyncio.to_thread(page.do, "play")
        seen = []
        while len(seen) < 4:
            told, fps, lanes = unpack(await asyncio.wait_for(anext(messages), 30))
            if lanes:
                seen.append(lanes[0]["scalars"]["step"])
        await asyncio.to_thread(page.do, "pause")
        await messages.aclose()
        return first, seen, fps

    (told, _, lanes), seen, fps = asyncio.run(watch())
    assert told["lanes"][0]["settings"]["seed"] == 4 and "notes" in told and lanes[0]["scalars"]["step"] == 0
    assert seen[-1] > seen[0] and 2 <= fps <= 25
    assert session not in ui._floor().bells


def test_the_stream_ends_with_the_page(page):
    session = page.headers["x-session"]

    async def watch():
        messages = ui._messages(session, ui._floor().scheduler.desk(session))
        await anext(messages)
        ui._floor().scheduler.leave(session)
        ui._floor().ring(session)
        return [message async for message in messages]

    assert asyncio.run(watch()) == []


def test_a_page_has_three_streams_at_most(page):
    session = page.headers["x-session"]
    desk = ui._floor().scheduler.desk(session)

    async def watch():
        streams = [ui._messages(session, desk) for _ in range(4)]
        for stream in streams:
            await anext(stream)
        oldest = [message async for message in streams[0]]
        assert len(ui._floor().bells[session]) == 3
        for stream in streams[1:]:
            await stream.aclose()
        return oldest

    assert asyncio.run(watch()) == [] and session not in ui._floor().bells


def test_more_viewers_get_fewer_pictures_each():
    class Floor:
        cost = 1e-3

        class scheduler:
            viewers = 1

    class Desk:
        frames = 25

    assert ui._pace(Floor, Desk) == 25
    Floor.scheduler.viewers = 100
    assert ui._pace(Floor, Desk) == int(limits.FRAME_SHARE / 0.1)
    Floor.scheduler.viewers = 10_000
    assert ui._pace(Floor, Desk) == 2
    Desk.frames, Floor.scheduler.viewers = 8, 1
    assert ui._pace(Floor, Desk) == 8


def test_exports(page):
    for _ in range(3):
        page.do("step", what="both")
    table = page.get("export", kind="csv", lane=0).text.splitlines()
    assert table[0].startswith("round,d_loss,g_loss") and len(table) == 5 and {len(row.split(",")) for row in table} == {13}
    film = Image.open(io.BytesIO(page.get("export", kind="gif", lane=0).content))
    assert film.n_frames == 4 and film.width == 480
    assert page.get("export", kind="gif", lane=0).headers["cache-control"] == "no-store"
    assert "torch" in page.get("export", kind="script", lane=0).text
    saved = page.get("export", kind="save", lane=0)
    assert saved.headers["content-disposition"].endswith('round-3.safetensors"')

    page.do("reset")
    told = page.post("load", saved.content).json()
    assert told["lanes"][0]["step"] == 3 and told["lanes"][0]["origin"] == "loaded"
    assert page.do("undo")["lanes"][0]["step"] == 0
    for kind in ("exe", "", "../csv"):
        assert page.get("export", kind=kind).status_code == 400
    assert "not a run" in page.post("load", b"\x80\x04K\x01.").json()["error"]


def test_points_from_a_table(page):
    told = page.post("data", b"x;y\n0,5;0,5\n-0,5;0\n").json()
    if told.get("count") is None:
        told = page.post("data", b"x,y\n0.5,0.5\n-0.5,0\n").json()
    assert told["count"] == 2
    assert unpack_points(told["points"]) == pytest.approx(np.array([[0.5, 0.5], [-0.5, 0]]), abs=1e-4)
    answer = page.do("set", lane=0, changes={"data": "own", "points": told["points"]})
    assert answer["lanes"][0]["settings"]["data"] == "own"
    for table in (b"", b"hello, world", b"1,2", b"\x00\xff" * 50):
        answer = page.post("data", table)
        assert answer.status_code == 400 and answer.json()["error"].endswith(".")


def test_a_class(site, page):
    code = page.do("join", name="Ada")["room"]["code"]
    pupil = Page(site, "pupil-1")
    pupil.do("open", lanes=[{"settings": {"data": "ring"}}])
    assert pupil.get("wall", room=code).status_code == 400
    assert pupil.do("join", room=code.lower())["room"] == {"code": code, "people": 2, "name": ""}
    people = pupil.get("wall", room=code).json()["people"]
    assert [(one["name"], one["you"], one["data"]) for one in people] == [("Ada", False, "gaussians"), ("", True, "ring")]
    assert all(len(base64.b64decode(one["fakes"])) == 128 and one["sw"] > 0 for one in people)
    ui._floor().scheduler.leave("pupil-1")
    assert len(page.get("wall", room=code).json()["people"]) == 1
    assert "four letters" in page.do("join", room="12")["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"do": 1}', b'{"do": {"a": 1}}', b"[" * 100_000])
def test_what_is_no_command(page, body):
    answer = page.post("do", body)
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")


def test_odd_queries(page):
    for query in ({"lane": 9}, {"lane": -1}, {"lane": "x"}, {"lane": 0, "step": "1e9"}):
        answer = page.get("frame", **({"step": 0} | query))
        assert answer.status_code == 400 and answer.json()["error"].endswith(".")
    assert page.get("frame", lane=0, step=999_999_999).status_code == 200, "a round that is to come: the newest there is"


def test_a_run_for_programs():
    told = ui.gan_train({"data": "ring8", "seed": 2}, 30)
    assert told["rounds"] == 30 and len(told["fakes"]) == 256 and told["metrics"]["modes_total"] == 8
    assert told == ui.gan_train({"data": "ring8", "seed": 2}, 30)
    for settings, rounds in (({"wings": 2}, 3), ({}, -1), ({}, 10**9), (["x"], 3)):
        with pytest.raises(gr.Error):
            ui.gan_train(settings, rounds)
