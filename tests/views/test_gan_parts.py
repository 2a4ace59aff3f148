"""The lab's charts, history, doctor, gallery, comparison, class and export, in the running app."""

import json
import math
import re

import pytest

pytestmark = pytest.mark.browser

READY = '.ganlab[data-ready="true"]'
LAB = "[...document.querySelectorAll('*')].find((node) => node.lab).lab"


@pytest.fixture
def lab(visit, app_url):
    """lab(query, **window) -> a page on which the lab is ready, with lab.* as `L`."""

    def open_lab(query: str = "trained=0&data=ring8", **window):
        page = visit(f"{app_url}?tab=gan&{query}", **window)
        page.wait_for_selector(READY)
        page.evaluate(f"window.L = {LAB}")
        return page

    return open_lab


def tell(page, name: str, **args):
    """Sends a command and waits for its answer."""
    return page.evaluate("([name, args]) => L.do(name, args)", [name, args])


def part(page, name: str):
    """A section, scrolled to: out of sight none of them draws."""
    section = page.locator(f".lab-{name}")
    section.scroll_into_view_if_needed()
    return section


def until(page, condition: str, argument=None):
    page.wait_for_function(condition, arg=argument)


def train(page, rounds: int, speed: int = 600):
    """Plays until a round is reached, and pauses."""
    tell(page, "speed", speed=speed)
    tell(page, "play")
    until(page, "(n) => +document.querySelector('.ganlab').dataset.step >= n", rounds)
    tell(page, "pause")


# ---- Curves ------------------------------------------------------------------------------------------------------------------


def test_curves_hold_the_whole_run_and_begin_where_it_is_known(lab):
    page = lab()
    curves = part(page, "curves")
    train(page, 400)
    until(page, "() => +document.querySelector('.lab-curves').dataset.last === L.lane().step")
    until(page, "() => +document.querySelector('.lab-curves').dataset.first <= 2")
    told = page.evaluate("async () => (await L.fetch('curves', {lane: 0})).json()")
    drawn = page.evaluate("() => { const t = L.parts.curves.track('d_loss'); return [t.first, t.last] }")
    assert drawn == [told["step"][0], told["step"][-1]] and drawn[1] >= 400
    assert int(curves.get_attribute("data-measures")) >= 2

    # A run that is restarted has no past: not even one that is still on its way.
    tell(page, "reset")
    until(page, "() => document.querySelector('.lab-curves').dataset.first === '' && L.parts.curves.track('sw').last === 0")


def test_no_line_is_drawn_to_a_run_that_begins_late(lab):
    """GAN Lab's charts connect a pretrained model's round 1,931 with round 1 by a flat line."""
    page = lab()
    broken = page.evaluate(
        """() => { const track = L.parts.curves.track('d_loss'), begin = track.length;
        for (const [round, value] of [[5000, 1], [5001, NaN], [5002, 2], [5003, 3]]) track.push(round, value);
        return [begin, begin + 1, begin + 2].map((i) => track.at(i).broken); }"""
    )
    assert broken == [True, True, False]


def test_a_long_run_keeps_its_spikes_in_bounded_memory(lab):
    page = lab()
    length, highest, mean = page.evaluate(
        """() => { const t = L.parts.curves.track('g_norm');
        for (let i = 0; i < 100000; i++) t.push(10 + i, i === 54321 ? 999 : 1);
        let high = 0; for (let i = 0; i < t.length; i++) high = Math.max(high, t.at(i).high);
        return [t.length, high, t.near(10, 100).mean] }"""
    )
    assert length <= 1400 and highest == 999 and mean == pytest.approx(1, abs=1e-6)


def test_pointing_at_one_chart_reads_them_all_and_a_click_goes_there(lab):
    page = lab()
    train(page, 300)
    part(page, "curves")
    until(page, "() => +document.querySelector('.lab-curves').dataset.last >= 300")
    canvas = page.locator('[data-curve="norms"] canvas')
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    until(page, "() => document.querySelector('.lab-curves').dataset.cursor !== ''")
    at = int(page.locator(".lab-curves").get_attribute("data-cursor"))
    for name in ("losses", "accuracy", "norms", "divergence", "distance", "modes"):
        assert f"at round {at:,}" in page.locator(f'[data-curve="{name}"] canvas').get_attribute("aria-label")
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    until(page, "() => L.held !== null")
    held = int(page.locator(".lab-history").get_attribute("data-held"))
    steps = page.evaluate("L.lane().steps")
    assert abs(held - at) <= max(b - a for a, b in zip(steps, steps[1:]))


