"""A run goes on, back, and apart; it is measured; and numbers that run away never end it."""

import numpy as np
import pytest

from explorer.tabs.gan import reference
from explorer.tabs.gan.config import Settings, check
from explorer.tabs.gan.run import SNAPSHOTS, Run


def same(a, b):
    return np.array_equal(a.state.g, b.state.g) and np.array_equal(a.state.d, b.state.d) and a.rounds == b.rounds


def test_how_it_is_cut_into_slices_changes_nothing():
    whole, parts = Run(Settings()), Run(Settings())
    whole.advance(90)
    for count in (1, 2, 3, 40, 7, 37):
        assert parts.advance(count) == count
    assert same(whole, parts)


def test_a_branch_goes_the_same_way_and_leaves_the_run_alone():
    run = Run(Settings())
    run.advance(60)
    branch = run.branch(30)
    assert branch.rounds == 30 and branch.steps == list(range(31)) and run.rounds == 60
    branch.advance(30)
    assert same(run, branch)
    assert branch.origin == "branch" and branch.curve.columns()["step"][-1] == 60


def test_a_branch_with_other_settings_goes_another_way():
    run = Run(Settings())
    run.advance(40)
    branch = run.branch(20).change(check({"g_lr": 0.01}))
    branch.advance(20)
    assert not np.array_equal(run.state.g, branch.state.g)
    assert branch.events[-1][0] == 20 and "g_lr" in branch.events[-1][1]


def test_snapshots_thin_out_and_reach_from_the_first_round_to_the_last():
    run = Run(check({"g_layers": 0, "d_layers": 0, "batch": 1}))
    for _ in range(9):
        run.advance(400)
        assert SNAPSHOTS / 3 < len(run.steps) <= SNAPSHOTS
        assert run.steps[0] == 0 and run.rounds - run.steps[-1] <= run.rounds / 8
    assert np.diff(run.steps).max() <= run.rounds / 8
    assert len([n for n in run.steps if n <= 100]) >= 20, "most happens in the beginning"


def test_a_fork_stays_where_it_is():
    run = Run(Settings())
    run.advance(10)
    fork = run.fork()
    run.advance(10)
    run.change(check({"k_d": 1}))
    assert fork.rounds == 10 and fork.settings.k_d == 2 and fork.steps[-1] == 10
    assert len(fork.curve) == 10
    fork.advance(10)
    assert np.array_equal(fork.state.g, run.state.g)


def test_a_live_change_keeps_the_run_and_another_starts_it_again():
    run = Run(Settings())
    run.advance(5)
    assert run.change(check({"loss": "hinge"})) is run and run.rounds == 5
    other = run.change(check({"g_width": 9}))
    assert other is not run and other.rounds == 0


def test_another_optimizer_begins_without_memories():
    run = Run(check({"g_opt": "adam"}))
    run.advance(5)
    assert run.state.g_ticks == 5 and run.state.g_memory.any()
    run.change(check({"g_opt": "rmsprop"}))
    assert run.state.g_ticks == 0 and not run.state.g_memory.any()


@pytest.mark.parametrize("loss", ["least_squares", "wgan_gp"])
def test_numbers_that_run_away_bring_back_the_last_good_moment(loss):
    run = Run(check({"loss": loss, "d_lr": 10, "g_lr": 10, "g_opt": "sgd", "d_opt": "sgd"}))
    run.advance(300)
    assert run.halted.startswith("Diverged by round") and run.rounds < run.diverged_at <= 300
    assert run.state.finite()
    run.measure()
    assert np.isfinite(run.metrics.sw)
    assert run.advance(10) == 0
    run.change(check({"d_lr": 0.001, "g_lr": 0.001}, run.settings))
    assert run.advance(10) == 10 and not run.halted


def test_single_updates_move_one_player():
    run = Run(Settings())
    g, d = run.state.g.copy(), run.state.d.copy()
    run.step("d")
    assert np.array_equal(run.state.g, g) and not np.array_equal(run.state.d, d)
    d = run.state.d.copy()
    run.step("g")
    assert np.array_equal(run.state.d, d) and not np.array_equal(run.state.g, g)
    assert (run.rounds, run.state.d_updates, run.state.g_updates) == (0, 1, 1)
    run.step("both")
    assert (run.rounds, run.state.d_updates, run.state.g_updates) == (1, 3, 2)


def test_a_round_in_single_steps_is_a_round():
    whole, parts = Run(check({"k_d": 2, "k_g": 1})), Run(check({"k_d": 2, "k_g": 1}))
    whole.advance(1)
    for what, ends in (("d", False), ("d", False), ("g", True)):
        parts.step(what, ends)
    assert same(whole, parts) and parts.rounds == 1


def test_what_is_told_of_a_moment():
    run = Run(Settings())
    run.advance(25)
    run.measure()
    numbers = run.numbers()
    assert numbers["step"] == numbers["metrics_step"] == 25 and numbers["d_updates"] == 50
    assert 0 <= numbers["js"] <= 1 and numbers["modes_total"] == 2 and np.isfinite(numbers["d_loss"])
    assert run.readings[-1].step == 25
    run.measure()
    assert run.measures.columns()["step"] == [25], "a moment is measured into the curve once"


def test_the_engine_changes_once_at_most_and_says_so(monkeypatch):
    """Engines differ in their rounding: a run that changed engines in silence would not be that of its seed."""
    from explorer.tabs.gan import engine

    used = []
    monkeypatch.setattr(engine, "advance", lambda *args: used.append(args[-1]) or reference.advance([args[:2]], *args[2:4])[0])
    monkeypatch.setattr(engine, "name", lambda settings: "torch")
    run = Run(Settings())
    run.advance(2)
    assert run.engine == run.branch(1).engine == run.fork().engine == "torch" and not run.events
    monkeypatch.setattr(engine, "name", lambda settings: "numba")
    run.advance(2)
    assert run.events == [(2, "The fast engine is ready and goes on from here.")]
    monkeypatch.setattr(engine, "name", lambda settings: "torch")
    run.advance(2)
    assert set(used[:2]) == {"torch"} and set(used[2:]) == {"numba"} and len(run.events) == 1


def test_what_undo_keeps_is_thinned():
    run = Run(check({"g_layers": 0, "d_layers": 0, "batch": 1}))
    run.advance(200)
    fork = run.fork(24)
    assert len(fork.steps) <= 26 and fork.steps[0] == 0 and fork.steps[-1] == run.steps[-1]


def test_the_counter_has_an_end(monkeypatch):
    monkeypatch.setattr("explorer.tabs.gan.run.LAST_ROUND", 20)
    run = Run(Settings())
    assert run.advance(50) == 20 and "20 rounds" in run.halted
