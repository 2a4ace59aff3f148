"""The page around the tabs, in a real browser: links, colours, keys, widths. The tabs here are throwaway ones."""

import socket

import pytest

import app
from explorer import palette

pytestmark = pytest.mark.browser

# Two tabs whose views do what views do: ask for a setting when they are mounted, and write one when they are used.
VIEW = """
const out = element.querySelector('output'), field = element.querySelector('input');
const show = () => { out.textContent = explorer.tab + ':' + (explorer.get('seed') ?? 'none'); };
field.addEventListener('input', () => { explorer.set({seed: field.value || null}); show(); });
field.value = explorer.get('seed') ?? '';
show(); out.dataset.ready = 'true';
"""
UI = f"""
import gradio as gr
def build():
    gr.HTML(html_template='<div data-keys="Space: play"><output></output><input aria-label="seed"></div>',
            js_on_load={VIEW!r}, elem_id="view-NAME")
    gr.Slider(-3, 3, value=0, label="dimension", elem_classes="sym-mu", interactive=True)
    return []
"""
EXPLAIN = r"""
## Two ideas
A mean $\mu$ and a spread $\sigma$ make $z$ from noise $\varepsilon$, and $\hat{x}$ from that.

$$z = \mu + \sigma \odot \varepsilon, \quad \mathcal{L}(x) = \max_x \lVert x - \hat x \rVert^2$$
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """An app with two throwaway tabs, "one" and "two"."""
    folder = tmp_path_factory.mktemp("tabs")
    for order, name in enumerate(("one", "two")):
        (folder / name).mkdir()
        facts = f'from explorer.tab import Tab\nTAB = Tab("Tab {name}", {order}, "What {name} teaches.")\n'
        (folder / name / "__init__.py").write_text(facts)
        (folder / name / "ui.py").write_text(UI.replace("NAME", name))
        (folder / name / "explain.md").write_text(EXPLAIN)

    demo, routes = app.build(folder=folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app.start(demo, routes, "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    demo.close()


def query(page) -> dict:
    return page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")


def says(page, name: str, text: str) -> None:
    """Waits until the view of a tab shows this."""
    page.wait_for_function(f"document.querySelector('#view-{name} output')?.textContent === {text!r}")


def test_a_link_restores_the_tab_and_its_settings(visit, url):
    page = visit(f"{url}/?tab=two&seed=7")
    says(page, "two", "two:7")
    assert page.locator("#tab-two-button").get_attribute("aria-selected") == "true"
    assert page.locator("#view-one output").count() == 0, "the first tab was not mounted on the way"
    assert page.title() == "Tab two · Generative Explorer"


def test_settings_are_written_to_the_address_and_kept_by_tab(visit, url):
    page = visit(url)
    says(page, "one", "one:none")
    page.fill("#view-one input", "5")
    page.wait_for_function("location.search === '?tab=one&seed=5'")

    page.click("#tab-two-button")
    says(page, "two", "two:none")
    assert query(page) == {"tab": "two"}
    page.fill("#view-two input", "9")

    # At once: what was not written yet is not lost, and not given to the other tab.
    page.click("#tab-one-button")
    assert query(page) == {"tab": "one", "seed": "5"}
    page.click("#tab-two-button")
    assert query(page) == {"tab": "two", "seed": "9"}


def test_a_setting_can_be_taken_back(visit, url):
    page = visit(f"{url}/?tab=one&seed=7")
    says(page, "one", "one:7")
    page.fill("#view-one input", "")
    says(page, "one", "one:none")
    page.wait_for_function("location.search === '?tab=one'")


def test_back_and_forward_switch_tabs(visit, url):
    page = visit(f"{url}/?tab=one&seed=3")
    says(page, "one", "one:3")
    page.click("#tab-two-button")
    says(page, "two", "two:none")
    page.go_back(wait_until="commit")
    page.wait_for_selector("#tab-one-button[aria-selected=true]")
    assert query(page) == {"tab": "one", "seed": "3"}
    page.go_forward(wait_until="commit")
    page.wait_for_selector("#tab-two-button[aria-selected=true]")


def test_an_unknown_tab_is_named_and_the_first_opens(visit, url):
    page = visit(f"{url}/?tab=three")
    says(page, "one", "one:none")
    page.wait_for_selector(".ge-toast:has-text('There is no tab called “three” here')")


def test_digits_switch_tabs_but_not_while_typing(visit, url):
    page = visit(url)
    says(page, "one", "one:none")
    page.keyboard.press("2")
    page.wait_for_selector("#tab-two-button[aria-selected=true]")
    page.keyboard.press("1")
    page.wait_for_selector("#tab-one-button[aria-selected=true]")
    page.focus("#view-one input")
    page.keyboard.type("2t?")
    assert page.input_value("#view-one input") == "2t?"
    assert page.locator("#tab-one-button").get_attribute("aria-selected") == "true"
    assert page.locator("#ge-help[open]").count() == 0


def test_the_question_mark_lists_the_keys_of_the_tab(visit, url):
    page = visit(url)
    says(page, "one", "one:none")
    page.keyboard.press("?")
    text = page.locator("#ge-help").inner_text()
    assert "In Tab one" in text and "play" in text and "open a tab" in text
    page.keyboard.press("Escape")
    page.wait_for_selector("#ge-help:not([open])", state="attached")


def test_the_colours_follow_the_system_and_a_choice_stays(visit, url):
    page = visit(url, dark=True)
    page.wait_for_selector("body.dark")
    page.click('[data-ge="theme"]')
    page.wait_for_selector("body:not(.dark)")
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(".ge-header")
    page.wait_for_function("!document.body.classList.contains('dark')")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == _rgb(palette.LIGHT["paper"])


def test_an_address_can_ask_for_dark(visit, url):
    page = visit(f"{url}/?__theme=dark&tab=two")
    page.wait_for_selector("body.dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == _rgb(palette.DARK["paper"])
    page.click('[data-ge="theme"]')
    page.wait_for_selector("body:not(.dark)")
    assert query(page) == {"tab": "two"}


@pytest.mark.parametrize("dark", [False, True])
def test_formulas_carry_the_colours_of_the_mode(visit, url, dark):
    page = visit(url, dark=dark)
    page.locator("#tab-one .ge-about > button").click()
    page.wait_for_selector("#tab-one .ge-prose .katex-display")
    assert page.locator(".katex-error").count() == 0
    assert page.locator("#tab-one .ge-about > button").get_attribute("aria-expanded") == "true"
    shown = page.evaluate("""() => [...document.querySelectorAll('.katex-html [style*="color"]')]
        .map((e) => [e.textContent, getComputedStyle(e).color])""")
    pairs = {(text.strip(), colour) for text, colour in shown}
    mode = palette.DARK if dark else palette.LIGHT
    for letter, symbol in (("μ", "mu"), ("σ", "sigma"), ("ε", "eps"), ("z", "z"), ("x", "x"), ("L", "loss")):
        assert (letter, _rgb(mode[f"sym-{symbol}"])) in pairs
    assert ("x", _rgb(mode["sym-xhat"])) in pairs, "below the hat"
    assert len({colour for _, colour in pairs}) == 7, "no other colour, and none of the other mode"
    slider = page.evaluate("""getComputedStyle(document.querySelector('#tab-one .sym-mu'))
        .getPropertyValue('--slider-color')""")
    assert slider.strip() == mode["sym-mu"]


@pytest.mark.parametrize("width", [360, 768, 1440, 3840])
def test_nothing_sticks_out_at_any_width(visit, url, width):
    page = visit(url, width=width, height=800)
    says(page, "one", "one:none")
    page.locator("#tab-one .ge-about > button").click()
    page.wait_for_selector("#tab-one .ge-prose .katex")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.ge-lead')).fontSize)")
    assert size >= (16 if width < 2000 else 24)


def test_the_badge_says_which_device_and_why(visit, url):
    page = visit(url)
    page.wait_for_selector('[data-ge="device"][data-state="known"]')
    badge = page.locator('[data-ge="device"]')
    assert badge.locator(".ge-tip").is_hidden()
    badge.click()
    assert len(badge.locator(".ge-tip").inner_text()) > 10


def test_messages_are_shown_and_announced(visit, url):
    page = visit(url)
    page.evaluate("explorer.toast('The picture cannot be read.'); explorer.announce('done')")
    assert page.locator('#ge-toasts[role="log"] .ge-toast').inner_text().startswith("The picture cannot be read.")
    assert page.locator('#ge-live[aria-live="polite"]').inner_text() == "done"
    page.click(".ge-toast button")
    assert page.locator(".ge-toast").count() == 0


def test_the_skip_link_leads_into_the_tab(visit, url):
    page = visit(url)
    says(page, "one", "one:none")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "ge-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "tab-one"


def test_copy_link(visit, url):
    page = visit(f"{url}/?tab=one&seed=4&__theme=dark", permissions=["clipboard-read", "clipboard-write"])
    says(page, "one", "one:4")
    page.click('[data-ge="copy-link"]')
    page.wait_for_selector(".ge-toast[data-kind=good]")
    assert page.evaluate("navigator.clipboard.readText()") == f"{url}/?tab=one&seed=4"


def test_routes_are_found_behind_a_prefix(visit, url):
    page = visit(url)
    assert page.evaluate("explorer.url('vae/decode?z=1')") == f"{url}/gradio_api/x/vae/decode?z=1"
    page.evaluate("window.gradio_config = {...window.gradio_config, root: location.origin + '/space/'}")
    assert page.evaluate("explorer.url('vae/decode')") == f"{url}/space/gradio_api/x/vae/decode"


def _rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"
