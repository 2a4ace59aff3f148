"""The layered plot, the model overview and slow motion of the GAN lab: what they draw and say is what the run is."""

import json
import math
import re

import numpy as np
import pytest

from explorer.palette import DARK, LIGHT
from explorer.views import gan_lab

# ---- The heat map's colours, without a browser ------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009: how linear RGB looks to people without one kind of cone.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour: str) -> np.ndarray:
    """#rrggbb -> linear RGB in [0, 1]."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab_colour(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b*, white D65, of a linear RGB."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz / (0.9505, 1, 1.089)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a: str, b: str) -> float:
    """WCAG's ratio."""
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def scales() -> dict[str, list[str]]:
    text = (gan_lab.HERE / "field.js").read_text(encoding="utf-8")
    found = re.findall(r'^  (light|dark): \["(#\w{6})", "(#\w{6})", "(#\w{6})"\]', text, re.MULTILINE)
    return {mode: colours for mode, *colours in found}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_heat_map_is_read_by_colour_blind_people(mode):
    """Differences of 2 are just seen; the ends of the scale are ten times as far apart, whatever cone is missing."""
    low, middle, high = map(linear, scales()[mode])
    for name, matrix in {"all cones": np.eye(3), **BLIND}.items():
        fake, unsure, real = (lab_colour(np.array(matrix) @ c) for c in (low, middle, high))
        assert np.linalg.norm(fake - real) > 20, name
        assert min(np.linalg.norm(fake - unsure), np.linalg.norm(real - unsure)) > 14, name


@pytest.mark.parametrize("mode, palette", [("light", LIGHT), ("dark", DARK)])
def test_points_stand_out_from_every_colour_of_the_heat_map(mode, palette):
    for ground in scales()[mode]:
        for name in ("sym-real", "sym-fake"):
            assert contrast(palette[name], ground) > 3, (name, ground)


# ---- In the browser ----------------------------------------------------------------------------------------------------------

browser_test = pytest.mark.browser
LAB = "[...document.querySelectorAll('*')].find((node) => node.lab).lab"
START = "data=gaussians&trained=0&seed=3"


@pytest.fixture
def lab(visit, app_url):
    """lab(query, **window) -> a page on which the lab stands still and is drawn, with the lab as `L`."""

    def open_lab(query: str = START, **window):
        page = visit(f"{app_url}/?tab=gan&{query}", **window)
        page.wait_for_selector('.ganlab[data-ready="true"]')
        page.evaluate(f"window.L = {LAB}")
        page.wait_for_function("L.scenes[0] && +document.querySelector('.gplot canvas').dataset.drawn > 0")
        return page

    return open_lab


def tell(page, name: str, **args):
    return page.evaluate("([name, args]) => L.do(name, args)", [name, args])


def until(page, condition: str, argument=None):
    page.wait_for_function(condition, arg=argument)


def settle(page):
    """Waits until nothing glides and what was asked for is drawn."""
    until(page, "() => document.querySelector('.gplot canvas').dataset.gliding !== 'true'")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def word(page, layer: str):
    return page.locator(f'.gplot-word[data-layer="{layer}"]')


def only(page, *layers: str):
    """Switches all other layers off."""
    for button in page.locator(".gplot-word:visible").all():
        if (button.get_attribute("aria-pressed") == "true") != (button.get_attribute("data-layer") in layers):
            button.click()
    settle(page)


def inked(page, colour: str) -> int:
    """Pixels of the plot that have nearly this palette colour."""
    return page.evaluate(
        """(colour) => { const c = document.querySelector('.gplot canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        const [r, g, b] = [1, 3, 5].map((i) => parseInt(L.colour(colour).slice(i, i + 2), 16)); let n = 0;
        for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - r) + Math.abs(d[i + 1] - g) + Math.abs(d[i + 2] - b) < 24;
        return n; }""", colour,
    )  # fmt: skip


def point_at(page, x: float, y: float):
    """Moves the mouse to a place given in the plot's units."""
    page.locator(".gplot canvas").scroll_into_view_if_needed()
    box = page.locator(".gplot canvas").bounding_box()
    place = page.evaluate("([x, y]) => L.parts.plot.place(x, y)", [x, y])
    page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])


