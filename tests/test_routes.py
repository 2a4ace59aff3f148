"""The binary routes on a real Gradio server, asked over real HTTP."""

import asyncio
import concurrent.futures
import io
import logging
import os
import socket
import threading
import time
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from PIL import Image

from explorer import assets, limits, routes

PAGE = {"x-session": "page-1"}
FRAMES = np.random.default_rng(0).integers(0, 256, (7, 8, 6, 3), dtype=np.uint8)


class Busy:
    """Counts who is being served, and holds them until it is told to let go."""

    def __init__(self):
        self.go, self.now, self.most, self.served, self.lock = threading.Event(), 0, 0, 0, threading.Lock()

    def __call__(self, request):
        with self.lock:
            self.now, self.served = self.now + 1, self.served + 1
            self.most = max(self.most, self.now)
        self.go.wait(10)
        with self.lock:
            self.now -= 1
        return routes.raw(FRAMES)


def launched(**options):
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from starlette.responses import JSONResponse

    async def numbers(request):
        return JSONResponse(routes.numbers(request.query_params.get("z"), 3, "z").tolist())

    async def size(request):
        return JSONResponse(len(await request.body()))

    async def fails(request):
        raise {"missing": assets.Missing("vae/none", "make train"), "other": KeyError("secret")}[request.query_params["how"]]

    async def film(request):
        if "format" in request.query_params:
            return routes.download(FRAMES, request.query_params, "test")
        return routes.png_sprite(FRAMES)

    thread = []

    def plain(request):
        thread.append(threading.current_thread().name)
        return JSONResponse(thread[-1])

    def echo(session, given):
        if given.get("bad"):
            raise ValueError("This is bad.")
        return {"session": session, "given": given, "thread": threading.current_thread().name}

    busy = Busy()
    with gr.Blocks(analytics_enabled=False) as demo:
        gr.Markdown("Nothing.")
    routed = [
        routes.get("numbers", numbers), routes.post("size", size), routes.get("fails", fails), routes.get("film", film),
        routes.get("plain", plain), routes.get("busy", busy), routes.command("echo", echo),
        routes.command("hold", lambda session, given: busy(given)),
        routes.get("raw", lambda request: routes.raw(FRAMES)),
    ]  # fmt: skip
    _, address, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, run_history=False, app_kwargs={"routes": routed}, **options
    )
    return demo, address.rstrip("/"), busy


@pytest.fixture(scope="module")
def open_server():
    demo, address, busy = launched()
    yield address + routes.PREFIX, busy
    demo.close()


@pytest.fixture(scope="module")
def locked_server():
    demo, address, _ = launched(auth=("a", "b"))
    yield address
    demo.close()


@pytest.fixture
def web(open_server):
    with httpx.Client(base_url=open_server[0], timeout=20, headers=PAGE) as client:
        yield client


def sentence(reply, status=400) -> str:
    assert reply.status_code == status
    assert reply.headers["cache-control"] == "no-store" and list(reply.json()) == ["error"]
    text = reply.json()["error"]
    assert text.endswith(".") and "\n" not in text and len(text) < 200
    return text


# --- The door ---


def test_a_visitor_who_is_not_logged_in_is_refused(locked_server):
    base = locked_server + routes.PREFIX
    for path in ("raw", "film", "numbers?z=1,2,3", "fails?how=other"):
        assert "log in" in sentence(httpx.get(base + path), 401)
    assert "log in" in sentence(httpx.post(base + "size", content=b"1234", headers=PAGE), 401)
    assert httpx.get(locked_server + "/config").status_code == 401  # Gradio's own door, for comparison

    for cookies in ({"access-token": "x"}, {"access-token-unsecure-": "None"}):
        assert httpx.get(base + "raw", cookies=cookies).status_code == 401


def test_a_visitor_who_has_logged_in_is_let_in(locked_server):
    with httpx.Client(base_url=locked_server) as client:
        assert client.post("/login", data={"username": "a", "password": "no"}).status_code == 400
        assert client.get(routes.PREFIX + "raw").status_code == 401
        assert client.post("/login", data={"username": "a", "password": "b"}).status_code == 200
        assert client.get(routes.PREFIX + "raw").status_code == 200
        assert client.post(routes.PREFIX + "size", content=b"1234", headers=PAGE).json() == 4
        client.get("/logout")
        assert client.get(routes.PREFIX + "raw").status_code == 401


