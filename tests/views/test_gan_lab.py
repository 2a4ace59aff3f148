"""The GAN lab in a real browser, on the running app: transport, settings, data, the link, and what happens when things fail."""

import numpy as np
import pytest

from explorer.tabs.gan.config import Settings, unpack_points

LAB = ".ganlab"


# ---- In a browser ------------------------------------------------------------------------------------------------------------

browser_test = pytest.mark.browser


@pytest.fixture
def lab(visit, app_url):
    """lab(query, **window) -> a page with the lab, ready."""

    def open_lab(query="", **window):
        page = visit(f"{app_url}/?tab=gan{query}", **window)
        page.wait_for_selector(f'{LAB}[data-ready="true"]')
        return page

    return open_lab


def fact(page, name):
    return page.get_attribute(LAB, f"data-{name}")


def step(page):
    return int(fact(page, "step"))


def wait_step(page, condition):
    page.wait_for_function(f"(step => {condition})(+document.querySelector('{LAB}').dataset.step)")



def settings(page, lane=0):
    return page.evaluate("lane => window.labOf().desk.lanes[lane].settings", lane)


def wait_setting(page, name, value):
    page.wait_for_function("([name, value]) => window.labOf().desk.lanes[0].settings[name] === value", arg=[name, value])


FIND = """() => {
  let node = document.querySelector('.ganlab');
  while (node && !node.lab) node = node.parentElement;
  window.labOf = () => node.lab;
}"""


@pytest.fixture
def ready(lab):
    """The lab as it opens, at a laptop's size, with `labOf()` in the page."""

    def open_ready(query="", **window):
        page = lab(query, **window)
        page.evaluate(FIND)
        return page

    return open_ready


def refuse_quietly(page):
    """A refused command is a line on the browser's console; the sentence on the page is what counts."""
    page.troubles[:] = [trouble for trouble in page.troubles if "status of 400" not in trouble]


@browser_test
def test_it_opens_quiet_with_everything_in_sight(ready):
    page = ready()
    assert (fact(page, "playing"), fact(page, "lanes"), fact(page, "state")) == ("false", "1", "ready")
    assert page.is_visible('[data-do="play"]') and page.inner_text('[data-do="play"]').strip() == "Play"
    for part in ("bar", "graph", "plot", "history", "curves", "doctor", "gallery", "compare", "wall", "export"):
        assert page.is_visible(f'{LAB} [data-part="{part}"]'), part
    assert len(page.query_selector_all(".toy:not([hidden])")) == 10
    assert page.inner_text(".lab-line").strip()


@browser_test
def test_space_plays_and_pauses_and_keys_step(ready):
    page = ready("&trained=0")
    page.keyboard.press("Space")
    wait_step(page, "step >= 30")
    assert fact(page, "playing") == "true" and page.inner_text('[data-do="play"]').strip() == "Pause"
    page.keyboard.press("Space")
    page.wait_for_function("!labOf().desk.playing")
    page.wait_for_function("Math.round(labOf().live[0].step) === labOf().desk.lanes[0].step")
    before = step(page)
    page.keyboard.press("b")
    wait_step(page, f"step === {before + 1}")
    updates = page.evaluate("[labOf().live[0].d_updates, labOf().live[0].g_updates]")
    page.keyboard.press("d")
    page.wait_for_function(f"labOf().live[0].d_updates === {updates[0] + 1}")
    page.keyboard.press("g")
    page.wait_for_function(f"labOf().live[0].g_updates === {updates[1] + 1}")
    assert step(page) == before + 1


@browser_test
def test_space_after_a_click_on_another_button_still_plays(ready):
    page = ready("&trained=0")
    page.click('[data-do="step-both"]')
    wait_step(page, "step === 1")
    page.keyboard.press("Space")
    wait_step(page, "step > 5")
    assert fact(page, "playing") == "true"


@browser_test
def test_space_after_a_typed_number_plays(ready):
    page = ready("&trained=0")
    page.fill('[data-name="d_lr"] input', "0.05")
    page.keyboard.press("Enter")
    wait_setting(page, "d_lr", 0.05)
    page.keyboard.press("Space")
    wait_step(page, "step > 5")


@browser_test
def test_two_quick_clicks_on_play_end_where_they_began(ready):
    page = ready("&trained=0")
    with page.expect_response(lambda reply: '"pause"' in (reply.request.post_data or "")):  # sent once "play" is answered
        page.dblclick('[data-do="play"]')
    page.wait_for_function("labOf().desk.playing === false && document.querySelector('.ganlab').dataset.playing === 'false'")
    assert page.inner_text('[data-do="play"]').strip() == "Play"


