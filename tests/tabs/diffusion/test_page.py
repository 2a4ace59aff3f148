"""The diffusion desk as a visitor meets it: the true server, the model that ships, a real browser."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser
DESK = "#diffusion-desk .desk"
OURS = "/gradio_api/x/diffusion/"


@pytest.fixture
def desk(visit, app_url):
    """desk(link) -> the tab, when its first run is a film that rests on its picture (or on the step of the link)."""

    def open_tab(link="", **options):
        page = visit(f"{app_url}/?tab=diffusion{link}", **options)
        page.wait_for_selector(f'{DESK}[data-ready="true"]', timeout=120_000)
        rests(page)
        page.asked = []
        page.on("request", lambda asked: OURS in asked.url and page.asked.append(asked.url.split(OURS)[1]))
        return page

    return open_tab


def fact(page, name):
    return page.locator(DESK).get_attribute(f"data-{name}")


def rests(page):
    """The newest run is over, its film is in the page, and it has been played."""
    page.wait_for_selector(
        f'{DESK}[data-state="idle"][data-film="ready"][data-playing="false"]:not([data-step="0"])', timeout=120_000
    )


def pixels(page, selector):
    """A canvas as numbers."""
    return np.array(
        page.evaluate(
            """(selector) => { const canvas = document.querySelector(selector);
               return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data] }""",
            f"{DESK} {selector}",
        )
    )


def test_the_first_sight_is_a_picture_that_came_from_noise(desk):
    page = desk()
    assert fact(page, "step") == fact(page, "total") == "25"
    assert page.locator(".prompt-field").input_value()
    picture = pixels(page, '[data-view="x0"] canvas')
    assert picture.std() > 20, "something is painted"
    assert "48 times fewer numbers" in page.locator(".ratio").inner_text()
    assert page.locator(".count").inner_text() == "picture"
    assert "No noise is predicted" in page.locator(".step-aside").inner_text()
    page.keyboard.press("Home")
    assert fact(page, "step") == "0"
    assert np.abs(pixels(page, '[data-view="x"] canvas') - picture).mean() > 20, "the noise is not the picture"


def test_scrubbing_asks_the_server_nothing(desk):
    page = desk(height=1100)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    seen = {fact(page, "step")}
    before = pixels(page, '[data-view="x0"] canvas')
    strip = page.locator('[data-row="eps_cond"] canvas').bounding_box()
    middle = strip["y"] + strip["height"] / 2
    page.mouse.move(strip["x"] + 5, middle)
    page.mouse.down()
    for share in (0.2, 0.5, 0.8):
        page.mouse.move(strip["x"] + share * strip["width"], middle)
        seen.add(fact(page, "step"))
    page.mouse.up()
    page.locator(".scrub").fill("7")
    seen.add(fact(page, "step"))
    assert len(seen) == 5 and "7" in seen
    assert (pixels(page, '[data-view="x0"] canvas') != before).any()
    page.locator('[data-row-toggle="eps"]').click()
    page.wait_for_selector('[data-row="eps"]', state="hidden")  # rows are painted with the next frame
    assert page.asked == []


def test_guidance_follows_the_finger_with_true_numbers(desk):
    page = desk("&step=12")
    assert fact(page, "step") == "11"
    slider = page.locator(".lab-slider input")
    slider.focus()
    page.wait_for_selector('[data-at="guidance"][data-sweep="41"]')
    asked = [one for one in page.asked if not one.startswith("terms")]
    assert all(one.startswith("sweep") for one in asked)
    shots = []
    for w in ("0", "7.5", "20"):
        slider.fill(w)
        shots.append(pixels(page, ".lab-screen"))
    assert [one for one in page.asked if not one.startswith("terms")] == asked, "the drag itself asks nothing of the film"
    assert np.abs(shots[0] - shots[2]).mean() > 3

    # ε̂ is the sum of the very tensors that the server recorded.
    values, shape = page.evaluate(
        """async () => { const desk = document.querySelector("#diffusion-desk .desk");
           const where = window.explorer.route("diffusion/latents", { run: desk.dataset.run, what: "eps_uncond,eps_cond" });
           const reply = await window.explorer.ask(where);
           return [[...new Float32Array(await reply.arrayBuffer())], reply.headers.get("x-shape").split(",").map(Number)] }"""
    )
    uncond, cond = np.array(values, np.float32).reshape(shape)[11]
    norm = float(page.locator('[data-at="guidance"]').get_attribute("data-norm"))
    assert norm == pytest.approx(np.linalg.norm(uncond + 20 * (cond - uncond)), rel=1e-3)


def test_an_opened_step_is_the_next_frame_and_a_branch_leaves_it(desk):
    page = desk("&step=9&scheduler=ddpm")
    opened = page.locator('[data-at="onestep"]')
    opened.scroll_into_view_if_needed()
    page.wait_for_selector('[data-at="onestep"][data-step="8"][data-terms="3"]')
    assert float(opened.get_attribute("data-error")) < 1e-4
    assert "σ" in page.locator('[data-at="onestep"] .equation').last.inner_text()
    page.keyboard.press("]")
    page.wait_for_function("+document.querySelector('[data-at=\"onestep\"]').dataset.error > 1e-3")

    first = fact(page, "run")
    page.get_by_label("Guidance from here on").fill("0")
    page.click('[data-do="branch"]')
    page.wait_for_selector(".versus[data-done]", timeout=60_000)
    rests(page)
    assert fact(page, "run") != first and page.locator(".tree-run").count() == 2
    assert "part at step 9" in page.locator(".versus").inner_text()
    before = page.evaluate("document.querySelector('#diffusion-desk').querySelector('.versus .chart-line').getAttribute('d')")
    assert before, "the difference over time is drawn"
    page.locator(f'.tree-run[data-run="{first}"] .tree-show').click()
    page.wait_for_selector(f'{DESK}[data-run="{first}"][data-film="ready"]')


def test_a_link_holds_the_settings_and_a_server_that_fails_is_one_sentence(desk):
    page = desk("&prompt=a+zebra+with+a+red+shirt&seed=7&steps=4&guidance=2.5&scheduler=euler")
    assert fact(page, "total") == "4" and page.get_by_label("Seed", exact=True).input_value() == "7"
    assert "zebra" in page.locator(".warnings").inner_text()
    assert page.locator('[data-knob="eta"]').is_hidden(), "Euler has no eta"

    page.route(f"**{OURS}run", lambda route: route.abort())
    page.click('[data-do="run"]')
    page.wait_for_selector(f'{DESK}[data-state="error"]')
    assert "does not answer" in page.locator(".run-line").inner_text()
    assert fact(page, "stale") == "true" and "zebra" in page.locator(".warnings").inner_text(), "whose picture is still there"
    page.unroute(f"**{OURS}run")
    page.troubles[:] = [trouble for trouble in page.troubles if "ERR_FAILED" not in trouble]
    page.fill(".prompt-field", "blue hair")
    page.click('[data-do="again"]')
    page.wait_for_selector(f'{DESK}[data-state="idle"][data-stale="false"]')
    rests(page)
    page.wait_for_function("location.search.includes('prompt=blue+hair')")
    page.click('[data-do="undo"]')
    assert "zebra" in page.locator(".prompt-field").input_value()


def test_a_phone_shows_all_of_it(desk):
    page = desk(width=390, height=844, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "nothing hangs over the edge"
    nav = page.query_selector(f"{DESK} .part-nav")
    assert page.evaluate("(nav) => nav.scrollWidth <= nav.clientWidth", nav), "no part is cut"
    low = page.evaluate(
        """(desk) => [...document.querySelectorAll(desk + " :is(button, select, input:not([type=file]))")]
             .filter((node) => node.offsetParent && node.getBoundingClientRect().height < 43.5)
             .map((node) => node.ariaLabel || node.textContent)""",
        DESK,
    )
    assert low == [], "as tall as a fingertip"


def test_a_run_is_stopped_in_the_middle(desk):
    page = desk("&steps=4")
    first = fact(page, "run")
    page.get_by_label("Steps", exact=True).last.fill("100")
    page.get_by_label("Steps", exact=True).last.press("Tab")
    # Within the page, as a busy host may be through with all steps before a click from outside arrives.
    watch = """([desk, first]) => new MutationObserver((_, watching) => {
      const stop = document.querySelector('[data-do="stop"]');
      if (document.querySelector(desk).dataset.run === first || stop.disabled || !stop.offsetParent) return;
      watching.disconnect();
      stop.click();
    }).observe(document.body, { subtree: true, attributes: true, childList: true })"""
    page.evaluate(watch, [DESK, first])
    page.click('[data-do="run"]')
    page.wait_for_selector(f'{DESK}[data-state="stopped"]')
    assert "Stopped after" in page.locator(".run-line").inner_text()
    page.wait_for_selector(f'{DESK}[data-film="ready"]')
