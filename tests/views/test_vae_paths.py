"""The paths part in a real browser: strips under one scrubber, a board under the finger, weights, samples, links."""

import numpy as np
import pytest

from explorer.tabs.vae import path_board, worlds
from explorer.views import vae_paths

PART = "#vae-paths .part"
DIGITS = "/?tab=vae&part=paths&model=digits-1"
FOUND = 90_000  # a geodesic on a loaded host


# ---- The scripts, without a browser ------------------------------------------------------------------------------------------


def test_the_page_and_the_engine_write_a_way_with_the_same_letters():
    assert path_board.LETTERS in (vae_paths.HERE / "drive.js").read_text(encoding="utf-8")


# ---- Helpers -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_part(visit, app_url):
    def open_at(query: str = "", facts: str = "", **kwargs):
        page = visit(app_url + DIGITS + query, **kwargs)
        page.wait_for_selector(f'{PART}[data-ready="true"]{facts}', timeout=FOUND)
        return page

    return open_at


def fact(page, name: str) -> str:
    return page.locator(PART).get_attribute("data-" + name)


def wait(page, facts: str) -> None:
    page.wait_for_selector(PART + facts, timeout=FOUND)


def pixels(page, selector: str, index: int = 0) -> np.ndarray:
    """(H, W, 3) of a canvas of the part."""
    script = """([selector, index]) => { const c = document.querySelectorAll(selector)[index];
        return [c.height, c.width, ...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]; }"""
    height, width, *values = page.evaluate(script, [f"{PART} {selector}", index])
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


def link(page) -> dict:
    page.wait_for_timeout(0)
    return dict(page.evaluate("[...new URLSearchParams(location.search)]"))


def until(page, script: str) -> None:
    page.wait_for_function(script, timeout=FOUND)


# ---- Paths ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_three_strips_share_their_ends_and_one_scrubber(open_part):
    page = open_part("&p_t=0", '[data-geodesic="ready"]')
    vae = worlds.load("digits").stops["1"]
    ends = vae.decode(vae.gallery().codes.mu[[0, 2]])
    for frame, end in ((0, ends[0]), (24, ends[1])):
        slider = page.locator(f'{PART} [data-do="t"]')
        slider.fill(str(frame))
        for row in range(3):
            assert np.abs(pixels(page, ".way-now", row).astype(int) - end).max() <= 1
    assert fact(page, "t") == "1.000"
    lengths = page.eval_on_selector_all(f"{PART} .way", "ways => ways.map(way => +way.dataset.length)")
    assert lengths[2] <= lengths[0] + 1e-4 and lengths[2] <= lengths[1] + 1e-4

    # the lengths are said once one has predicted
    assert "hidden" in page.locator(f"{PART} .way-length").first.text_content()
    page.click(f'{PART} [data-guess="lerp"]')
    assert page.locator(f"{PART} .way-bar").count() == 3 and page.locator(f"{PART} .verdict").first.text_content().startswith(
        "No:"
    )
    until(page, "new URLSearchParams(location.search).get('p_shown') === '1'")


@pytest.mark.browser
def test_lengths_are_shown_without_a_guess_and_axes_have_equal_decimals(open_part):
    page = open_part("", '[data-path="ready"]')
    charts = page.eval_on_selector_all(
        f"{PART} .way[data-way=lerp] .chart-art",
        "all => all.map(art => [...art.querySelectorAll('.chart-tick[x=\"-6\"]')].map(tick => tick.textContent))",
    )
    assert len(charts) == 2
    for ticks in charts:
        assert len(ticks) == 3 and len({len(tick.partition(".")[2]) for tick in ticks}) == 1, ticks
    page.click(f'{PART} .way[data-way="lerp"] [data-do="show"]')
    assert page.locator(f'{PART} [data-do="show"]').is_hidden()
    assert "hidden" not in page.locator(f"{PART} .way-length").first.text_content()


@pytest.mark.browser
def test_swap_keys_and_the_link_of_a_path(open_part):
    page = open_part("&p_a=gallery:3&p_b=code:1,-1&p_t=6", '[data-path="ready"]')
    assert fact(page, "t") == "0.250"
    vae = worlds.load("digits").stops["1"]
    page.locator(f'{PART} [data-do="t"]').focus()
    page.keyboard.press("Home")
    assert np.abs(pixels(page, ".way-now").astype(int) - vae.decode(vae.gallery().codes.mu[[3]])[0]).max() <= 1
    page.click(f'{PART} [data-do="swap"]')
    until(page, "new URLSearchParams(location.search).get('p_a') === 'code:1,-1'")
    wait(page, '[data-path="ready"]')
    assert np.abs(pixels(page, ".way-now").astype(int) - vae.decode(np.array([[1, -1]]))[0]).max() <= 1
    page.locator(f"{PART} .plane-handle").first.focus()
    page.keyboard.press("ArrowRight")
    until(page, "/^code:1\\.[1-9]/.test(new URLSearchParams(location.search).get('p_a'))")


