"""The VAE tab in a real browser: what a hand does, what the pixels then are, and what travels in a link.

The desk writes facts on its element (`data-settled`, `data-frame`, ...); tests wait for those, never for a time.
"""

import re

import pytest

pytestmark = pytest.mark.browser

DESK = "[...document.querySelectorAll('*')].find((e) => e.desk).desk"
SMALL = (  # a canvas of any size as 8 x 8 pixels
    "(e) => { const c = new OffscreenCanvas(8, 8).getContext('2d'); c.imageSmoothingQuality = 'high';"
    " c.drawImage(e, 0, 0, 8, 8); return Array.from(c.getImageData(0, 0, 8, 8).data); }"
)
SETTLED = '.desk[data-ready="true"][data-settled="true"]'
# The bar above the desk, which moves it when it is drawn, and the morph below, which asks for pictures of its own.
NEIGHBOURS = '.bar[data-ready="true"]', '.morph[data-ready="true"]', '.film[data-state="ready"]'


class Desk:
    """A hand and an eye on the desk of one page."""

    def __init__(self, page):
        self.page = page
        self.asked = []
        page.on("request", lambda request: "/x/vae/" in request.url and self.asked.append(request.url))
        for neighbour in NEIGHBOURS:
            page.wait_for_selector(neighbour)
        self.settle()

    def settle(self):
        self.page.wait_for_selector(SETTLED)
        self.drawn()

    def drawn(self):
        """Waits for the frame in which buttons and equations follow a picture that is there."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")

    def act(self, deed):
        """Does something that changes the face, and waits until the face is exact again."""
        painted = self.fact("painted")
        deed()
        self.page.wait_for_function(
            f"(before) => {{ const d = document.querySelector('{SETTLED}')?.dataset;"
            " return d && d.frame === 'exact' && d.painted !== before; }",
            arg=painted,
        )
        self.drawn()
        return self.face()

    def fact(self, name):
        return self.page.evaluate("(name) => document.querySelector('.desk').dataset[name]", name)

    def face(self):
        return self.page.evaluate(f"Array.from({DESK}.face.data)")

    def z(self):
        return self.page.evaluate(f"{DESK}.z")

    def slider(self, place=0):
        return self.page.locator(".desk .row input").nth(place)

    def thumb(self, place=0):
        """Where on the screen the slider's thumb is, and how many pixels one sigma is wide."""
        slider = self.slider(place)
        slider.scroll_into_view_if_needed()
        rem = self.page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
        box, size = slider.bounding_box(), 1.125 * rem
        sigma = (box["width"] - size) / 6
        x = box["x"] + size / 2 + (float(slider.input_value()) + 3) * sigma
        return x, box["y"] + box["height"] - size / 2, sigma


@pytest.fixture
def desk(page):
    return Desk(page)


def test_the_first_face_is_good_before_anything_is_touched(desk):
    assert desk.fact("source") == "g0" and desk.fact("frame") == "exact"
    assert len(set(desk.face())) > 50
    assert desk.page.locator(".desk .row:visible").count() == 12
    assert "dB" in desk.page.locator(".measure").inner_text()
    inked = "(c) => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return new Set(d).size > 20; }"
    for place in (0, 11):
        assert desk.page.locator(".row .end canvas").nth(2 * place).evaluate(inked)


def test_a_slider_answers_the_keyboard(desk):
    before, value = desk.face(), desk.z()
    desk.slider().focus()
    after = desk.act(lambda: desk.page.keyboard.press("Home"))
    assert after != before and float(desk.slider().input_value()) == -3
    changed = [d for d, (a, b) in enumerate(zip(value, desk.z())) if a != b]
    assert changed == [int(desk.page.locator(".row").first.get_attribute("data-dim"))]


def test_a_drag_is_served_by_one_film_and_asks_nothing_more(desk):
    x, y, sigma = desk.thumb()
    mouse = desk.page.mouse
    mouse.move(x, y)
    desk.page.wait_for_selector(".desk[data-film]")
    assert len([url for url in desk.asked if "/film?" in url]) == 1
    desk.asked.clear()
    mouse.down()
    seen = set()
    step = sigma / 3 if float(desk.slider().input_value()) < 0 else -sigma / 3
    for i in range(1, 10):
        mouse.move(x + i * step, y)
        seen.add(desk.fact("frame"))
    assert not desk.asked
    assert len(seen) >= 8 and all(frame.startswith("film:") for frame in seen)
    desk.act(mouse.up)
    assert sorted(re.search(r"vae/(\w+)", url)[1] for url in desk.asked) == ["decode", "ends"]


