"""The forward lab and the three guidances in a real browser: what a hand does, what is then shown, and what asks nothing more.

The view writes facts on its elements (`data-ready`, `data-film`, `data-guess`, `data-run`, `data-step`); tests wait for those.
"""

import re

import pytest

pytestmark = pytest.mark.browser

FORWARD = 'section.lab[data-ready="true"][data-part="forward"] [data-lab="forward"][data-guess="ready"]'
COMPARED = 'section.lab[data-ready="true"][data-part="guidances"] [data-lab="guidances"][data-run="done"]'
PIXELS = "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"


@pytest.fixture
def opened(visit, app_url):
    """opened(part, query, waiting for, **window) -> a page, and the list of what it asks of the lab's routes from now on."""

    def open_part(part, query, fact, **window):
        page = visit(f"{app_url}/?tab=diffusion&part={part}{query}", **window)
        page.wait_for_selector(fact)
        asked = []
        ours = re.compile("/x/diffusion/(forward|guidances)")
        page.on("request", lambda request: ours.search(request.url) and asked.append(request.url))
        return page, asked

    return open_part


def slide(page, name, value):
    page.locator(f'section.lab [data-slider="{name}"]').evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def fact(page, name):
    return page.locator(f'section.lab [data-fact="{name}"]').first.inner_text()


def sums(text):
    """ "... = 0.652 · 1.680 + 0.759 · (−0.183) = 1.234" -> what stands left of the last "=", computed, and what stands right."""
    left, right = text.replace("−", "-").rsplit("=", 2)[-2:]
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", left)]
    return numbers[0] * numbers[1] + numbers[2] * numbers[3], float(re.search(r"-?\d+\.\d+", right)[0])


def test_the_film_of_noise_moves_without_asking_and_its_equation_holds(opened):
    page, asked = opened("forward", "&fl_face=3&fl_t=400", FORWARD)
    assert "t = 400: ᾱ = 0.424" in fact(page, "level")
    film = page.locator('[aria-label="The noisy latent, decoded"]')
    before = film.evaluate(PIXELS)
    for frame in range(10, 34, 4):
        slide(page, "t", frame)
        left, right = sums(fact(page, "cell"))
        assert left == pytest.approx(right, abs=4e-3)
    page.locator("section.lab .heat-stage").first.focus()
    cell = fact(page, "cell")
    page.keyboard.press("ArrowRight")
    assert fact(page, "cell") != cell and page.locator("section.lab").get_attribute("data-t") == "750"
    page.locator("section.lab h3").first.click()
    assert film.evaluate(PIXELS) != before and "0.0" in fact(page, "loss") and not asked

    # A schedule that the network was not trained on is asked with the t of equal noise, and the page says so.
    page.click('section.lab [data-value="zero_snr"]')
    page.wait_for_function("document.querySelector('section.lab [data-fact=level]').textContent.includes('0.0')")
    page.wait_for_selector(FORWARD)
    slide(page, "t", 40)
    assert "nothing of the picture is left" in fact(page, "level") and "more noise than it ever saw" in fact(page, "mapped")

    # A training example, and one where the visitor guesses first.
    page.click('section.lab [data-do="example"]')
    page.wait_for_selector('section.lab [data-drawn="1"]')
    page.click('section.lab [data-do="quiz"]')
    page.click("section.lab [data-true] >> visible=true")
    page.wait_for_selector('section.lab [data-drawn="2"][data-answer="right"]')
    assert "you 1 of 1" in fact(page, "example") and "Mean of 2 examples" in fact(page, "example")
    page.wait_for_function("location.search.includes('fl_schedule=zero_snr')")


def test_a_picture_of_ones_own_drowns(opened, tmp_path):
    from PIL import Image

    page, _ = opened("forward", "", FORWARD, width=390, height=844)
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "grey.png")
    page.locator("section.lab input[type=file]").set_input_files(tmp_path / "grey.png")
    page.wait_for_function("!document.querySelector('section.lab .face-button[aria-pressed=true]')")
    page.wait_for_selector(FORWARD)
    page.wait_for_function(
        "() => { const c = document.querySelector('[aria-label=\"The picture\"]').getContext('2d');"
        " const d = c.getImageData(32, 0, 1, 64).data; return d[0] < 20 && d[4 * 63] > 235; }"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.wait_for_selector(".ge-toast")


def test_three_guidances_share_a_slider_and_answer_a_scale(opened):
    page, asked = opened("guidances", "&tg_wish=hair+colour:red,shirt:blue&tg_steps=6&tg_seed=3&tg_s=5&tg_w=4", COMPARED)
    films = page.locator('.way [aria-label*="as estimated at this step"]')
    assert films.count() == 3 and page.locator(".way .verdict tbody tr").count() == 6
    ends = [films.nth(i).evaluate(PIXELS) for i in range(3)]
    slide(page, "step", 0)
    assert page.locator("section.lab").get_attribute("data-step") == "0" and not asked
    assert all(films.nth(i).evaluate(PIXELS) != ends[i] for i in range(3))
    costs = page.locator('[data-fact="cost"]').all_inner_texts()
    assert ["evaluations (NFE): 6." in costs[0], "6 and 6 gradients" in costs[1], "(NFE): 12." in costs[2]] == [True] * 3

    # While a scale is dragged, this step's picture follows without the network; let go, all steps are made again.
    before = films.nth(1).evaluate(PIXELS)
    slide(page, "s", 15)
    page.wait_for_function("document.querySelector('[data-way=classifier] [data-fact=cost]').textContent.includes('s = 15.0')")
    assert films.nth(1).evaluate(PIXELS) != before and all("/recombined" in url for url in asked)
    page.locator('section.lab [data-slider="s"]').dispatch_event("change")
    page.wait_for_selector('[data-lab="guidances"][data-run="busy"] .way [data-wait]')

    # Who leaves the part meanwhile finds the run again, and the slider where it was.
    for part in ("steps", "guidances"):
        page.evaluate("(part) => document.dispatchEvent(new CustomEvent('diffusion:part', {detail: {part}}))", part)
        page.wait_for_selector("section.lab", state="visible" if part == "guidances" else "hidden")
    page.wait_for_selector(COMPARED)
    assert not page.locator("section.lab .way [data-wait]").count() and "step 1 of 6" in page.locator(".lead.sticky").inner_text()
    page.click("section.lab [data-factor=shirt]")
    page.wait_for_function("document.querySelectorAll('.way .verdict tbody tr').length === 3")
    page.wait_for_function("location.search.includes('tg_s=15')")