def test_a_host_that_decides_who_is_logged_in_by_itself():
    """`auth_dependency=` of a mounted app, plain or a coroutine function."""

    async def later(request):
        return request.cookies.get("name")

    for decide in (later, lambda request: request.cookies.get("name")):
        app = SimpleNamespace(auth=None, auth_dependency=decide)
        known = [SimpleNamespace(app=app, cookies=cookies) for cookies in ({}, {"name": "ada"})]
        assert [asyncio.run(routes.logged_in(request)) for request in known] == [False, True]


def test_without_auth_everyone_is_let_in(web):
    assert web.get("raw").status_code == 200


# --- Numbers in ---


def test_numbers(web):
    assert web.get("numbers?z=0.5,-1,2e-1").json() == pytest.approx([0.5, -1, 0.2])
    assert web.get("numbers", params={"z": " 1. ,+2, .5 "}).json() == [1, 2, 0.5]
    assert routes.numbers("1,2", 2, "z").dtype == np.float32


@pytest.mark.parametrize(
    "z",
    ["", None, "1,2", "1,2,3,4", "1,2,", "nan,1,2", "inf,1,2", "-Infinity,1,2", "1,2,1e9", "1,2,100.1",
     "1_0,2,3", "١,٢,٣", "１,2,3", "0x1,2,3", "1,2,3;", "1,2,a",
     "1e,2,3", ".,1,2", "1,2,3" + " " * 5000, "1,2," + "0" * 500, ",,", "\x00,1,2", "1e999,1,2"],
)  # fmt: skip
def test_what_are_no_three_numbers(web, caplog, z):
    with caplog.at_level(logging.DEBUG, "explorer"):
        said = sentence(web.get("numbers", params={} if z is None else {"z": z}))
    assert "parameter z" in said and "3 numbers" in said or "plain numbers" in said or "-100 to 100" in said
    assert len(caplog.records) == 1 and caplog.records[0].exc_info is None


def test_an_endless_query(web):
    assert "too long" in sentence(web.get("numbers?z=" + "1," * 10_000))


def test_a_wrong_method(web):
    for reply in (web.post("numbers?z=1,2,3"), web.delete("raw"), web.put("raw", content=b"1")):
        assert sentence(reply, 405) == "This address answers GET only."
        assert reply.headers["allow"] == "GET, HEAD"
    assert sentence(web.get("size"), 405) == "This address answers POST only."
    assert web.head("raw").status_code == 200


# --- Trouble ---


def test_a_missing_model_names_the_command(web):
    assert "make train" in sentence(web.get("fails?how=missing"), 503)


def test_our_own_mistakes_are_logged_and_not_shown(web, caplog):
    said = sentence(web.get("fails?how=other"), 500)
    assert "secret" not in said
    assert caplog.records[-1].exc_info and "/x/fails" in caplog.text


# --- Pixels out ---


def test_raw(web):
    reply = web.get("raw")
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["cache-control"] == "private, max-age=3600"
    assert reply.headers["x-shape"] == "7,8,6,3"
    assert np.array_equal(np.frombuffer(reply.content, np.uint8).reshape(7, 8, 6, 3), FRAMES)
    assert routes.raw(FRAMES[0]).headers["x-shape"] == "1,8,6,3"


def test_a_sprite(web):
    reply = web.get("film")
    assert reply.headers["content-type"] == "image/png" and reply.headers["x-shape"] == "7,8,6,3"
    columns = int(reply.headers["x-columns"])
    sheet = np.asarray(Image.open(io.BytesIO(reply.content)))
    for i, frame in enumerate(FRAMES):
        y, x = divmod(i, columns)
        assert np.array_equal(sheet[8 * y : 8 * y + 8, 6 * x : 6 * x + 6], frame)
    assert int(reply.headers["content-length"]) == len(reply.content)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sprites_of_grey_and_of_transparent_frames(channels):
    frames = np.random.default_rng(1).integers(0, 256, (5, 4, 4, channels), dtype=np.uint8)
    reply = routes.png_sprite(frames)
    asyncio.run(reply.encode())
    sheet = np.asarray(Image.open(io.BytesIO(reply.body))).reshape(8, 12, channels)
    assert np.array_equal(sheet[4:8, 4:8], frames[4])