@browser_test
def test_words_and_eyes_switch_the_same_layers(lab):
    page = lab()
    eye = page.locator('.ggraph-eye[data-layer="manifold"]')
    assert (word(page, "manifold").get_attribute("aria-pressed"), eye.get_attribute("aria-pressed")) == ("false", "false")
    eye.click()
    assert word(page, "manifold").get_attribute("aria-pressed") == "true"
    word(page, "manifold").click()
    assert eye.get_attribute("aria-pressed") == "false"
    assert page.get_attribute(".gplot", "data-layers").split() == ["heat", "reals", "arrows", "fakes", "modes"]


@browser_test
def test_each_layer_is_on_the_canvas_when_it_is_on(lab):
    page = lab()
    only(page, "reals")
    assert inked(page, "sym-real") > 1000 and inked(page, "sym-fake") == 0
    only(page, "fakes")
    fakes = inked(page, "sym-fake")
    assert fakes > 1000 and inked(page, "sym-real") == 0
    only(page, "manifold")
    assert 0 < inked(page, "sym-fake") != fakes
    only(page)
    assert inked(page, "sym-fake") == inked(page, "sym-real") == 0


@browser_test
def test_pointing_reads_the_point_and_what_d_says_of_it(lab):
    page = lab()
    settle(page)
    only(page, "heat", "fakes", "arrows")
    x, y, logit, u, v = page.evaluate(
        """() => { const f = L.frame(); let k = 0; // the fake nearest to the middle is inside the plot
        const far = (i) => Math.hypot(f.fakes[2*i], f.fakes[2*i+1]);
        for (let i = 0; i < f.n; i++) if (far(i) < far(k)) k = i;
        return [f.fakes[2*k], f.fakes[2*k+1], f.fake_logits[k], f.arrows[2*k], f.arrows[2*k+1]]; }"""
    )
    point_at(page, x, y)
    until(page, "() => document.querySelector('.gplot-at').textContent.startsWith('fake')")
    said = page.inner_text(".gplot-at").replace("−", "-")
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", said)]
    assert numbers[:2] == [pytest.approx(x, abs=0.006), pytest.approx(y, abs=0.006)]
    assert numbers[2] == pytest.approx(1 / (1 + math.exp(-logit)), abs=0.006)
    assert numbers[3] == pytest.approx(math.hypot(u, v), rel=0.06)
    page.mouse.move(0, 0)
    until(page, "() => document.querySelector('.gplot-at').textContent === ''")


@browser_test
def test_the_plot_can_be_read_by_keyboard(lab):
    page = lab()
    before = page.evaluate("L.frame().step")
    only(page, "heat")
    page.focus(".gplot canvas")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    until(page, "() => document.querySelector('.gplot canvas').dataset.reading?.startsWith('(0.05, 0.20)')")
    assert "D = " in page.get_attribute(".gplot canvas", "data-reading")
    page.keyboard.press("Escape")
    until(page, "() => document.querySelector('.gplot-at').textContent === ''")
    assert page.evaluate("L.frame().step") == before


@browser_test
def test_the_arrows_unit_is_true_to_scale(lab):
    page = lab()
    settle(page)
    said = page.inner_text(".gplot-unit")
    gradient = float(re.search(r"gradient of ([\d.]+)", said)[1])
    factor = float(page.get_attribute(".gplot canvas", "data-factor"))
    unit = page.evaluate("L.parts.plot.place(0, 0).unit")
    drawn = float(page.get_attribute(".gplot-unit svg", "width"))
    assert drawn == pytest.approx(gradient * factor * unit, abs=1)
    assert ("true to scale" in said) == (factor == 1) and (factor == 1 or f"× {factor:g}" in said)
    mean = np.hypot(*np.array(page.evaluate("Array.from(L.frame().arrows)")).reshape(-1, 2).T).mean()
    assert float(page.inner_text(".gplot-unit b")) == pytest.approx(mean, rel=0.06)


@browser_test
def test_the_optimal_d_takes_the_heat_maps_place(lab):
    page = lab()
    picture = "() => document.querySelector('.gplot canvas').toDataURL()"
    settle(page)
    before = page.evaluate(picture)
    word(page, "ideal").click()
    until(page, "() => L.frame().ideal_heat && document.querySelector('.gplot-heat .low').textContent.startsWith('D*')")
    settle(page)
    assert page.evaluate(picture) != before and "dashed" in page.inner_text(".gplot-unit")
    word(page, "ideal").click()
    until(page, "() => !L.frame().ideal && document.querySelector('.gplot-heat .low').textContent.startsWith('D =')")