def test_runs_side_by_side_have_letters_and_dashes(lab):
    page = lab()
    tell(page, "add", changes={"loss": "wgan_gp"})
    train(page, 100)
    part(page, "curves")
    until(page, "() => document.querySelector('.lab-curves').dataset.runs === '2'")
    key = page.locator('[data-curve="distance"] .curve-key')
    assert key.locator(".curve-lane").all_inner_texts() == ["A", "B"]
    dashes = [s.get_attribute("stroke-dasharray") for s in key.locator(".curve-lane path").all()]
    assert dashes[0] is None and dashes[1]


# ---- The vanishing gradient --------------------------------------------------------------------------------------------------


def test_the_mean_slope_is_that_of_the_fakes_on_the_curve(lab):
    page = lab("trained=0&data=ring8&loss=minimax")
    section = part(page, "vanish")
    train(page, 50)
    logits = page.evaluate("Array.from(L.frame().fake_logits)")
    expected = sum(1 / (1 + math.exp(-l)) for l in logits) / len(logits)  # |d/dl log(1 - sigmoid(l))| = sigmoid(l)
    until(page, "(v) => Math.abs(+document.querySelector('.lab-vanish').dataset.slope - v) < 1e-3 * v", expected)
    facts = section.evaluate("(node) => ({...node.dataset})")
    assert facts["loss"] == "minimax" and facts["fakes"] == "256"
    assert float(facts["minimax"]) + float(facts["nonSaturating"]) == pytest.approx(1, abs=2e-3)
    assert float(facts["meanD"]) == pytest.approx(expected, rel=1e-3)


def test_slopes_are_the_derivatives_of_the_values(lab):
    """Each closed form against a central difference, where D is small and where it is large."""
    page = lab()
    losses = page.evaluate(
        """() => Object.fromEntries(Object.entries(L.parts.vanish.losses).map(([name, {value, slope}]) =>
        [name, [-6, -1.5, 0.2, 3].map((l) => [(value(l + 1e-4) - value(l - 1e-4)) / 2e-4, slope(l)])]))"""
    )
    assert set(losses) == {"non_saturating", "minimax", "least_squares", "wgan", "wgan_gp", "hinge"}
    for pairs in losses.values():
        for difference, slope in pairs:
            assert slope == pytest.approx(difference, abs=1e-6)


def test_small_values_of_d_can_be_spread_out(lab):
    page = lab()
    part(page, "vanish").get_by_label("log scale").check()
    until(page, "() => document.querySelector('.lab-vanish').dataset.log === 'true'")
    tell(page, "set", lane=None, changes={"loss": "wgan"})
    until(page, "() => document.querySelector('.lab-vanish').dataset.loss === 'wgan'")
    assert page.locator(".vanish-log").is_hidden()  # a critic's value is no probability
    assert float(page.locator(".lab-vanish").get_attribute("data-slope")) == 1


# ---- The doctor --------------------------------------------------------------------------------------------------------------


def test_the_doctor_shows_findings_announces_errors_and_has_the_remedy(lab):
    """Findings as the server sends them; a made-up one lets the remedy be seen to reach the server."""
    page = lab()
    part(page, "doctor")
    page.evaluate(
        """() => { L.was = L.do; L.asked = [];
        L.do = (name, args) => (L.asked.push([name, args]), Promise.resolve(L.desk));
        const finding = {id: 'won', level: 'error', sentence: 'D wins <b>everything</b>.', remedy: 'Halve D'};
        L.emit('notes', {notes: {0: [finding]}}); }"""
    )
    item = page.locator(".doctor-item")
    assert "D wins <b>everything</b>." in item.inner_text()  # text, not markup
    until(page, "() => document.getElementById('ge-live').textContent.includes('D wins')")
    item.get_by_role("button", name="Halve D").click()
    assert page.evaluate("L.asked") == [["remedy", {"lane": 0, "id": "won"}]]
    page.evaluate("() => { L.do = L.was; L.emit('notes', {notes: {0: []}, shares: {0: []}}) }")
    until(page, "() => document.querySelector('.lab-doctor').dataset.findings === '0'")
    assert page.locator(".doctor-calm").inner_text()


