"""The doctor finds what is there, says it in plain words, and offers what helps, on made-up readings and on real runs."""

import dataclasses
import math

import numpy as np
import pytest

from explorer.tabs.gan import engine
from explorer.tabs.gan.config import Settings, check
from explorer.tabs.gan.doctor import EXPLAINS, RULES, Finding, Reading, examine
from explorer.tabs.gan.gallery import FAILURES
from explorer.tabs.gan.presets import PRESETS, load
from explorer.tabs.gan.run import Run

ADAM = {"g_opt": "adam", "d_opt": "adam", "g_lr": 0.002, "d_lr": 0.002, "g_width": 32, "d_width": 32, "k_d": 1}
RING = check({"data": "ring8", **ADAM})
EIGHTH = (0.12,) * 8
GOOD = dict(d_loss=1.38, g_loss=0.70, real_acc=0.52, fake_acc=0.5, d_norm=0.1, g_norm=0.1, penalty=0.0, kl=0.1, js=0.03,
            sw=0.015, modes_covered=8, modes_total=8, high_quality=0.95, shares=EIGHTH)  # fmt: skip


def course(n=20, every=100, start=0, **changes) -> list[Reading]:
    """n readings of a good run; a change is a value, or one value for each reading."""
    columns = {name: np.resize(np.array(value, dtype=object), n) if not isinstance(value, (list, np.ndarray)) else value
               for name, value in changes.items() if name != "shares"}  # fmt: skip
    readings = []
    for i in range(n):
        values = {**GOOD, **{name: column[i] for name, column in columns.items()}}
        if "shares" in changes:
            values["shares"] = tuple(changes["shares"][i]) if np.ndim(changes["shares"]) == 2 else changes["shares"]
        readings.append(Reading(step=start + i * every, **values))
    return readings


def ids(readings, settings=RING) -> list[str]:
    return [finding.id for finding in examine(readings, settings)]


def the(id, readings, settings=RING) -> Finding:
    found = [finding for finding in examine(readings, settings) if finding.id == id]
    assert found, [finding.id for finding in examine(readings, settings)]
    return found[0]


def without(*modes, share=0.12):
    return tuple(0.0 if i + 1 in modes else share for i in range(8))


# ---- What is found -----------------------------------------------------------------------------------------------------------


def test_nothing_is_said_of_nothing():
    assert examine([], RING) == []
    assert ids([Reading(0, sw=0.4)]) == ["untrained"]


def test_a_good_run_is_called_good_and_equilibrium_explained():
    found = the("good", course())
    assert found.level == "good" and "accuracy 0.51" in found.sentence and "2 ln 2 = 1.386" in found.sentence
    assert ids(course()) == ["good"] and found.remedy == "" and found.changes == {}


def test_a_shipped_run_without_a_past_is_called_good_too():
    one = Reading(4000, kl=0.1, js=0.03, sw=0.015, modes_covered=8, modes_total=8, high_quality=0.95, shares=EIGHTH)
    assert "all 8 modes have fakes" in the("good", [one]).sentence


def test_a_lost_mode_is_named_with_the_round_of_its_loss():
    shares = [EIGHTH] * 9 + [without(3)] * 11
    found = the("lost", course(shares=shares, modes_covered=[8] * 9 + [7] * 11, sw=0.05))
    assert found.sentence == "Mode 3 lost since round 900." and found.level == "warn" and found.remedy


def test_a_mode_that_came_back_counts_from_its_last_loss():
    shares = [without(3)] * 4 + [EIGHTH] * 6 + [without(3)] * 10
    assert "since round 1,000" in the("lost", course(shares=shares, modes_covered=7, sw=0.05)).sentence


def test_several_lost_modes():
    shares = [EIGHTH] * 5 + [without(2)] * 5 + [without(2, 7)] * 10
    assert the("lost", course(shares=shares, modes_covered=6, sw=0.05)).sentence == \
        "Modes 2 and 7 lost, the last one since round 1,000."  # fmt: skip


def test_modes_that_were_never_found_are_not_called_lost():
    readings = course(shares=without(1, 4), modes_covered=6, sw=np.linspace(0.3, 0.1, 20))
    found = the("missing", readings)
    assert found.sentence == "Found 6 of 8 modes; modes 1 and 4 not yet." and found.level == "note" and not found.remedy
    assert "lost" not in ids(readings)
    stuck = the("missing", course(shares=without(5), modes_covered=7, sw=0.06))
    assert "mode 5 not yet" in stuck.sentence and stuck.level == "warn" and stuck.remedy


