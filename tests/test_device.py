"""Which device is chosen, and what is said when it cannot be had."""

import pytest
import torch

from explorer import device


def test_auto_takes_the_best_there_is_and_says_why(monkeypatch):
    monkeypatch.delenv("EXPLORER_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    chosen = device.choose()
    assert (chosen.name, chosen.torch.type) == ("cpu", "cpu") and "no GPU was found" in chosen.reason

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert device.choose().name == "cuda" and "Some GPU" in device.choose().reason
    assert device.choose("cpu").reason.endswith("chosen by the host")


def test_the_environment_decides_where_no_argument_does(monkeypatch):
    monkeypatch.setenv("EXPLORER_DEVICE", "cpu")
    assert device.choose().name == "cpu"


@pytest.mark.parametrize(("name", "sentence"), [("tpu", "no device called 'tpu'"), ("cuda", "has none that torch can use")])
def test_what_is_not_here_is_one_sentence(name, sentence, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=sentence) as caught:
        device.choose(name)
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_the_same_faces(monkeypatch):
    from explorer.tabs.vae import engine

    monkeypatch.setenv("EXPLORER_DEVICE", "cpu")
    slow = engine.Vae()
    monkeypatch.setenv("EXPLORER_DEVICE", "cuda")
    fast = engine.Vae()
    z = slow.sample(8, 0)
    assert abs(slow.decode(z).astype(int) - fast.decode(z)).max() <= 2