@pytest.mark.browser
def test_a_link_with_nonsense_falls_back_and_says_so(open_part):
    page = open_part("&p_a=gallery:999&p_b=code:1,2,3&p_t=-4&p_x=9", '[data-path="ready"]')
    until(page, "document.querySelector('.ge-toast')?.textContent.includes('gallery')")
    until(page, "new URLSearchParams(location.search).get('p_a') === 'gallery:0'")  # the address follows a moment later
    page.troubles[:] = [trouble for trouble in page.troubles if "400" not in trouble]  # the browser notes the refusal


# ---- The board -----------------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_dragging_the_puck_asks_nothing_and_rests_on_an_exact_decode(open_part):
    page = open_part("&p_tool=corners", '[data-exact="true"]')
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(f"{PART} .board-field").scroll_into_view_if_needed()
    box = page.locator(f"{PART} .board-field").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*at(0.5, 0.5))
    page.mouse.down()
    for i in range(1, 11):
        page.mouse.move(*at(0.5 - 0.02 * i, 0.5 + 0.03 * i))
    until(page, f"+document.querySelector('{PART}').dataset.y > .79")
    assert not [url for url in asked if "/x/vae/" in url] and fact(page, "exact") == "false"
    page.mouse.up()
    wait(page, '[data-exact="true"]')
    assert any("decode" in url for url in asked)

    x, y = float(fact(page, "x")), float(fact(page, "y"))
    assert (x, y) == (pytest.approx(0.3, abs=0.01), pytest.approx(0.8, abs=0.01))
    vae = worlds.load("digits").stops["1"]
    z = path_board.weights(x, y) @ vae.gallery().codes.mu[[0, 2, 1, 3]]
    assert np.abs(pixels(page, ".board-face").astype(int) - vae.decode(z[None].astype(np.float32))[0]).max() <= 2
    shares = [float(text) for text in page.locator(f"{PART} .share b").all_text_contents()]
    assert sum(shares) == pytest.approx(1, abs=0.02)


@pytest.mark.browser
def test_the_blend_between_cells_is_their_mix(open_part):
    page = open_part("&p_tool=corners&p_x=0.5&p_y=0.5", '[data-exact="true"]')
    page.evaluate(f"document.querySelector('{PART} .board-face').getContext('2d').clearRect(0, 0, 99, 99)")
    page.locator(f"{PART} .board-field").focus()
    page.keyboard.down("ArrowRight")  # 0.52: between cells 5 and 6, before the exact picture comes
    vae = worlds.load("digits").stops["1"]
    cells = vae.decode(path_board.cells(vae.gallery().codes.mu[[0, 2, 1, 3]], 11)).reshape(11, 11, 32, 32, 3)
    until(page, f"document.querySelector('{PART}').dataset.x === '0.5200'")
    wait(page, '[data-exact="true"]')
    exact = pixels(page, ".board-face").astype(int)
    assert np.abs(exact - (0.8 * cells[5, 5] + 0.2 * cells[5, 6])).mean() < 6  # near to it, and not the same


@pytest.mark.browser
def test_a_drawn_path_plays_and_stands_in_the_link(open_part):
    page = open_part("&p_tool=corners", '[data-exact="true"]')
    with page.expect_download() as download:  # nothing is drawn yet: round the corners
        page.get_by_role("button", name="GIF of the path").click()
    assert download.value.suggested_filename == "drive.gif"
    page.click(f'{PART} [data-do="record"]')
    field = page.locator(f"{PART} .board-field")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*at(0.1, 0.1))
    page.mouse.down()
    for i in range(1, 9):
        page.mouse.move(*at(0.1 + 0.1 * i, 0.1))
    page.mouse.up()
    wait(page, '[data-playing="true"]')
    until(page, f"(+document.querySelector('{PART}').dataset.moves) > 20")
    until(page, "new URLSearchParams(location.search).get('p_way')")
    way = path_board.unpack(link(page)["p_way"])
    assert way[0] == pytest.approx([0.1, 0.1], abs=0.02) and way[-1] == pytest.approx([0.9, 0.1], abs=0.02)
    page.click(f'{PART} [data-tool="corners"] [data-do="play"]')
    wait(page, '[data-playing="false"]')

    with page.expect_download() as download:
        page.get_by_role("button", name="GIF of the path").click()
    assert download.value.suggested_filename == "drive.gif"
    again = open_part("&p_tool=corners&p_way=" + link(page)["p_way"], '[data-exact="true"]')
    assert again.locator(f"{PART} .board-way").get_attribute("points").count(",") == len(way)
    assert again.locator(f'{PART} [data-tool="corners"] [data-do="play"]').is_enabled()


