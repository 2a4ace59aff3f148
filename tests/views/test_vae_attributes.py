"""The part "attributes" in a real browser, on the running app."""

import re
from weakref import WeakKeyDictionary

import numpy as np
import pytest

from explorer.tabs.vae import attribute_pool, models

PART = "#vae-attributes .part"
WAIT = 150_000  # on a loaded machine the pictures of which everything is known take a while to encode
GLASSES = "glasses,none,sunglasses,mean,,,1"


# ---- On the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def attributes(visit, app_url):
    """attributes(query, **window) -> a page on which the part is ready."""

    def open_part(query: str = "", **window):
        page = visit(f"{app_url}?tab=vae&part=attributes{query}", **window)
        page.set_default_timeout(WAIT)
        page.wait_for_selector(PART + '[data-ready="true"]')
        return page

    return open_part


def fact(page, name: str) -> str | None:
    return page.locator(PART).get_attribute("data-" + name)


def until(page, condition: str):
    page.wait_for_function(f"() => {{ const root = document.querySelector('{PART}'); return {condition}; }}")


def shown(page) -> None:
    """Waits until the exact picture of the present edits is there."""
    until(page, "root.dataset.shown === root.dataset.edits && (root.dataset.film === 'ready' || !root.dataset.edits)")


@pytest.mark.browser
def test_the_first_view_has_an_edit_a_film_and_a_sum_that_adds_up(attributes):
    page = attributes()
    shown(page)
    assert fact(page, "edits") == GLASSES and "sunglasses" in fact(page, "read").split("|")
    assert 0 < float(fact(page, "flip")) <= 1
    until(page, "root.querySelector('[aria-label=\"Arithmetic with faces\"]').dataset.right === '10'")

    # A scrub draws what is here: no picture is asked for while a key is held.
    asked = []
    page.on("request", lambda one: "attributes/film" in one.url and asked.append(one.url))
    slider = page.locator(f"{PART} .chip input[type=range]")
    slider.focus()
    for key in ("ArrowLeft",) * 10 + ("ArrowRight",) * 2:
        page.keyboard.press(key)
    until(page, "root.dataset.edits.endsWith(',0.6')")
    shown(page)
    assert not asked and fact(page, "frame") == "21"  # (.6 + 2) / 4 of 32, to the nearest
    assert "a_edits=glasses" in page.url
    assert "0.60" in page.locator(f"{PART} .stack-formula").inner_text()

    # The curve is a drag surface, too.
    box = page.locator(f"{PART} .stack .plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 40)
    page.mouse.up()
    until(page, "root.dataset.edits.endsWith(',2')")


@pytest.mark.browser
def test_edits_stack_and_are_undone(attributes):
    page = attributes("&a_edits=glasses,none,sunglasses,lda,,,0.5;mouth,sad,smile,mean,,,-1;hat,no,yes,mean,,,1&a_on=1")
    shown(page)
    two = "glasses,none,sunglasses,lda,,,0.5;mouth,sad,smile,mean,,,-1"  # there are no hats
    assert fact(page, "edits") == two and fact(page, "active") == "1"
    page.click(f"{PART} [data-do=add]")
    until(page, "root.dataset.edits.split(';').length === 3")
    page.locator(f"{PART} .place [data-value=to]").click()
    until(page, "root.dataset.edits.endsWith(',@0.5')")
    shown(page)
    page.locator(f"{PART} .chip-off").first.click()
    until(page, "root.dataset.edits.startsWith('mouth')")
    for _ in range(3):
        page.click(f"{PART} [data-do=undo]")
    until(page, f"root.dataset.edits === '{two}'")
    page.select_option(f"{PART} [data-pick=to]", "sad")  # what the other side shows: they change places
    until(page, "root.dataset.edits.includes('mouth,smile,sad')")
    page.click(f"{PART} [data-do=reset]")
    until(page, "root.dataset.edits === ''")
    shown(page)
    page.locator(f"{PART} [data-picture='gallery:3']").first.click()
    page.click(f"{PART} [data-do=add]")
    until(page, "root.dataset.edits !== ''")
    shown(page)


@pytest.mark.browser
def test_the_matrix_names_what_else_moves_and_keeping_it_is_measured(attributes):
    page = attributes()
    page.wait_for_selector(f"{PART} [aria-label='What else moves'][data-state=ready]")
    cells = page.locator(f"{PART} .matrix-place td.heat")
    assert cells.count() == 100 and page.locator(f"{PART} .matrix-place td.wanted").count() == 10
    page.wait_for_selector(f"{PART} .shot.two canvas")
    page.locator(f"{PART} .matrix-place tr[data-row='1'] td[data-factor=beard] button").click()
    page.click(f"{PART} [data-do=keep]")
    page.wait_for_selector(f"{PART} .keep[data-state=ready]")
    before, after = (float(page.locator(f"{PART} .keep").get_attribute("data-" + name)) for name in ("before", "after"))
    assert after < before / 2
    page.click(f"{PART} [data-use=alike]")
    until(page, "root.dataset.edits === 'hair colour,black,blonde,mean,beard,alike,1'")
    shown(page)


@pytest.mark.browser
def test_an_attribute_of_ones_own_and_the_script_that_repeats_it(attributes, monkeypatch, tmp_path, capsys):
    page = attributes("&a_eq=gallery:1*1,gallery:0*-1,gallery:2*1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(f"{PART} .own > summary")
    page.wait_for_selector(f"{PART} .own .chooser .thumb")
    page.locator(f"{PART} .own .chooser [data-picture='gallery:1']").click()
    page.locator(f"{PART} .own .seg [data-value=before]").click()
    page.locator(f"{PART} .own .chooser [data-picture='gallery:2']").click()
    page.click(f"{PART} [data-do=own]")
    until(page, "root.dataset.edits.endsWith('own,gallery:2,gallery:1,mean,,,1')")
    shown(page)
    page.wait_for_selector(f"{PART} .ways:has-text('Most like')")
    until(page, "root.querySelector('[aria-label=\"Arithmetic with faces\"]').dataset.terms.startsWith('gallery:1')")

    page.click(f"{PART} [data-do=python]")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('attribute_stack'))")
    script = page.evaluate("navigator.clipboard.readText()")
    monkeypatch.setattr(attribute_pool, "FIT", 300)
    monkeypatch.setattr(attribute_pool, "HELD", 100)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(attribute_pool, "_made", WeakKeyDictionary())
    ran = {}
    exec(script.replace(GLASSES + ";", ""), ran)  # without the first edit the code is known exactly
    assert (tmp_path / "edited.png").exists() and (tmp_path / "sum.png").exists()
    assert "as they should be" in capsys.readouterr().out
    codes = models.get().gallery().codes.mu
    assert np.allclose(ran["applied"].z, codes[0] + codes[1] - codes[2], atol=1e-4)


@pytest.mark.browser
def test_a_sum_was_in_the_data_only_where_its_neighbour_is_as_near_as_neighbours_are(attributes):
    page = attributes()
    said = page.locator(f"{PART} [aria-label='Arithmetic with faces'] > .verdict")
    nearest = {}

    def answer(route):
        found = route.fetch()
        told = found.json()
        told["nearest"] |= nearest
        route.fulfill(response=found, json=told)

    page.route("**/attributes/equation", answer)
    for more, want in (
        ({"same": 10, "of": 10, "usual": 2.0, "distance": 2.9}, "such a picture was in the data"),
        ({"same": 10, "of": 10, "usual": 2.0, "distance": 3.1}, "not just a picture that was there"),
        ({"same": 9, "of": 10, "usual": 2.0, "distance": 0.5}, "not just a picture that was there"),
        ({"same": 1, "of": 1, "usual": 2.0, "distance": 0.6}, "0.60 away, where neighbours are usually 2.0 apart."),
    ):
        nearest.update(more)
        away = f"{more['distance']:.{2 if more['distance'] < 1 else 1}f} away"  # each its own
        page.locator(f"{PART} button:has-text('The first example')").click()
        said.filter(has_text=away).wait_for()
        assert want in said.inner_text()
    assert "in the data" not in said.inner_text() and "agrees" not in said.inner_text()
    page.unroute_all(behavior="wait")


@pytest.mark.browser
def test_what_an_edit_is_to_leave_alone_is_in_the_link(attributes):
    chips = f"{PART} .keep [data-keep][aria-pressed=true]"
    chosen = "(nodes) => nodes.map((one) => one.dataset.keep)"
    page = attributes("&a_keep=beard%2Bhats%2Bglasses")  # there are no hats, and glasses are what is edited
    shown(page)
    assert page.locator(chips).evaluate_all(chosen) == ["beard"]
    page.click(f"{PART} .keep [data-keep=mouth]")
    page.wait_for_function("() => new URLSearchParams(location.search).get('a_keep') === 'beard+mouth'")
    query = page.url.partition("?")[2].partition("&a_")[2]
    again = attributes("&a_" + query)
    shown(again)
    assert sorted(again.locator(chips).evaluate_all(chosen)) == ["beard", "mouth"]
    again.click(f"{PART} [data-do=reset]")  # with no edit there is nothing to leave alone
    again.wait_for_function("() => !location.search.includes('a_keep')")
    assert again.locator(f"{PART} .stack .plot").is_hidden()  # nor a curve over its dose
    again.click(f"{PART} [data-do=add]")
    shown(again)
    assert again.locator(f"{PART} .stack .plot").is_visible() and not again.locator(chips).count()

    # An edit that keeps something already: a link may say that this was taken away again.
    kept = "&a_edits=glasses,none,sunglasses,mean,beard,alike,1"
    page = attributes(kept)
    shown(page)
    assert page.locator(chips).evaluate_all(chosen) == ["beard"] and "a_keep" not in page.url
    page.click(f"{PART} .keep [data-keep=beard]")
    page.wait_for_function("() => new URLSearchParams(location.search).get('a_keep') === '-'")
    again = attributes(kept + "&a_keep=-")
    shown(again)
    assert not again.locator(chips).count()


@pytest.mark.browser
def test_a_side_effect_is_said_without_a_verb(attributes):
    page = attributes("&a_edits=hair colour,black,blonde,mean,,,1")
    shown(page)
    said = page.locator(f"{PART} .stack .verdict").inner_text()
    assert " turns from " not in said
    assert not fact(page, "breaks") or re.search(r"Breaks at [+−]\d\.\d\d \([a-z ]+: [a-z ]+ → [a-z ]+\)", said)


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_says_what_digits_know(attributes, dark):
    page = attributes("&model=digits-1", width=390, height=844, dark=dark)
    shown(page)
    assert fact(page, "edits") == "digit,rest,3,mean,,,1"
    page.wait_for_selector(f"{PART} [aria-label='What else moves'][data-state=ready]")
    assert page.locator(f"{PART} .matrix-place tbody tr").count() == 10
    sums = page.locator(f"{PART} [aria-label='Arithmetic with digits']")  # of digits only their name is known
    sums.locator(".verdict:has-text('apart.')").wait_for()
    assert "in the data" not in sums.inner_text() and "face" not in page.locator(PART).inner_text().lower()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    controls = page.locator(f"{PART} :is(button, select, summary)").all()
    boxes = [(one, one.bounding_box()) for one in controls if one.is_visible()]
    small = [one.get_attribute("class") for one, box in boxes if box["height"] < 43.5]
    assert not small