def test_before_its_film_is_there_a_drag_fetches_each_picture_once(page):
    """A mouse's move is known before the slider has moved, and its picture is asked for then, not twice."""
    held = []
    page.route("**/vae/film?*", lambda route: held.append(route))  # never answered
    desk = Desk(page)
    x, y, sigma = desk.thumb()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 1.5 * sigma, y, steps=12)
    page.wait_for_function("document.querySelector('.desk').dataset.frame === 'near'")
    page.mouse.up()
    desk.settle()
    codes = [re.search(r"[?&]z=([^&]*)", url)[1] for url in desk.asked if "/vae/decode" in url]
    assert held and len(codes) > 2
    # The last one comes again when the slider is let go, and the browser has it already.
    assert len(set(codes)) >= len(codes) - 1

    # The picture is that of the value where the slider came to rest.
    shown = desk.face()
    desk.slider().focus()
    desk.act(lambda: page.keyboard.press("ArrowRight"))
    assert desk.act(lambda: page.keyboard.press("ArrowLeft")) == shown
    for route in held:
        with page.expect_console_message(lambda said: "ERR_FAILED" in said.text):
            route.abort()
    page.troubles[:] = [trouble for trouble in page.troubles if "ERR_FAILED" not in trouble]


def test_a_frame_of_the_film_is_the_face_of_that_value(desk):
    desk.slider().focus()
    desk.page.wait_for_selector(".desk[data-film]")
    desk.act(lambda: desk.page.keyboard.press("End"))
    filmed = desk.page.evaluate(f"""async () => {{
        const desk = {DESK};
        const film = await desk.wire.film(desk.z, desk.start.order[0], {{ from: -3, to: 3, frames: 49 }}).ready;
        return Array.from(film[48].data);
    }}""")
    assert max(abs(a - b) for a, b in zip(filmed, desk.face())) <= 1


def test_a_finger_drags_a_slider(visit, app_url):
    desk = Desk(visit(app_url, width=390, height=844, has_touch=True, is_mobile=True))
    before = desk.face()
    x, y, sigma = desk.thumb(2)
    phone = desk.page.context.new_cdp_session(desk.page)
    step = sigma / 4 if float(desk.slider(2).input_value()) < 0 else -sigma / 4

    def finger(kind, *points):
        phone.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})

    def drag():
        finger("touchStart", (x, y))
        for i in range(1, 9):
            finger("touchMove", (x + i * step, y))
        finger("touchEnd")

    assert desk.act(drag) != before


def test_undo_redo_and_resets(desk):
    first = desk.face()
    desk.slider(0).focus()
    second = desk.act(lambda: desk.page.keyboard.press("Home"))
    desk.slider(1).focus()
    third = desk.act(lambda: desk.page.keyboard.press("Home"))
    assert desk.act(lambda: desk.page.keyboard.press("Control+z")) == second
    assert desk.act(lambda: desk.page.click("[data-do=undo]")) == first
    assert desk.page.locator("[data-do=undo]").is_disabled()
    desk.act(lambda: desk.page.keyboard.press("Control+Shift+z"))
    assert desk.act(lambda: desk.page.click("[data-do=redo]")) == third
    desk.page.locator(".row").nth(0).hover()
    desk.act(lambda: desk.page.locator(".row").nth(0).locator(".reset").click())
    assert desk.act(lambda: desk.page.click("[data-do=reset]")) == first
    assert desk.act(lambda: desk.page.click("[data-do=undo]")) != first


def test_an_end_picture_is_where_a_click_on_it_leads(desk):
    end = desk.page.locator(".row").nth(3).locator(".end").last
    promised = end.locator("canvas").evaluate(SMALL)
    desk.act(lambda: end.click())
    assert float(desk.slider(3).input_value()) == 2.5
    face = desk.page.locator(".face").evaluate(SMALL)
    assert sum(abs(a - b) for a, b in zip(promised, face)) / len(face) < 4  # the same picture, drawn at another size


def test_a_temperature_that_is_dragged_is_one_step_of_the_history(desk):
    first = desk.face()
    desk.page.locator(".heat").focus()
    painted = desk.fact("painted")
    heat = "(v) => { const e = document.querySelector('.heat'); e.value = v; e.dispatchEvent(new Event('input')); }"
    for value in (0.9, 0.6, 0.3):
        desk.page.evaluate(heat, value)
    desk.page.wait_for_function("(n) => +document.querySelector('.desk').dataset.painted > +n", arg=painted)
    desk.act(lambda: desk.page.locator(".heat").dispatch_event("change"))
    assert desk.fact("source") == "s7" and desk.page.evaluate(f"{DESK}.source.heat") == 0.3
    assert desk.act(lambda: desk.page.click("[data-do=undo]")) == first


