"""Many runs in one call of the UNet: what each gets is what it would get alone, and one bad row harms nobody else."""

import threading
import time

import pytest
import torch

from explorer.tabs.diffusion.bus import Bus, Rows
from explorer.tabs.diffusion.sampler import Settings, denoise

VISITORS = [  # at different steps of different schedulers, with their own prompts and scales
    Settings(prompt="a face with red hair", steps=5, seed=1, guidance_scale=1.0),
    Settings(prompt="blue shirt", negative="glasses", steps=4, seed=2, guidance_scale=3.0, scheduler="euler"),
    Settings(prompt="green background", steps=6, seed=3, guidance_scale=7.5, eta=0.5),
    Settings(prompt="", steps=4, seed=4, guidance_scale=15.0, scheduler="dpmpp_2m"),
]


def together(jobs):
    """Runs each job in a thread of its own; their results or exceptions, in order."""
    out = [None] * len(jobs)

    def work(k):
        try:
            out[k] = jobs[k]()
        except Exception as problem:
            out[k] = problem

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()
    return out


def until(true, seconds=60):
    """Waits for a fact that nothing announces."""
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last
        time.sleep(0.001)


@pytest.mark.parametrize("which", ["tiny_model", "mini"])
def test_runs_that_share_calls_are_the_runs_alone(request, which):
    model = request.getfixturevalue(which)
    alone = [list(denoise(model, settings)) for settings in VISITORS]
    counted, model_of_bus = [], model.bus._model

    def counting(x, *rest):
        counted.append(len(x))
        if len(counted) == 1:  # all others are there before the first call is over, so that they meet in the second
            until(lambda: len(x) // 2 + model.bus.waiting == len(VISITORS))
        return model_of_bus(x, *rest)

    model.bus._model = counting
    try:
        shared = together([lambda s=settings: list(denoise(model, s)) for settings in VISITORS])
    finally:
        model.bus._model = model_of_bus
    for mine, other in zip(alone, shared):
        for a, b in zip(mine, other, strict=True):
            assert float((a.x_next - b.x_next).abs().max()) < 1e-3
            assert all(torch.allclose(a.maps[name], b.maps[name], atol=1e-4) for name in a.maps)
    assert sum(counted) == 2 * sum(len(run) for run in alone)
    assert max(counted) > 2 and len(counted) < sum(len(run) for run in alone)


class Slow:
    """A model that doubles its rows, refuses those with a time of 13, and holds its first call until it is told to go."""

    def __init__(self):
        self.calls, self.go, self.begun = [], threading.Event(), threading.Event()

    def __call__(self, x, t, context, added, store):
        self.calls.append((tuple(x.shape), t.tolist()))
        self.begun.set()
        assert self.go.wait(300)
        if 13 in t.tolist():
            raise ValueError("13 is unlucky.")
        if store is not None:
            store["layer"] = t.view(-1, 1, 1).expand(-1, 4, 3)
        return 2 * x + t.view(-1, 1, 1, 1)


def rows(t, n=1, side=2, store=None):
    return Rows(torch.full((n, 4, side, side), float(t)), torch.full((n,), float(t)), torch.zeros(n, 3, 5), store=store)


def queued(bus, slow, jobs):
    """Sends one row ahead that keeps the model busy, then the jobs; lets go when all of them wait."""

    def let_go():
        try:
            until(lambda: bus.waiting == len(jobs))
        finally:
            slow.go.set()

    ahead = threading.Thread(target=lambda: bus(rows(0)))
    ahead.start()
    assert slow.begun.wait(300)
    threading.Thread(target=let_go).start()
    found = together([lambda job=job: bus(job) for job in jobs])
    ahead.join(300)
    return found


def test_what_arrives_while_the_model_is_busy_goes_into_the_next_call():
    slow = Slow()
    stores = [{}, None, {}]
    found = queued(Bus(slow), slow, [rows(t, store=store) for t, store in zip((1, 2, 3), stores)])
    assert len(slow.calls) == 2 and sorted(slow.calls[1][1]) == [1, 2, 3]
    assert [float(out.mean()) for out in found] == [3, 6, 9]
    assert [float(store["layer"].mean()) for store in stores if store is not None] == [1, 3]


def test_one_bad_row_fails_alone():
    slow = Slow()
    found = queued(Bus(slow), slow, [rows(1), rows(13), rows(2)])
    assert str(found[1]) == "13 is unlucky." and [float(found[k].mean()) for k in (0, 2)] == [3, 6]


def test_a_call_has_a_most_and_one_shape():
    slow = Slow()
    jobs = [rows(t, n=2) for t in range(1, 6)] + [rows(7, side=3)]
    found = queued(Bus(slow, most=4), slow, jobs)
    assert [tuple(out.shape) for out in found] == [tuple(job.x.shape) for job in jobs]
    shapes = [shape for shape, _ in slow.calls[1:]]
    assert max(shape[0] for shape in shapes) == 4 and {shape[2] for shape in shapes} == {2, 3}


def test_rows_that_borrow_ride_alone():
    """They name other rows of their call by number."""

    class Store(dict):
        borrow = ("row 1 from row 0",)

    slow = Slow()
    queued(Bus(slow), slow, [rows(1), rows(2, n=2, store=Store()), rows(3)])
    assert sorted(times for _, times in slow.calls[1:]) == [[1, 3], [2, 2]]


def test_a_run_that_was_left_in_the_middle_holds_up_nobody(tiny_model):
    """A page that stops reading keeps its run open; others go on without it."""
    paused = denoise(tiny_model, VISITORS[0])
    next(paused)
    try:
        assert len(list(denoise(tiny_model, VISITORS[1]))) == 4
    finally:
        paused.close()
    assert tiny_model.bus.riders == 0
