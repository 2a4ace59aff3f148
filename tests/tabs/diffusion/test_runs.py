"""Runs in threads of their own: their films, branches and comparisons, what they may hold, and how they end."""

import dataclasses
import threading
import time

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import frames, runs, sampler
from explorer.tabs.diffusion.runs import Film, Run, Visitor, Visitors
from explorer.tabs.diffusion.sampler import Settings

SHORT = Settings("a red face", steps=4, seed=3)


def made(model, settings=SHORT, **given) -> Run:
    """A run that has run its course."""
    run = Run(model, sampler.checked(model, settings), **given)
    run.work()
    assert run.state == "done", run.error
    return run


@pytest.fixture(scope="module")
def visitors():
    return Visitors()


def test_a_run_is_the_sampler_s_own_steps(tiny_model):
    run = made(tiny_model)
    assert run.total == len(run.steps) == 4 and run.told()["done"] == 4 and run.told()["left"] is None
    for kept, step in zip(run.steps, sampler.denoise(tiny_model, SHORT), strict=True):
        for name in runs.TENSORS:
            assert (getattr(kept, name) is None) == (getattr(step, name) is None)
            if getattr(step, name) is not None:
                assert torch.equal(getattr(kept, name), getattr(step, name)), name
        assert kept.maps.keys() == step.maps.keys() and kept.coefficients == step.coefficients
    assert [row["index"] for row in run.news(2)["steps"]] == [2, 3]


def test_the_news_of_a_step_are_its_tensors_norms_and_angles(tiny_model):
    run = made(tiny_model)
    row, step = run.row(1), run.steps[1]
    pull = step.eps_cond - step.eps_uncond
    assert row["delta"] == pytest.approx(float(pull.norm()), rel=1e-5)
    assert row["norms"]["eps"] == pytest.approx(float(step.eps.norm()), rel=1e-4)
    cosine = torch.nn.functional.cosine_similarity(step.eps_uncond.flatten(), step.eps_cond.flatten(), 0)
    assert row["cos"] == pytest.approx(float(cosine), abs=1e-5)
    assert (row["timestep"], row["abar"], row["sigma"]) == (step.timestep, step.abar, step.sigma)


@pytest.mark.parametrize("scheduler", ["ddim", "ddpm", "euler_a", "dpmpp_2m", "pndm"])
def test_a_branch_where_nothing_changes_ends_where_its_parent_does(tiny_model, scheduler):
    parent = made(tiny_model, dataclasses.replace(SHORT, scheduler=scheduler, eta=0.7))
    branch = made(tiny_model, parent.settings, branch=parent.leave(2))
    assert branch.total == parent.total and (branch.parent, branch.first) == (parent.id, 2)
    assert all(torch.equal(a.x_next, b.x_next) for a, b in zip(parent.steps, branch.steps, strict=True))


def test_a_branch_begins_with_its_parent_s_steps_and_goes_its_own_way(tiny_model):
    parent = made(tiny_model)
    branch = made(tiny_model, dataclasses.replace(SHORT, guidance_scale=9.0, scheduler="euler"), branch=parent.leave(3))
    assert all(mine.x is theirs.x for mine, theirs in zip(branch.steps[:3], parent.steps[:3]))
    assert torch.allclose(branch.steps[3].x * branch.steps[3].scale, parent.steps[3].x, atol=1e-5)
    assert not torch.allclose(branch.steps[-1].x_next, parent.steps[-1].x_next)
    assert [first for first, _ in branch.chain] == [0, 3]
    # A branch of the branch, before the place where that left its parent, knows nothing of it.
    again = made(tiny_model, SHORT, branch=branch.leave(1))
    assert [first for first, _ in again.chain] == [0, 1]
    assert torch.equal(again.steps[-1].x_next, parent.steps[-1].x_next)


