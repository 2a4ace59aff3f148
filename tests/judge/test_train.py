"""The judge's training command, two steps of it."""

import json

import numpy as np
import pytest
import torch

from explorer import corpus
from explorer.judge import engine, train


def run(folder) -> int:
    tiny = ["--steps", "2", "--batch-size", "8", "--judged-on", "20"]
    return train.main([*tiny, "--out", str(folder), "--runs", str(folder / "runs")])


def test_two_steps_make_a_judge_that_loads_but_misses_the_bar(tmp_path, monkeypatch, capsys):
    folder = tmp_path / engine.MODEL
    assert run(folder) == 1
    assert "misses the bar" in capsys.readouterr().out

    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    judge = engine.load.__wrapped__()
    assert judge.card["steps"] == 2 and judge.card["data"]["judged on"] == 20
    assert judge.labels(corpus.batch("val", 0, 3)[0]).shape == (3, len(corpus.FACTORS))
    assert not list((folder / "runs").rglob("*.safetensors"))  # a finished run leaves nothing to continue


def test_the_same_seed_makes_the_same_weights(tmp_path):
    for name in "ab":
        run(tmp_path / name)
    a, b = (json.loads((tmp_path / name / "card.json").read_text())["sha256"] for name in "ab")
    assert a == b


def test_softening_keeps_the_range_and_half_of_the_pictures():
    images = torch.from_numpy(corpus.batch("train", 0, 200)[0]).permute(0, 3, 1, 2).float() / 127.5 - 1
    soft = train.soften(images, torch.Generator().manual_seed(1))
    assert soft.shape == images.shape and soft.abs().max() <= 1
    untouched = (soft == images).flatten(1).all(1).float().mean()
    assert 0.35 < untouched < 0.65
    assert np.isclose((soft - images).mean(), 0, atol=0.02)


def test_an_unknown_device_is_one_sentence(capsys):
    with pytest.raises(SystemExit):
        train.main(["--device", "abacus"])
    assert "abacus" in capsys.readouterr().err