def test_collapse():
    readings = course(shares=without(2, 3, 4, 5, 6, 7, 8, share=0.93), modes_covered=1, high_quality=0.93, sw=0.5, js=0.7)
    found = the("collapse", readings)
    assert found.sentence == "Mode collapse: 93% of the fakes are good, but all of these are in 1 of 8 modes."
    assert not {"lost", "good", "plateau"} & set(ids(readings))


def test_collapse_on_a_curve_is_quality_without_variety():
    curve = check({"data": "spiral", **ADAM})
    readings = course(modes_covered=0, modes_total=0, shares=(), high_quality=0.9, sw=0.3, js=0.6)
    assert "cover a part of the data only" in the("collapse", readings, curve).sentence


def test_d_wins_with_accuracy_and_gradient_in_numbers():
    readings = course(real_acc=1.0, fake_acc=1.0, g_norm=1.2e-5, sw=0.4, high_quality=0.0, modes_covered=0, shares=(0.0,) * 8)
    found = the("d_wins", readings)
    assert found.sentence.startswith("D wins: its accuracy is 1.00 and G's gradient 1e-5.")
    assert found.level == "warn" and found.changes["r1"] == 0.1
    saturating = dataclasses.replace(RING, loss="minimax")
    assert the("d_wins", readings, saturating).changes == {"loss": "non_saturating"}
    busy = dataclasses.replace(RING, k_d=5)
    assert the("d_wins", readings, busy).changes == {"k_d": 1}


def test_a_critic_that_separates_is_no_winner():
    """Wasserstein critics shall separate as well as they can; their accuracy says nothing."""
    readings = course(real_acc=1.0, fake_acc=1.0, sw=np.linspace(0.4, 0.2, 20), high_quality=0.1)
    assert "d_wins" not in ids(readings, dataclasses.replace(RING, loss="wgan_gp"))


def test_d_too_weak():
    readings = course(real_acc=0.5, fake_acc=0.52, sw=0.4, high_quality=0.02, modes_covered=0, shares=(0.0,) * 8)
    weak = dataclasses.replace(RING, d_layers=1, d_width=3)
    found = the("d_weak", readings, weak)
    assert "it guesses (accuracy 0.51) although the fakes are 0.40 away" in found.sentence
    assert found.changes == {"d_layers": 2, "d_width": 32}
    assert "good" not in ids(readings, weak)


@pytest.mark.parametrize(
    "changes, remedy",
    [({"r1": 10.0}, {"r1": 1.0}), ({"instance_noise": 0.5}, {"instance_noise": 0.05}), ({"d_lr": 1e-5}, {"d_lr": 0.002}),
     ({"loss": "wgan", "clip": 0.01}, {"clip": 0.1}), ({"k_g": 5}, {"k_g": 1})],
)  # fmt: skip
def test_the_remedy_for_a_weak_d_is_what_makes_it_weak(changes, remedy):
    readings = course(real_acc=0.5, fake_acc=0.52, sw=0.4, high_quality=0.02, modes_covered=0, shares=(0.0,) * 8)
    assert the("d_weak", readings, dataclasses.replace(RING, **changes)).changes == remedy


def test_oscillation_is_a_course_that_turns_again_and_again():
    sw = 0.15 + 0.12 * np.sin(np.arange(40))
    found = the("oscillating", course(40, sw=sw, modes_covered=5, high_quality=0.5))
    assert "turned 5 times, to and fro between 0.03 and 0.27" in found.sentence and found.changes == {"r1": 0.1}
    assert "oscillating" not in ids(course(40, sw=np.linspace(0.4, 0.02, 40)))
    noise = 0.09 + 0.006 * np.random.default_rng(0).standard_normal(40)
    assert "oscillating" not in ids(course(40, sw=noise))


def test_fakes_that_swing_as_one_oscillate_though_their_distance_stays():
    middles = [(0.4 * float(np.sin(0.8 * r)), 0.1) for r in range(40)]
    lost = course(40, sw=0.5, high_quality=0.0, shares=(0.0,) * 8)
    readings = [dataclasses.replace(r, middle=m) for r, m in zip(lost, middles)]
    assert "swing to and fro as one, by 0.7 of a plot" in the("oscillating", readings).sentence
    still = [dataclasses.replace(r, middle=(0.03 * m[0], m[1])) for r, m in zip(readings, middles)]
    assert "oscillating" not in ids(still)