def test_a_comparison_is_the_single_runs(tiny_model, visitors):
    """All in the same calls of the UNet, and each with the numbers that it would have had alone."""
    scales = (0.0, 1.0, 3.0, 7.5, 15.0)
    single = [made(tiny_model, dataclasses.replace(SHORT, guidance_scale=scale)) for scale in scales]
    together = [single[2].again(scale) for scale in scales]
    visitors.start("compares", together)
    for run, alone in zip(together, single):
        assert run.over.wait(60) and run.state == "done", run.error
        for mine, theirs in zip(run.steps, alone.steps, strict=True):
            assert torch.allclose(mine.x_next, theirs.x_next, atol=1e-3)
    visitors.left("compares")


def test_two_pages_run_at_once_and_neither_meets_the_other(tiny_model, visitors):
    settings = [dataclasses.replace(SHORT, seed=seed, scheduler=name) for seed, name in ((1, "ddpm"), (2, "euler"))]
    alone = [made(tiny_model, one) for one in settings]
    both = [Run(tiny_model, sampler.checked(tiny_model, one)) for one in settings]
    for page, run in zip(("left", "right"), both):
        visitors.start(page, [run])
    for run, single in zip(both, alone):
        assert run.over.wait(60)
        assert torch.allclose(run.steps[-1].x_next, single.steps[-1].x_next, atol=1e-3)
        assert visitors.of("left").all() == [both[0]] and visitors.of("right").all() == [both[1]]
    visitors.left("left"), visitors.left("right")


class Slow:
    """A sampler whose steps wait for a gate."""

    def __init__(self, monkeypatch, model):
        self.gate, self.first, real = threading.Event(), threading.Event(), sampler.denoise

        def denoise(*given, **named):
            for step in real(*given, **named):
                yield step
                self.first.set()
                self.gate.wait(60)

        monkeypatch.setattr(sampler, "denoise", denoise)
        self.run = Run(model, sampler.checked(model, SHORT))


def test_a_run_that_is_stopped_keeps_the_steps_that_it_made(tiny_model, visitors, monkeypatch):
    slow = Slow(monkeypatch, tiny_model)
    visitors.start("stops", [slow.run])
    assert slow.first.wait(60) and slow.run.told()["state"] == "running" and slow.run.told()["left"] > 0
    slow.run.stop()
    slow.gate.set()
    assert slow.run.over.wait(60)
    told = slow.run.told()
    assert told["state"] == "stopped" and 1 <= told["done"] < 4
    assert frames.strip(slow.run, "x", "rgb").shape[0] == told["done"] + 1
    visitors.left("stops")


def test_a_new_run_of_a_page_stops_the_old_one(tiny_model, visitors, monkeypatch):
    slow = Slow(monkeypatch, tiny_model)
    visitors.start("again", [slow.run])
    assert slow.first.wait(60)
    slow.gate.set()
    newer = Run(tiny_model, sampler.checked(tiny_model, SHORT))
    visitors.start("again", [newer])
    assert newer.over.wait(60) and slow.run.over.wait(60)
    assert newer.state == "done" and slow.run.state in ("stopped", "done")
    assert visitors.of("again").all() == [slow.run, newer]
    visitors.left("again")


def test_a_page_that_closes_ends_its_run_and_is_forgotten(tiny_model, visitors, monkeypatch):
    slow = Slow(monkeypatch, tiny_model)
    visitors.start("closes", [slow.run])
    assert slow.first.wait(60)
    frames.strip(slow.run, "x0", "rgb")
    visitors.left("closes")
    visitors.left("closes")
    slow.gate.set()
    assert slow.run.over.wait(60) and slow.run.state == "stopped"
    with pytest.raises(ValueError, match="no longer here"):
        visitors.of("closes").get(slow.run.id)
    assert not [key for key in frames.CACHE._kept if key[0] == slow.run.id]
    visitors.left("closes")


