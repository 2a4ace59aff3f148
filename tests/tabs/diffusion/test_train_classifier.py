"""A training of a few steps from the command line: what it writes, and that bad weights are never believed to be good."""

import json

import torch

from explorer import corpus
from explorer.tabs.diffusion import classifier, train_classifier


def test_a_short_training_writes_a_classifier_that_loads(tmp_path, capsys):
    out = tmp_path / "diffusion"
    flags = ["--steps", "3", "--limit", "40", "--judged-on", "20", "--batch-size", "8", "--threads", "1", "--device", "cpu"]
    assert train_classifier.main([*flags, "--out", str(out), "--runs", str(tmp_path / "runs")]) == 0
    told = capsys.readouterr().out
    assert "Training the classifier, 54,997 parameters" in told and "after 3 steps" in told

    config = json.loads((out / "classifier" / "config.json").read_text())
    assert config["steps"] == 3 and config["judged_on"] == 20 and list(config["accuracy"]) == ["50", "300", "600", "900"]
    assert set(config["accuracy"]["50"]) == {"mean", *corpus.FACTORS}
    net = classifier.load(out)
    x, t = torch.zeros(1, 4, 8, 8), torch.tensor([500])
    assert net(x, t).shape == (1, 61) and torch.isfinite(net(x, t)).all()
    assert not (tmp_path / "runs" / "diffusion-classifier").exists()


def test_its_loss_is_the_sum_of_the_attributes_cross_entropies():
    logits = torch.zeros(2, 61)
    truth = torch.zeros(2, 10, dtype=torch.long)
    each = train_classifier.losses(logits, truth)
    assert torch.allclose(each[0].exp(), torch.tensor([float(len(values)) for values in corpus.FACTORS.values()]))