def test_the_gallery_by_mouse_and_by_keyboard(desk):
    first = desk.face()
    second = desk.act(lambda: desk.page.locator(".thumb").nth(3).click())
    assert second != first and desk.fact("source") == "g3"
    desk.page.locator(".thumb").nth(5).focus()
    assert desk.act(lambda: desk.page.keyboard.press("Enter")) not in (first, second)
    assert desk.page.locator(".thumb[aria-pressed=true]").count() == 1
    assert desk.page.locator(".thumb").nth(5).get_attribute("aria-label")


def test_a_double_click_is_two_clicks_and_breaks_nothing(desk):
    desk.act(lambda: desk.page.locator(".thumb").nth(3).dblclick())
    desk.act(lambda: desk.page.locator("[data-do=random]").dblclick())
    # The first of the two faces may have been settled before the second was asked for.
    desk.page.wait_for_function(
        f"document.querySelector('{SETTLED}')?.dataset.source === 's' + document.querySelector('.desk .seed').value"
    )


def test_letters_draw_faces_but_not_while_one_writes(desk):
    desk.act(lambda: desk.page.keyboard.press("r"))
    assert desk.fact("source").startswith("s")
    desk.act(lambda: desk.page.locator(".thumb").nth(2).click())
    mean = desk.z()
    desk.act(lambda: desk.page.keyboard.press("e"))
    assert desk.z() != mean and desk.fact("source") == "g2"
    desk.page.locator(".seed").press("r")
    assert desk.fact("source") == "g2"


def test_the_same_seed_is_the_same_face(desk):
    def draw(seed):
        desk.page.fill(".seed", seed)
        return desk.act(lambda: desk.page.press(".seed", "Enter"))

    seven, eight, again = draw("7"), draw("8"), draw("7")
    assert seven == again != eight
    prior = desk.act(lambda: desk.page.select_option(".from", "prior"))
    assert prior != seven and "prior" in desk.page.locator(".note").inner_text()
    heat = desk.page.locator(".heat")
    heat.focus()
    assert desk.act(lambda: desk.page.keyboard.press("Home")) != prior  # temperature 0: the middle
    assert max(map(abs, desk.z())) < 1e-6


def test_an_upload_is_encoded_and_measured(desk, tmp_path):
    from PIL import Image

    Image.linear_gradient("L").convert("RGB").save(tmp_path / "ramp.png")
    desk.act(lambda: desk.page.set_input_files(".desk .file", tmp_path / "ramp.png"))
    assert desk.fact("source") == "u"
    assert "only ever seen avatars" in desk.page.locator(".note").inner_text()
    assert "dB" in desk.page.locator(".measure").inner_text()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(desk, kind):
    make_event = """async (kind) => {
        const canvas = new OffscreenCanvas(80, 60);
        canvas.getContext('2d').fillRect(20, 10, 30, 30);
        const held = new DataTransfer();
        held.items.add(new File([await canvas.convertToBlob()], 'square.png', { type: 'image/png' }));
        const options = { bubbles: true, cancelable: true, dataTransfer: held, clipboardData: held };
        const event = kind === 'drop' ? new DragEvent('drop', options) : new ClipboardEvent('paste', options);
        document.querySelector('.desk').dispatchEvent(event);
    }"""
    desk.act(lambda: desk.page.evaluate(make_event, kind))
    assert desk.fact("source") == "u"