@browser_test
def test_the_averaged_generator_can_be_shown_once_there_is_one(lab):
    page = lab(START + "&ema=0.99")
    page.evaluate("L.do('step', {what: 'both'})")
    until(page, "() => L.live[0].step === 1")
    plain = page.evaluate("Array.from(L.live[0].fakes)")
    word = page.locator('[data-look="ema"]')
    assert word.is_visible() and word.get_attribute("aria-pressed") == "false"
    word.click()
    page.wait_for_selector('[data-look="ema"][aria-pressed="true"]')
    until(page, "() => L.live[0].ema")
    assert page.evaluate("Array.from(L.live[0].fakes)") != plain
    page.evaluate("L.do('set', {lane: 0, changes: {ema: 0}})")
    word.wait_for(state="hidden")


@browser_test
def test_a_critics_map_has_its_own_numbers(lab):
    page = lab(START + "&loss=wgan")
    until(page, "() => document.querySelector('.gplot').dataset.critic === 'true'")
    low, high = page.evaluate("[L.frame().heat_lo, L.frame().heat_hi]")
    legend = page.inner_text(".gplot-heat").replace("−", "-")
    first, *_, last = [float(n) for n in re.findall(r"-?\d+\.?\d*", legend)]
    assert first == pytest.approx(low, abs=0.06) and last == pytest.approx(high, abs=0.06)


@browser_test
def test_what_stands_still_is_not_drawn_again(lab):
    page = lab()
    settle(page)
    count = "[+document.querySelector('.gplot canvas').dataset.drawn, +document.querySelector('.ggraph').dataset.drawn]"
    page.evaluate("() => document.activeElement?.blur()")
    page.mouse.move(0, 0)
    before = page.evaluate(count)
    page.evaluate(
        "() => new Promise((done) => { let n = 0;"
        " const next = () => (++n < 40 ? requestAnimationFrame(next) : done()); next(); })"
    )
    assert page.evaluate(count) == before


@browser_test
def test_a_slow_run_glides_and_one_without_motion_does_not(lab):
    for motion in ("no-preference", "reduce"):
        page = lab(START, reduced_motion=motion)
        settle(page)
        page.evaluate(
            """() => { window.glided = 0; const canvas = document.querySelector('.gplot canvas');
            new MutationObserver(() => glided += canvas.dataset.gliding === 'true').observe(canvas, {attributes: true}); }"""
        )
        for _ in range(2):
            step = page.evaluate("L.frame().step")
            tell(page, "step", what="both")
            until(page, "(step) => +document.querySelector('.gplot canvas').dataset.step > step", step)
            settle(page)
        assert (page.evaluate("glided") > 0) == (motion == "no-preference")


@browser_test
def test_runs_side_by_side_are_small_plots_that_can_be_chosen(lab):
    page = lab()
    tell(page, "add", changes={"loss": "least_squares"})
    until(page, "() => document.querySelector('.gplot').dataset.lanes === '2' && L.frames[1]")
    settle(page)
    page.locator(".gplot canvas").scroll_into_view_if_needed()
    box = page.locator(".gplot canvas").bounding_box()
    place = page.evaluate("L.parts.plot.place(0, 0, 1)")
    page.mouse.click(box["x"] + place["x"], box["y"] + place["y"])
    until(page, "() => L.selected === 1 && document.querySelector('.ggraph').dataset.loss === 'least_squares'")
    assert place["x"] > page.evaluate("L.parts.plot.place(0, 0, 0).x")


# ---- The overview ------------------------------------------------------------------------------------------------------------


@browser_test
@pytest.mark.parametrize("loss, formula", [
    ("non_saturating", "−mean log D(G(z))"), ("minimax", "mean log(1 − D(G(z)))"), ("least_squares", "½ mean (D(G(z)) − 1)²"),
    ("wgan", "−mean D(G(z))"), ("wgan_gp", "−mean D(G(z))"), ("hinge", "−mean D(G(z))"),
])  # fmt: skip
def test_the_overview_has_the_formula_of_the_chosen_loss(lab, loss, formula):
    page = lab(f"{START}&loss={loss}")
    until(page, "(loss) => document.querySelector('.ggraph').dataset.loss === loss", loss)
    assert page.inner_text('[data-part-name="gloss"] .formula') == formula
    assert ("Critic" in page.inner_text('[data-part-name="D"] .title')) == loss.startswith("wgan")


