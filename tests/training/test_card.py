"""What a training publishes can be found, checked and trusted; what is broken is named."""

import json

import pytest
import torch
from safetensors.torch import load_file

from explorer import assets
from explorer.training import card


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    card.publish(tmp_path / "toy" / "one", card.half({"w": torch.arange(3.0)}), {"config": {"d": 3}})
    return tmp_path


def test_published_weights_come_back(models):
    assert assets.folder("toy/one") == models / "toy" / "one"
    assert assets.card("toy/one")["config"] == {"d": 3}
    assert load_file(assets.weights("toy/one"))["w"].tolist() == [0, 1, 2]
    assert not list(models.rglob("*.partial"))


def test_a_missing_model_says_what_makes_it(models):
    with pytest.raises(assets.Missing, match="toy/two is not here; this makes it: python -m toy"):
        assets.folder("toy/two", "python -m toy")


def test_altered_weights_are_refused(models):
    file = models / "toy" / "one" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(assets.Missing, match="do not match its card"):
        assets.weights("toy/one")


def test_a_broken_card_is_named(models):
    (models / "toy" / "one" / "card.json").write_text("{")
    with pytest.raises(assets.Missing, match="cannot be read"):
        assets.card("toy/one")


def test_the_card_holds_the_checksum_of_the_file(models):
    text = json.loads((models / "toy" / "one" / "card.json").read_text())
    assert text["sha256"] == assets.sha256(models / "toy" / "one" / "model.safetensors")
