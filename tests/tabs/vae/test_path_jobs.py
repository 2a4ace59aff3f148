"""Long work: once for all, the newest of a page wins, and what nobody waits for stops."""

import threading

import pytest

from explorer.tabs.vae import path_jobs
from explorer.tabs.vae.path_jobs import Busy, Jobs, Promises

SECONDS = 20  # far more than any of these takes


class Work:
    """Work that goes on until it is told to end, and says when it began and how it ended."""

    def __init__(self, result="found"):
        self.begun, self.end, self.over, self.result = threading.Event(), threading.Event(), threading.Event(), result
        self.times = 0

    def __call__(self, tick):
        self.times += 1
        self.begun.set()
        try:
            while not self.end.wait(0.005):
                tick(0.5)
            if isinstance(self.result, Exception):
                raise self.result
            return self.result
        finally:
            self.over.set()


def settled(job) -> str:
    for _ in range(SECONDS * 200):
        if not job.open:
            return job.state
        threading.Event().wait(0.005)
    raise AssertionError(job.state)


def test_two_pages_share_one_job():
    jobs, work = Jobs("test"), Work()
    first, second = (jobs.want((page, "path"), "a to b", work) for page in ("one", "two"))
    assert first is second and work.begun.wait(SECONDS) and jobs.done("a to b") is None
    jobs.leave("one")
    assert first.state == "running"  # the other still waits
    work.end.set()
    assert settled(first) == "done" and jobs.done("a to b") == "found" and work.times == 1
    assert jobs.want(("three", "path"), "a to b", work) is first and work.times == 1


def test_the_newest_wish_of_a_page_stops_its_last():
    jobs, old, new = Jobs("test"), Work(), Work()
    first = jobs.want(("page", "path"), 1, old)
    assert old.begun.wait(SECONDS)
    new.end.set()
    second = jobs.want(("page", "path"), 2, new)
    assert old.over.wait(SECONDS) and first.state == "stopped" and settled(second) == "done"


def test_other_kinds_of_work_of_the_page_go_on():
    jobs, path, curve = Jobs("test", workers=2), Work(), Work()
    first, second = jobs.want(("page", "path"), 1, path), jobs.want(("page", "curves"), 2, curve)
    jobs.leave("page", "curves")
    assert settled(second) == "stopped"
    assert first.open
    jobs.leave("page")
    assert first.state == "stopped"


def test_what_was_stopped_can_be_asked_again():
    jobs, work = Jobs("test"), Work()
    jobs.want(("page", "path"), 1, work)
    jobs.leave("page")
    work.end.set()
    assert settled(jobs.want(("page", "path"), 1, work)) == "done"


def test_what_fails_says_so_and_may_be_tried_again(caplog):
    jobs = Jobs("test")
    for problem, words in [(ValueError("No such path."), "No such path."), (KeyError("oops"), path_jobs.FAILED)]:
        work = Work(problem)
        work.end.set()
        job = jobs.want(("page", "path"), words, work)
        assert settled(job) == "failed" and job.error == words
        again = Work()
        again.end.set()
        assert settled(jobs.want(("page", "path"), words, again)) == "done"


def test_too_many_are_refused_and_too_many_results_let_go(monkeypatch):
    monkeypatch.setattr(path_jobs, "LINE", 2)
    monkeypatch.setattr(path_jobs, "KEPT", 3)
    jobs, work = Jobs("test"), Work()
    first = jobs.want(("a", "path"), 0, work)
    jobs.want(("b", "path"), 1, work)
    with pytest.raises(Busy):
        jobs.want(("c", "path"), 2, work)
    assert jobs.want(("c", "path"), 0, work) is first  # to share takes no place
    work.end.set()
    for i in range(3, 9):
        settled(jobs.want((f"page {i}", "path"), i, work) if settled(first) else first)
    assert len(jobs._jobs) <= 4 and jobs._newest == {}


def test_answers_are_made_once_and_the_newest_kept():
    made = []
    answers = Promises("test", most=2)
    for key in (1, 1, 2, 3, 3, 1):
        assert answers.get(key, lambda key=key: made.append(key) or key).result(SECONDS) == key
    assert made == [1, 2, 3, 1]  # 1 had been let go


def test_an_answer_that_failed_is_made_again():
    answers = Promises("test", most=2)

    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError):
        answers.get("key", fail).result(SECONDS)
    assert answers.get("key", lambda: 5).result(SECONDS) == 5


def test_an_answer_that_was_cancelled_is_made_again():
    answers, work = Promises("test", most=2), Work()
    answers.get("first", lambda: work(lambda share: None))
    assert answers.get("key", lambda: 4).cancel()  # it still waits for the first
    work.end.set()
    assert answers.get("key", lambda: 5).result(SECONDS) == 5