@browser_test
def test_reset_and_the_way_back(ready):
    page = ready("&trained=0&speed=1000")
    page.keyboard.press("Space")
    wait_step(page, "step > 50")
    page.keyboard.press("Space")
    page.wait_for_function("!labOf().desk.playing && Math.round(labOf().live[0].step) === labOf().desk.lanes[0].step")
    at = step(page)
    page.keyboard.press("r")
    wait_step(page, "step === 0")
    page.keyboard.press("Control+z")
    wait_step(page, f"step === {at}")
    page.keyboard.press("Control+Shift+z")
    wait_step(page, "step === 0")
    assert page.is_disabled('[data-do="redo"]')


@browser_test
def test_the_page_shows_the_servers_numbers(ready):
    """Every array of a frame, decoded in the page, against the same moment computed here."""
    from explorer.tabs.gan import state, view

    page = ready("&trained=0&data=ring8&seed=5&noise=uniform2")
    want = Settings(data="ring8", seed=5, noise="uniform2")
    page.wait_for_function("labOf().frames[0]?.step === 0 && labOf().scenes[0]")
    shown = view.look(want, state.start(want))
    stage = view.scene(want)
    got = page.evaluate(
        "() => { const f = labOf().frames[0], s = labOf().scenes[0], list = (a) => Array.from(a);"
        " return {fakes: list(f.fakes), arrows: list(f.arrows), manifold: list(f.manifold), fake_logits: list(f.fake_logits),"
        " real_logits: list(f.real_logits), heat: list(f.heat), range: [f.heat_lo, f.heat_hi], reals: list(s.reals),"
        " noise: list(s.noise)} }"
    )
    points = {"fakes": shown.fakes, "manifold": shown.manifold, "reals": stage.reals}
    for name, true in points.items():
        assert np.abs(np.reshape(got[name], (-1, 2)) - true).max() < 1e-4, name
    assert np.abs(np.reshape(got["arrows"], (-1, 2)) - shown.arrows).max() <= np.abs(shown.arrows).max() / 30_000
    for name, true in (("fake_logits", shown.fake_logits), ("real_logits", shown.real_logits)):
        assert np.abs(np.array(got[name]) - true).max() < 1 / 256, name
    low, high = got["range"]
    heat = low + np.array(got["heat"]).reshape(shown.heat.shape) / 255 * (high - low)
    assert np.abs(heat - shown.heat).max() < 1 / 255
    assert np.allclose(np.reshape(got["noise"], (-1, 2)), stage.noise)


@browser_test
def test_it_opens_on_a_trained_model_and_another_data_set_is_trained_too(ready):
    page = ready()
    page.wait_for_selector('[data-begin="trained"][aria-checked="true"]')
    assert step(page) > 1000 and "trained for" in page.inner_text(".lab-line")
    page.click('[data-toy="moons"]')
    page.wait_for_function("labOf().desk.lanes[0].settings.data === 'moons' && labOf().desk.lanes[0].origin === 'trained'")
    assert page.get_attribute('[data-begin="trained"]', "aria-checked") == "true"
    wait_step(page, "step > 1000")
    page.click('[data-begin="scratch"]')
    wait_step(page, "step === 0")
    page.click('[data-toy="ring"]')
    wait_setting(page, "data", "ring")
    assert page.get_attribute('[data-begin="scratch"]', "aria-checked") == "true" and step(page) == 0
    page.click('[data-begin="trained"]')
    wait_step(page, "step > 1000")


# ---- Settings -----------------------------------------------------------------------------------------------------------------


@browser_test
def test_a_live_setting_goes_on_and_another_restarts_and_says_so(ready):
    page = ready("&trained=0")
    page.keyboard.press("b")
    wait_step(page, "step === 1")
    page.click('[data-name="d_lr"] button:has-text("−")')
    wait_setting(page, "d_lr", 0.03)
    assert step(page) == 1
    page.click('[data-name="d_width"] button:has-text("+")')
    wait_setting(page, "d_width", 9)
    wait_step(page, "step === 0")
    assert "undo" in page.inner_text(".lab-line").lower()
    assert page.inner_text('[data-group="d"] .ctl-net') == "2 → 9 → 9 → 1 · 127 numbers"
    page.click('.lab-line button')
    wait_setting(page, "d_width", 8)
    wait_step(page, "step === 1")