def test_more_runs_than_may_run_at_once_wait_their_turn(tiny_model, monkeypatch):
    few, slow = Visitors(running=1), Slow(monkeypatch, tiny_model)
    few.start("first", [slow.run])
    assert slow.first.wait(60)
    second = Run(tiny_model, sampler.checked(tiny_model, SHORT))
    few.start("second", [second])
    assert second.told()["waiting"] and second.told()["state"] == "running" and second.told()["seconds"] == 0
    slow.gate.set()
    assert second.over.wait(60) and second.state == "done"


def test_a_run_that_is_stopped_while_it_waits_is_over_at_once(tiny_model):
    run = Run(tiny_model, sampler.checked(tiny_model, SHORT))
    run.stop()
    assert run.over.is_set()
    run.work()
    assert run.told()["state"] == "stopped" and run.told()["done"] == 0 and not run.told()["waiting"]


class Held:
    """A run that holds its place until it is let go; `log` tells who began, in order."""

    def __init__(self, name, log):
        self.id, self.name, self.log = name, name, log
        self.begun, self.go, self.over = threading.Event(), threading.Event(), threading.Event()

    def work(self):
        self.log.append(self.name)
        self.begun.set()
        assert self.go.wait(60)
        self.over.set()

    def stop(self):
        if not self.begun.is_set():
            self.over.set()

    def sizes(self):
        return {}


def held(log, page, count):
    return [Held(f"{page}{k}", log) for k in range(count)]


def begun(several):
    return [run.name for run in several if run.begun.is_set()]


def test_a_page_s_first_run_waits_behind_nobody_s_comparison():
    """16 places, two pages that compare eight scales each, and a third that only runs."""
    log, everyone = [], Visitors(running=16)
    first, second, third = held(log, "a", 8), held(log, "b", 8), held(log, "c", 1)
    try:
        for page, several in zip("abc", (first, second, third)):
            everyone.start(page, several)
        assert all(run.begun.wait(60) for run in (*first, second[0], *third))
        assert everyone._places._free == 6 and begun(second) == ["b0"]
        for run in first[:3]:  # until more than eight are free: then the page that holds fewest goes on
            run.go.set()
        assert second[1].begun.wait(60)
    finally:
        for run in (*first, *second, *third):
            run.go.set()
    assert all(run.over.wait(60) for run in (*first, *second, *third)) and len(log) == 17


def test_the_page_that_holds_fewest_places_comes_next():
    log, everyone = [], Visitors(running=1)
    ahead, first, second = held(log, "x", 1), held(log, "a", 3), held(log, "b", 2)
    everyone.start("x", ahead)
    everyone.start("a", first)
    everyone.start("b", second)
    for run in (*ahead, *first, *second):
        run.go.set()
    assert all(run.over.wait(60) for run in (*ahead, *first, *second))
    assert log == ["x0", "a0", "b0", "a1", "b1", "a2"]


def test_runs_that_wait_do_not_pile_up():
    """A page that asks again and again while all places are taken keeps only what it asked for last, and what it may keep."""
    log, everyone = [], Visitors(running=1)
    ahead = held(log, "x", 1)
    everyone.start("x", ahead)
    try:
        for k in range(20):
            everyone.start("again", last := held(log, f"r{k}-", 8))
        assert len(everyone.of("again").all()) == runs.KEPT
        assert [list(queue) for queue in everyone._places._queues.values()] == [last]
        everyone.left("again")
    finally:
        ahead[0].go.set()
    assert ahead[0].over.wait(60) and all(run.over.is_set() for run in last) and log == ["x0"]


def test_a_run_that_breaks_off_says_so_in_a_sentence(tiny_model, monkeypatch):
    def broken(*_given, **_named):
        raise RuntimeError("out of luck")
        yield

    monkeypatch.setattr(sampler, "denoise", broken)
    run = Run(tiny_model, sampler.checked(tiny_model, SHORT))
    run.work()
    assert run.told()["state"] == "error" and run.told()["error"].endswith("says why.") and run.over.is_set()