@pytest.mark.parametrize("kind, start", [("gif", b"GIF89a"), ("mp4", b"\0\0\0"), ("strip", b"\x89PNG")])
def test_downloads(web, kind, start):
    reply = web.get(f"film?format={kind}&fps=10&pingpong=1")
    assert reply.status_code == 200 and reply.content.startswith(start)
    assert reply.headers["content-disposition"].startswith('attachment; filename="test.')


def test_a_download_has_the_size_that_is_asked_for(web):
    assert max(Image.open(io.BytesIO(web.get("film?format=gif&size=256").content)).size) == 256


@pytest.mark.parametrize(
    "query",
    ["format=exe", "format=gif&size=1e3", "format=gif&size=-8", "format=gif&fps=0", "format=gif&size=9999", "format=gif&fps=nan"],
)
def test_what_cannot_be_downloaded(web, query):
    sentence(web.get("film?" + query))


# --- Uploads ---


def test_an_upload_up_to_the_cap(web, monkeypatch):
    assert web.post("size", content=b"x" * 1_000_000).json() == 1_000_000
    assert web.post("size", content=b"").json() == 0
    monkeypatch.setattr(limits, "UPLOAD_BYTES", 2_000_000)
    assert web.post("size", content=b"x" * 2_000_000).json() == 2_000_000
    assert "larger than 2 MB" in sentence(web.post("size", content=b"x" * 2_000_001), 413)


def test_an_upload_that_does_not_say_its_size_is_cut_off_while_it_streams(open_server):
    """Sent in chunks, with no end: the answer comes long before the sender would be done."""
    address = httpx.URL(open_server[0])
    sent = 0
    with socket.create_connection((address.host, address.port), timeout=10) as wire:
        head = f"POST {routes.PREFIX}size HTTP/1.1\r\nHost: x\r\nX-Session: page-1\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.sendall(head.encode())
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        try:
            while sent < 10 * limits.UPLOAD_BYTES:
                wire.sendall(chunk)
                sent += 0x10000
        except OSError:
            pass  # the server hung up
    assert limits.UPLOAD_BYTES <= sent < 3 * limits.UPLOAD_BYTES


