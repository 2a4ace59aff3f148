"""The three worlds in a real browser: what is drawn against the engine, the link, fingers and keys, what is missing."""

import base64
import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from explorer.tabs.vae import engine, world_boards, worlds
from explorer.views import vae_worlds
from tests.conftest import ROOT, note

THREE = ("0", "1", "kl")
pytestmark = pytest.mark.browser
PART = "#vae-worlds .part"


def script(*names: str) -> str:
    return "\n".join((vae_worlds.HERE / name).read_text(encoding="utf-8") for name in names)


@pytest.fixture
def blank(browser):
    """A page with the scripts' functions, without the app: run(expression, files, argument)."""
    page = browser.new_page()

    def run(expression: str, files: tuple, argument=None):
        return page.evaluate(f"(argument) => {{ {script(*files)}\n return ({expression}); }}", argument)

    yield run
    page.close()


@pytest.fixture
def open_worlds(visit, app_url):
    """open_worlds("w_scale=all") -> a page on which everything of the part has come."""

    def opened(query: str = "", everything: bool = True, **options):
        page = visit(f"{app_url}/?tab=vae&part=worlds&{query}", **options)
        page.wait_for_selector(f"{PART}[data-ready=true]" + ("[data-all=true]" if everything else ""))
        return page

    return opened


