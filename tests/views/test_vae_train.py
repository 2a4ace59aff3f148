"""The part "Train" in a real browser: a film without a click, a training of one's own, its model in the other parts."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from explorer.views import vae_train

ROOT = "#vae-train .part"
TINY = "&t_widths=4-4-4&t_batch=8&t_steps=4"  # learns nothing, and is done at once


@pytest.mark.browser
@pytest.mark.parametrize("low, high", [(0, 0.52), (0, 0.04), (0, 7.3), (412, 1033), (96, 98.1)])
def test_ticks_of_the_losses_are_round_and_tell_themselves_apart(browser, low, high):
    source = (vae_train.HERE / "curves.js").read_text(encoding="utf-8")
    ticks = re.search(r"^function curveTicks.*?^}", source, re.MULTILINE | re.DOTALL)[0]
    page = browser.new_page()
    texts = "const wholeText = (v) => v.toLocaleString('en')"  # it writes a zero with its sign
    found = page.evaluate(f"([low, high]) => {{ {texts}; {ticks}; return curveTicks(low, high); }}", [low, high])
    page.close()
    assert 2 <= len(found) <= 6 and all(low <= value <= high for value, _ in found)
    assert all(float(text.replace(",", "")) == pytest.approx(value, abs=1e-9) for value, text in found)
    assert not any(text.startswith("-") for _, text in found)


class Part:
    """The part on a page, as a visitor and a test see it."""

    def __init__(self, page):
        self.page, self.root = page, page.locator(ROOT)
        page.wait_for_selector(ROOT + "[data-ready=true]")

    def wait(self, **facts):
        wanted = "".join(f'[data-{name}="{value}"]' for name, value in facts.items())
        self.page.wait_for_selector(ROOT + wanted, timeout=90_000)

    def fact(self, name):
        return self.root.get_attribute("data-" + name)

    def button(self, words):
        return self.root.get_by_role("button", name=words, exact=True)

    def train(self):
        """Presses Train and waits for the end: the training's name."""
        before = int(self.fact("runs"))
        self.button("Train").click()
        self.wait(runs=before + 1)
        self.page.wait_for_function("root => document.querySelector(root).dataset.run !== 'own-example'", arg=ROOT)
        self.wait(runstate="done")
        self.page.wait_for_selector(ROOT + "[data-painted]")
        return self.fact("run")


@pytest.fixture
def opened(visit, app_url):
    return lambda query="", **window: Part(visit(app_url + "?tab=vae&part=train" + query, **window))


def wait_for_ink(page, selector):
    """Until a canvas shows more than a few colours: what it draws comes in answers of its own."""
    page.wait_for_function(
        """selector => {
          const canvas = document.querySelector(selector);
          const found = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(found.data.buffer)).size > 8;
        }""",
        arg=selector,
    )


