"""Seats, the line before them, what a page keeps, and what goes when it is closed. With tiny nets of a few steps."""

import io
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer import limits
from explorer.tabs.vae import models, training_desk, training_save
from explorer.tabs.vae.training_desk import Run
from explorer.tabs.vae.training_run import Training
from explorer.turns import Full

SMALL = {"widths": [4, 4, 4], "batch": 8, "steps": 3}
ENDLESS = SMALL | {"steps": 20_000}
SECONDS = 120


@pytest.fixture(autouse=True)
def nobody():
    """No page is left over from one test to the next."""
    yield
    for session in list(training_desk._pages):
        training_desk.left(session)
    for example in list(training_desk._shared.runs.values()):
        example.stop()
        example.wait(SECONDS)
        models.forget(models.SHARED, example.name)
    training_desk._shared.runs.clear()


@pytest.fixture
def held(monkeypatch):
    """Trainings that stand after each step until `.set()`."""
    gate = threading.Event()
    true = Training.steps

    def steps(self):
        for progress in true(self):
            gate.wait(SECONDS)
            yield progress

    monkeypatch.setattr(Training, "steps", steps)
    yield gate
    gate.set()


def until(true, seconds=SECONDS):
    """Waits for a fact."""
    done = threading.Event()
    for _ in range(seconds * 100):
        if true():
            return
        done.wait(0.01)
    raise AssertionError("it never came true")


def finished(session, **settings) -> Run:
    run = training_desk.train(session, SMALL | settings)
    run.wait(SECONDS)
    return run


