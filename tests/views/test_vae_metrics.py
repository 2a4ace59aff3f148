"""The part "Metrics" in a real browser, on a server with its routes and small networks that need no training."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.tabs.vae import engine, metric_codes, metric_toys, model
from explorer.tabs.vae import metric_scores as scores
from explorer.tabs.vae.metric_rotation import Turn
from explorer.tabs.vae.sources import DIGITS, Own
from explorer.views import vae_metrics
from tests.views import one_part

REPOSITORY = Path(__file__).parent.parent.parent
PART = "#vae-metrics .part"


# ---- In a browser ---------------------------------------------------------------------------------------------------------


def tiny(dims: int, factors: int) -> engine.Vae:
    torch.manual_seed(dims)
    pixels, digit = DIGITS.batch(600)
    names = {"digit": tuple("0123456789"), "parity": ("even", "odd"), "size": ("small", "large")}
    labels = np.hstack([digit, digit % 2, digit > 4]).astype(np.int64)[:, :factors]
    net = model.Vae(model.Config(32, dims, (8, 8, 16)))
    with torch.no_grad():
        net.encoder[-1].weight *= 4
        net.decoder[0].weight *= 2
    source = Own("mine", pixels, labels, dict(list(names.items())[:factors]))
    axes = [{"kl": 1.0 / (d + 1) if d < 4 else 0.01, "effect": "", "share": 0.0} for d in range(dims)]  # the fifth is dead
    facts = {"title": f"tiny {dims}", "beta": 1.0, "version": f"t{dims}"}
    return engine.Vae(net, source, np.full((32, 32), 0.5, np.float32), facts, axes=axes)


VAES = {"faces": tiny(5, 3), "digits-1": tiny(2, 1), "digits-0": tiny(3, 0)}


@pytest.fixture(scope="module")
def served():
    from explorer import routes
    from explorer.tabs.vae import metric_routes, ui

    more = [routes.get("vae/decode", ui.decode), *metric_routes.routes()]
    with one_part.served(vae_metrics.VaeMetrics, "vae-metrics", VAES, more) as address:
        yield address


@pytest.fixture
def opened(visit, served):
    """opened(query, wait, **window) -> a page with the part, on which that much has come."""

    def open_page(query="", wait="[data-ready='true'][data-n]", **window):
        page = visit(f"{served}?tab=vae&part=metrics{query}", **window)
        page.set_default_timeout(60_000)
        page.wait_for_selector(PART + wait)
        return page

    return open_page


def fact(page, name: str) -> str:
    return page.locator(PART).get_attribute("data-" + name)


def wait(page, name: str, value: str) -> None:
    page.wait_for_selector(f"{PART}[data-{name}='{value}']")


@pytest.mark.browser
def test_the_dial_keeps_the_elbo_and_moves_mig_as_the_engine_says(opened):
    page = opened("&m_from=model", wait="[data-n='600'][data-sap][data-elbo][data-curve='31']")
    z, v = metric_codes.all_of(VAES["faces"]).first(600)
    straight, elbo = fact(page, "turn"), fact(page, "elbo")
    assert float(fact(page, "mig")) == pytest.approx(scores.mig(z, v), abs=2e-4)
    _, i, j, _ = straight.split(":")

    page.locator(".disc").press("PageUp")
    page.locator(".disc").press("PageUp")
    wait(page, "turn", f"plane:{i}:{j}:30")
    turned = z @ Turn.read(f"plane:{i}:{j}:30").matrix(5).T
    assert float(fact(page, "mig")) == pytest.approx(scores.mig(turned, v), abs=2e-4)
    assert fact(page, "elbo") == elbo and float(fact(page, "gap")) >= 0
    *lines, total = (round(100 * float(text.replace("−", "-"))) for text in page.locator(".bill-line b").all_inner_texts()[:3])
    assert sum(lines) == total
    page.wait_for_function(f"new URL(location).searchParams.get('m_turn') === 'plane:{i}:{j}:30'")

    page.locator(".dial [data-value='all']").click()
    page.locator("[data-dial]").press("End")
    wait(page, "turn", "all:1:1")
    turned = z @ Turn.read("all:1:1").matrix(5).T
    assert float(fact(page, "mig")) == pytest.approx(scores.mig(turned, v), abs=5e-4)
    assert fact(page, "elbo") == elbo


@pytest.mark.browser
def test_the_perfect_code_falls_by_the_link_alone_and_its_python_says_so(opened):
    page = opened("&m_from=perfect&m_turn=plane:0:1:45", wait="[data-source='perfect'][data-sap]")
    z, v, _, _ = metric_toys.pair("perfect")
    expected = scores.mig(z @ Turn.read("plane:0:1:45").matrix(3).T, v)
    assert float(fact(page, "mig")) == pytest.approx(expected, abs=2e-4) and 0.32 < expected < 0.34
    assert float(fact(page, "sap")) == pytest.approx(0.221, abs=0.003)
    assert page.locator("[data-figure='d']").inner_text() == "0.579"  # what ships

    page.locator(".exports:visible [data-do='python']").click()
    code = page.wait_for_function(f"document.querySelector('{PART}').dataset.python").json_value()
    said = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert float(said.split("MIG")[1]) == pytest.approx(expected, abs=1e-9)
    with page.expect_download() as taken:
        page.locator(".exports:visible [data-do='json']").click()
    told = json.loads(Path(taken.value.path()).read_text())
    assert told["mig"] == pytest.approx(expected, abs=2e-4) and told["toy"] == "perfect"


@pytest.mark.browser
def test_a_link_that_says_nothing_opens_on_the_perfect_code_which_counts_from_0(opened):
    page = opened(wait="[data-source='perfect'][data-curve='31']")
    z, v, _, _ = metric_toys.pair("perfect")
    assert float(fact(page, "mig")) == pytest.approx(scores.mig(z, v), abs=2e-4) and scores.mig(z, v) > 0.99
    assert set(page.locator(".heat-label").all_inner_texts()) == {"z₀", "z₁", "z₂"}
    said = page.locator(".dial-figures").inner_text()
    assert "What stays, what changes" in said and "3,000 + 1,500 votes" in said and "3 of 3 numbers take part" in said
    with page.expect_download() as taken:
        page.locator(".exports:visible [data-do='csv']").click()
    rows = Path(taken.value.path()).read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["number", "0", "1", "2"]
    page.locator(".heat-cell[data-row='2'][data-factor='1']").click()
    page.wait_for_function("new URL(location).searchParams.get('m_cell') === '2.1'")

    page.locator("[data-value='model']:visible").click()
    page.wait_for_selector(f"{PART}[data-source='model'][data-n='600']")
    page.wait_for_function("new URL(location).searchParams.get('m_from') === 'model'")
    page.wait_for_function("!new URL(location).searchParams.has('m_cell')")  # that was a number of the toy
    table = scores.information(*metric_codes.all_of(VAES["faces"]).first(600))
    shares = table / scores.entropies(metric_codes.all_of(VAES["faces"]).first(600)[1])
    row, factor = np.unravel_index(shares.argmax(), shares.shape)
    page.wait_for_selector(f".heat-cell[data-row='{row}'][data-factor='{factor}'][aria-selected='true']")
    assert page.locator(".heat-label.dead").all_inner_texts() == ["z₄\ndead"] and page.locator(".dead-words").is_visible()


@pytest.mark.browser
def test_noise_has_no_posterior_and_the_dials_votes_are_rounded(opened):
    page = opened("&m_from=noise", wait="[data-source='noise'][data-curve='31']")
    assert "σ = 0.05" not in page.locator(PART).inner_text() and page.locator(".bill-line").count() == 0
    assert re.fullmatch(r"≈ 0\.\d\d", page.locator("[data-figure='factor_vae']").inner_text())
    assert page.locator(".dead-words").is_hidden()


@pytest.mark.browser
def test_a_cell_shows_its_film_and_arrows_walk_through_the_heat_map(opened):
    page = opened("&m_from=model", wait="[data-n='600'][data-curve]")
    page.locator(".heat-cell[data-row='2'][data-factor='1']").click()
    wait(page, "cell", "2.1")
    page.wait_for_selector(".axis[data-film$=' 2']")
    page.keyboard.press("ArrowRight")
    wait(page, "cell", "2.2")
    before = page.locator(".axis-picture").evaluate("c => c.toDataURL()")
    page.locator(".axis-film input").press("Home")
    assert page.locator(".axis-picture").evaluate("c => c.toDataURL()") != before


@pytest.mark.browser
def test_the_game_pays_what_the_number_knows(opened):
    page = opened("&m_view=game&m_from=model", wait="[data-film='number 1'][data-n='600']")
    names = page.locator(".game-choices button").all_inner_texts()
    assert len(names) == 3 and all(name.split()[-1] in ("digit", "parity", "size") for name in names)
    page.locator(".game-choices button").last.press("1")
    wait(page, "game", "told")
    first = page.locator(".game-bars li.first").inner_text()
    right = names[0].split()[-1] in first
    assert (fact(page, "points") == "100") == right and page.locator(".game-choices .right").count() == 1
    page.locator("[data-do='next']").click()
    wait(page, "question", "number 2")
    wait(page, "game", "asked")
    page.locator("[data-value='direction']").click()
    wait(page, "question", "direction 2")


@pytest.mark.browser
def test_one_point_is_marked_in_all_maps_and_decoders_decode(opened):
    page = opened("&m_view=maps", wait="[data-maps='digits'][data-faces='digits']")
    colours = page.locator(".maps .kind").evaluate_all("all => all.map((one) => getComputedStyle(one).backgroundColor)")
    assert len(set(colours)) == len(colours) == 10
    page.wait_for_selector("[data-kind='tsne'].map canvas[data-names='10']")
    vae, tsne = page.locator("[data-kind='vae'].map"), page.locator("[data-kind='tsne'].map")
    vae.locator("canvas.map-canvas").press("Enter")
    page.wait_for_selector("[data-kind='vae'].map[data-exact]")
    marked = fact(page, "marked")
    for kind in ("pca", "tsne", "ae", "vae"):
        page.wait_for_selector(f"[data-kind='{kind}'].map canvas[data-marked='{marked}']")
    tsne.locator("canvas.map-canvas").click()
    page.wait_for_selector("[data-kind='tsne'].map[data-told='none']")
    assert "no decoder" in tsne.locator(".map-place").inner_text()
    page.wait_for_selector("[data-kind='tsne'].map[data-worth='digits']")
    assert "Trustworthiness" in tsne.locator(".map-facts").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize(
    "name, sentence", [("digits-1", "needs two factors"), ("digits-0", "Nothing is known of these pictures")]
)
def test_models_of_few_known_factors_say_what_makes_no_sense(opened, name, sentence):
    page = opened(f"&model={name}&m_from=model", wait="[data-n='600'][data-elbo]")
    assert sentence in page.locator(PART).inner_text()
    known = name == "digits-1"
    assert page.locator(".dial-chart").is_visible() == page.get_by_text("by chance").is_visible() == known
    if not known:
        assert "…" not in page.locator(".figures").inner_text() and "takes minutes" not in page.locator(".figures").inner_text()
    page.wait_for_selector(".axis[data-film]")


@pytest.mark.browser
@pytest.mark.parametrize("view", ["dial", "scores", "game", "maps"])
def test_nothing_is_wider_than_a_phone(opened, view):
    page = opened(f"&m_view={view}", width=390, height=844, has_touch=True, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