@browser_test
def test_each_part_says_what_it_does(lab):
    page = lab()
    said = set()
    for part in page.locator(".ggraph-part").all():
        name = part.get_attribute("data-part-name")
        part.locator(".ggraph-open").focus()
        until(page, "(name) => document.querySelector('.ggraph').dataset.open === name", name)
        said.add(page.inner_text(".ggraph-note"))
        assert part.locator(".ggraph-open").get_attribute("aria-describedby") == "ggraph-note"
    assert len(said) == 9 and all(len(text) > 60 for text in said)
    page.keyboard.press("Escape")
    until(page, "() => document.querySelector('.ggraph').dataset.open === ''")


@browser_test
def test_labels_mean_what_they_say(lab):
    """GAN Lab's "1 hidden layer" builds two."""
    page = lab(START + "&g_layers=1&g_width=5&d_layers=0")
    until(page, "() => document.querySelector('[data-part-name=G] .text').textContent.includes('1 hidden layer of 5')")
    assert "no hidden layer" in page.inner_text('[data-part-name="D"] .text')
    assert page.evaluate("[L.lane().settings.g_layers, L.lane().settings.d_layers]") == [1, 0]


@browser_test
def test_pointing_at_g_replays_noise_becoming_points(lab):
    page = lab()
    page.evaluate(
        """() => { window.seen = new Set(); new MutationObserver(() => seen.add(document.querySelector('.ggraph').dataset.replay))
        .observe(document.querySelector('.ggraph'), {attributeFilter: ['data-replay']}); }"""
    )
    page.hover('[data-part-name="G"]')
    until(page, "() => document.querySelector('.ggraph').dataset.replay === 'done'")
    assert page.evaluate("seen.size") > 5


@browser_test
def test_numbers_of_the_overview_are_those_of_the_run(lab):
    page = lab()
    tell(page, "step", what="both")
    shown = "parseFloat(document.querySelector(`[data-part-name=${part}] .title b`).textContent)"
    for part, name in (("dloss", "d_loss"), ("gloss", "g_loss")):
        until(page, f"([part, name]) => L.frame().step === 1 && Math.abs({shown} - L.frame()[name]) < .006", [part, name])


# ---- Slow motion ---------------------------------------------------------------------------------------------------------------


def now(page) -> tuple[str, int]:
    facts = page.evaluate("({...document.querySelector('.gslow').dataset})")
    return facts["what"], int(facts["step"])


def forward(page):
    facts = "(({what, step, number, phases}) => [what, step, number, phases].join())(document.querySelector('.gslow').dataset)"
    was = page.evaluate(facts)
    page.click('.gslow [data-go="next"]')
    until(page, f"(was) => document.querySelector('.gslow').dataset.busy !== 'true' && {facts} !== was", was)


@pytest.fixture
def slow(lab):
    """slow(query) -> a page in slow motion, paused at its first step."""

    def open_slow(query: str = START, **window):
        page = lab(query, **window)
        page.evaluate("L.setSlow(true)")
        until(page, "() => document.querySelector('.gslow')?.dataset.step === '1'")
        page.evaluate("L.parts.slow.toggle()")
        until(page, "() => document.querySelector('.gslow').dataset.running === 'false'")
        until(page, "() => document.querySelector('.gslow').dataset.step === '1'")
        return page

    return open_slow


@browser_test
def test_a_round_is_k_d_times_five_steps_and_k_g_times_five(slow):
    page = slow(START + "&k_d=2&k_g=1")
    start = page.evaluate("[L.live[0].d_updates, L.live[0].g_updates]")
    seen = [now(page)]
    for _ in range(15):
        forward(page)
        seen.append(now(page))
    five = range(1, 6)
    assert seen == [*[("d", i) for _ in range(2) for i in five], *[("g", i) for i in five], ("d", 1)]
    d, g = page.evaluate("[L.frame().d_updates, L.frame().g_updates]")  # of the frames that are shown
    first = page.evaluate("L.held[0].d_updates")
    assert first == d and g == 1 and d == 2 and max(start) <= 1
    assert page.evaluate("L.frame().step") == 1, "the three updates were a round"


