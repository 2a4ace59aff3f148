"""Commands of a desk: what they do, that undo brings back what was, and a sentence for what cannot be done."""

import numpy as np
import pytest

from explorer.tabs.gan.desk import LANES, Desk, scene_id
from explorer.tabs.gan.gallery import FAILURES


@pytest.fixture
def desk():
    desk = Desk()
    desk.do("open", {"lanes": [{"settings": {"seed": 3}}]})
    return desk


def rounds(desk):
    return [lane.rounds for lane in desk.lanes]


def test_it_opens_on_a_trained_run_that_stands_still():
    told = Desk().told()
    assert told["lanes"][0]["origin"] == "trained" and told["lanes"][0]["step"] > 0 and not told["playing"]


def test_opening_what_a_link_says(desk):
    desk.do("open", {"lanes": [{"settings": {"data": "ring8"}}, {"settings": {"data": "ring8", "loss": "hinge"}}]})
    assert [lane.settings.loss for lane in desk.lanes] == ["non_saturating", "hinge"] and rounds(desk) == [0, 0]
    desk.do("open", {"lanes": [{"settings": {"data": "ring"}, "trained": True}]})
    assert desk.lanes[0].origin == "trained" and desk.lanes[0].settings.data == "ring"


def test_changes_live_or_from_the_start(desk):
    desk.lanes[0].advance(10)
    assert desk.do("set", {"lane": 0, "changes": {"g_lr": 0.05}}) is None and rounds(desk) == [10]
    said = desk.do("set", {"lane": None, "changes": {"g_width": 12}})
    assert "round 0" in said and rounds(desk) == [0]
    desk.do("undo", {})
    assert rounds(desk) == [10] and desk.lanes[0].settings.g_width == 8
    desk.do("redo", {})
    assert rounds(desk) == [0] and desk.lanes[0].settings.g_width == 12


def test_undo_gives_back_the_run_exactly(desk):
    desk.lanes[0].advance(10)
    g = desk.lanes[0].state.g.copy()
    desk.do("set", {"lane": 0, "changes": {"loss": "hinge"}})
    desk.lanes[0].advance(25)
    desk.do("undo", {})
    assert np.array_equal(desk.lanes[0].state.g, g)
    desk.do("reset", {})
    assert rounds(desk) == [0]
    desk.do("undo", {})
    assert np.array_equal(desk.lanes[0].state.g, g) and len(desk.lanes[0].curve) == 10


def test_undo_is_bounded_however_large_the_nets():
    from explorer.tabs.gan.desk import KEPT_BYTES

    desk = Desk()
    desk.do("open", {"lanes": [{"settings": {"g_layers": 5, "g_width": 100, "d_layers": 5, "d_width": 100, "batch": 1}}] * 4})
    for _ in range(15):
        for lane in desk.lanes:
            lane.advance(1)
        desk.do("reset", {})
    assert 1 <= len(desk._past) < 15
    assert sum(lane.size for lanes, *_ in desk._past for lane in lanes) <= KEPT_BYTES


def test_steps_pause(desk):
    desk.do("play", {})
    desk.do("step", {"what": "d"})
    assert not desk.playing and desk.lanes[0].state.d_updates == 1
    desk.do("step", {"what": "both"})
    assert rounds(desk) == [1]


def test_runs_side_by_side_start_together(desk):
    desk.lanes[0].advance(10)
    desk.do("add", {"changes": {"loss": "minimax"}})
    assert rounds(desk) == [0, 0]
    a, b = desk.lanes
    assert np.array_equal(a.state.g, b.state.g) and a.settings.seed == b.settings.seed
    for _ in range(2):
        desk.do("add", {"changes": {"g_lr": 0.01}})
    with pytest.raises(ValueError, match=f"At most {LANES}"):
        desk.do("add", {})
    desk.do("remove", {"lane": 1})
    assert [lane.settings.loss for lane in desk.lanes] == ["non_saturating"] * 3


def test_a_change_that_restarts_one_restarts_all(desk):
    desk.do("add", {"changes": {"loss": "minimax"}})
    for lane in desk.lanes:
        lane.advance(5)
    desk.do("set", {"lane": 1, "changes": {"seed": 9}})
    assert rounds(desk) == [0, 0]


