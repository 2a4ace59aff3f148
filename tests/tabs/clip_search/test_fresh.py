"""A training that a page watches: it learns, it is the same for the same seed, it is open_clip's, and the host stays free."""

import math
import threading

import numpy as np
import open_clip
import pytest
import torch

from explorer import corpus
from explorer.tabs.clip_search import fresh, smallest


@pytest.fixture
def desk():
    """A visitor's desk, without the clock: a request makes all its steps."""
    desk = fresh.Trainings()
    yield desk
    desk.close()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    monkeypatch.setattr(fresh, "SLICE", 1e9)


def test_the_diagonal_appears_within_a_hundred_steps(desk):
    before = fresh.command(desk, {"action": "start"})
    assert before["step"] == 0 and before["recall"]["i2t"] <= 0.1 and before["loss"] == []
    after = fresh.command(desk, {"action": "step", "n": 100})
    assert after["did"] == after["step"] == 100 and after["left"] == 0 and not after["running"]
    assert min(after["recall"]["i2t"], after["recall"]["t2i"]) > 0.5
    cos = np.array(after["cos"])
    assert cos.shape == (16, 16) and np.diag(cos).mean() > cos.mean() + 0.3
    assert after["loss"][-1]["loss"] < 1.5 < math.log(64) == after["floor"] < before["floor"] + 1e-9
    assert [r["step"] for r in after["recalls"]] == [0, 100]


def test_the_same_seed_gives_the_same_run_whatever_the_slices_and_other_random_numbers():
    ends = []
    for cuts in ([6], [1, 2, 3]):
        torch.manual_seed(len(cuts))
        run = smallest.Run(seed=5, batch=8)
        for n in cuts:
            torch.rand(3)
            list(run.train(n))
        ends.append((run.losses, run.measure()))
    assert ends[0][0] == ends[1][0]
    np.testing.assert_array_equal(ends[0][1], ends[1][1])
    assert smallest.Run(seed=6, batch=8).measure().tolist() != smallest.Run(seed=5, batch=8).measure().tolist()


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(2)
    smallest.vocabulary()
    run = smallest.Run()
    torch.manual_seed(1)
    list(run.train(1))
    assert torch.equal(torch.rand(2), expected)


def test_the_first_loss_is_open_clips_on_the_batch_it_was_drawn_for():
    run, other = smallest.Run(seed=3, batch=8), smallest.Run(seed=3, batch=8)
    draws = torch.Generator().manual_seed(3)
    chosen = torch.randint(smallest.POOL, (8,), generator=draws).tolist()
    seeds = torch.randint(2**31, (8,), generator=draws).tolist()
    faces, rows = corpus.render(chosen), corpus.attributes(chosen)
    with torch.no_grad():
        captions = smallest.tokenize([corpus.caption(row, seed) for row, seed in zip(rows, seeds)])
        loss = open_clip.ClipLoss()(*other.net(smallest.pixels(faces), captions)).item()
    assert next(run.train(1)) == pytest.approx(loss, abs=1e-5)


def test_every_word_of_the_captions_has_an_id_and_the_end_is_the_highest():
    captions = [corpus.caption(row, seed) for seed, row in enumerate(corpus.attributes(range(300), split="test"))]
    ids = smallest.tokenize(captions)
    for caption, row in zip(captions, ids):
        words = caption.replace(",", " ").split()
        assert (row > 0).sum() == len(words) + 2  # no word is lost, none cut off
        assert row.argmax() == len(words) + 1
    assert ids.max() == len(smallest.vocabulary()) + 2
    assert smallest.tokenize(["qwertz"])[0, :3].tolist() == [ids.max() - 1, ids.max(), 0]


def test_a_fixed_temperature_stays_and_a_learned_one_moves(desk):
    answer = fresh.command(desk, {"action": "start", "temperature": 0.5, "batch": 8})
    assert answer["temperature"] == pytest.approx(0.5) and not answer["learned"]
    answer = fresh.command(desk, {"action": "step", "n": 3})
    assert answer["temperature"] == pytest.approx(0.5) and answer["batch"] == 8
    answer = fresh.command(desk, {"action": "step", "n": 3, "temperature": None, "batch": 4, "lr": 0.01})
    assert answer["learned"] and answer["temperature"] != pytest.approx(0.5) and answer["floor"] == math.log(4)
    assert answer["step"] == 6 and len(answer["loss"]) == 6


def test_a_slice_ends_after_its_time(desk, monkeypatch):
    monkeypatch.setattr(fresh, "SLICE", 0)
    answer = fresh.command(desk, {"n": 5, "batch": 4})
    assert answer["did"] == 1 and answer["left"] == 4 and answer["running"]


