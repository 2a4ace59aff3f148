"""The CLIP tab as a visitor meets it: the true server, the model that ships, a real browser."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser
SEARCH, LESSONS = "#clip-search [data-ready]", "#clip-lessons [data-ready]"


@pytest.fixture
def clip(visit, app_url):
    """clip(link) -> the tab, when its first search is answered."""

    def open_tab(link="", **options):
        page = visit(f"{app_url}/?tab=clip_search{link}", **options)
        page.wait_for_selector(f'{SEARCH}[data-ready="true"]', state="attached", timeout=120_000)
        # The very first visitor of a host waits until the bundled faces are indexed.
        page.wait_for_function(f"+document.querySelector('{SEARCH}').dataset.hits > 0", timeout=120_000)
        return page

    return open_tab


def post(page, name, body):
    """What the server answers to this page."""
    return page.evaluate(
        "([name, body]) => window.explorer.post(window.explorer.route('clip/' + name), body)", [name, body]
    )


def test_the_first_sight_is_an_answer(clip):
    page = clip()
    assert page.locator(".tile").count() == 24
    # While a host indexes its faces for the first time, the page asks again by itself until all are there.
    page.wait_for_function(f"document.querySelector('{SEARCH}').textContent.includes('2,000 pictures')", timeout=120_000)
    query = page.locator(".field-words").input_value()
    told = post(page, "search", {"terms": [{"kind": "text", "text": query, "weight": 1}]})
    assert told["total"] == 2000
    assert [int(tile.get_attribute("data-id")) for tile in page.locator(".tile").all()] == [hit["id"] for hit in told["hits"]]


@pytest.mark.parametrize(
    "words, wanted",
    [
        ("sunglasses on a pink background", {"glasses": "sunglasses", "background": "pink"}),
        ("blue hair and a red shirt", {"hair colour": "blue", "shirt": "red"}),
        ("black hair and a white shirt", {"hair colour": "black", "shirt": "white"}),
        ("a sad mouth and a beard", {"mouth": "sad", "beard": "full"}),
    ],
)
def test_what_is_asked_is_found(clip, words, wanted):
    page = clip()
    page.fill(".field-words", words)
    page.keyboard.press("Enter")
    page.wait_for_function(f"location.search.includes('{words.split()[0]}')")
    told = post(page, "search", {"terms": [{"kind": "text", "text": words, "weight": 1}]})
    for hit in told["hits"][:5]:
        assert wanted.items() <= hit["attributes"].items(), hit["caption"]
        assert hit["sure"] == "sure" and hit["percentile"] > 99


def test_what_is_not_there_is_not_found(clip):
    told = post(clip(), "search", {"terms": [{"kind": "text", "text": "a zebra", "weight": 1}]})
    assert told["nothing"] and told["unknown"] == ["zebra"]


def test_a_result_says_why(clip):
    page = clip()
    page.locator(".tile").first.click()
    page.wait_for_function(f"document.querySelector('{SEARCH}').dataset.detail !== ''")
    page.wait_for_selector('[data-why="done"]')
    told = post(page, "why", {"ref": {"face": 3}, "text": "a red shirt", "method": "attention"})
    grid = np.array(told["map"]).reshape(told["side"], told["side"])
    assert grid.min() >= 0 and grid.max() == pytest.approx(1)
    assert {word["word"] for word in told["words"]} == {"a", "red", "shirt"}


def test_the_scores_are_cosines_of_the_public_vectors(clip):
    from gradio_client import Client

    page = clip()
    client = Client(page.url.split("/?")[0], verbose=False)
    vector = np.array(client.predict("a red shirt", api_name="/clip_embed"))
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    hits = client.predict("a red shirt", 3, api_name="/clip_search")
    same = post(page, "search", {"terms": [{"kind": "text", "text": "a red shirt", "weight": 1}], "size": 3})["hits"]
    assert [hit["id"] for hit in hits] == [hit["id"] for hit in same]


def test_the_matrix_stands_and_a_fresh_clip_learns(clip):
    page = clip("&part=matrix")
    page.wait_for_selector("[data-cell]")
    page.click('[data-do="fresh-10"]')
    page.wait_for_function("+document.querySelector('#clip-lessons [data-step]')?.dataset.step >= 10", timeout=60_000)


@pytest.mark.parametrize("part", ["classify", "collections", "tokens", "probes", "indexlab"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_part_opens_without_trouble(clip, part, width):
    page = clip(f"&part={part}", width=width)
    page.wait_for_function(f"document.querySelector('{SEARCH}').dataset.part === '{part}'")
    if part in ("tokens", "probes", "indexlab"):
        page.wait_for_selector(f'#clip-lessons [data-lesson="{part}"][data-ready="true"]', timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), "nothing hangs over the edge"


def test_a_file_that_is_no_picture_is_one_sentence(clip):
    page = clip()
    page.evaluate(
        """async () => {
          const file = new Blob(["no picture"]);
          try { await window.explorer.ask(window.explorer.route("clip/picture"), { method: "POST", body: file }); }
          catch (error) { window.said = error.message; }
        }"""
    )
    page.troubles[:] = [trouble for trouble in page.troubles if "400" not in trouble]
    assert page.evaluate("window.said") == "This file is a text; please use a PNG, JPEG or WebP picture."


def test_a_link_opens_the_same(clip):
    page = clip("&q=a%20green%20shirt")
    assert page.locator(".field-words").input_value() == "a green shirt"
    told = post(page, "search", {"terms": [{"kind": "text", "text": "a green shirt", "weight": 1}]})
    assert page.locator(".tile").first.get_attribute("data-id") == str(told["hits"][0]["id"])