def test_a_corrupt_upload_is_one_sentence_and_loses_nothing(desk, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG and nothing else")
    desk.slider().focus()
    face = desk.act(lambda: desk.page.keyboard.press("Home"))
    desk.page.set_input_files(".desk .file", tmp_path / "broken.png")
    said = desk.page.locator(".ge-toast p")
    said.wait_for()
    assert said.count() == 1 and said.inner_text().endswith(".") and "Traceback" not in said.inner_text()
    assert desk.face() == face and desk.fact("source") == "g0" and desk.fact("settled") == "true"
    desk.page.troubles[:] = [t for t in desk.page.troubles if "400" not in t]  # the refusal this test asked for


@pytest.mark.parametrize("deed", ["slider", "noise", "random", "upload"])
def test_a_link_restores_the_screen(desk, visit, deed, tmp_path):
    from PIL import Image

    if deed == "noise":
        desk.act(lambda: desk.page.click("[data-do=noise]"))
    if deed == "random":
        desk.act(lambda: desk.page.click("[data-do=random]"))
    if deed == "upload":
        Image.linear_gradient("L").convert("RGB").save(tmp_path / "ramp.png")
        desk.act(lambda: desk.page.set_input_files(".desk .file", tmp_path / "ramp.png"))
    desk.slider(1).focus()
    face = desk.act(lambda: desk.page.keyboard.press("End"))
    dim = desk.page.locator(".row").nth(1).get_attribute("data-dim")
    named = f"'code=' + {DESK}.pack({DESK}.z)" if deed == "upload" else f"'z{dim}=3'"
    desk.page.wait_for_function(f"location.search.includes({named})")

    other = Desk(visit(desk.page.evaluate("location.href")))
    # A picture itself never travels: of its code the link carries thousandths. And a batch that others share rounds
    # here and there to the neighbouring level.
    assert max(abs(a - b) for a, b in zip(other.face(), face)) <= (2 if deed == "upload" else 1)
    assert other.page.locator(".values").last.inner_text().startswith(f"z{dim}")


@pytest.mark.parametrize(
    "query", ["?face=g999", "?face=g0&z0=nan&z1=1e9", "?seed=-3&t=hot", "?code=!!!", "?seed=7&from=nowhere&dim=4096"]
)
def test_a_broken_link_still_opens_a_face(visit, app_url, query):
    desk = Desk(visit(app_url + "/" + query))
    assert max(map(abs, desk.z())) <= 12


def test_a_link_to_another_part_asks_nothing_for_the_desk_until_it_is_opened(visit, app_url):
    page = visit(f"{app_url}/?tab=vae&part=metrics&picture=gallery:5")
    page.wait_for_selector("#vae-metrics .part[data-ready=true]")
    asked = "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname.split('/x/vae/')[1])"
    assert not {"start", "decode", "ends", "film", "morph"} & set(page.evaluate(asked))
    page.click("#vae-bar [data-to=explore]")
    page.wait_for_selector(SETTLED)
    assert page.evaluate(f"{DESK}.source.ref") == "g5"  # the picture that the other part spoke of
    page.wait_for_selector('.morph[data-ready="true"]')


def test_the_equation_holds_for_the_digits_shown(desk):
    desk.slider().focus()
    desk.act(lambda: desk.page.keyboard.press("Home"))
    shown = desk.page.locator(".formula .values").inner_text().replace("−", "-")
    mu, sigma, eps, z = [float(n) for n in re.findall(r"-?\d+\.\d+", shown)]
    assert round(mu + sigma * eps, 2) == pytest.approx(z, abs=0.0101)
    assert z == -3 and float(desk.fact("eps")) == eps


def test_two_visitors_do_not_share_a_desk(visit, app_url):
    one, two = Desk(visit(app_url)), Desk(visit(app_url))
    face = two.face()
    one.act(lambda: one.page.locator(".thumb").nth(6).click())
    assert two.face() == face and two.fact("source") == "g0"


def test_tapping_the_chart_unfolds_and_reaches_the_slider(desk):
    column = desk.page.locator(".column").last
    column.locator(".hit").dispatch_event("click")
    desk.page.wait_for_function("document.activeElement.matches('.row input')")
    assert desk.page.locator(".desk .row:visible").count() == desk.page.evaluate(f"{DESK}.start.dims")
    dim = desk.page.evaluate(f"{DESK}.start.order.at(-1)")
    assert desk.page.evaluate("document.activeElement.closest('.row').dataset.dim") == str(dim)


@pytest.mark.parametrize("width, height", [(360, 740), (390, 844), (820, 1180), (3840, 2160)])
def test_no_width_scrolls_sideways(visit, app_url, width, height):
    desk = Desk(visit(app_url, width=width, height=height))
    desk.page.wait_for_selector('.morph[data-ready="true"]')
    desk.page.click(".more")
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_face_stays_in_sight(visit, app_url):
    desk = Desk(visit(app_url, width=390, height=844))
    desk.page.locator(".row").nth(9).scroll_into_view_if_needed()
    desk.page.evaluate("scrollBy(0, 200)")
    stage, row = desk.page.locator(".desk .stage").bounding_box(), desk.page.locator(".row").nth(9).bounding_box()
    assert 0 <= stage["y"] < 20 and stage["height"] < 0.45 * 844
    assert row["x"] >= 0 and row["x"] + row["width"] <= 390


def test_a_server_that_fails_is_one_sentence_and_a_way_to_try_again(visit, app_url, page):
    page.wait_for_selector(SETTLED)
    page.route("**/x/vae/start*", lambda route: route.abort())
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(".desk .failure:not([hidden])")
    assert page.locator(".failure p").inner_text().endswith("?")
    page.unroute("**/x/vae/start*")
    page.click("[data-do=retry]")
    page.wait_for_selector(SETTLED)
    page.troubles[:] = [trouble for trouble in page.troubles if "ERR_FAILED" not in trouble]
