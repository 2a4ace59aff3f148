"""The twin's page in a browser: scrubbing without requests, the page's own arithmetic, a trace, a drawing, a lesson, a phone."""

import numpy as np
import pytest

from explorer.tabs.diffusion import twin

pytestmark = pytest.mark.browser
LOOK = """([a, x, y]) => {
    const of = document.querySelector(".twin").twin.mix.look(x[0], x[1], a, y);
    return {...of, r: [...of.r]};
}"""
TAKEN = """() => {
    const {steps, w, eta, seed} = document.querySelector(".twin").twin.settings;
    return [steps, w, eta, seed].join() === "7,6.5,1,3";
}"""
SMALL = """() => [...document.querySelectorAll(".twin button, .twin select")].filter((one) => one.checkVisibility())
    .filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.textContent)"""
READY = '.twin[data-ready="true"][data-state="ready"]'


def opened(visit, app_url, query, **options):
    page = visit(f"{app_url.rstrip('/')}/?tab=diffusion&part=twin&{query}", reduced_motion="reduce", **options)
    page.wait_for_selector(READY)
    return page


def spot(page, x, y):
    """A place of the plot, by its units, on the screen."""
    canvas = page.locator(".twin .plot-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    rem = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    unit = (box["width"] - 2.1 * rem - 0.4 * rem) / 6.5
    return box["x"] + 2.1 * rem + (3.25 + x) * unit, box["y"] + 0.4 * rem + (3.25 - y) * unit


def test_the_film_the_numbers_of_a_point_and_a_drawing(visit, app_url):
    page = opened(visit, app_url, "tw_data=disjoint&tw_steps=10&tw_n=80&tw_w=3&tw_layers=density,contours,data,free,told,guided")
    asked = []
    page.on("request", lambda request: "/x/diffusion/" in request.url and asked.append(request.url))

    # Scrubbing asks for nothing, and the open point's step adds up to the next frame.
    bar = page.locator('.twin [data-slider="step"]')
    bar.focus()
    for _ in range(6):
        bar.press("ArrowLeft")
    page.wait_for_selector('.twin[data-step="4"]')
    page.wait_for_selector('.twin .plot-canvas[data-drawn="4"]')
    assert float(page.locator(".twin [data-equation]").get_attribute("data-equation")) < 1e-3
    assert not asked

    # The page's arithmetic is the engine's.
    a, x = page.evaluate("(() => { const t = document.querySelector('.twin').twin; return [t.film.abar[4], [0.3, -0.4]]; })()")
    law = twin.presets()["disjoint"].law
    for y in (None, 0):
        told = page.evaluate(LOOK, [a, x, y])
        here = np.array([x])
        np.testing.assert_allclose(told["score"], law.score(here, a, y)[0], atol=1e-4)
        np.testing.assert_allclose(told["x0"], law.x0(here, a, y)[0], atol=1e-4)
        np.testing.assert_allclose(told["r"], law.responsibilities(here, a, y)[0], atol=1e-4)
        assert told["logp"] == pytest.approx(law.log_density(here, a, y)[0], abs=1e-4)

    page.mouse.click(*spot(page, 2.5, -2.5))  # where no sample is
    page.wait_for_selector('.twin[data-traced^="4 "]')
    assert len(asked) == 1 and asked[0].endswith("twin/trace")

    # A drawing: two strokes with two classes, in the link, and undone.
    page.locator('.twin [data-control="data"]').select_option("own")
    page.wait_for_selector('.twin [data-do="draw"][aria-pressed="true"]')
    for cls, height in (("0", 1), ("1", -1)):
        page.locator(f'.twin .brush [role="radio"][data-value="{cls}"]').click()
        page.mouse.move(*spot(page, -1, height))
        page.mouse.down()
        page.mouse.move(*spot(page, 0, height))
        page.mouse.move(*spot(page, 1, height))
        page.mouse.up()
    page.wait_for_function("document.querySelector('.twin').twin.film?.law.means.length === 6")
    points = page.evaluate("document.querySelector('.twin').twin.settings.points")
    np.testing.assert_allclose(points, [[v, h, c] for h, c in ((1, 0), (-1, 1)) for v in (-1, 0, 1)], atol=0.03)
    page.wait_for_function("location.search.includes('tw_points=')")
    page.locator('.twin [data-do="undo"]').click()
    page.wait_for_function("document.querySelector('.twin').twin.film?.law.means.length === 3")


def test_a_lesson_and_the_image_run_s_settings_on_a_phone(visit, app_url):
    page = opened(visit, app_url, "tw_sub=bayes&tw_steps=5", width=390, height=800, has_touch=True)
    assert float(page.locator(".twin [data-worst]").get_attribute("data-worst")) < 1e-9
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    # Settings come from an image run, and go back to it.
    page.evaluate("""() => {
        const settings = {steps: 7, guidance_scale: 6.5, scheduler: "ddpm", eta: 0, seed: 3};
        document.diffusion = {...document.diffusion, settings};
        window.used = [];
        for (const name of ["diffusion:use", "diffusion:part"]) { // what the desk would run is its own test's
            document.addEventListener(name, (event) => (event.stopImmediatePropagation(), window.used.push(event.detail)), true);
        }
        document.dispatchEvent(new CustomEvent("diffusion:run", {detail: {settings}}));
    }""")
    page.locator('.twin [data-do="take"]').click()
    page.wait_for_function(TAKEN)
    page.locator('.twin [data-do="use"]').click()
    asked = {"steps": 7, "guidance_scale": 6.5, "scheduler": "ddim", "eta": 1, "seed": 3}
    assert page.evaluate("window.used") == [{"settings": asked}, {"part": "steps"}]
    assert page.evaluate(SMALL) == []
