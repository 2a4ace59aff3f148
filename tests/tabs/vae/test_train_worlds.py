"""The stops of the beta dial: two steps of each from end to end, and what the shipped ones must show."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.tabs.vae import model as vae
from explorer.tabs.vae import train_worlds, worlds
from explorer.tabs.vae.objective import KL_ONLY, negative_elbo


def run(tmp_path, *more: str) -> int:
    folders = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "vae")]
    return train_worlds.main(["--data", "digits", "--batch-size", "4", *folders, *more])


def test_two_steps_of_every_stop_give_a_dial_that_loads(tmp_path, monkeypatch, capsys):
    assert run(tmp_path, "--steps", "2") == 0
    folder = tmp_path / "vae" / "worlds-digits"
    card = json.loads((folder / "card.json").read_text())
    assert list(card["stops"]) == list(worlds.STOPS) and card["command"].startswith("python -m explorer.tabs.vae.train_worlds")
    assert card["config"]["latent_dim"] == 2 and card["data"]["shown"] == 1797
    assert Image.open(folder / "sheet.png").size == (6 * 9 * 32, 9 * 32)
    assert not (tmp_path / "runs" / "vae-worlds-digits").exists(), "a run that has become a model goes"

    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    dial = worlds.load.__wrapped__("digits")
    for stop, net in dial.stops.items():
        mu = net.encode(net.source.batch(64)[0]).mu
        np.testing.assert_allclose(mu, dial.codes[stop].mu[:64], atol=1e-3)
        assert net.facts["beta"] == worlds.STOPS[stop]
    assert dial.labels.shape == (1797, 1)


def test_a_run_that_was_stopped_goes_on_with_the_next_stop(tmp_path, capsys):
    assert run(tmp_path, "--steps", "1", "--stops", "0", "1") == 0
    assert not (tmp_path / "vae").exists() and "nothing is written" in capsys.readouterr().out
    kept = (tmp_path / "runs" / "vae-worlds-digits" / "1.safetensors").stat().st_mtime_ns
    assert run(tmp_path, "--steps", "1", "--stops", "0.1", "1") == 0
    said = capsys.readouterr().out
    assert "stop 0.1: " in said and "stop 1: " not in said
    assert (tmp_path / "runs" / "vae-worlds-digits" / "1.safetensors").stat().st_mtime_ns == kept


def test_all_stops_begin_with_the_same_weights():
    nets = []
    for _ in range(2):
        torch.manual_seed(0)
        nets.append(vae.Vae(worlds.config(32)).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(nets[0].values(), nets[1].values()))


def test_an_endless_beta_leaves_the_encoder_with_the_kl_alone():
    torch.manual_seed(1)
    net, x, eps = vae.Vae(vae.Config(32, 2, (8, 8, 16))), torch.rand(4, 3, 32, 32) * 2 - 1, torch.randn(4, 2)
    loss, parts = negative_elbo(net, x, eps, 2.0, KL_ONLY)
    loss.backward()
    got = [p.grad.clone() for p in net.encoder.parameters()]
    assert any(p.grad.abs().sum() > 0 for p in net.decoder.parameters()), "the decoder still learns the mean picture"
    net.zero_grad()
    vae.kl(*net.encode(x)).sum(1).mean().backward()
    for ours, p in zip(got, net.encoder.parameters()):
        torch.testing.assert_close(ours, p.grad)
    torch.testing.assert_close(loss.detach(), parts["reconstruction"] + parts["kl"])


@pytest.mark.parametrize("beta", [0.0, 0.1, 1.0, 16.0])
def test_beta_weighs_the_kl(beta):
    torch.manual_seed(2)
    net, x, eps = vae.Vae(vae.Config(32, 2, (8, 8, 16))), torch.rand(4, 3, 32, 32) * 2 - 1, torch.randn(4, 2)
    loss, parts = negative_elbo(net, x, eps, 2.0, beta)
    mu, logvar = net.encode(x)
    x_hat = net.decode(mu + (0.5 * logvar).exp() * eps)
    normal = torch.distributions.Normal(x_hat, 2.0).log_prob(x) + np.log(2.0) + 0.5 * np.log(2 * np.pi)
    posterior, prior = torch.distributions.Normal(mu, (0.5 * logvar).exp()), torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(posterior, prior)
    torch.testing.assert_close(parts["reconstruction"], -normal.flatten(1).sum(1).mean().detach())
    torch.testing.assert_close(loss, -normal.flatten(1).sum(1).mean() + beta * kl.sum(1).mean())


@pytest.mark.parametrize("data", worlds.DATA)
def test_the_shipped_dial_shows_three_worlds(data):
    dial = worlds.load(data)
    stops = dial.card["stops"]
    rates = [stops[stop]["train"]["rate"] for stop in worlds.STOPS]
    distortions = [stops[stop]["train"]["distortion"] for stop in worlds.STOPS]
    assert rates == sorted(rates, reverse=True) and distortions == sorted(distortions), "each stop pays less and sees less"
    spread, both, prior = (dial.codes[stop] for stop in worlds.WORLDS)
    assert spread.mu.std() > 2 * both.mu.std() and spread.sigma.mean() < 0.1, "reconstruction only: far apart, each a point"
    assert 0.8 < np.sqrt((both.mu**2 + both.sigma**2).mean()) < 1.3, "both: the codes together are about the prior"
    assert np.abs(prior.mu).max() < 0.1 and np.abs(prior.sigma - 1).max() < 0.1 and prior.kl.sum(1).max() < 0.02, "collapsed"
    pictures = dial.stops["kl"].decode(np.array([[-2, 0], [0, 0], [2, 2]]))
    assert np.abs(pictures.astype(int) - pictures[1]).max() <= 12, "where the code says nothing every picture is the mean"