def test_a_clump_that_runs_from_mode_to_mode_is_a_collapse_between_two_modes_too():
    """Halfway no fake is good at all; what was seen on the way counts."""
    shares = [[0.9 if i == (r // 4) % 3 and r % 4 else 0.0 for i in range(8)] for r in range(33)]
    readings = course(33, shares=shares, modes_covered=[int(sum(row) > 0) for row in shares], sw=0.5,
                      high_quality=[sum(row) for row in shares])  # fmt: skip
    assert readings[-1].high_quality == 0
    found = the("collapse", readings, dataclasses.replace(RING, k_g=10))
    assert found.sentence == "Mode collapse: the fakes sit in one clump, at modes 1, 2 and 3 in turn. " \
                             "No look found more than 1 of 8 modes."  # fmt: skip
    assert found.changes == {"k_g": 1, "k_d": 2}
    assert not {"oscillating", "missing", "d_weak"} & set(ids(readings))


def test_a_mode_that_flickers_is_not_called_lost():
    shares = [EIGHTH] * 18 + [without(3)] * 2
    assert "lost" not in ids(course(20, every=30, shares=shares, modes_covered=[8] * 18 + [7] * 2, sw=0.05))


def test_what_gets_lost_on_the_way_to_something_better_is_only_noted():
    shares = [EIGHTH] * 5 + [without(3)] * 15
    found = the("lost", course(shares=shares, modes_covered=[8] * 5 + [7] * 15, sw=np.linspace(0.4, 0.05, 20)))
    assert found.level == "note" and found.sentence.endswith("The rest still gets better.") and not found.remedy


def test_fakes_that_leave_the_plot():
    assert "they are 40 away" in the("leaving", course(5, sw=40.0, high_quality=0)).sentence


def test_there_is_always_something_to_say():
    assert ids(course(2, every=1, start=30, sw=0.2, high_quality=0.1)) == ["early"]
    assert ids(course(2, every=1, start=30, sw=0.06, high_quality=0.6)) == ["near"]


def test_divergence_names_both_rounds_and_leaves_nothing_else_to_say():
    bad = course(5, every=1, start=406, sw=0.4)
    bad[-1] = dataclasses.replace(bad[-1], diverged_at=412)
    sgd = check({"data": "ring8", "g_lr": 1.0, "d_lr": 1.0})
    found = examine(bad, sgd)
    assert [f.id for f in found] == ["diverged"] and found[0].level == "error"
    assert "by round 412" in found[0].sentence and "Restored the state of round 410" in found[0].sentence
    assert found[0].changes == {"g_lr": 0.1, "d_lr": 0.1}
    assert examine(bad, RING)[0].changes == pytest.approx({"g_lr": 0.0002, "d_lr": 0.0002})


def test_players_that_cannot_move():
    assert the("idle", course(sw=0.3), dataclasses.replace(RING, k_g=0)).changes == {"k_g": 1}
    assert the("idle", course(sw=0.3), dataclasses.replace(RING, k_d=0)).changes == {"k_d": 1}
    assert the("idle", course(sw=0.3), dataclasses.replace(RING, k_d=0, k_g=0)).changes == {"k_d": 1, "k_g": 1}
    assert the("idle", course(sw=0.3), dataclasses.replace(RING, g_lr=1e-6)).changes == {"g_lr": 0.002}


def test_no_gradient_at_all():
    found = the("silent", course(g_norm=0.0, sw=0.4, high_quality=0), dataclasses.replace(RING, g_act="relu", d_act="tanh"))
    assert found.changes == {"g_act": "leaky_relu"}


def test_learning_fine():
    found = the("learning", course(sw=np.linspace(0.4, 0.1, 20), high_quality=0.3))
    assert found.level == "good" and "over 1,000 rounds the distance to the data fell from 0.2" in found.sentence


def test_losses_say_little():
    readings = course(sw=np.linspace(0.2, 0.02, 20), d_loss=1.38, g_loss=0.70)
    assert "stayed near 1.38 and G's near 0.70 while the distance halved" in the("flat_losses", readings).sentence
    assert "flat_losses" not in ids(course(sw=np.linspace(0.2, 0.02, 20), d_loss=np.linspace(0.2, 1.38, 20)))


def test_no_progress():
    assert the("plateau", course(30, sw=0.06)).remedy
    assert "plateau" not in ids(course(30, sw=0.015))


def test_a_thin_mode_is_said_to_be_thin():
    shares = (0.02, *(0.13,) * 7)
    assert the("faint", course(shares=shares)).sentence == "Mode 1 gets 2.0% of the fakes, where 12.5% would be right."


# ---- On real runs ------------------------------------------------------------------------------------------------------------


def watch(settings, rounds, looks=30) -> tuple[Run, list[list[Finding]]]:
    """A run as a page sees it, and what was said at each look."""
    engine.warm(wait=True)
    run, said = Run(check(settings)), []
    for _ in range(looks):
        run.advance(rounds // looks)
        run.measure()
        said.append(run.findings)
    return run, said


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, id", [("collapse", "collapse"), ("oscillation", "oscillating"), ("vanishing", "d_wins"), ("divergence", "diverged"),
                 ("imbalance", "collapse")],
)  # fmt: skip
def test_what_fails_in_the_gallery_is_found_and_the_remedy_is_the_cure(name, id):
    failure = FAILURES[name]
    run, said = watch(failure.settings, failure.rounds * 3 // 2)
    named = [finding for findings in said for finding in findings if finding.id == id]
    assert len(named) >= (1 if id == "diverged" else 3)
    assert failure.cure.items() <= named[-1].changes.items()
    assert not any(finding.level == "good" for finding in said[-1])


@pytest.mark.slow
def test_a_mode_is_seen_to_get_lost_in_a_real_run():
    failure = FAILURES["imbalance"]
    _, said = watch(failure.settings, failure.rounds)
    assert any(finding.id == "lost" and finding.changes == {"r1": 0.1} for findings in said for finding in findings)


@pytest.mark.slow
def test_a_real_d_that_is_too_weak_and_what_helps():
    few = {"data": "ring8", **ADAM, "d_act": "leaky_relu", "d_width": 3, "d_layers": 1}
    run, said = watch(few, 2400)
    larger = [finding.changes for findings in said for finding in findings if "d_width" in finding.changes]
    assert larger and run.metrics.modes_covered <= 3
    cured, said = watch({**few, **larger[-1]}, 2400)
    assert cured.metrics.modes_covered == 8 and cured.metrics.sw < 0.08


@pytest.mark.slow
@pytest.mark.parametrize("data", ["ring8", "moons", "gaussians"])
def test_a_preset_learns_and_ends_well(data):
    run, said = watch({"data": data, **PRESETS[data].settings}, 3000)
    ids = [finding.id for findings in said for finding in findings]
    assert "learning" in ids and ids.count("good") >= 3
    assert not {"collapse", "d_wins", "diverged", "silent", "idle", "d_weak", "oscillating"} & set(ids)


def test_a_shipped_run_opens_with_good_news():
    for data in PRESETS:
        run = Run(*load(data), "trained")
        run.measure()
        assert "good" in [finding.id for finding in run.findings], data


# ---- What holds for all ------------------------------------------------------------------------------------------------------


def random_course(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 60))
    nan = random.random() < 0.2
    return [
        Reading(
            step=int(step), d_loss=random.normal(), g_loss=random.normal(), real_acc=random.random(), fake_acc=random.random(),
            d_norm=10 ** random.uniform(-8, 2), g_norm=10 ** random.uniform(-9, 2), penalty=0.0, kl=random.random(),
            js=random.random(), sw=math.nan if nan and random.random() < 0.3 else random.random() * 0.5,
            modes_covered=int(random.integers(0, 9)), modes_total=8, high_quality=random.random(),
            shares=tuple(random.dirichlet(np.ones(8))), diverged_at=None,
        )
        for step in np.sort(random.integers(0, 5000, n))
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_readings_findings_are_sane(seed):
    """Same readings, same words; every remedy is a change of something, allowed, and of what the settings are now."""
    random = np.random.default_rng(1000 + seed)
    loss = random.choice(["non_saturating", "minimax", "least_squares", "wgan", "wgan_gp", "hinge"])
    settings = check({"data": "ring8", "loss": str(loss), "k_d": int(random.integers(1, 10)), "k_g": int(random.integers(1, 6)),
                      "g_opt": str(random.choice(["sgd", "momentum", "adam", "rmsprop"])), "r1": float(random.choice([0, 1, 5])),
                      "spectral": bool(random.integers(2)), "g_width": int(random.integers(1, 40))})  # fmt: skip
    readings = random_course(seed)
    found = examine(readings, settings)
    assert found == examine(list(readings), settings)
    assert len({finding.id for finding in found}) == len(found)
    assert [finding.level for finding in found] == sorted((f.level for f in found), key=["error", "warn", "note", "good"].index)
    for finding in found:
        assert finding.sentence.endswith(".") and "nan" not in finding.sentence.lower()
        assert bool(finding.remedy) == bool(finding.changes)
        if finding.changes:
            assert check(finding.changes, settings) != settings


def test_readings_of_the_same_round_count_once_and_the_future_of_a_rewound_run_not_at_all():
    readings = course(20, sw=0.06)
    assert examine(readings + [readings[-1]] * 30, RING) == examine(readings, RING)
    rewound = course(30, sw=0.5, high_quality=0, real_acc=1, fake_acc=1) + course(5)
    assert ids(rewound) == ids(course(5))


def test_rules_are_told_apart_and_none_explains_itself_away():
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
    assert all(cause not in effects for cause, effects in EXPLAINS.items())


def test_defaults_are_a_run_of_no_complaint_before_it_began():
    assert [finding.level for finding in examine([Reading(0, sw=0.3)], Settings())] == ["note"]