@browser_test
def test_quick_clicks_go_out_as_one_change(ready):
    page = ready("&trained=0")
    sent = []
    page.on("request", lambda request: request.url.endswith("/gan/do") and sent.append(request.post_data_json))
    page.evaluate("() => { for (let i = 0; i < 4; i++) document.querySelector('[data-name=g_width] button:last-child').click() }")
    wait_setting(page, "g_width", 12)
    assert [one["changes"] for one in sent if one["do"] == "set"] == [{"g_width": 12}]


@browser_test
def test_a_finger_that_scrolls_over_a_stepper_changes_nothing_and_a_tap_does(ready):
    page = ready("&trained=0", width=390, height=844, has_touch=True)
    page.click('[data-do="settings"]')
    plus = page.locator('[data-name="g_width"] button:last-child')
    plus.evaluate("node => node.scrollIntoView({block: 'center'})")
    box = plus.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    before = page.evaluate("scrollY")
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for i in range(1, 9):
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 20 * i}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"scrollY > {before} + 40")
    # A tap into a page that still glides only stops it.
    page.wait_for_function(
        "() => { const still = scrollY === window.was; window.was = scrollY; window.rest = still ? (window.rest ?? 0) + 1 : 0;"
        " return window.rest > 20 }"
    )
    assert settings(page)["g_width"] == 8
    box = plus.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_setting(page, "g_width", 9)  # one more, not two


@browser_test
def test_what_the_server_refuses_goes_back_with_its_sentence(ready):
    page = ready("&trained=0")
    field = page.locator('[data-name="g_lr"] input')
    for typed in ("99", "fast"):
        field.fill(typed)
        field.press("Enter")
        page.wait_for_selector('[data-name="g_lr"] .ctl-wrong:visible')
        assert page.inner_text('[data-name="g_lr"] .ctl-wrong').startswith("Generator G, learning rate")
        assert field.input_value() == "0.1" and settings(page)["g_lr"] == 0.1
    refuse_quietly(page)


@browser_test
def test_controls_that_do_not_matter_are_off_and_say_why(ready):
    page = ready("&trained=0")
    assert page.is_disabled('[data-name="clip"] input') and page.is_enabled('[data-name="smoothing"] input')
    assert "WGAN" in page.text_content("#ctl-clip-help")
    page.select_option(".loss", "wgan")
    page.wait_for_selector('[data-name="clip"] input:enabled')
    assert page.is_disabled('[data-name="smoothing"] input')
    page.click('[data-name="spectral"] [role="switch"]')
    wait_setting(page, "spectral", True)
    page.click('[data-name="spectral"] .ctl-back')
    wait_setting(page, "spectral", False)


@browser_test
def test_the_link_opens_the_same_settings(ready):
    page = ready("&trained=0&data=moons&loss=hinge&g_lr=0.03&d_width=12&spectral=1&b=loss.wgan~clip.0.03")
    assert fact(page, "lanes") == "2"
    a, b = settings(page), settings(page, 1)
    assert (a["data"], a["loss"], a["g_lr"], a["d_width"], a["spectral"]) == ("moons", "hinge", 0.03, 12, True)
    assert (b["loss"], b["clip"], b["g_lr"]) == ("wgan", 0.03, 0.03)
    page.select_option(".loss", "least_squares")
    page.wait_for_function("new URLSearchParams(location.search).get('loss') === 'least_squares'")
    query = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert query["data"] == "moons" and query["b"] == "loss.wgan~clip.0.03"  # what is compared stays different


@browser_test
def test_the_link_opens_the_same_view(ready):
    """Speed, layers and the chosen run were dropped once: the link was written anew before they had been read."""
    page = ready("&trained=0&speed=0&look=ideal&b=loss.hinge&lane=1")
    told = page.evaluate("(() => { const l = labOf(); return [l.desk.speed, l.desk.look.ideal, l.selected]; })()")
    assert told == [0, True, 1]
    page.click('[data-do="settings"]')  # the link is written with whatever changes next
    page.wait_for_function("['0', '1', 'ideal'].join() === ['speed', 'lane', 'look'].map("
                           "(name) => new URLSearchParams(location.search).get(name)).join()")