def test_branching_in_place_and_beside(desk):
    desk.lanes[0].advance(20)
    desk.do("branch", {"lane": 0, "step": 5, "as_new": True, "changes": {"g_lr": 0.3}})
    assert rounds(desk) == [20, 5] and desk.lanes[1].settings.g_lr == 0.3
    desk.do("branch", {"lane": 0, "step": 7})
    assert rounds(desk) == [7, 5]
    with pytest.raises(ValueError, match="add a run instead"):
        desk.do("branch", {"lane": 0, "step": 5, "changes": {"g_width": 3}})


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_and_its_cure_can_be_put_on_the_desk(desk, name):
    desk.do("failure", {"name": name})
    assert desk.told()["failure"] == name and not desk.told()["cured"]
    before = desk.lanes[0].settings
    desk.do("cure", {})
    assert desk.told()["cured"] and desk.lanes[0].settings != before and desk.lanes[0].settings.seed == before.seed
    desk.do("undo", {})
    assert not desk.told()["cured"]


def test_the_doctor_s_advice_is_taken_by_its_button(desk):
    desk.do("open", {"lanes": [{"settings": {"loss": "least_squares", "d_lr": 10, "g_lr": 10}}]})
    desk.lanes[0].advance(500)
    desk.measure()
    finding = next(found for found in desk.lanes[0].findings if found.remedy)
    desk.do("remedy", {"lane": 0, "id": finding.id})
    for name, value in finding.changes.items():
        assert getattr(desk.lanes[0].settings, name) == value
    assert desk.lanes[0].advance(5) == 5


def test_a_desk_whose_only_run_has_halted_says_why_it_does_not_play(desk):
    desk.lanes[0].halted = "It ended."
    with pytest.raises(ValueError, match="It ended"):
        desk.do("play", {})


@pytest.mark.parametrize(
    "command",
    [
        {"do": "fly"}, {"do": "__init__"}, {"do": ""}, {"do": "open", "lanes": "all"}, {"do": "open", "lanes": [1]},
        {"do": "open", "lanes": [{}] * 5}, {"do": "open", "lanes": [{"settings": []}]},
        {"do": "set", "changes": {}}, {"do": "set", "changes": {"wings": 2}}, {"do": "set", "changes": {"g_width": 0}},
        {"do": "set", "changes": {"g_lr": float("nan")}}, {"do": "set", "changes": {"g_lr": "much"}},
        {"do": "set", "changes": {"g_lr": None}}, {"do": "set", "changes": {"batch": 1.5}},
        {"do": "set", "changes": {"g_width": True}},
        {"do": "set", "changes": {"seed": 10**400}},
        {"do": "set", "changes": {"batch": 1024, "k_d": 10, "k_g": 10, "d_layers": 5, "d_width": 100, "loss": "wgan_gp"}},
        {"do": "set", "changes": {"loss": ["hinge"]}}, {"do": "set", "changes": {"data": "own", "points": ""}},
        {"do": "set", "lane": 7, "changes": {"g_lr": 1}}, {"do": "set", "lane": "0", "changes": {"g_lr": 1}},
        {"do": "speed", "speed": -1}, {"do": "speed", "speed": "fast"}, {"do": "speed"}, {"do": "speed", "speed": float("nan")},
        {"do": "step", "what": "x"}, {"do": "branch", "lane": 0, "step": "two"}, {"do": "branch", "lane": 3, "step": 1},
        {"do": "remove", "lane": 0}, {"do": "failure", "name": "fire"}, {"do": "cure"}, {"do": "remedy", "lane": 0, "id": "?"},
        {"do": "undo", "n": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_a_sentence_and_changes_nothing(command):
    desk = Desk()
    before = desk.told()
    with pytest.raises(ValueError) as told:
        desk.do(command["do"], command)
    assert str(told.value).endswith((".", "?")) and len(str(told.value)) < 200
    assert desk.told() == before


def test_scenes_tell_apart_what_looks_different(desk):
    first = scene_id(desk.lanes[0].settings)
    desk.do("set", {"lane": 0, "changes": {"g_lr": 0.3}})
    assert scene_id(desk.lanes[0].settings) == first
    desk.do("set", {"lane": 0, "changes": {"noise": "uniform1"}})
    assert scene_id(desk.lanes[0].settings) != first