@browser_test
def test_captions_have_the_numbers_of_this_very_update(slow):
    page = slow()
    before = page.evaluate("L.held[0].d_updates")
    forward(page)
    forward(page)
    said = page.inner_text(".gslow-say").replace("−", "-")
    until(page, "(n) => L.live[0].d_updates === n + 1", before)  # the server is one update ahead of what is shown
    assert page.evaluate("L.frame().d_updates") == before
    assert float(re.search(r"= (-?[\d.]+)\.", said)[1]) == pytest.approx(page.evaluate("L.live[0].d_loss"), abs=0.006)

    # After step 5 the losses before and after are those of the points that are shown.
    logits = "(f) => JSON.stringify([Array.from(f.real_logits), Array.from(f.fake_logits)])"
    was = json.loads(page.evaluate(f"({logits})(L.held[0])"))
    forward(page)
    forward(page)
    until(page, "(n) => L.frame().d_updates === n + 1", before)
    is_ = json.loads(page.evaluate(f"({logits})(L.held[0])"))

    def d_loss(real, fake):
        return np.logaddexp(0, -np.array(real)).mean() + np.logaddexp(0, np.array(fake)).mean()

    first, then = map(float, re.search(r"from ([\d.]+) to ([\d.]+)\.", page.inner_text(".gslow-say")).groups())
    assert first == pytest.approx(d_loss(*was), abs=0.006) and then == pytest.approx(d_loss(*is_), abs=0.006)


@browser_test
def test_slow_motion_goes_back_and_forth_by_key_and_leaves_the_run_running(slow):
    page = slow()
    page.evaluate("() => document.activeElement?.blur()")
    for want in (("d", 2), ("d", 3)):
        page.keyboard.press("ArrowRight")
        until(page, "(step) => document.querySelector('.gslow').dataset.step === step", str(want[1]))
    page.keyboard.press("ArrowLeft")
    until(page, "() => document.querySelector('.gslow').dataset.step === '2'")
    assert page.get_attribute(".ggraph", "data-active").split() == ["fakesD", "realsD", "judged"]
    assert page.get_attribute('[data-part-name="z"]', "data-dim") is not None
    assert page.get_attribute('[data-part-name="D"]', "data-dim") is None
    page.keyboard.press("m")
    until(page, "() => !L.slow && L.held === null && document.querySelector('.gslow').hidden")
    assert page.get_attribute('[data-part-name="z"]', "data-dim") is None
    page.keyboard.press("Space")
    until(page, "() => +document.querySelector('.ganlab').dataset.step > 5")


@browser_test
def test_slow_motion_runs_by_itself_at_its_pace(lab):
    page = lab()
    page.evaluate("L.setSlow(true)")
    until(page, "() => document.querySelector('.gslow')?.dataset.step === '1'")
    page.locator(".gslow-speed input").fill("100")
    assert page.inner_text(".gslow-speed output") == "0.6 s a step"
    until(page, "() => document.querySelector('.gslow').dataset.what === 'g'")
    assert page.evaluate("L.desk.playing") is False


@browser_test
def test_the_overview_finds_back_from_its_narrow_layout(lab):
    """Held to a phone's width by its narrow layout, it once took that for its room and stayed narrow."""
    page = lab(width=390, height=844)
    for width, layout in ((1920, "wide"), (390, "narrow"), (1440, "wide")):
        page.set_viewport_size({"width": width, "height": 900})
        until(page, "(layout) => document.querySelector('.ggraph').dataset.layout === layout", layout)


@browser_test
@pytest.mark.parametrize("width, layout", [(1440, "wide"), (390, "narrow")])
def test_the_overview_fits_and_can_be_read(slow, width, layout):
    page = slow(width=width, height=844)
    assert page.get_attribute(".ggraph", "data-layout") == layout
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "() => [...document.querySelectorAll('.ggraph-part .title, .ggraph-part .text, .ggraph-label, .gplot-say, .gslow-say')]"
        ".filter((n) => n.textContent && parseFloat(getComputedStyle(n).fontSize) < 10.5).map((n) => n.textContent)"
    )
    assert small == []
    # No text leaves its box.
    wide = page.evaluate(
        "() => [...document.querySelectorAll('.ggraph-part .text, .ggraph-part .title')].filter((n) => {"
        " const box = n.getBoundingClientRect(), stage = document.querySelector('.ggraph-stage').getBoundingClientRect();"
        " return box.width && (box.right > stage.right + 1 || box.left < stage.left - 1); }).map((n) => n.textContent)"
    )
    assert wide == []