def zipped(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(count):
            picture = io.BytesIO()
            Image.fromarray(np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(picture, "PNG")
            archive.writestr(f"{i}.png", picture.getvalue())
    return out.getvalue()


# ---- One training -------------------------------------------------------------------------------------------------------


def test_a_training_runs_to_its_end_and_its_model_can_be_chosen():
    run = finished("page-a")
    assert run.state == "done" and run.kept and run.told["step"] == 3
    assert models.get(run.name, "page-a").dims == 2
    assert [one["name"] for one in models.offer("page-a") if one["own"]] == [run.name]


def test_another_page_sees_neither_the_training_nor_its_model():
    run = finished("page-a")
    with pytest.raises(ValueError, match="no longer here"):
        training_desk.run("page-b", run.name)
    with pytest.raises(ValueError):
        models.get(run.name, "page-b")
    assert training_desk.runs("page-b") == [] and not any(one["own"] for one in models.offer("page-b"))


def test_a_training_that_is_stopped_keeps_its_model_and_goes_on(held):
    run = training_desk.train("page-a", SMALL)
    until(lambda: run.training and run.training.run.step)
    run.stop()
    held.set()
    run.wait(SECONDS)
    assert run.state == "stopped" and 0 < run.training.run.step < 3 and run.kept
    version = models.get(run.name, "page-a").facts["version"]
    training_desk.go_on("page-a", run.name).wait(SECONDS)
    assert run.state == "done" and run.training.run.step == 3
    assert models.get(run.name, "page-a").facts["version"] != version  # under the same name


def test_one_that_is_done_can_be_given_as_many_steps_again():
    run = finished("page-a")
    training_desk.go_on("page-a", run.name).wait(SECONDS)
    assert run.state == "done" and run.training.run.step == 6 and run.training.goals == [3, 6]


def test_seconds_are_up(monkeypatch):
    monkeypatch.setattr(limits, "TRAINING_SECONDS", 0)
    run = training_desk.train("page-a", ENDLESS)
    run.wait(SECONDS)
    assert run.state == "stopped" and "seconds are up" in run.note and run.kept


def test_a_loss_that_runs_away_is_a_sentence(monkeypatch):
    def steps(self):
        raise FloatingPointError("nan")
        yield

    monkeypatch.setattr(Training, "steps", steps)
    run = finished("page-a")
    assert run.state == "failed" and "lower learning rate" in run.note and not run.kept
    with pytest.raises(ValueError, match="failed"):
        training_desk.go_on("page-a", run.name)


def test_whatever_else_breaks_is_a_sentence_and_leaves_the_seat(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Training, "steps", lambda self: 1 / 0)
        assert finished("page-a").note == training_desk.BROKE
    assert finished("page-a").state == "done"


# ---- Seats and the line -------------------------------------------------------------------------------------------------


def test_so_many_train_at_once_and_the_others_stand_in_line(held):
    running = [training_desk.train(f"page-{i}", SMALL) for i in range(limits.TRAININGS)]
    until(lambda: all(run.state == "running" for run in running))
    waiting = [training_desk.train(f"late-{i}", SMALL) for i in range(2)]
    assert [run.told["place"] for run in waiting] == [1, 2] and all(run.state == "waiting" for run in waiting)
    waiting[0].stop()
    assert waiting[0].state == "stopped" and training_desk.place(waiting[1]) == 1
    held.set()
    for run in (*running, waiting[1]):
        run.wait(SECONDS)
        assert run.state == "done" and run.told["place"] == 0


def test_a_page_trains_one_at_a_time(held):
    first = training_desk.train("page-a", SMALL)
    until(lambda: first.training and first.training.run.step)
    second = training_desk.train("page-a", SMALL)
    held.set()
    first.wait(SECONDS), second.wait(SECONDS)
    assert (first.state, second.state) == ("stopped", "done")


def test_a_closed_page_stops_its_training_and_leaves_nothing(held):
    run = training_desk.train("page-a", ENDLESS)
    until(lambda: run.training and run.training.run.step)
    training_desk.left("page-a")
    held.set()
    run.wait(SECONDS)
    assert run.state == "stopped" and training_desk.known("page-a") is None
    with pytest.raises(ValueError):
        models.get(run.name, "page-a")


def test_the_line_has_an_end_and_who_is_refused_loses_nothing(monkeypatch, held):
    running = [training_desk.train(f"page-{i}", SMALL) for i in range(limits.TRAININGS)]
    until(lambda: all(run.state == "running" for run in running))
    monkeypatch.setattr(training_desk, "WAITING", 1)
    waiting = training_desk.train("early", SMALL)
    for late in ("late", "page-0"):  # a newcomer, and one whose own training runs
        with pytest.raises(Full, match="wait at this moment"):
            training_desk.train(late, SMALL)
    assert training_desk.known("late") is None and running[0].state == "running" and running[0]._wanted.is_set()
    another = training_desk.train("early", SMALL)  # in the place of the page's own
    assert waiting.state == "stopped" and another.told["place"] == 1


def test_who_goes_on_finds_the_line_full_too(monkeypatch):
    run = finished("page-a")
    monkeypatch.setattr(training_desk, "WAITING", 0)
    with pytest.raises(Full):
        training_desk.go_on("page-a", run.name)
    assert run.state == "done" and run.training.goals == [3]  # nothing has begun


def test_asked_twice_at_once_a_training_goes_on_in_one_seat(held):
    held.set()
    run = finished("page-a")
    held.clear()
    with ThreadPoolExecutor(8) as pool:
        assert {one.name for one in pool.map(lambda _: training_desk.go_on("page-a", run.name), range(8))} == {run.name}
    held.set()
    run.wait(SECONDS)
    assert run.state == "done" and run.training.goals == [3, 6]


def test_the_process_ends_though_trainings_run_and_wait():
    script = f"""
import time
from explorer.tabs.vae import training_desk
runs = [training_desk.train(f"page-{{i}}", {ENDLESS}) for i in range(6)]
while sum(run.state == "running" for run in runs) < 2 or not all(run.training.run.step for run in runs if run.training):
    time.sleep(0.01)
print("leaving", flush=True)
"""
    root = Path(training_desk.__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "leaving\n"  # however long it took to begin
            assert process.wait(30) == 0
        finally:
            process.kill()


# ---- What a page keeps --------------------------------------------------------------------------------------------------


def test_a_page_keeps_a_few_trainings_and_lets_one_go():
    runs = [finished("page-a", seed=i, steps=1) for i in range(training_desk.RUNS)]
    with pytest.raises(ValueError, match="delete one first"):
        training_desk.train("page-a", SMALL)
    training_desk.delete("page-a", runs[0].name)
    with pytest.raises(ValueError):
        models.get(runs[0].name, "page-a")
    assert finished("page-a", steps=1).kept and len(training_desk.runs("page-a")) == training_desk.RUNS


def test_of_too_many_pages_the_one_longest_without_news_goes(monkeypatch):
    monkeypatch.setattr(training_desk, "PAGES", 2)
    monkeypatch.setattr(training_desk, "LATELY", 0)
    old, new = finished("page-0", steps=1), finished("page-1", steps=1)
    training_desk.page("page-2")
    assert list(training_desk._pages) == ["page-1", "page-2"] and models.get(new.name, "page-1")
    with pytest.raises(ValueError):
        models.get(old.name, "page-0")


def test_a_page_that_holds_something_and_was_seen_lately_stays_and_the_newcomer_is_refused(monkeypatch):
    monkeypatch.setattr(training_desk, "PAGES", 2)
    mine = finished("page-0", steps=1)
    training_desk.page("page-1")  # it holds nothing, so it goes first
    other = finished("page-2", steps=1)
    assert list(training_desk._pages) == ["page-0", "page-2"]
    with pytest.raises(Full, match="as many trainings as it can"):
        training_desk.train("page-3", SMALL)
    assert list(training_desk._pages) == ["page-0", "page-2"]
    assert models.get(mine.name, "page-0") and models.get(other.name, "page-2")
    assert finished("page-0", steps=1).kept  # who is here already goes on as before


def test_of_too_many_bytes_too_but_no_page_loses_what_it_waits_for(monkeypatch, held):
    running = training_desk.train("page-0", SMALL)
    until(lambda: running.training and running.training.run.step)
    training_desk.page("page-1").upload = type(
        "Large", (), {"size": 10**9, "state": "ready", "pictures": None, "stop": lambda self: None, "told": {}}
    )()
    with pytest.raises(Full):
        training_desk.page("page-2")
    monkeypatch.setattr(training_desk, "LATELY", 0)
    training_desk.page("page-2")
    assert list(training_desk._pages) == ["page-0", "page-2"]
    held.set()
    running.wait(SECONDS)


def test_pictures_that_a_page_brought_count_once_and_as_long_as_a_training_holds_them():
    upload = training_desk.bring("page-a", zipped(12))
    until(lambda: upload.state != "reading")
    mine, of_pictures = training_desk.page("page-a"), 2 * 12 * 32 * 32 * 3  # split for training, and whole with the model
    assert training_desk.kept_bytes([mine]) == of_pictures
    runs = [finished("page-a", data="upload", steps=1, seed=seed) for seed in (0, 1)]
    assert training_desk.kept_bytes([mine]) == of_pictures + sum(run.size for run in runs)
    training_desk.drop("page-a")
    assert training_desk.kept_bytes([mine]) == of_pictures + sum(run.size for run in runs)


def test_the_size_of_a_training_is_that_of_its_film_and_its_nets():
    run = finished("page-a")
    numbers = sum(p.numel() for p in run.training.run.model.parameters())
    assert run.size == run.training.film.size + 16 * numbers


def test_the_example_is_everybodys_and_nobody_deletes_it(monkeypatch):
    monkeypatch.setattr(training_desk, "checked", lambda given, true=training_desk.checked: true(SMALL | given))
    example = training_desk.example()
    assert training_desk.example() is example
    example.wait(SECONDS)
    assert example.state == "done" and training_desk.run("page-a", example.name) is example
    assert models.get(example.name, "page-a") is models.get(example.name, "page-b")
    with pytest.raises(ValueError, match="everybody"):
        training_desk.delete("page-a", example.name)
    training_desk.left("page-a")
    assert models.get(example.name, "page-c").dims == 2


# ---- Models that were saved ---------------------------------------------------------------------------------------------


def test_a_saved_model_comes_back_on_another_page_and_goes_on():
    first = finished("page-a", seed=4)
    file = training_save.zipped(first)
    run = training_desk.open_saved("page-b", file)
    run.wait(SECONDS)
    assert run.state == "done" and run.told["step"] == run.told["saved"] == 3 and run.settings.seed == 4
    assert models.get(run.name, "page-b").facts == models.get(first.name, "page-a").facts
    training_desk.go_on("page-b", run.name).wait(SECONDS)
    assert run.told["step"] == 6 and run.told["saved"] == 3


def test_one_of_ones_own_pictures_wants_them_first():
    upload = training_desk.bring("page-a", zipped(12))
    until(lambda: upload.state != "reading")
    file = training_save.zipped(finished("page-a", data="upload"))
    with pytest.raises(ValueError, match="bring their ZIP first"):
        training_desk.open_saved("page-b", file)
    assert training_desk.runs("page-b") == []
    for count in (11, 13):  # other pictures: what is said to be held out would not be
        upload = training_desk.bring("page-b", zipped(count))
        until(lambda upload=upload: upload.state != "reading")
        with pytest.raises(ValueError, match="not the pictures"):
            training_desk.open_saved("page-b", file)
    upload = training_desk.bring("page-b", zipped(12))
    until(lambda: upload.state != "reading")
    run = training_desk.open_saved("page-b", file)
    run.wait(SECONDS)
    assert run.state == "done" and models.get(run.name, "page-b").source.most == 12


def test_a_saved_model_needs_room_too():
    file = training_save.zipped(finished("page-a"))
    for _ in range(training_desk.RUNS - 1):
        training_desk.open_saved("page-a", file).wait(SECONDS)
    with pytest.raises(ValueError, match="delete one"):
        training_desk.open_saved("page-a", file)


# ---- Pictures of one's own ----------------------------------------------------------------------------------------------


def test_a_zip_is_read_and_trained_on():
    upload = training_desk.bring("page-a", zipped(12))
    until(lambda: upload.state != "reading")
    assert upload.state == "ready" and upload.told["count"] == 12 and upload._data == b""
    run = finished("page-a", data="upload")
    assert run.state == "done" and models.get(run.name, "page-a").source.most == 12
    assert training_desk.pictures("page-a", run.name).shape == (1, 32, 32, 3)


def test_without_pictures_there_is_nothing_to_train_on():
    with pytest.raises(ValueError, match="Bring a ZIP"):
        training_desk.train("page-a", SMALL | {"data": "upload"})


def test_a_zip_that_is_none_is_refused_at_once():
    with pytest.raises(ValueError, match="no ZIP"):
        training_desk.bring("page-a", b"hello")


def test_a_zip_whose_pictures_are_none_fails_with_its_sentence():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "hello")
    upload = training_desk.bring("page-a", out.getvalue())
    until(lambda: upload.state != "reading")
    assert upload.state == "failed" and "no picture" in upload.note


def test_reading_can_be_stopped_and_frees_what_it_held(monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def read(data, progress):
        progress(0, 2)
        begun.set()
        go.wait(SECONDS)
        progress(1, 2)

    monkeypatch.setattr(training_desk.training_zip, "read", read)
    upload = training_desk.bring("page-a", zipped(2))
    assert begun.wait(SECONDS)
    training_desk.drop("page-a")
    go.set()
    until(lambda: upload.state == "stopped")
    assert upload.size == 0 and training_desk.known("page-a").upload is None


def test_so_many_zips_wait_at_once(monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(
        training_desk.training_zip, "read", lambda data, progress: go.wait(SECONDS) and (_ for _ in ()).throw(ValueError("No."))
    )
    for i in range(limits.TRAINING_UPLOADS):
        training_desk.bring(f"page-{i}", zipped(2))
    with pytest.raises(ValueError, match="try again"):
        training_desk.bring("page-late", zipped(2))
    go.set()


def test_fashion_mnist_that_is_not_here_is_told_before_anyone_waits(monkeypatch):
    monkeypatch.setattr(training_desk.training_data, "lacking", lambda: {"fashion": "It is not here."})
    with pytest.raises(ValueError, match="not here"):
        training_desk.train("page-a", SMALL | {"data": "fashion"})