def zipped(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(count):
            archive.writestr(f"{i}.png", png(i))
    return out.getvalue()


def png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.browser
def test_a_film_is_there_without_a_click(opened):
    part = opened()
    part.page.wait_for_selector(ROOT + "[data-painted]", timeout=90_000)
    for name in ("map", "board", "strip"):
        wait_for_ink(part.page, f"{ROOT} .train-{name}")
    assert part.fact("run") == "own-example" and part.root.locator(".train-table tbody tr").count() == 1
    assert part.root.get_by_role("radio", name="Fashion-MNIST").is_disabled()
    assert "Fashion-MNIST is not on this host" in part.root.inner_text()


@pytest.mark.browser
def test_a_training_of_ones_own_its_film_and_its_model_elsewhere(opened):
    part = opened(TINY + "&t_beta=4&t_dims=3")
    page = part.page
    name = part.train()
    assert "4 steps" in part.root.locator(".train-state").inner_text()
    last = part.fact("shown")
    slider = part.root.locator(".train-scrub")
    slider.focus()
    page.keyboard.press("Home")
    part.wait(shown=0, step=0)
    page.keyboard.press("End")
    part.wait(shown=last, step=4)
    row = part.root.locator(f'tr[data-run="{name}"]')
    assert "4" in row.inner_text() and "4–4–4" in row.inner_text()
    part.button("Train 4 more").click()
    part.wait(runstate="done", step=8)

    part.root.locator('[data-use="explore"]').click()
    page.wait_for_selector(f'.desk[data-ready=true][data-model="{name}"]')
    assert page.locator(".desk .row").count() == 3 and page.locator(".desk .lead").inner_text().startswith(
        "This digit is 3 numbers"
    )
    assert page.locator("#vae-bar select").input_value() == name
    page.wait_for_selector('.morph[data-state="ready"]')

    page.locator('#vae-bar [data-to="train"]').click()
    row.get_by_role("button", name="Delete").click()
    part.wait(runs=1)
    page.wait_for_selector('#vae-bar .bar[data-model="faces"]')


@pytest.mark.browser
def test_a_model_is_saved_and_opened_again_on_a_new_page(opened, tmp_path):
    part = opened(TINY + "&t_dims=3")
    part.train()
    with part.page.expect_download() as saved:
        part.button("Save model").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    part.page.close()

    again = opened()
    again.root.locator(".train-open input").set_input_files(file)
    again.wait(runs=2, runstate="done", step=4)
    assert "Opened from a file: 4 steps" in again.root.locator(".train-state").inner_text()
    assert "4–4–4" in again.root.locator(f'tr[data-run="{again.fact("run")}"]').inner_text()
    again.root.locator('[data-use="explore"]').click()
    again.page.wait_for_selector(f'.desk[data-ready=true][data-model="{again.fact("run")}"]')

    again.page.locator('#vae-bar [data-to="train"]').click()
    again.root.locator(".train-open input").set_input_files({"name": "x.zip", "mimeType": "application/zip", "buffer": b"x"})
    again.page.get_by_text("This is no model that was saved here").first.wait_for()
    again.page.troubles[:] = [trouble for trouble in again.page.troubles if "400" not in trouble]
    again.wait(runs=2)


@pytest.mark.browser
def test_settings_come_back_with_the_link_and_a_number_out_of_bounds_is_a_sentence(opened):
    part = opened("&t_beta=kl&t_dims=7&t_widths=8-8-8&t_lr=0.01&t_steps=60&t_seed=abc&t_size=64&t_data=nothing")
    part.root.locator("summary").click()
    field = lambda name: part.root.locator(f'[data-setting="{name}"]')  # noqa: E731
    assert part.root.get_by_role("radio", name="KL only").get_attribute("aria-checked") == "true"
    assert [field(name).input_value() for name in ("dims", "lr", "steps", "seed")] == ["7", "0.01", "60", "0"]
    assert part.root.get_by_role("radio", name="Digits").get_attribute("aria-checked") == "true"
    field("dims").fill("99")
    field("dims").blur()
    part.page.get_by_text("The latent size is a number from 2 to 32.").wait_for()
    assert field("dims").input_value() == "7"
    field("dims").fill("5")
    field("dims").blur()
    part.page.wait_for_function("location.search.includes('t_dims=5')")


@pytest.mark.browser
def test_ones_own_pictures_as_a_zip_and_as_files(opened):
    part = opened(TINY)
    part.root.get_by_role("radio", name="Your pictures").click()
    assert part.button("Train").is_disabled()
    chooser = part.root.locator(".train-upload input[type=file]")
    chooser.set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": zipped(12)})
    part.wait(upload="ready", pictures=12)
    # Several files become one ZIP in the browser.
    chooser.set_input_files([{"name": f"{i}.png", "mimeType": "image/png", "buffer": png(i)} for i in range(5)])
    part.wait(upload="ready", pictures=5)
    part.train()
    assert "Your pictures" in part.root.locator(".train-table").inner_text()


@pytest.mark.browser
def test_news_from_before_the_upload_do_not_hide_it(opened):
    """On a busy host the answer to what was asked earlier comes after it, and nothing else lives that would ask again."""
    part = opened(TINY)
    part.wait(runstate="done")
    part.root.get_by_role("radio", name="Your pictures").click()
    old = []  # the first question and its answer; later ones go through
    part.page.route("**/vae/train/news*", lambda route: route.continue_() if old else old.append((route, route.fetch())))
    part.root.locator(".train-pick").first.click()  # asks
    for _ in range(500):
        if old:
            break
        part.page.wait_for_timeout(20)  # lets the handler work; ends with a fact
    with part.page.expect_response("**/vae/train/zip*"):
        part.root.locator(".train-upload input[type=file]").set_input_files(
            {"name": "mine.zip", "mimeType": "application/zip", "buffer": zipped(12)}
        )
    route, reply = old[0]
    route.fulfill(response=reply)
    part.wait(upload="ready", pictures=12)


@pytest.mark.browser
def test_a_zip_that_is_none_is_told_in_a_sentence(opened):
    part = opened(TINY)
    part.root.get_by_role("radio", name="Your pictures").click()
    part.root.locator(".train-upload input[type=file]").set_input_files(
        {"name": "mine.zip", "mimeType": "application/zip", "buffer": b"hello"}
    )
    part.page.get_by_text("This file is no ZIP, or a damaged one").first.wait_for()
    part.page.troubles[:] = [trouble for trouble in part.page.troubles if "400" not in trouble]


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_a_phone(opened, dark):
    part = opened(width=390, height=844, dark=dark, has_touch=True)
    part.page.wait_for_selector(ROOT + "[data-painted]", timeout=90_000)
    assert part.page.evaluate("document.documentElement.scrollWidth") <= 390
