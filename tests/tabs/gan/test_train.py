"""A short training writes what ships, twice the same; the command says what it cannot do."""

import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from explorer.tabs.gan import presets, train
from explorer.tabs.gan.config import check
from explorer.tabs.gan.metrics import Metrics


def test_a_short_run_writes_weights_card_and_picture_twice_the_same(tmp_path, capsys):
    for out in ("one", "two"):
        assert train.main(["ring8", "--rounds", "20", "--out", str(tmp_path / out)]) == 0
    said = capsys.readouterr().out
    assert "ring8" in said and "distance" in said and "of 8" in said
    folder = tmp_path / "one" / "ring8"
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"]["data"] == "ring8" and card["counters"]["rounds"] == 20 and card["metrics"]["modes_total"] == 8
    assert card["command"] == "python -m explorer.tabs.gan.train ring8" and card["bytes"] < 100_000
    tensors, again = load_file(folder / "model.safetensors"), load_file(tmp_path / "two" / "ring8" / "model.safetensors")
    assert set(tensors) == set(presets.VECTORS)
    assert all((tensors[name] == again[name]).all() and tensors[name].dtype == np.float32 for name in tensors)
    assert Image.open(folder / "sheet.png").size == (320, 320)


def test_it_can_be_loaded_from_there(tmp_path, monkeypatch):
    train.main(["line", "moons", "--rounds", "3", "--out", str(tmp_path / "gan")])
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    settings, state = presets.load("moons")
    assert settings == presets.settings("moons") and state.rounds == 3 and state.d_updates == 3 * settings.k_d


def test_the_nearest_moment_of_the_second_half_is_kept(monkeypatch):
    """With metrics that are best at round 150 of 200."""
    worth = {50: 0.0, 100: 0.5, 150: 0.1, 200: 0.3}
    monkeypatch.setattr(train, "measure", lambda s, state, stream, n: Metrics(0, worth[state.rounds], 0, 0, 0, 1, ()))
    settings = check({"data": "line", "g_width": 4, "d_width": 4, "batch": 8})
    assert train.train(settings, 200).rounds == 150


def test_a_missing_mode_counts_for_more_than_a_little_distance():
    near, whole = Metrics(0, 0.1, 0.02, 7, 8, 1, ()), Metrics(0, 0.1, 0.04, 8, 8, 1, ())
    assert train.far(near) > train.far(whole)


@pytest.mark.parametrize("line", [["faces"], ["ring8", "--rounds", "0"], ["--rounds", "many"]])
def test_what_it_cannot_do_is_said(line, capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        train.main([*line, "--out", str(tmp_path)])
    assert stop.value.code == 2 and "error: " in capsys.readouterr().err and not list(tmp_path.iterdir())