def test_training_can_pause_at_a_warning(lab):
    page = lab()
    part(page, "doctor").get_by_label("pause at a warning").check()
    tell(page, "speed", speed=1)
    tell(page, "play")
    page.evaluate("L.emit('notes', {notes: {0: [{id: 'gone', level: 'warn', sentence: 'Mode 3 lost.', remedy: ''}]}})")
    until(page, "() => L.desk.playing === false")
    until(page, "() => document.getElementById('ge-live').textContent === 'Paused. Mode 3 lost.'")


def test_the_share_of_fakes_at_each_mode_is_drawn(lab):
    page = lab()
    part(page, "doctor")
    page.evaluate("L.emit('notes', {shares: {0: [.5, .25, 0, .05, 0, 0, 0, 0]}})")
    bars = page.locator(".doctor-bar")
    assert bars.count() == 8
    lost = [i for i, bar in enumerate(bars.all()) if bar.get_attribute("data-lost") is not None]
    assert lost == [2, 4, 5, 6, 7]
    assert "20 % of the fakes are at no mode" in page.locator(".doctor-rest").inner_text()


# ---- The gallery -------------------------------------------------------------------------------------------------------------


def test_a_failure_its_cure_and_back(lab):
    page = lab("trained=0&data=moons&seed=5")
    part(page, "gallery")
    card = page.locator(".gallery-card").first
    name = card.get_attribute("data-failure")
    card.get_by_role("button", name="Make it happen").click()
    until(page, "(name) => L.desk.failure === name && L.desk.playing", name)
    part(page, "gallery")
    until(page, "() => ['coming', 'shown'].includes(document.querySelector('.gallery-card').dataset.state)")
    card.locator(".button.strong").click()
    until(page, "() => L.desk.cured && document.querySelector('.lab-gallery').dataset.cured === 'true'")
    page.get_by_role("button", name="Back to what I had").click()
    until(page, "() => L.desk.failure === null && L.desk.lanes[0].settings.data === 'moons'")
    assert page.evaluate("L.desk.lanes[0].settings.seed") == 5
    assert card.get_attribute("data-state") == "idle"


# ---- History -----------------------------------------------------------------------------------------------------------------


def test_the_run_is_scrubbed_like_a_video_without_a_request_per_moment(lab):
    page = lab()
    train(page, 600)
    history, scrub = part(page, "history"), page.get_by_label("Round shown")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/gan/" in request.url else None)
    scrub.press("Home")
    until(page, "() => L.held && document.querySelector('.lab-history').dataset.held === '0'")
    first = page.evaluate("Array.from(L.frame().fakes)")
    for _ in range(5):
        scrub.press("ArrowRight")
    until(page, "() => +document.querySelector('.ganlab').dataset.step > 0")
    until(page, "() => +document.querySelector('.lab-history').dataset.held === Math.round(L.frame().step)")
    assert page.evaluate("Array.from(L.frame().fakes)") != first
    assert len([url for url in asked if "/film" in url]) == 1
    assert int(history.get_attribute("data-moments")) > 20
    scrub.press("End")
    until(page, "() => L.held === null && +document.querySelector('.ganlab').dataset.step >= 600")


@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_the_strip_stays_under_the_pointer_when_one_looks_back(lab, width):
    page = lab(width=width)
    train(page, 60, speed=300)
    part(page, "history")
    strip = """(() => { const top = (name) => document.querySelector(name).getBoundingClientRect().top;
        return top('.history-strip') - top('.lab-history'); })()"""
    before = page.evaluate(strip)
    page.evaluate("L.parts.history.goTo(20)")
    until(page, "() => L.held !== null")
    page.wait_for_selector(".history-now:visible")
    assert page.evaluate(strip) == before


def test_a_moment_of_the_film_is_that_moment(lab):
    page = lab()
    train(page, 200)
    part(page, "history")
    page.evaluate("L.parts.history.goTo(90)")
    until(page, "() => L.held !== null && L.frame().step < 200")
    step = page.evaluate("Math.round(L.frame().step)")
    assert step in page.evaluate("L.lane().steps")
    same = page.evaluate(
        """async (step) => { const [{frames: [frame]}] = await L.messages('frame', {lane: 0, step});
        return frame.fakes.every((v, i) => v === L.frame().fakes[i]) }""",
        step,
    )
    assert same


