"""What ships is there for every data set, is what its card says, is good, and goes on exactly."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from explorer import assets
from explorer.tabs.gan import metrics, presets, reference, train
from explorer.tabs.gan.config import changes, check
from explorer.tabs.gan.presets import PRESETS, load
from explorer.tabs.gan.state import start
from explorer.toy2d import TOYS


@pytest.fixture(autouse=True)
def no_models_of_the_host(monkeypatch):
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)


def test_every_data_set_has_a_preset_that_says_why():
    assert list(PRESETS) == list(TOYS)
    for name, preset in PRESETS.items():
        assert "data" not in preset.settings and presets.settings(name) == check({"data": name, **preset.settings})
        assert preset.why.endswith(".") and 60 < len(preset.why) < 260 and preset.rounds >= 1000


@pytest.mark.parametrize("name", TOYS)
def test_the_shipped_run_is_the_presets_and_its_card_is_true(name):
    settings, state = load(name)
    card = assets.card(presets.model(name))
    assert settings == presets.settings(name) and card["settings"] == changes(settings)
    assert 0 < state.rounds <= PRESETS[name].rounds and state.finite()
    assert state.d_updates == state.rounds * settings.k_d and state.g_updates == state.rounds * settings.k_g
    found = train.measure(settings, state, train.FINAL, 50_000)
    for key in ("js", "sw", "high_quality"):
        assert getattr(found, key) == pytest.approx(card["metrics"][key], abs=2e-3)


@pytest.mark.parametrize("name", TOYS)
def test_the_shipped_run_is_good_on_noise_that_it_was_not_chosen_by(name):
    """Far below what an untrained generator has: 0.25 and more, and JS of 0.5 to 0.9."""
    settings, state = load(name)
    found = train.measure(settings, state, 7, 20_000)
    assert found.modes_covered == found.modes_total
    assert found.sw < 0.03 and found.js < 0.2 and found.high_quality > 0.85
    before = train.measure(settings, start(settings), 7, 20_000)
    assert before.sw > 5 * found.sw and before.js > 3 * found.js


def test_a_shipped_run_goes_on_where_it_was():
    """Weights, memories and places in the streams of chance: a detour through the file changes nothing."""
    settings = presets.settings("ring8")
    state = start(settings)
    reference.advance([(settings, state)], 6)
    detour = state.copy()
    reference.advance([(settings, state)], 4)
    reference.advance([(settings, detour)], 4)
    assert all((getattr(state, v) == getattr(detour, v)).all() for v in presets.VECTORS)
    one, two = load("ring8"), load("ring8")
    reference.advance([one], 3)
    reference.advance([two], 3)
    assert (one[1].g == two[1].g).all() and one[1].rounds == two[1].rounds > 3
    assert (load("ring8")[1].g != one[1].g).any()  # each load is a copy of its own


def test_it_stays_good_when_it_goes_on():
    """A state at the optimum, not one that was caught on its way past it."""
    settings, state = load("ring8")
    reference.advance([(settings, state)], 150)
    assert train.measure(settings, state, 7, metrics.FAKES).sw < 0.08


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder of the host's own with a run in it; returns the run's folder."""
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    settings = presets.settings("line")
    state = start(settings)
    train.publish(tmp_path / "gan" / "line", settings, state, train.measure(settings, state, 7, metrics.FAKES))
    return tmp_path / "gan" / "line"


def test_the_hosts_own_models_come_first(copy):
    assert load("line")[1].rounds == 0 and load("ring8")[1].rounds > 0


def test_a_missing_run_says_what_makes_it(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "SHIPPED", tmp_path)
    with pytest.raises(assets.Missing, match="gan/spiral is not here; this makes it: python -m explorer.tabs.gan.train"):
        load("spiral")


def test_weights_that_do_not_fit_their_card_are_refused(copy):
    card = json.loads((copy / "card.json").read_text())
    save_file({name: np.zeros(3, np.float32) for name in presets.VECTORS}, copy / "model.safetensors")
    with pytest.raises(assets.Missing, match="do not match its card"):
        load("line")
    card["sha256"] = assets.sha256(copy / "model.safetensors")
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(assets.Missing, match="do not fit its card"):
        load("line")