def test_state_and_stop(desk):
    assert fresh.command(desk, {"action": "state"})["step"] is None
    fresh.command(desk, {"action": "step", "n": 2, "batch": 4})
    answer = fresh.command(desk, {"action": "state"})
    assert answer["step"] == 2 and answer["did"] == 0 and desk in fresh._alive
    assert fresh.command(desk, {"action": "stop"}) == answer  # nothing is trained between requests, and nothing is lost
    desk.close()
    assert fresh.command(desk, {"action": "stop"})["step"] is None and desk not in fresh._alive


@pytest.mark.parametrize(
    "given, say",
    [
        ({"action": "fly"}, "one of start"), ({"n": -1}, "n takes"), ({"n": 1e9}, "n takes"), ({"n": "ten"}, "n takes"),
        ({"batch": 1}, "batch takes"), ({"batch": 2.5}, "whole number"),
        ({"lr": float("nan")}, "lr takes"), ({"lr": 1}, "lr takes"),
        ({"seed": -3}, "seed takes"), ({"temperature": 0}, "temperature takes"), ({"temperature": "warm"}, "temperature takes"),
    ],
)  # fmt: skip
def test_bad_settings_are_one_sentence_and_change_nothing(desk, given, say):
    fresh.command(desk, {"n": 1, "batch": 4})
    with pytest.raises(ValueError, match=say):
        fresh.command(desk, given)
    answer = fresh.command(desk, {"action": "state"})
    assert answer["step"] == 1 and answer["batch"] == 4 and answer["learned"]


def test_a_full_host_says_so_and_an_idle_run_makes_room(desk, monkeypatch):
    monkeypatch.setattr(fresh, "RUNS", 1)
    fresh.command(desk, {"n": 1, "batch": 4})
    other = fresh.Trainings()
    with pytest.raises(ValueError, match="try again in a minute"):
        fresh.command(other, {"n": 1, "batch": 4})
    monkeypatch.setattr(fresh, "IDLE", 0)
    assert fresh.command(other, {"n": 1, "batch": 4})["step"] == 1
    assert desk.run is None
    other.close()


def test_where_all_places_are_taken_nothing_is_trained_and_the_page_is_told_to_wait(desk, monkeypatch):
    monkeypatch.setattr(fresh, "_places", threading.Semaphore(0))
    monkeypatch.setattr(fresh, "PATIENCE", 0.01)
    answer = fresh.command(desk, {"n": 5, "batch": 4})
    assert answer["did"] == 0 and answer["left"] == 5 and answer["running"] and "your turn" in answer["say"]


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(fresh, "PAIRS", 128)
    monkeypatch.setattr(fresh, "STRETCH", 64)


def test_the_comparison_shows_every_batch_size_equally_many_pairs(desk, short):
    answer = fresh.compare(desk, {"seed": 2})
    assert answer["done"] and answer["progress"] == 1
    for run in answer["runs"]:
        assert run["steps"] == run["of_steps"] == 128 // run["batch"] and run["seen"] == [0, 64, 128]
        assert len(run["recall"]) == len(run["loss"]) == 3 and run["loss"][0] is None
        assert run["floor"] == pytest.approx(math.log(run["batch"]))
    assert [run["batch"] for run in answer["runs"]] == [4, 16, 64]
    assert fresh.compare(desk, {"seed": 2}) == answer
    assert all(run.net is None for run in desk.comparison.runs)  # only the curves are kept


def test_the_comparison_goes_on_where_it_stopped_and_another_training_ends_it(desk, short, monkeypatch):
    monkeypatch.setattr(fresh, "SLICE", 0)
    first = fresh.compare(desk, {})
    assert not first["done"] and 0 < first["progress"] < 1
    assert fresh.compare(desk, {})["progress"] > first["progress"]
    fresh.command(desk, {"action": "start"})
    assert desk.comparison is None
    fresh.compare(desk, {"action": "start"})
    assert desk.run is not None
    assert fresh.compare(desk, {"action": "stop"})["runs"] == [] and desk.comparison is None


@pytest.mark.slow
def test_larger_batches_learn_more_from_the_same_pairs(desk):
    """More negatives in a batch make a harder, better question: measured 0.21, 0.65 and 0.73 of 64."""
    runs = fresh.compare(desk, {})["runs"]
    recalls = [run["recall"][-1] for run in runs]
    assert recalls[0] + 0.2 < recalls[1] < recalls[2] and recalls[2] > 0.6


def test_long_curves_are_thinned_and_keep_their_ends():
    points = fresh._thinned([{"step": i} for i in range(1000)])
    assert len(points) == 200 and points[0]["step"] == 0 and points[-1]["step"] == 999


def test_a_loss_that_is_no_number_reaches_the_page_as_a_sentence(desk):
    import json

    import torch

    fresh.command(desk, {"action": "start"})
    with torch.no_grad():
        next(desk.run.net.parameters()).fill_(float("nan"))
    told = fresh.command(desk, {"action": "step", "n": 5})
    assert "start anew" in told["say"] and told["loss"][-1] == {"step": 1, "loss": None}
    assert told["cos"][0][0] is None
    json.dumps(told, allow_nan=False)
