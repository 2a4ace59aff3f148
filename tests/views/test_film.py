"""The film player in a real browser, on films whose every frame has a colour of its own."""

import asyncio
import io
import os

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

FRAMES, PLACES = 33, 64


def colours(count: int, blue: int = 128) -> np.ndarray:
    """(count, 64, 64, 3): frame i is of one colour that no other frame has."""
    i = np.arange(count) * (255 // max(1, count - 1))
    frames = np.zeros((count, PLACES, PLACES, 3), np.uint8)
    frames[..., 0], frames[..., 1], frames[..., 2] = i[:, None, None], 255 - i[:, None, None], blue
    return frames


@pytest.fixture(scope="module")
def films():
    """The address of a page with two films, and of routes that make some."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from starlette.responses import JSONResponse

    from explorer import routes
    from explorer.views.film import Film

    busy = iter([True, True])

    async def film(request):
        query = request.query_params
        count = int(query.get("count", FRAMES))
        await asyncio.sleep(float(query.get("wait", 0)))
        if "fail" in query:
            raise ValueError("There is no such film.")
        if "busy" in query and next(busy, False):
            return JSONResponse({"error": "Too many people."}, 429)
        frames = colours(count, int(query.get("blue", 128)))
        if "format" in query:
            return routes.download(frames, query, "colours")
        return (routes.raw if "raw" in query else routes.png_sprite)(frames)

    with gr.Blocks(analytics_enabled=False) as demo:
        Film("Colours", elem_id="first", pingpong=False)
        Film("More colours", elem_id="second", fps=50, loop=False, pingpong=False)
    _, address, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, ssr_mode=False, run_history=False,
        app_kwargs={"routes": [routes.get("test/film", film)]},
    )  # fmt: skip
    yield address
    demo.close()


@pytest.fixture
def show(browser, films):
    """show(**context) -> the page, with a film of 33 frames in its first player."""
    opened = []

    def open_page(load=True, **options):
        context = browser.new_context(**({"viewport": {"width": 900, "height": 900}} | options))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.troubles, page.asked = [], []
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("request", lambda request: "/x/test" in request.url and page.asked.append(request.url))
        opened.append(page)
        page.goto(films, wait_until="domcontentloaded")
        page.wait_for_function("[...document.querySelectorAll('.film')].filter(e => e.film).length == 2")
        if load:
            assert load_film(page)
            wait_frame(page, 0)
        return page

    yield open_page
    troubles = [trouble for page in opened for trouble in page.troubles]
    for page in opened:
        page.context.close()
    assert not troubles, "\n".join(troubles)


def load_film(page, query="", which="first", **options):
    return page.evaluate(
        "([which, query, options]) => document.querySelector(`#${which} .film`).film.load({"
        "src: '/gradio_api/x/test/film?' + query, frames: 33, width: 64, height: 64, ...options})",
        [which, query, options],
    )


def wait_frame(page, index, which="first"):
    page.wait_for_selector(f'#{which} .film[data-frame="{index}"]', state="attached")


def middle(page, which="first"):
    """The colour in the middle of the stage."""
    return page.evaluate(
        "which => { const c = document.querySelector(`#${which} .picture`);"
        " return [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data].slice(0, 3) }",
        which,
    )


def fact(page, name, which="first"):
    return page.get_attribute(f"#{which} .film", f"data-{name}")


def expected(index, count=FRAMES, blue=128):
    return colours(count, blue)[index, 0, 0].tolist()


def test_it_begins_empty_and_says_so(show):
    page = show(load=False)
    assert fact(page, "state") == "empty"
    assert page.inner_text("#first .message") == "No film yet."
    assert page.is_disabled("#first .scrub") and page.is_disabled("#first .play")


@pytest.mark.parametrize("query", ["", "raw=1", "count=7", "count=100", "count=2&raw=1"])
def test_every_frame_is_shown_in_its_own_colour(show, query):
    page = show(load=False)
    load_film(page, query)
    count = page.evaluate("document.querySelector('#first .film').film.length")
    for index in {0, 1, count // 2, count - 2, count - 1}:
        page.evaluate("i => document.querySelector('#first .film').film.goto(i)", index)
        wait_frame(page, index)
        assert middle(page) == expected(index, count)


def test_the_keys(show):
    page = show()
    for place in (".scrub", ".picture", ".play"):
        page.focus(f"#first {place}")
        page.keyboard.press("Home")
        steps = [("Right", 1), ("Right", 2), ("Left", 1), ("End", 32), ("Right", 32), ("Home", 0), ("Left", 0)]
        for key, index in steps:
            page.keyboard.press(key if key in ("Home", "End") else f"Arrow{key}")
            wait_frame(page, index)
            assert middle(page) == expected(index)


@pytest.mark.parametrize("place", [".scrub", ".picture", ".play"])
def test_space_plays_and_pauses(show, place):
    page = show()
    page.focus(f"#first {place}")
    page.keyboard.press("Space")
    page.wait_for_selector('#first .film[data-playing="true"]')
    page.keyboard.press("Space")
    page.wait_for_selector('#first .film[data-playing="false"]')


def test_other_keys_are_left_to_the_page(show):
    page = show()
    page.evaluate("window.kept = []; addEventListener('keydown', e => e.defaultPrevented || kept.push(e.key))")
    page.focus("#first .picture")
    for key in ("ArrowDown", "l", "Tab", "Control+ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("kept") == ["ArrowDown", "l", "Tab", "Control", "ArrowLeft"]


def test_dragging_along_the_strip_asks_the_server_for_nothing(show):
    page = show()
    asked = len(page.asked)
    box = page.locator("#first .strip").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    seen = set()
    for step in range(41):
        page.mouse.move(box["x"] + 5 + step / 40 * (box["width"] - 10), box["y"] + box["height"] / 2)
        seen.add(page.evaluate("document.querySelector('#first .film').film.index"))
    page.mouse.up()
    wait_frame(page, 32)
    assert middle(page) == expected(32)
    assert len(seen) >= 20 and len(page.asked) == asked


def test_the_thumb_lies_on_the_small_frame_that_is_shown(show):
    page = show()
    for index in (0, 16, 32):
        page.evaluate("i => document.querySelector('#first .film').film.goto(i)", index)
        wait_frame(page, index)
        box = page.locator("#first .strip").bounding_box()
        cell = page.evaluate("parseFloat(document.querySelector('#first .strip').style.getPropertyValue('--cell'))")
        centre = cell / 2 + index / 32 * (box["width"] - cell)
        colour = page.evaluate(
            "x => { const c = document.querySelector('#first .thumbs');"
            " return [...c.getContext('2d').getImageData(x * devicePixelRatio, c.height / 2, 1, 1).data].slice(0, 3) }",
            centre,
        )
        assert np.abs(np.array(colour) - expected(index)).max() <= 10


def test_dragging_over_the_stage(show):
    page = show()
    box = page.locator("#first .picture").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 10 + box["width"] / 2, y, steps=5)
    page.mouse.up()
    wait_frame(page, 16)
    assert fact(page, "playing") == "false"


def test_a_tap_on_the_stage_plays(show):
    page = show()
    page.click("#first .picture")
    page.wait_for_selector('#first .film[data-playing="true"]')


def test_touch(show):
    page = show(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=3)
    box = page.locator("#first .strip").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    wait_frame(page, 32)

    client = page.context.new_cdp_session(page)
    stage = page.locator("#first .picture").bounding_box()
    y = stage["y"] + stage["height"] / 2

    def touch(kind, x=None):
        points = [] if x is None else [{"x": x, "y": y}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    right = stage["x"] + stage["width"] - 20
    touch("touchStart", right)
    for step in range(1, 11):
        touch("touchMove", right - step / 10 * stage["width"] / 2)
    touch("touchEnd")
    wait_frame(page, 16)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def record(page, which="first"):
    page.evaluate(
        "which => { window.seen = [];"
        " document.querySelector(`#${which}`).addEventListener('film:frame', e => seen.push(e.detail.index)) }",
        which,
    )


def test_playing_to_the_end_shows_the_last_frame_and_stops(show):
    page = show(load=False)
    load_film(page, which="second")
    wait_frame(page, 0, "second")
    record(page, "second")
    page.click("#second .play")
    page.wait_for_selector('#second .film[data-playing="false"][data-frame="32"]')
    seen = page.evaluate("seen")
    assert seen == sorted(seen) and seen[-1] == 32 and len(set(seen)) == len(seen)
    assert middle(page, "second") == expected(32)

    page.click("#second .play")  # again, from the beginning
    page.wait_for_function("seen.at(-1) < 20")
    page.wait_for_selector('#second .film[data-playing="false"][data-frame="32"]')


def test_ping_pong_comes_back(show):
    page = show(load=False)
    load_film(page, which="second", start=25)
    wait_frame(page, 25, "second")
    record(page, "second")
    page.click('#second [data-do="pingpong"]')
    page.select_option("#second .speed", "2")
    page.click("#second .play")
    page.wait_for_selector('#second .film[data-playing="false"][data-frame="0"]')
    seen = page.evaluate("seen")
    top = seen.index(max(seen))
    assert max(seen) >= 30 and seen[:top] == sorted(seen[:top]) and seen[top:] == sorted(seen[top:], reverse=True)


def test_a_loop_begins_again(show):
    page = show(load=False)
    load_film(page, "count=5", which="second")
    record(page, "second")
    page.click('#second [data-do="loop"]')
    page.click("#second .play")
    page.wait_for_function("seen.filter(i => i == 0).length >= 3")
    assert fact(page, "playing", "second") == "true"


def test_two_films_do_not_disturb_each_other(show):
    page = show()
    load_film(page, "blue=7", which="second", start=20)
    wait_frame(page, 20, "second")
    page.focus("#first .scrub")
    page.keyboard.press("ArrowRight")
    wait_frame(page, 1)
    assert middle(page) == expected(1) and middle(page, "second") == expected(20, blue=7)


def test_the_newest_load_wins(show):
    page = show()
    shown = page.evaluate(
        "() => { const film = document.querySelector('#first .film').film, src = '/gradio_api/x/test/film?';"
        " return Promise.all(['blue=1&wait=0.4', 'blue=2&wait=0.1', 'blue=3'].map(q => film.load({src: src + q}))) }"
    )
    assert shown == [False, False, True]
    page.wait_for_timeout(600)
    assert middle(page) == expected(0, blue=3) and fact(page, "state") == "ready"


def test_a_film_that_fails_leaves_the_old_one_and_one_sentence(show):
    page = show()
    page.evaluate("document.querySelector('#first .film').film.goto(9)")
    assert load_film(page, "fail=1") is False
    page.wait_for_selector('#first .film[data-state="error"]')
    assert page.inner_text("#first .message") == "There is no such film."
    assert middle(page) == expected(9)
    page.focus("#first .scrub")
    page.keyboard.press("ArrowRight")
    wait_frame(page, 10)

    assert load_film(page, "blue=5")
    page.wait_for_selector('#first .film[data-state="ready"]')
    assert not page.is_visible("#first .message")


def test_a_server_that_is_gone_and_a_film_that_is_none(show):
    page = show()
    none = {"content_type": "image/png", "body": b"no", "headers": {"x-shape": "3,64,64,3"}}
    page.route("**/x/test/gone", lambda route: route.abort())
    page.route("**/x/test/none", lambda route: route.fulfill(**none))
    sentences = {"gone": "The server does not answer; is the app still running?", "none": "The film that arrived is damaged."}
    for name, sentence in sentences.items():
        page.evaluate("name => document.querySelector('#first .film').film.load({src: '/gradio_api/x/test/' + name})", name)
        page.wait_for_selector('#first .film[data-state="error"]')
        page.wait_for_function("s => document.querySelector('#first .message').textContent === s", arg=sentence)


def test_a_busy_server_is_asked_again(show):
    page = show(load=False)
    assert load_film(page, "busy=1&blue=9")
    wait_frame(page, 0)
    assert len(page.asked) == 3 and middle(page) == expected(0, blue=9)


def test_loading_says_so(show):
    page = show()
    page.evaluate("void document.querySelector('#first .film').film.load({src: '/gradio_api/x/test/film?wait=0.6&blue=4'})")
    page.wait_for_selector('#first .film[data-state="loading"]')
    assert page.is_visible("#first .busy") and middle(page) == expected(0)
    page.wait_for_selector('#first .film[data-state="ready"]')
    assert not page.is_visible("#first .busy")


def test_start_labels_and_what_a_screen_reader_hears(show):
    page = show(load=False)
    load_film(page, start=16, labels=["σ = −3", "σ = 3"])
    wait_frame(page, 16)
    assert page.inner_text("#first .t") == "t = 0.50 · 17/33"
    assert page.get_attribute("#first .scrub", "aria-valuetext") == "t = 0.50, frame 17 of 33"
    assert page.get_attribute("#first .picture", "aria-label") == "Colours, frame 17 of 33"
    assert page.inner_text("#first .place").startswith("σ = −3")


def test_resizing_draws_again_at_the_new_size(show):
    page = show()
    wide = page.evaluate("document.querySelector('#first .thumbs').width")
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_function("wide => document.querySelector('#first .thumbs').width < wide", arg=wide)
    page.wait_for_function("() => { const c = document.querySelector('#first .picture'); return c.width === c.clientWidth }")
    assert middle(page) == expected(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in (".play", '[data-do="back"]', ".scrub"):
        box = page.locator(f"#first {name}").bounding_box()
        assert min(box["width"], box["height"]) >= 36


def test_a_visitor_who_wants_no_motion_gets_none(show):
    page = show(load=False)
    load_film(page, which="first", autoplay=True)
    page.wait_for_selector('#first .film[data-playing="true"]')
    still = show(load=False, reduced_motion="reduce")
    load_film(still, which="first", autoplay=True)
    wait_frame(still, 0)
    assert fact(still, "playing") == "false"


def test_exports(show):
    page = show(load=False)
    made = {kind: f"/gradio_api/x/test/film?format={kind}" for kind in ("gif", "strip")}
    load_film(page, exports=made, start=3)
    wait_frame(page, 3)
    page.click("#first summary")
    titles = [text.split("\n")[0] for text in page.locator("#first .menu button").all_inner_texts()]
    assert titles == ["GIF", "PNG strip", "This frame"]
    files = {}
    for kind, name in (("gif", "colours.gif"), ("strip", "colours.png"), ("frame", "colours-4.png")):
        page.evaluate("document.querySelector('#first .export').open = true")
        with page.expect_download() as download:
            page.click(f'#first [data-kind="{kind}"]')
        assert download.value.suggested_filename == name
        files[kind] = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert files["gif"].n_frames == FRAMES and files["gif"].width == 320
    assert files["frame"].getpixel((256, 256))[:3] == tuple(expected(3))


def test_an_export_that_fails_says_so_and_the_film_goes_on(show):
    page = show(load=False)
    load_film(page, exports={"mp4": "/gradio_api/x/test/film?fail=1"})
    wait_frame(page, 0)
    page.click("#first summary")
    page.click('#first [data-kind="mp4"]')
    page.wait_for_function("document.querySelector('#first .message').textContent === 'There is no such film.'")
    assert fact(page, "state") == "ready" and not page.is_visible("#first .menu")


def test_escape_and_a_click_elsewhere_close_the_menu(show):
    page = show()
    page.click("#first summary")
    page.keyboard.press("Escape")
    assert not page.is_visible("#first .menu")
    page.click("#first summary")
    assert page.is_visible("#first .menu")
    page.mouse.click(5, 5)
    assert not page.is_visible("#first .menu")