def test_branching_goes_on_from_there_and_undo_brings_the_rest_back(lab):
    page = lab()
    train(page, 300)
    part(page, "history")
    end = page.evaluate("L.lane().step")
    page.evaluate("L.parts.history.goTo(100)")
    until(page, "() => L.held !== null")
    at = int(page.locator(".lab-history").get_attribute("data-held"))
    page.get_by_role("button", name="Branch here").click()
    until(page, "(at) => L.held === null && L.lane().step === at", at)
    page.wait_for_selector(".history-mark")  # the branching itself is marked
    page.locator('[data-history="undo"]').click()
    until(page, "(end) => L.lane().step === end", end)


def test_branching_beside_with_another_setting(lab):
    page = lab()
    train(page, 200)
    part(page, "history")
    page.evaluate("L.parts.history.goTo(100)")
    until(page, "() => L.held !== null")
    page.get_by_text("Branch with …").click()
    page.locator(".history-panel select").first.select_option("k_d")
    page.locator(".history-panel .picker-number").fill("4")
    page.locator('[data-history="branch-new"]').click()
    until(page, "() => L.desk.lanes.length === 2")
    assert page.evaluate("L.desk.lanes.map((lane) => lane.settings.k_d)") == [2, 4]


def test_the_film_plays_and_ends_at_now(lab):
    page = lab()
    train(page, 60, speed=300)
    part(page, "history")
    page.get_by_role("button", name="Play the film of this run").click()
    until(page, "() => document.querySelector('.lab-history').dataset.playing === 'true'")
    until(page, "() => document.querySelector('.lab-history').dataset.playing === 'false'")
    until(page, "() => L.held !== null && L.frame().step >= L.lane().step")


# ---- Side by side ------------------------------------------------------------------------------------------------------------


def test_runs_are_added_named_by_their_difference_and_removed(lab):
    page = lab()
    section = part(page, "compare")
    section.get_by_label("Setting").select_option("g_lr")
    section.locator(".picker-number").fill("0.02")
    section.get_by_role("button", name="Add this run").click()
    until(page, "() => L.desk.lanes.length === 2 && document.querySelectorAll('.compare-row[data-lane]').length === 2")
    assert "Learning rate of G: 0.02" in section.locator('.compare-row[data-lane="1"]').inner_text()
    section.get_by_label("Look at run B").check()
    assert page.evaluate("L.selected") == 1
    section.get_by_role("button", name="Remove run B").click()
    until(page, "() => L.desk.lanes.length === 1 && L.selected === 0")


def test_a_value_that_cannot_be_gets_its_sentence(lab):
    page = lab()
    section = part(page, "compare")
    section.get_by_label("Setting").select_option("g_width")
    section.locator(".picker-number").fill("0")
    section.get_by_role("button", name="Add this run").click()
    page.wait_for_selector(".ge-toast")
    assert "from 1 to 100" in page.locator(".ge-toast").inner_text()
    assert page.evaluate("L.desk.lanes.length") == 1


def test_four_of_six_losses_start_together(lab):
    page = lab()
    section = part(page, "compare")
    section.get_by_text("Losses …").click()
    assert section.locator('.compare-panel input:not(:checked)').first.is_disabled()  # four are as many as fit
    section.get_by_role("button", name="Start them").click()
    until(page, "() => L.desk.lanes.length === 4 && L.desk.playing")
    tell(page, "pause")
    losses = page.evaluate("L.desk.lanes.map((lane) => lane.settings.loss)")
    assert losses == ["non_saturating", "minimax", "least_squares", "wgan_gp"]
    assert page.evaluate("new Set(L.desk.lanes.map((lane) => lane.settings.seed)).size") == 1


# ---- The class ---------------------------------------------------------------------------------------------------------------