def test_an_upload_that_never_ends_is_given_up(open_server, monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD_SECONDS", 0.3)
    address = httpx.URL(open_server[0])
    with socket.create_connection((address.host, address.port), timeout=10) as wire:
        head = f"POST {routes.PREFIX}size HTTP/1.1\r\nHost: x\r\nX-Session: page-1\r\nContent-Length: 100\r\n\r\n"
        wire.sendall(head.encode() + b"abc")
        assert wire.recv(4096).startswith(b"HTTP/1.1 408")


# --- Fair shares ---


def test_a_plain_handler_runs_in_a_thread(web):
    assert "MainThread" not in web.get("plain").json() and "routes" in web.get("plain").json()


def test_one_visitor_is_served_a_few_at_a_time_and_refused_beyond_his_line(monkeypatch):
    monkeypatch.setattr(limits, "IN_FLIGHT", 2)  # fewer than the event loop has threads for plain handlers
    monkeypatch.setattr(limits, "WAITING", 4)
    demo, fresh, busy = launched()
    try:
        pool = concurrent.futures.ThreadPoolExecutor(20)
        with pool, httpx.Client(base_url=fresh + routes.PREFIX, timeout=20) as client:
            mine = [pool.submit(client.get, "busy", headers={"x-session": "mine"}) for _ in range(12)]
            wait_for(lambda: sum(task.done() for task in mine) == 6)
            refused = [task.result() for task in mine if task.done()]
            assert all("too much at once" in sentence(reply, 429) for reply in refused)
            assert busy.most == 2

            # Another visitor, and another address of the same server, are served at once.
            assert client.get("raw", headers={"x-session": "yours"}).status_code == 200
            assert client.get("raw?session_hash=theirs").status_code == 200
            busy.go.set()
            assert sorted(task.result().status_code for task in mine) == [200] * 6 + [429] * 6
            assert busy.most == 2
    finally:
        busy.go.set()
        demo.close()


def test_what_its_page_has_dropped_while_it_waited_is_not_computed(monkeypatch):
    """A drag leaves many requests behind that nobody wants any more."""
    monkeypatch.setattr(limits, "IN_FLIGHT", 1)
    demo, fresh, busy = launched()
    address = httpx.URL(fresh)

    def ask(path):
        wire = socket.create_connection((address.host, address.port), timeout=10)
        wire.sendall(f"GET {routes.PREFIX}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return wire

    try:
        first = ask("busy")
        wait_for(lambda: busy.now == 1)
        dropped, wanted = [ask("busy") for _ in range(5)], ask("busy")
        time.sleep(0.3)  # they are in the line now
        [wire.close() for wire in dropped]
        time.sleep(0.3)
        busy.go.set()
        assert first.recv(100).startswith(b"HTTP/1.1 200") and wanted.recv(100).startswith(b"HTTP/1.1 200")
        assert busy.served == 2
    finally:
        busy.go.set()
        demo.close()


def wait_for(fact, seconds=10):
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- Commands ---


def test_a_command_is_json_in_and_json_out(open_server):
    url, _ = open_server
    told = httpx.post(url + "echo", content='{"a": [1, NaN, "é"]}', headers={"x-session": "page-1"})
    assert told.status_code == 200 and told.headers["cache-control"] == "no-store"
    assert told.json()["session"] == "page-1" and told.json()["given"] == {"a": [1, None, "é"]}
    assert told.json()["thread"] != "MainThread"


@pytest.mark.parametrize(
    "body", ["", "[]", "{", "3", "null", b"\xff\xfe", "[" * 100_000, '{"a":' + "[" * 5000 + "]" * 5000 + "}"]
)
def test_what_is_no_command(open_server, body):
    told = httpx.post(open_server[0] + "echo", content=body, headers={"x-session": "page-1"})
    assert (told.status_code, told.json()["error"]) == (400, "A command is a JSON object.")


def test_a_command_that_takes_long_holds_up_no_other_unless_its_body_is_large(monkeypatch):
    monkeypatch.setattr(limits, "UPLOADS", 1)
    monkeypatch.setattr(limits, "WAITING", 0)  # so that who would have to wait is told so
    demo, fresh, busy = launched()
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool, httpx.Client(base_url=fresh + routes.PREFIX, timeout=20) as client:

            def hold(body):
                tasks.append(pool.submit(client.post, "hold", content=body, headers=PAGE))
                wait_for(lambda: busy.now == len(tasks))

            tasks = []
            for _ in range(3):
                hold(b"{}")
            assert client.post("echo", content=b'{"a": 1}', headers=PAGE).json()["given"] == {"a": 1}
            hold(b"{}" + b" " * routes.SMALL_BYTES)
            assert "too much at once" in sentence(client.post("echo", content=b"{}", headers=PAGE), 429)
            busy.go.set()
            assert all(task.result().content == FRAMES.tobytes() for task in tasks)
            assert client.post("echo", content=b"{}", headers=PAGE).status_code == 200
    finally:
        busy.go.set()
        demo.close()


@pytest.mark.parametrize("session", ["", "abc", "x" * 65])
def test_a_command_of_no_page(open_server, session):
    told = httpx.post(open_server[0] + "echo", content="{}", headers={"x-session": session})
    assert told.status_code == 400 and "names no page" in told.json()["error"]


def test_a_command_that_makes_no_sense(open_server):
    told = httpx.post(open_server[0] + "echo", content='{"bad": 1}', headers={"x-session": "page-1"})
    assert (told.status_code, told.json()["error"]) == (400, "This is bad.")


def test_a_post_that_another_site_can_send_is_refused(open_server):
    """A page elsewhere sends plain text with any address it likes, but no header of its own without being allowed to."""
    url, plain = open_server[0] + "echo", {"content-type": "text/plain", "origin": "https://elsewhere.example"}
    for address in (url, url + "?session_hash=page-1"):
        assert "names no page" in sentence(httpx.post(address, content="{}", headers=plain))
    assert "names no page" in sentence(httpx.post(open_server[0] + "size?session_hash=page-1", content=b"1234"))
    asking = plain | {"access-control-request-method": "POST", "access-control-request-headers": "x-session"}
    allowed = httpx.options(url, headers=asking).headers.get("access-control-allow-origin")
    assert allowed is None  # the browser asks first, and hears no


def test_half_a_pair_of_surrogates_and_numbers_without_end(open_server):
    body = r'{"a": ["\ud800x", {"\udc00": "\ud83d\ude00"}], "b": 1e999, "c": 0.5}'
    told = httpx.post(open_server[0] + "echo", content=body, headers=PAGE).json()["given"]
    assert told == {"a": ["?x", {"?": "😀"}], "b": None, "c": 0.5}
    said = routes._sorry(None, 400, "There is no \ud800 here.")
    assert said.body.decode() == '{"error":"There is no ? here."}'
