"""Inside the model as a visitor meets it: the true server, the model that ships, a real browser."""

import pytest

pytestmark = pytest.mark.browser
INSIDE = "#diffusion-inside .inside"
LINK = "/?tab=diffusion&part=inside&prompt=someone+with+red+hair+and+sunglasses&steps=6"
ASKED = "document.querySelector('#diffusion-inside .inside').inside.wire.count"


def opened(visit, address, room="", **options):
    page = visit(address + LINK + (f"&inside={room}" if room else ""), **options)
    page.wait_for_selector(f'{INSIDE} [data-place="{room or "attention"}"][data-ready="true"]', timeout=120_000)
    return page


def fact(page, room, name):
    return page.locator(f'{INSIDE} [data-place="{room}"]').get_attribute(f"data-{name}")


def test_words_layers_and_steps_are_looked_at_without_asking_again(visit, app_url):
    page = opened(visit, app_url)
    asked = page.evaluate(ASKED)
    for word in ("hair", "sunglasses"):
        page.click(f'{INSIDE} [data-place="attention"] .word:text-is("{word}")')
        assert fact(page, "attention", "word") == word
    slider = page.locator(f'{INSIDE} [aria-label="Step"]')
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert fact(page, "attention", "step") == "1"
    page.click(f'{INSIDE} [data-cell="2,3"]')
    assert fact(page, "attention", "step") == "3" and fact(page, "attention", "word") == "red"
    assert page.evaluate(ASKED) == asked, "scrubbing and choosing words make no request"
    page.select_option(f'{INSIDE} [aria-label="Layer"]', "up_blocks.1.attentions.0.0")
    page.wait_for_selector(f'{INSIDE} [data-place="attention"][data-ready="true"][data-layer="up_blocks.1.attentions.0.0"]')
    assert page.evaluate(ASKED) == asked + 1


def test_a_word_is_swapped_on_a_phone(visit, app_url):
    page = opened(visit, app_url, "swap", width=390, height=844, dark=True)
    page.wait_for_selector(f'{INSIDE} [data-place="swap"][data-mean]', timeout=60_000)
    page.click(f'{INSIDE} [data-option="blue"]')
    page.wait_for_selector(f'{INSIDE} [data-place="swap"][data-other="blue"]', timeout=60_000)
    assert "blue hair" in fact(page, "swap", "prompt") and float(fact(page, "swap", "mean")) > 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no scrolling sideways"


def test_networks_and_sizes_tell_their_numbers(visit, app_url):
    page = opened(visit, app_url, "unet")
    assert float(fact(page, "unet", "error")) < 1e-4
    page.click(f'{INSIDE} [data-skip="0"]')
    assert fact(page, "unet", "off") == "0" and page.locator(f"{INSIDE} [data-variant]").count() == 2
    page.click(f'{INSIDE} [data-value="text"]')
    page.wait_for_selector(f'{INSIDE} [data-place="text"][data-ready="true"]')
    assert float(fact(page, "text", "same")) < 2e-3 and fact(page, "text", "rows") == "8"
    page.hover(f"{INSIDE} canvas.matrix >> nth=0")
    assert "number" in page.locator(f'{INSIDE} [data-place="text"] .reading').first.inner_text()
    page.click(f'{INSIDE} [data-value="sizes"]')
    page.wait_for_selector(f'{INSIDE} [data-place="sizes"][data-ready="true"]', timeout=120_000)
    table = page.locator(f"{INSIDE} .sizes").inner_text()
    assert "859.5" in table and "2,567.5" in table and "70" in table