@browser_test
def test_a_link_that_makes_no_sense_says_so_and_opens_the_lab(ready):
    page = ready("&trained=0&g_lr=1e9&data=nowhere")
    assert page.inner_text(".ge-toast").startswith(("Generator G", "There is no data set"))
    assert settings(page)["data"] == "gaussians"
    refuse_quietly(page)


@browser_test
def test_controls_hide_for_a_lesson_and_come_back(ready):
    page = ready("&hide=1")
    assert not page.is_visible('[data-part="settings"]') and not page.is_visible(".problem")
    page.click('[data-do="settings"]')
    assert page.is_visible('[data-part="settings"]') and page.is_visible(".problem")
    page.wait_for_function("!location.search.includes('hide')")


@browser_test
def test_speed_by_slider_and_keys(ready):
    page = ready("&trained=0")
    page.keyboard.press("+")
    page.wait_for_function("labOf().desk.speed === 300")
    assert page.inner_text(".speed-words") == "300 rounds/s"
    page.fill(".speed", "6")
    page.wait_for_function("labOf().desk.speed === 0")
    assert page.inner_text(".speed-words") == "as fast as it goes"
    page.fill(".speed", "0")
    page.wait_for_selector(f'{LAB}[data-slow="true"]')
    page.keyboard.press("m")
    page.wait_for_selector(f'{LAB}[data-slow="false"]')


# ---- Data ---------------------------------------------------------------------------------------------------------------------


@browser_test
def test_arrows_walk_along_the_data_sets(ready):
    page = ready("&trained=0")
    page.focus('[data-toy="gaussians"]')
    page.keyboard.press("ArrowRight")
    wait_setting(page, "data", "ring")
    page.wait_for_selector('[data-toy="ring"][aria-checked="true"]')
    page.wait_for_function("labOf().scenes[0].id.startsWith('ring')")
    assert "data=ring" in page.url or page.wait_for_function("location.search.includes('data=ring')")


def open_canvas(page):
    page.click('[data-do="draw"]')
    page.wait_for_selector(".draw[open]")
    return page.locator(".draw-canvas").bounding_box()


def drawn(page):
    return int(page.get_attribute(".draw-canvas", "data-count"))


@browser_test
def test_density_is_the_time_of_the_brush_not_its_speed(ready):
    """A hand that rests makes points without any event; one that rushes makes few, however many events it sends."""
    page = ready("&trained=0")
    box = open_canvas(page)
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.wait_for_function("+document.querySelector('.draw-canvas').dataset.count >= 60")  # resting
    rested = drawn(page)
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] - 60, steps=4)
    page.mouse.up()
    assert drawn(page) - rested < rested
    page.keyboard.press("Control+z")
    assert drawn(page) == 0
    page.keyboard.press("Control+Shift+z")
    assert drawn(page) > 60


