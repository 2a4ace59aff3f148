"""A training's command line: its budget, its seed, its device."""

import pytest
import torch

from explorer.training import session


def begun(*argv):
    return session.begin(session.arguments("Trains something.", minutes=7), list(argv))


def test_without_a_word_it_trains_for_the_usual_minutes():
    args, budget, where = begun("--device", "cpu")
    assert budget == {"steps": None, "minutes": 7} and where.name == "cpu" and args.seed == 0


def test_steps_stand_in_the_place_of_minutes():
    assert begun("--steps", "3", "--device", "cpu")[1] == {"steps": 3, "minutes": None}


def test_the_seed_decides_what_is_drawn():
    draws = []
    for seed in (4, 4, 5):
        begun("--seed", str(seed), "--device", "cpu")
        draws.append(torch.randn(3))
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])


def test_a_device_that_is_not_here_ends_as_a_wrong_argument_does(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        begun("--device", "cuda")
    assert ended.value.code == 2 and "this computer has none" in capsys.readouterr().err
