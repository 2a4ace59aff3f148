"""The row of parts of the VAE tab, in a real browser over the app: what it shows, hides, says in the link and tells the parts."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PARTS = ["Explore", "Three worlds", "ELBO", "Attributes", "Paths", "Metrics", "Train"]


def ready(page):
    page.wait_for_selector('#vae-bar .bar[data-ready="true"]')
    return page


def open_part(page, words):
    page.get_by_role("navigation", name="Parts of this tab").get_by_role("button", name=words, exact=True).click()


def test_the_tab_opens_on_its_sliders(page):
    ready(page)
    assert page.locator(".part-button").all_inner_texts() == PARTS
    expect(page.locator('[aria-current="page"]').first).to_have_text("Explore")
    expect(page.locator("#vae-desk")).to_be_visible()
    expect(page.locator(".part:visible")).to_have_count(0)


def test_a_part_hides_the_others_and_the_link_opens_it_again(page, visit):
    ready(page)
    for words in PARTS[1:]:
        open_part(page, words)
        expect(page.locator(".part:visible")).to_have_count(1)
        expect(page.locator("#vae-desk")).to_be_hidden()
        expect(page.locator("#vae-morph")).to_be_hidden()
    page.wait_for_url(re.compile("part=train"))
    other = ready(visit(page.url))
    expect(other.locator("#vae-train .part")).to_be_visible()
    open_part(other, "Explore")
    expect(other.locator("#vae-desk")).to_be_visible()
    expect(other.locator("#vae-train .part")).to_be_hidden()
    other.wait_for_function("!location.search.includes('part=')")


def test_another_model_is_told_to_the_part_and_kept_in_the_link(visit, app_url):
    page = ready(visit(app_url + "?tab=vae&part=elbo"))
    page.wait_for_selector('#vae-elbo .part[data-model="faces"]')
    page.get_by_label("Model", exact=True).select_option("digits-1")
    page.wait_for_selector('#vae-elbo .part[data-model="digits-1"][data-ready="true"]')
    page.wait_for_url(re.compile("model=digits-1"))
    again = ready(visit(page.url))
    again.wait_for_selector('#vae-elbo .part[data-model="digits-1"]')


def test_a_model_that_is_gone_gives_way_to_the_faces_in_one_sentence(visit, app_url):
    page = ready(visit(app_url + "?tab=vae&part=elbo&model=own-1234"))
    expect(page.locator(".ge-toast")).to_contain_text("not here")
    page.wait_for_selector('#vae-elbo .part[data-model="faces"][data-ready="true"]')
    page.troubles = [one for one in page.troubles if "400" not in one]


def test_on_a_phone_the_row_scrolls_and_the_page_does_not(visit, app_url):
    page = ready(visit(app_url + "?tab=vae&part=train", width=390, height=844))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator('.part-button[data-to="train"]')).to_be_in_viewport()


def test_the_buttons_are_reached_by_keyboard(page):
    ready(page)
    page.locator('.part-button[data-to="explore"]').focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#vae-worlds .part")).to_be_visible()