def test_old_runs_make_room(tiny_model, monkeypatch):
    monkeypatch.setattr(runs, "KEPT", 3)
    page, all_of_them = Visitor(), [made(tiny_model, dataclasses.replace(SHORT, seed=seed)) for seed in range(5)]
    for run in all_of_them:
        page._runs[run.id] = run
        page.shrink()
    assert page.all() == all_of_them[2:]
    monkeypatch.setattr(runs, "BYTES_EACH", all_of_them[-1].bytes + 1)
    page.shrink()
    assert page.all() == all_of_them[-1:]


def test_a_page_s_memory_is_counted(tiny_model):
    run = made(tiny_model)
    tensors = 5 * 4 * 4 * run.steps[0].x.numel()  # x is the x_next of the step before, and DDIM at eta 0 draws no noise
    maps = sum(one.numel() * 4 for step in run.steps for one in step.maps.values())
    states = sum(step.start.generator_state.numel() for step in run.steps)
    assert run.bytes == tensors + maps + states
    assert made(tiny_model, SHORT, branch=run.leave(3)).bytes < run.bytes / 3


def test_steps_that_runs_share_count_once_and_also_without_the_parent(tiny_model):
    page, parent = Visitor(), made(tiny_model)
    branch = made(tiny_model, SHORT, branch=parent.leave(3))
    page._runs = {run.id: run for run in (parent, branch)}
    assert page.bytes == parent.bytes + branch.bytes  # the branch's own is its last step
    page.forget(parent.id)
    assert page.bytes == sum(runs._bytes(step) for step in branch.steps) > 3 * branch.bytes


def test_a_picture_that_runs_share_counts_once(tiny_model):
    image = np.zeros((32, 32, 3), np.uint8)
    page, first = Visitor(), made(tiny_model, image=image)
    second = first.again(2.0)
    page._runs = {run.id: run for run in (first, second)}
    assert page.bytes == first.bytes and second.bytes == image.nbytes


def test_large_latents_are_kept_in_half_and_come_back_nearly_as_they_were(tiny_model, monkeypatch):
    whole = made(tiny_model, dataclasses.replace(SHORT, scheduler="pndm"))
    monkeypatch.setattr(runs, "LARGE", 1)
    small = made(tiny_model, dataclasses.replace(SHORT, scheduler="pndm"))
    assert small.bytes < 0.5 * whole.bytes
    for packed, step in zip(small.steps, whole.steps, strict=True):
        assert packed.x.dtype == torch.float32 and torch.allclose(packed.x, step.x, rtol=1e-3, atol=1e-3)
        for layer, maps in step.maps.items():
            assert torch.allclose(packed.maps[layer], maps, atol=5e-3)
    assert torch.allclose(sampler.again(small.steps[3], 2.0).x_next, sampler.again(whole.steps[3], 2.0).x_next, atol=0.02)


def test_the_longest_unseen_page_makes_room_for_a_new_one(tiny_model, monkeypatch):
    from explorer import limits

    monkeypatch.setattr(limits, "SEATS", 2)
    full = Visitors()
    full.of("one")._runs["r"] = run = made(tiny_model)
    time.sleep(0.002)
    full.of("two")
    time.sleep(0.002)
    full.of("three")  # "two" goes: it has no run to lose
    assert full.of("one").all() == [run]
    full.start("three", [busy := Run(tiny_model, sampler.checked(tiny_model, SHORT))])
    assert busy.over.wait(60)
    full.of("four")  # now both have runs, and "one" was seen longer ago
    assert full.of("three").all() == [busy] and full.of("one").all() == []


def test_a_film_is_read_while_it_grows(tiny_model):
    film, steps = Film(), list(sampler.denoise(tiny_model, SHORT))
    for step in steps[:2]:
        film.append(step)
    shared = film.first(1)
    film.append(steps[2])
    assert len(film) == 3 and len(shared) == 1 and film[0].terms == ()
    assert shared.sizes().items() < film.sizes().items() and len(film.sizes(2)) == 1
    assert [step.index for step in film[1:]] == [1, 2]