@browser_test
def test_drawing_with_keys_erasing_and_clearing(ready):
    page = ready("&trained=0")
    open_canvas(page)
    for key in ("Space", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    count = drawn(page)
    assert count == 10
    page.keyboard.press("Delete")
    assert drawn(page) == 5
    page.click('[data-draw="clear"]')
    assert drawn(page) == 0
    page.click('[data-draw="apply"]')
    assert "nothing drawn" in page.inner_text(".draw-note")
    page.keyboard.press("Escape")
    page.wait_for_selector(".draw:not([open])", state="attached")
    assert settings(page)["data"] == "gaussians"


@browser_test
def test_a_finger_draws_and_the_points_are_learnt_and_linked(ready):
    page = ready("&trained=0", width=390, height=844, has_touch=True)
    box = open_canvas(page)
    for x, y in ((0.3, 0.3), (0.7, 0.6), (0.5, 0.5)):
        page.touchscreen.tap(box["x"] + x * box["width"], box["y"] + y * box["height"])
    assert drawn(page) >= 15
    shown = drawn(page)
    page.click('[data-draw="apply"]')
    wait_setting(page, "data", "own")
    points = unpack_points(settings(page)["points"])
    assert len(points) == shown and np.abs(points).max() <= 1
    near = np.array([[-0.42, 0.42], [0.42, -0.21], [0, 0]])  # where the finger was, in the plot's units
    assert (np.linalg.norm(points[:, None] - near, axis=-1).min(1) < 0.12).all()
    page.wait_for_function("location.search.includes('data=own')")
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(f'{LAB}[data-ready="true"]')
    page.evaluate(FIND)
    assert np.array_equal(unpack_points(settings(page)["points"]), points)
    assert page.is_visible('[data-toy="own"][aria-checked="true"]')


@browser_test
def test_a_table_becomes_points_and_a_bad_one_a_sentence(ready):
    page = ready("&trained=0")
    open_canvas(page)
    rows = "\n".join(f"{x / 10},{(x / 10) ** 2}" for x in range(-10, 11))
    upload = ".draw input[type=file]"
    page.set_input_files(upload, {"name": "curve.csv", "mimeType": "text/csv", "buffer": b"x,y\n" + rows.encode()})
    page.wait_for_function("+document.querySelector('.draw-canvas').dataset.count === 21")
    page.set_input_files(upload, {"name": "words.csv", "mimeType": "text/csv", "buffer": b"no numbers\nat all\n"})
    page.wait_for_function("!/Reading|21/.test(document.querySelector('.draw-note').textContent)")
    assert page.inner_text(".draw-note").endswith(".") and drawn(page) == 21
    refuse_quietly(page)
    page.click('[data-draw="apply"]')
    wait_setting(page, "data", "own")


@browser_test
def test_a_table_may_be_dropped_anywhere_in_the_lab(ready):
    page = ready("&trained=0")
    page.evaluate(
        "() => { const files = new DataTransfer(); files.items.add(new File(['0 0\\n1 1\\n0.5 0.2'], 'three.txt'));"
        " document.querySelector('.lab-plot').dispatchEvent("
        "new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true})) }"
    )
    page.wait_for_selector(".draw[open]")
    page.wait_for_function("+document.querySelector('.draw-canvas').dataset.count === 3")


# ---- When things fail ---------------------------------------------------------------------------------------------------------


@browser_test
def test_a_server_that_forgot_the_page_gets_its_runs_again(ready):
    page = ready("&trained=0&data=spiral&g_lr=0.03")
    forgot = []

    def once(route):
        if not forgot and route.request.post_data_json["do"] == "step":
            forgot.append(True)
            return route.fulfill(json={"gone": True})
        return route.continue_()

    page.route("**/gan/do", once)
    page.keyboard.press("b")
    wait_step(page, "step === 1")
    assert forgot and "forgotten" in page.inner_text(".lab-line")
    assert (settings(page)["data"], settings(page)["g_lr"]) == ("spiral", 0.03)


@browser_test
def test_a_lost_connection_is_told_and_taken_up_again(ready):
    page = ready("&trained=0")
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('online'))")  # a stream that is up is not cut by going offline
    page.wait_for_selector(f'{LAB}[data-state="offline"]')
    assert "tries again" in page.inner_text(".lab-line")
    page.context.set_offline(False)
    page.wait_for_selector(f'{LAB}[data-state="ready"]')
    page.keyboard.press("b")
    wait_step(page, "step === 1")
    page.troubles[:] = [trouble for trouble in page.troubles if "ERR_INTERNET_DISCONNECTED" not in trouble]


@browser_test
def test_nothing_is_sent_to_a_page_that_nobody_sees(ready):
    page = ready("&trained=0")
    page.keyboard.press("Space")
    wait_step(page, "step > 5")
    page.click("#tab-vae-button")
    page.wait_for_selector(f'{LAB}[data-stream="false"]', state="attached")
    page.click("#tab-gan-button")
    page.wait_for_selector(f'{LAB}[data-stream="true"]')
    seen = step(page)
    wait_step(page, f"step > {seen}")


@browser_test
def test_two_pages_have_a_run_each(ready):
    one, two = ready("&trained=0"), ready("&trained=0")
    one.keyboard.press("b")
    wait_step(one, "step === 1")
    two.select_option(".loss", "hinge")
    wait_setting(two, "loss", "hinge")
    assert step(two) == 0 and settings(one)["loss"] == "non_saturating"


@browser_test
@pytest.mark.parametrize("width, height", [(390, 844), (820, 1180), (1280, 720), (1440, 900), (1920, 1080)])
def test_no_width_scrolls_sideways_and_play_is_in_sight(ready, width, height):
    page = ready("&trained=0", width=width, height=height, dark=width in (390, 1440))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator('[data-do="play"]').bounding_box()
    assert box["y"] + box["height"] < height and box["height"] >= 40
    before = page.locator('[data-part="plot"]').bounding_box()
    page.keyboard.press("b")
    wait_step(page, "step === 1")
    assert page.locator('[data-part="plot"]').bounding_box()["y"] == pytest.approx(before["y"], abs=1)