@pytest.fixture(scope="module")
def desk(browser, app_url):
    """One page for the tests that set what they look at: still, and on a laptop. Its troubles fail the last of them."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
    page.set_default_timeout(30_000)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(f"page error: {error}"))
    page.on("console", lambda said: note(page.troubles, said))
    page.goto(f"{app_url}/?tab=vae&part=worlds")
    page.wait_for_selector(f"{PART}[data-all=true]")
    yield page
    page.context.close()
    assert not page.troubles, page.troubles


@pytest.fixture(scope="module")
def digits():
    return worlds.load("digits")


def facts(page) -> dict:
    return page.evaluate("document.querySelector('#vae-worlds .part').dataset")


def wait_fact(page, name: str, value) -> None:
    page.wait_for_selector(f'{PART}[data-{name}="{value}"]')


def pixels(page, selector: str) -> np.ndarray:
    """(H, W, 3) of a canvas."""
    data = page.eval_on_selector(selector, "(c) => c.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB"))


def place(page, model: str, z) -> tuple[float, float]:
    """Where a point of a map is on the screen."""
    return tuple(
        page.evaluate(
            """([model, [z1, z2]]) => {
              const map = document.querySelector(`#vae-worlds .world[data-model="${model}"] .map`);
              map.scrollIntoView({ block: "center" });
              const box = map.getBoundingClientRect(), scale = +map.dataset.scale, half = +map.dataset.half;
              return [box.left + 30 + (z1 + half) * scale, box.top + 6 + (half - z2) * scale];
            }""",
            [model, [float(v) for v in z]],
        )
    )


# ---- The scripts, without the app ------------------------------------------------------------------------------------------


def test_quantiles_of_the_page_are_those_of_scipy(blank):
    from scipy.stats import norm

    p = [0.001, 0.01, 0.02425, 0.1, 0.25, 0.5, 0.75, 0.97575, 0.999, 0.99995]
    found = blank("argument.map(normalQuantile)", ("manifold.js",), p)
    assert np.allclose(found, norm.ppf(p), atol=1e-8)


def test_a_hole_of_the_page_is_one_of_the_engine(blank):
    rng = np.random.default_rng(1)
    mu, sigma, z = rng.standard_normal((60, 2)), rng.uniform(0.01, 0.2, (60, 2)), 1.5 * rng.standard_normal((300, 2))
    given = {"mu": mu.ravel().tolist(), "sigma": sigma.ravel().tolist(), "count": 60, "z": z.tolist()}
    found = blank("argument.z.map((z) => inHole(argument, z, 0.15))", ("holes.js",), given)
    assert np.array_equal(found, world_boards.empty(z, engine.Code(mu, sigma, sigma), 0.15))


def test_draws_of_the_page_are_of_the_prior(blank):
    draws = np.array(blank("[...priorDraws()]", ("holes.js",))).reshape(-1, 2)
    error = 4 / np.sqrt(len(draws))  # four standard errors
    assert np.abs(draws.mean(0)).max() < error and np.abs(np.cov(draws.T) - np.eye(2)).max() < 1.5 * error


def test_a_place_in_a_cloud_comes_back(blank):
    rng = np.random.default_rng(2)
    clouds = [{"sorted": np.sort(scale * rng.standard_normal((2, 99)), axis=1).tolist()} for scale in (8.0, 0.01)]
    there = "sharesOf(argument.b, atShares(argument.b, sharesOf(argument.a, argument.z)))"
    shares = "sharesOf(argument.a, argument.z)"
    for z in ([0.5, -3.0], [7.0, 1.0]):
        given = {"a": clouds[0], "b": clouds[1], "z": z}
        assert np.allclose(blank(there, ("cloud.js",), given), blank(shares, ("cloud.js",), given), atol=0.011)


CLASHES = """(names) => names.flatMap((a, i) => names.slice(0, i).filter((b) => {
  const [p, q] = [a, b].map((one) => one.getBoundingClientRect());
  return p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom;
}).map((b) => [a.textContent, b.textContent]))"""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("data", ["digits", "avatars"])
def test_no_name_on_the_curve_stands_on_another(browser, data, width):
    stops = [{"stop": stop, "card": card} for stop, card in worlds.load(data).card["stops"].items()]
    shared = script("../dom.js", "../elements.js")
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.set_content(f"<style>{(vae_worlds.HERE / 'worlds.css').read_text(encoding='utf-8')}</style>")
    made = "(stops) => { %s\n document.body.append(makeCurve(stops).node); }"
    page.evaluate(made % (shared + "\n" + script("plane.js", "curve.js")), stops)
    assert page.locator(".stop-name").count() == len(stops) == 6
    assert page.eval_on_selector_all(".stop-name", CLASHES) == []
    page.close()


# ---- On the page -----------------------------------------------------------------------------------------------------------


def choose(page, group: str, value: str) -> None:
    page.click(f"{PART} .{group} [data-value='{value}']")


def move(page, model: str, z) -> None:
    """The mouse to a point of a map, and until the exact pictures are there."""
    drawn = int(facts(page)["drawn"])
    page.mouse.move(*place(page, model, z))
    page.wait_for_function(f"+document.querySelector('{PART}').dataset.drawn > {drawn + 1}")
    wait_fact(page, "exact", "true")


def shown(page, index: int, name: str = "world-picture") -> np.ndarray:
    return pixels(page, f"{PART} .world:nth-child({index + 1}) .{name}").astype(int)


def test_the_first_view_says_all_without_a_click(desk, digits):
    assert desk.locator(f"{PART} .world h4").all_text_contents() == ["Reconstruction only", "Both: a VAE", "KL only"]
    shares = desk.eval_on_selector_all(f"{PART} .world", "(all) => all.map((w) => [+w.dataset.holes, +w.dataset.out])")
    assert shares[0][0] > 0.1 > shares[1][0] and shares[2][0] < 0.02 and shares[0][1] > 0.3 > shares[1][1]
    assert shares[0][1] == pytest.approx((np.linalg.norm(digits.codes["0"].mu, axis=1) > 3).mean(), abs=1e-3)
    for i, stop in enumerate(THREE):
        assert np.abs(shown(desk, i) - digits.stops[stop].decode(np.array([[0.6, 0.8]]))[0]).max() <= 2
    assert desk.locator(f"{PART} .draw").count() == 24
    assert desk.locator(f"{PART} .near").is_hidden() and desk.locator(f"{PART} [data-pick=fourth]").is_visible()
    assert "z₀ to the right, z₁ up" in desk.text_content(PART)


def test_before_the_pointer_moves_its_path_is_a_circle(desk):
    with desk.expect_download() as download:
        desk.click(f"{PART} [data-do=path-gif]")
    assert Image.open(download.value.path()).n_frames >= 24


RINGS = """() => [...document.querySelectorAll('#vae-worlds .world')].map((world) => {
  const map = world.querySelector('.map'), canvas = map.querySelector('.map-ground');
  const ratio = canvas.width / map.clientWidth, side = map.clientWidth - 36, context = canvas.getContext('2d');
  const probe = document.createElement('canvas').getContext('2d');
  probe.fillStyle = getComputedStyle(map).getPropertyValue('--sym-prior');
  probe.fillRect(0, 0, 1, 1);
  const prior = probe.getImageData(0, 0, 1, 1).data;
  const near = (r, angle) => {
    const x = Math.round((30 + side / 2 + r * Math.cos(angle)) * ratio);
    const y = Math.round((6 + side / 2 - r * Math.sin(angle)) * ratio);
    const d = context.getImageData(x - 1, y - 1, 3, 3).data;
    for (let i = 0; i < d.length; i += 4) {
      if (Math.abs(d[i] - prior[0]) + Math.abs(d[i + 1] - prior[1]) + Math.abs(d[i + 2] - prior[2]) < 90) return true;
    }
    return false;
  };
  const angles = Array.from({ length: 24 }, (_, i) => 0.13 + (i * Math.PI) / 12), scale = +map.dataset.scale;
  const hits = (r) => angles.filter((a) => near(r, a)).length;
  return { scale, expected: side / (2 * map.dataset.half), on: [1, 2, 3].map((k) => hits(k * scale)), off: hits(2.5 * scale) };
})"""


@pytest.mark.parametrize("scale", ["own", "prior"])
def test_rings_are_to_scale_in_every_map(desk, scale):
    choose(desk, "scale-seg", scale)
    wait_fact(desk, "scale", scale)
    for one in desk.evaluate(RINGS):
        assert one["scale"] == pytest.approx(one["expected"], rel=1e-3)  # the same on both axes
        if one["scale"] > 30:  # else neighbours' pixels touch
            assert min(one["on"]) >= 20 and one["off"] <= 8, one


def test_all_maps_share_a_scale_when_asked(desk):
    found = {}
    for scale in ("all", "prior", "own"):
        choose(desk, "scale-seg", scale)
        wait_fact(desk, "scale", scale)
        found[scale] = desk.eval_on_selector_all(f"{PART} .world .map", "(all) => all.map((m) => +m.dataset.half)")
    assert len(set(found["all"])) == 1 and found["all"][0] > 10
    assert found["prior"] == [3.5] * 3
    assert found["own"][0] > 10 > found["own"][1] >= 3.5 == found["own"][2]


def test_the_pointer_decodes_in_all_worlds_at_once_and_exactly_when_it_rests(desk, digits):
    held, free = [], False
    before, drawn = [shown(desk, i) for i in range(3)], int(facts(desk)["drawn"])
    desk.route("**/worlds/decoded?**", lambda route: route.continue_() if free else held.append(route))
    desk.mouse.move(*place(desk, "digits-1", (-1.23, -1.07)))
    desk.wait_for_function(f"+document.querySelector('{PART}').dataset.drawn > {drawn}")
    z = [float(v) for v in facts(desk)["z"].split(",")]
    assert np.allclose(z, (-1.23, -1.07), atol=0.03)
    assert desk.locator(f"{PART} .world-picture[data-how=blend]").count() == 3
    assert all(np.abs(shown(desk, i) - before[i]).max() > 20 for i in (0, 1))
    for i, stop in enumerate(THREE):  # a preview: the mean of the four nearest pictures of the board, by their distance
        sheet, side = world_boards.sheet(digits.stops[stop], "near")
        cells = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"), float).reshape(side, 32, side, 32, 3).swapaxes(1, 2)
        step = 2 * world_boards.NEAR / (side - 1)
        u, v = (z[0] + world_boards.NEAR) / step, (world_boards.NEAR - z[1]) / step
        c, r, a, b = int(u), int(v), u % 1, v % 1
        top, bottom = ((1 - a) * cells[row, c] + a * cells[row, c + 1] for row in (r, r + 1))
        assert np.abs(shown(desk, i) - ((1 - b) * top + b * bottom)).mean() < 2, stop
    while not held:
        desk.wait_for_timeout(20)
    free = True
    held.pop().continue_()
    wait_fact(desk, "exact", "true")
    desk.unroute("**/worlds/decoded?**")
    for i, stop in enumerate(THREE):
        assert np.abs(shown(desk, i) - digits.stops[stop].decode(np.array([z]))[0]).max() <= 2


def test_the_same_place_in_each_cloud(desk, digits):
    move(desk, "digits-1", (0.5, 1))
    choose(desk, "mode-seg", "cloud")
    desk.wait_for_function(f"document.querySelector('{PART} .world:nth-child(3) figcaption .c-z').textContent.includes('0.00')")
    told = desk.locator(f"{PART} .world figcaption .c-z").all_text_contents()
    choose(desk, "mode-seg", "z")
    z = [[float(v.replace("−", "-")) for v in text[5:-1].split(", ")] for text in told]
    assert np.allclose(z[1], (0.5, 1), atol=0.03)
    for d in (0, 1):
        share = [np.mean(digits.codes[stop].mu[:, d] < at[d] + 0.005) for stop, at in zip(("0", "1"), z)]
        assert share[0] == pytest.approx(share[1], abs=0.02)
    assert np.abs(z[2]).max() < 0.05  # the cloud of the KL alone is a point


def test_arrows_move_the_pointer_and_enter_chooses(desk):
    desk.focus(f'{PART} .world[data-model="digits-1"] .map')
    desk.keyboard.press("Home")
    desk.wait_for_selector(f"{PART}[data-z='0.0000,0.0000']")
    desk.keyboard.press("Shift+ArrowRight")
    desk.wait_for_function(f"+document.querySelector('{PART}').dataset.z.split(',')[0] > 0.3")
    assert facts(desk)["z"].endswith(",0.0000")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(f'{PART}[data-picked^="point:"]')


def test_a_click_chooses_the_nearest_picture_in_every_map(desk, digits):
    mu = digits.codes["1"].mu
    at = int(np.argmin(np.linalg.norm(mu - (1.6, -0.5), axis=1)))
    desk.mouse.click(*place(desk, "digits-1", mu[at]))
    wait_fact(desk, "picked", f"point:{at}")
    original = world_boards.shown(digits.stops["1"], at)
    assert np.abs(pixels(desk, f"{PART} .original").astype(int) - original).max() <= 1
    for i, stop in enumerate(THREE):
        vae = digits.stops[stop]
        assert np.abs(shown(desk, i, "world-again") - vae.decode(vae.encode(original[None]).mu)[0]).max() <= 2


def test_the_manifold_can_be_dived_into(desk, digits):
    canvas = f"{PART} .manifold-canvas"
    choose(desk, "count-seg", "7")
    desk.wait_for_selector(f"{canvas}[data-decoded=true][data-count='7']")
    desk.focus(canvas)
    desk.keyboard.press("+")
    desk.wait_for_selector(f"{canvas}[data-decoded=true][data-rect='0.25050,0.74950,0.25050,0.74950']")
    grid = world_boards.manifold(digits.stops["1"], (0.2505, 0.7495, 0.2505, 0.7495), 7).astype(int)
    found = pixels(desk, canvas)
    assert np.abs(found[:32, :32] - grid[0]).max() <= 2 and np.abs(found[-32:, -32:] - grid[-1]).max() <= 2
    box = desk.evaluate(
        f"() => {{ const c = document.querySelector('{canvas}'); c.scrollIntoView({{ block: 'center' }});"
        " const b = c.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2, b.width]; }"
    )
    desk.mouse.move(box[0], box[1])
    desk.mouse.down()
    desk.mouse.move(box[0] - box[2] / 4, box[1], steps=3)
    desk.mouse.up()
    desk.wait_for_function(f"Math.abs(+document.querySelector('{canvas}').dataset.rect.split(',')[0] - 0.3753) < 0.002")
    desk.wait_for_selector(f"{canvas}[data-decoded=true]")
    desk.keyboard.press("0")
    desk.wait_for_selector(f"{canvas}[data-decoded=true][data-rect='0.00100,0.99900,0.00100,0.99900']")
    desk.locator(canvas).click(position={"x": box[2] * 6.5 / 7, "y": box[2] * 0.5 / 7})  # the corner: the pointer goes there
    x = world_boards.quantiles(0.001, 0.999, 7)[-1]
    desk.wait_for_function(f"document.querySelector('{PART}').dataset.z.split(',').every((v) => Math.abs(v - {x}) < 0.01)")


def test_the_dial_tells_the_cards_numbers_and_moves_the_point(desk, digits):
    slider = desk.locator(f"{PART} [data-do=beta]")
    for i, (stop, beta) in enumerate(worlds.STOPS.items()):
        slider.fill(str(i))
        desk.wait_for_selector(f"{PART} .dial[data-stop='{stop}']")
        card = digits.card["stops"][stop]
        told = desk.eval_on_selector(f"{PART} .curve", "(c) => [+c.dataset.rate, +c.dataset.distortion]")
        assert told == [card["rate"], card["distortion"]]
        bars = desk.locator(f"{PART} .kl-bar b").all_text_contents()
        assert [float(v) for v in bars] == [pytest.approx(k, abs=0.051) for k in card["kl"]]
        if stop != "kl":
            total = float(desk.get_attribute(f"{PART} .dial", "data-sum"))
            assert total == pytest.approx(card["distortion"] + beta * card["rate"], abs=1e-3)
        line, dot = "['x1', 'y1', 'x2', 'y2']", "['cx', 'cy']"
        numbers = "(n, names) => names.map((name) => +n.getAttribute(name))"
        ends = desk.eval_on_selector(f"{PART} .curve .equal", f"(n) => ({numbers})(n, {line})")
        at = desk.eval_on_selector(f"{PART} .curve [data-stop='{stop}']", f"(n) => ({numbers})(n, {dot})")
        way = np.array(ends[2:]) - ends[:2]
        off = abs(way[0] * (at[1] - ends[1]) - way[1] * (at[0] - ends[0])) / np.hypot(*way)
        assert off < 0.01  # the line of equal objective goes through the point


def test_points_glide_from_stop_to_stop_and_the_film_ends(desk):
    slider, dial = desk.locator(f"{PART} [data-do=beta]"), f"{PART} .dial"
    slider.fill("4")
    desk.emulate_media(reduced_motion="no-preference")
    desk.click(f"{PART} [data-do=play-dial]")
    desk.wait_for_selector(f"{dial}[data-stop=kl]")
    desk.wait_for_function(f"document.querySelector('{PART} [data-do=play-dial]').textContent === 'Play'")
    desk.wait_for_selector(f"{PART} .curve[data-rate='0.000']")
    desk.emulate_media(reduced_motion="reduce")


def test_holes_are_shaded_and_the_distance_changes_their_share(desk):
    ground, near = f"{PART} .world:nth-child(1) .map-ground", desk.locator(f"{PART} [data-do=near]")
    before = pixels(desk, ground).astype(int)
    desk.click(f"{PART} .holes-switch input")
    assert (np.abs(pixels(desk, ground) - before).max(-1) > 20).mean() > 0.1
    share = float(desk.get_attribute(f"{PART} .world:nth-child(1)", "data-holes"))
    assert desk.locator(f"{PART} .near").is_visible() and "3σ" in desk.text_content(f"{PART} .near")
    near.fill("0.5")
    desk.wait_for_function(f"+document.querySelector('{PART} .world').dataset.holes < {share / 4}")
    near.fill("0.15")
    desk.wait_for_function(f"+document.querySelector('{PART} .world').dataset.holes === {share}")
    desk.click(f"{PART} .holes-switch input")


def test_draws_that_fall_into_holes_are_marked(desk, digits):
    for seed in (1, 2, 3):
        desk.click(f"{PART} [data-do=roll]")
        desk.wait_for_selector(f"{PART} .draws[data-seed='{seed}']")
    z = digits.stops["0"].sample(8, 3, source="prior")
    read = "(all) => all.map((d) => [d.dataset.hole === 'true', +d.dataset.distance])"
    marked = desk.eval_on_selector_all(f"{PART} .draw", read)
    assert any(hole for hole, _ in marked)
    said = desk.locator(f"{PART} .draw span").all_text_contents()
    for words, (hole, distance) in zip(said, marked, strict=True):
        assert words.startswith("hole ") if hole else (words == "inside a posterior") == (distance > 0.15)
    assert "no code within 0.15" in desk.text_content(f"{PART} .draws")
    for i, stop in enumerate(THREE):
        code, mine = digits.codes[stop], marked[8 * i : 8 * i + 8]
        assert [hole for hole, _ in mine] == world_boards.empty(z, code, 0.15).tolist()
        nearest = np.linalg.norm(z[:, None] - code.mu, axis=2).min(1)
        assert np.allclose([distance for _, distance in mine], nearest, atol=1e-3)


def test_the_quiz_hides_names_until_one_guesses(desk):
    desk.click(f"{PART} [data-do=quiz]")
    assert sorted(desk.locator(f"{PART} .world h4").all_text_contents()) == ["World A", "World B", "World C"]
    rows = desk.locator(f"{PART} .draws-name")
    assert rows.all_text_contents() == ["World A", "World B", "World C"]
    assert desk.locator(f"{PART} :is(.draw span, .draw[data-hole=true], .draw[data-distance])").count() == 0
    answers = desk.locator(f"{PART} :is(.world-figures, .world figcaption)")
    assert answers.count() == 9 and not any(answers.nth(i).is_visible() for i in range(9))
    asked = desk.get_attribute(f"{PART} .worlds-grid", "data-quiz")
    desk.click(f"{PART} [data-guess='{asked}']")
    assert desk.locator(f"{PART} .quiz b").text_content().startswith("Right.")
    assert "World A" not in desk.locator(f"{PART} .world h4").all_text_contents()
    assert all(answers.nth(i).is_visible() for i in range(9))
    desk.click(f"{PART} [data-do=quiz]")
    assert desk.get_attribute(f"{PART} .worlds-grid", "data-quiz") is None
    assert rows.all_text_contents() == ["Reconstruction only", "Both: a VAE", "KL only"]


def test_the_program_does_what_is_shown(desk, tmp_path):
    desk.evaluate("window.explorer.copy = (text) => (window.copied = text)")
    move(desk, "digits-1", (0.5, -0.5))
    desk.click(f"{PART} [data-do=python]")
    program = desk.evaluate("window.copied")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for i, stop in enumerate(THREE):
        for name, canvas in (("pointer", "world-picture"), ("again", "world-again")):
            made = np.asarray(Image.open(tmp_path / f"digits-{stop}-{name}.png")).astype(int)
            assert np.abs(shown(desk, i, canvas) - made).max() <= 3
    assert Image.open(tmp_path / "manifold.png").size == (7 * 32, 7 * 32)
    assert "holes" in done.stdout


def test_maps_and_codes_leave_as_files(desk):
    move(desk, "digits-1", (0, 0))
    move(desk, "digits-1", (1, 0))
    for button, name in (("png", "worlds.png"), ("csv", "codes.csv"), ("path-gif", "path.gif")):
        with desk.expect_download() as download:
            desk.click(f"{PART} [data-do={button}]")
        assert download.value.suggested_filename == name
    assert Image.open(download.value.path()).n_frames >= 2


def test_a_film_that_takes_long_says_so_until_it_came_or_failed(desk):
    button, held = desk.locator(f"{PART} [data-do=dial-gif]"), []
    desk.route("**/worlds/film?**", lambda route: held.append(route))
    button.click()
    desk.wait_for_selector(f"{PART} [data-do=dial-gif][aria-busy=true]")
    assert button.is_disabled() and button.inner_text() == "Drawing the film …"
    while not held:
        desk.wait_for_timeout(20)
    held.pop().fulfill(status=422, json={"error": "No film today."})
    desk.wait_for_selector(f"{PART} [data-do=dial-gif][aria-busy=false]")
    assert button.is_enabled() and button.inner_text() == "β film as GIF"
    desk.unroute("**/worlds/film?**")
    desk.troubles[:] = [one for one in desk.troubles if "422" not in one]


def test_a_model_of_ones_own_gets_a_fourth_map(desk):
    # As if "Train" had kept one: the routes answer for it with the model of beta 4.
    listed = [{"name": "faces", "title": "Faces", "own": False}, {"name": "own-1", "title": "Mine", "own": True}]
    desk.route("**/worlds/*own-1*", lambda route: route.continue_(url=route.request.url.replace("own-1", "digits-4")))
    desk.route("**/vae/models", lambda route: route.fulfill(json={"models": listed}))
    desk.evaluate("document.vae.renew()")
    offered = f"[...document.querySelectorAll('{PART} [data-pick=fourth] option')].some((o) => o.value === 'own-1')"
    desk.wait_for_function(offered)
    desk.select_option(f"{PART} [data-pick=fourth]", "own-1")
    wait_fact(desk, "maps", "4")
    assert desk.locator(f"{PART} .world h4").nth(3).text_content()
    wait_fact(desk, "exact", "true")
    desk.select_option(f"{PART} [data-pick=fourth]", "")
    wait_fact(desk, "maps", "3")
    desk.unroute("**/vae/models")


def test_worlds_that_are_missing_are_said_in_one_sentence_and_the_others_work(desk):
    sentence = "The model vae/worlds-avatars is not here; this makes it: python -m explorer.tabs.vae.train_worlds."
    desk.route("**/worlds/start?data=avatars", lambda route: route.fulfill(status=503, json={"error": sentence}))
    choose(desk, "data-seg", "avatars")
    desk.wait_for_selector(f"{PART} .trouble:not([hidden])")
    assert sentence in desk.text_content(f"{PART} .trouble")
    desk.troubles[:] = [one for one in desk.troubles if "503" not in one]
    choose(desk, "data-seg", "digits")
    desk.wait_for_selector(f"{PART}[data-data=digits][data-state=ready]")
    assert desk.locator(f"{PART} .trouble").is_hidden()
    desk.unroute("**/worlds/start?data=avatars")


STRIPS = "(all) => all.map((one) => (one.clientHeight / one.clientWidth).toFixed(2))"


def test_faces_have_ten_attributes_to_colour_by(desk):
    held = []
    desk.route("**/worlds/start?data=avatars", lambda route: held.append(route))
    choose(desk, "data-seg", "avatars")
    while not held:
        desk.wait_for_timeout(20)
    assert desk.text_content(f"{PART} .chosen-name") == "Loading the faces …"  # nothing of the digits passes for a face
    assert desk.locator(f"{PART} :is(.original, .picker).old").count() == 2
    held.pop().continue_()
    desk.wait_for_selector(f"{PART}[data-data=avatars][data-state=ready]")
    desk.unroute("**/worlds/start?data=avatars")
    strips = desk.eval_on_selector_all(f"{PART} .strip", STRIPS)
    desk.wait_for_selector(f"{PART} .dial[data-pictures=true]")
    assert desk.eval_on_selector_all(f"{PART} .strip", STRIPS) == strips
    desk.wait_for_function(f"!document.querySelector('{PART} .old')")
    assert "Loading" not in desk.text_content(f"{PART} .chosen-name")
    assert desk.locator(f"{PART} [data-pick=colour] option").count() == 10
    wait_fact(desk, "colour", "skin")
    for factor in ("glasses", "hair colour"):
        desk.select_option(f"{PART} [data-pick=colour]", factor)
        wait_fact(desk, "colour", factor)
        values = desk.locator(f"{PART} .legend li").all_text_contents()
        assert values == list(worlds.load("avatars").stops["1"].source.factors[factor])


def test_touch_drags_the_pointer_on_a_phone_in_the_dark(open_worlds):
    page = open_worlds("w_holes=1", width=390, height=844, dark=True, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    session = page.context.new_cdp_session(page)
    (x1, y1) = place(page, "digits-1", (1, 1))
    (x0, y0) = place(page, "digits-1", (-1, 0))
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x0, "y": y0}]})
    for t in (0.5, 1.0):
        point = {"x": x0 + t * (x1 - x0), "y": y0 + t * (y1 - y0)}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"document.querySelector('{PART}').dataset.z.split(',').every((v) => Math.abs(v - 1) < 0.1)")
    wait_fact(page, "exact", "true")


def test_the_link_restores_what_is_shown(open_worlds):
    page = open_worlds(
        "w_scale=prior&w_holes=1&w_near=0.3&w_z=1,-1&w_mode=cloud&w_pick=point:42&w_stop=16&w_view=4&w_n=7"
        "&w_rect=0.25,0.5,0.5,0.75&w_seed=9"
    )
    assert facts(page)["scale"] == "prior" and facts(page)["picked"] == "point:42" and facts(page)["z"] == "1.0000,-1.0000"
    assert page.is_checked(f"{PART} .holes-switch input") and page.input_value(f"{PART} [data-do=near]") == "0.3"
    page.wait_for_selector(f"{PART} .dial[data-stop='16']")
    rect = "[data-rect='0.25000,0.50000,0.50000,0.75000']"
    page.wait_for_selector(f"{PART} .manifold-canvas[data-decoded=true][data-count='7']{rect}")
    page.wait_for_selector(f"{PART} .draws[data-seed='9']")
    assert page.get_attribute(f"{PART} .manifold-seg [data-value='4']", "aria-checked") == "true"
    page.wait_for_function("location.search.includes('w_pick=point%3A42') && location.search.includes('w_rect=')")


def test_links_of_nonsense_open_the_usual(open_worlds):
    page = open_worlds(
        "w_scale=huge&w_near=9&w_z=nan,1&w_pick=point:&w_stop=7&w_rect=1,2,3&w_n=1000&w_seed=-4&w_four=own-nope&w_colour=taste"
    )
    assert facts(page)["scale"] == "own" and facts(page)["z"] == "0.6000,0.8000" and facts(page)["colour"] == "digit"
    page.wait_for_selector(f"{PART} .dial[data-stop='1']")
    page.wait_for_selector(f"{PART} .manifold-canvas[data-decoded=true][data-count='15']")