def test_a_class_sees_each_others_runs_and_names_stay_text(lab):
    teacher = lab()
    wall = part(teacher, "wall")
    wall.get_by_role("button", name="Open a new room").click()
    until(teacher, "() => document.querySelector('.lab-wall').dataset.room")
    code = wall.get_attribute("data-room")
    assert re.fullmatch("[A-HJ-NP-Z]{4}", code)

    student = lab(f"trained=0&data=ring8&room={code}")  # a link is enough
    seat = part(student, "wall")
    until(student, "(code) => document.querySelector('.lab-wall').dataset.room === code", code)
    seat.get_by_label("Your name on the wall").fill("<i>Ada</i>")
    seat.get_by_role("button", name="Show it").click()
    part(teacher, "wall")
    until(teacher, "() => [...document.querySelectorAll('.wall-who')].some((who) => who.textContent === '<i>Ada</i>')")
    assert wall.locator(".wall-tile").count() == 2
    assert wall.locator(".wall-tile i").count() == 0

    ranks = [float(tile.get_attribute("data-sw")) for tile in wall.locator(".wall-tile").all()]
    assert ranks == sorted(ranks) and wall.locator(".wall-rank").first.inner_text() == "1"
    seat.get_by_role("button", name="Leave").click()
    until(teacher, "() => document.querySelector('.lab-wall').dataset.people === '1'")


def test_a_wrong_code_gets_its_sentence(lab):
    page = lab()
    wall = part(page, "wall")
    wall.get_by_label("Code of the room").fill("ab")
    wall.get_by_role("button", name="Join").click()
    assert "four letters" in wall.locator(".wall-trouble").inner_text()


# ---- Taking it along ---------------------------------------------------------------------------------------------------------


def test_a_run_is_saved_and_loaded_again(lab, tmp_path):
    page = lab("trained=0&data=spiral")
    train(page, 30, speed=300)
    section = part(page, "export")
    step = page.evaluate("L.lane().step")
    with page.expect_download() as waiting:
        section.locator('[data-kind="save"]').click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    tell(page, "open", lanes=[{"settings": {"data": "line"}}])
    section.get_by_label("Load a saved run").set_input_files(saved)
    until(page, "(step) => L.lane().settings.data === 'spiral' && L.lane().step === step", step)


def test_a_file_that_is_no_run_gets_its_sentence(lab, tmp_path):
    page = lab()
    (tmp_path / "odd.safetensors").write_bytes(b"not a run at all")
    section = part(page, "export")
    section.get_by_label("Load a saved run").set_input_files(tmp_path / "odd.safetensors")
    page.wait_for_selector(".export-note[data-bad]")
    assert "not a run" in section.locator(".export-note").inner_text()
    page.troubles[:] = [trouble for trouble in page.troubles if "status of 4" not in trouble]  # the browser logs the refusal


def test_curves_leave_as_a_table_and_the_script_is_shown(lab):
    page = lab()
    train(page, 20, speed=300)
    section = part(page, "export")
    with page.expect_download() as waiting:
        section.locator('[data-kind="csv"]').click()
    lines = open(waiting.value.path()).read().splitlines()
    assert lines[0].startswith("round,d_loss,g_loss") and len(lines) > 20
    section.locator('[data-kind="script"]').click()
    code = page.locator(".export-dialog[open] .export-code")
    code.wait_for()
    assert "import torch" in code.inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".export-dialog[open]").count() == 0


# ---- Everywhere --------------------------------------------------------------------------------------------------------------


def test_on_a_phone_nothing_is_wider_than_the_screen(lab):
    page = lab(width=390, height=844)
    tell(page, "add", changes={"loss": "hinge"})
    for name in ("history", "curves", "doctor", "vanish", "gallery", "compare", "wall", "export"):
        section = part(page, name)
        until(page, "(name) => document.querySelector('.lab-' + name).offsetHeight > 60", name)
        over = section.evaluate(
            """(node) => [...node.querySelectorAll('*')].filter((n) => n.offsetParent
            && n.getBoundingClientRect().right > innerWidth + 1).map((n) => n.outerHTML.slice(0, 80))"""
        )
        assert over == [], (name, over)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(lab):
    page = lab()
    nameless = page.evaluate(
        """() => ['history', 'curves', 'doctor', 'vanish', 'gallery', 'compare', 'wall', 'export'].flatMap((name) =>
        [...document.querySelectorAll('.lab-' + name + ' :is(button, input, select, canvas, summary)')]
        .filter((node) => !node.closest('[aria-hidden=true], label') && !node.ariaLabel && !node.textContent.trim())
        .map((node) => name + ' ' + node.outerHTML.slice(0, 80)))"""
    )
    assert nameless == [], json.dumps(nameless)