@pytest.mark.browser
def test_a_touch_of_the_board_moves_the_puck_on_a_phone(open_part):
    page = open_part("&p_tool=corners", '[data-exact="true"]', width=390, height=844, has_touch=True, is_mobile=True, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(f"{PART} .board-field").scroll_into_view_if_needed()
    box = page.locator(f"{PART} .board-field").bounding_box()
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    until(page, f"Math.abs(document.querySelector('{PART}').dataset.x - .75) < .02")
    wait(page, '[data-exact="true"]')
    for tool in ("mix", "sampling", "path"):
        page.click(f'{PART} .tool-choice [data-value="{tool}"]')
        wait(page, f'[data-tool="{tool}"]')
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tool


# ---- The mix -------------------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_weights_of_a_mix_sum_to_one_and_the_face_is_theirs(open_part):
    page = open_part("&p_tool=mix&p_mix=gallery:0|gallery:1|gallery:2|gallery:3|gallery:4", '[data-mix="ready"]')
    page.locator(f'{PART} [data-weight="B"]').fill("0.6")
    weights = np.array([float(w) for w in fact(page, "weights").split(",")])
    assert weights == pytest.approx([0.1, 0.6, 0.1, 0.1, 0.1], abs=1e-3)
    wait(page, '[data-mix="ready"]')
    vae = worlds.load("digits").stops["1"]
    z = (weights @ vae.gallery().codes.mu[:5]).astype(np.float32)
    assert np.abs(pixels(page, ".mix-face").astype(int) - vae.decode(z[None])[0]).max() <= 2
    page.click(f'{PART} [data-tool="mix"] [data-do="fewer"]')
    until(page, f"document.querySelector('{PART}').dataset.weights.split(',').length === 4")
    assert sum(float(w) for w in fact(page, "weights").split(",")) == pytest.approx(1, abs=1e-3)


@pytest.mark.browser
def test_the_pads_weights_rebuild_its_point(open_part):
    page = open_part("&p_tool=mix&p_mix=" + "|".join(f"gallery:{i}" for i in range(8)), '[data-mix="ready"]')
    pad = page.locator(f"{PART} .mix-pad")
    pad.scroll_into_view_if_needed()
    for count in (8, 5, 3, 2):
        while len(fact(page, "weights").split(",")) > count:
            left = len(fact(page, "weights").split(",")) - 1
            page.click(f'{PART} [data-tool="mix"] [data-do="fewer"]')
            until(page, f"document.querySelector('{PART}').dataset.weights.split(',').length === {left}")
        corners = page.locator(f"{PART} .mix-shape").get_attribute("points").split()
        corners = np.array([[float(v) for v in corner.split(",")] for corner in corners])
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        for x, y in [(0.55, 0.5), (0.5, 0.4), (0.95, 0.95), (0.5, 0.1)]:
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            weights = np.array([float(w) for w in fact(page, "weights").split(",")])
            dot = [float(page.locator(f"{PART} .mix-dot").get_attribute(name)) for name in ("cx", "cy")]
            assert weights.min() >= 0 and weights.sum() == pytest.approx(1, abs=1e-3)
            assert weights @ corners == pytest.approx(dot, abs=0.2)


# ---- Sampling ------------------------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_psi_zero_shows_one_picture_and_a_sample_goes_to_the_path(open_part):
    page = open_part("&p_tool=sampling&p_psi=0&p_seed=5", '[data-sheets="ready"][data-curves="ready"]')
    faces = np.stack([pixels(page, '.sheet[data-source="aggregate"] canvas', i) for i in (0, 7, 23)])
    assert (faces == faces[0]).all() and float(fact(page, "diversity")) == pytest.approx(0, abs=1e-3)
    assert page.locator(f"{PART} .figures-table tbody tr").count() == 3

    page.locator(f'{PART} [data-do="psi"]').fill("1")
    until(page, f"document.querySelector('{PART} .sheet[data-source=prior]').dataset.exact === 'true'")
    until(page, f"+document.querySelector('{PART}').dataset.diversity > 10")
    sample = pixels(page, '.sheet[data-source="prior"] canvas', 3)
    page.click(f'{PART} [data-sample="prior-3"]')
    page.click(f'{PART} [data-give="path0"]')
    until(page, "new URLSearchParams(location.search).get('p_a') === 'draw:prior:5:3:1:1'")
    wait(page, '[data-tool="path"][data-path="ready"]')
    page.locator(f'{PART} [data-do="t"]').fill("0")
    assert np.abs(pixels(page, ".way-now").astype(int) - sample).max() <= 1


@pytest.mark.browser
def test_another_model_is_met_where_one_is(open_part):
    page = open_part("&p_tool=corners&p_c=code:1,1|gallery:1|gallery:2|gallery:3", '[data-exact="true"]')
    page.select_option('[data-pick="model"]', "digits-kl")
    wait(page, '[data-model="digits-kl"][data-board="ready"]')
    until(page, "!new URLSearchParams(location.search).get('p_c')?.includes('code')")
    page.click(f'{PART} [data-tool="corners"] [data-do="python"]')
    until(page, f"document.querySelector('{PART}').dataset.script === 'board'")
    assert 'models.get("digits-kl")' in page.evaluate(f"document.querySelector('{PART}').python")
