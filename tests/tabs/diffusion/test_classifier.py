"""The classifier of noisy latents: its gradient against finite differences, its logits as probabilities, its skill."""

import numpy as np
import pytest
import torch

from explorer import assets, corpus
from explorer.tabs.diffusion import classifier, labels

WISH = labels.row({"hair colour": "red", "glasses": "sunglasses"})[0]


@pytest.fixture(scope="module")
def exact():
    """An untrained one in double precision."""
    torch.manual_seed(0)
    return classifier.Classifier().double().eval().requires_grad_(False)


def some(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 4, 8, 8, generator=generator, dtype=torch.float64), torch.tensor([50, 900, 400, 0][:n])


def test_the_gradient_agrees_with_finite_differences(exact):
    x, t = some(3)
    found, _ = classifier.gradient(exact, x, t, WISH)
    for seed in range(4):
        way = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

        def score(at):
            return classifier.log_probabilities(exact(at, t), WISH).sum(1)

        difference = (score(x + 1e-5 * way) - score(x - 1e-5 * way)) / 2e-5
        assert torch.allclose((found * way).flatten(1).sum(1), difference, rtol=1e-6, atol=1e-9)


def test_a_row_is_read_by_itself(exact):
    x, t = some(3)
    together, each = classifier.gradient(exact, x, t, WISH)
    for i in range(3):
        alone, one = classifier.gradient(exact, x[i : i + 1], t[i : i + 1], WISH)
        assert torch.allclose(alone[0], together[i]) and torch.allclose(one[0], each[i])


def test_every_attribute_is_a_distribution_and_t_matters(exact):
    x, t = some(2)
    parts = classifier.split(exact(x, t))
    assert [part.shape[1] for part in parts] == [len(values) for values in corpus.FACTORS.values()]
    every = sum(
        classifier.log_probabilities(exact(x, t), labels.row({"shirt": value})[0]).exp() for value in corpus.FACTORS["shirt"]
    )
    assert torch.allclose(every, torch.ones_like(every))
    assert not torch.allclose(exact(x, t), exact(x, t + 50))


def test_no_wish_is_no_gradient(exact):
    x, t = some(2)
    found, each = classifier.gradient(exact, x, t, np.full(len(corpus.FACTORS), -1))
    assert not found.any() and each.shape == (2, 0)


def test_it_is_small_and_reads_faces_the_better_the_less_noise(mini):
    from explorer.tabs.diffusion import train_classifier as training

    net = classifier.load(mini.folder)
    assert 10_000 < sum(p.numel() for p in net.parameters()) <= 60_000
    found = training.accuracy(net, *training.encoded(mini.vae, "val", 200), training.noise_levels())
    means = [found[str(t)]["mean"] for t in training.JUDGED_AT]
    assert means == sorted(means, reverse=True)
    chance = np.mean([1 / len(values) for values in corpus.FACTORS.values()])
    assert means[0] > 0.88 and means[-1] > chance + 0.02
    assert found["50"]["mean"] == pytest.approx(classifier.known(mini.folder)["accuracy"]["50"]["mean"], abs=0.03)


def test_a_folder_without_one_says_so(tmp_path):
    with pytest.raises(assets.Missing, match="train_classifier"):
        classifier.load(tmp_path)
    assert classifier.known(tmp_path) == {}


def test_attributes_are_treated_as_independent_given_x_t(exact):
    """Log probabilities add up, and so do gradients: an approximation of p(y | x_t), exact where one attribute is asked for."""
    x, t = some(2)
    both, each = classifier.gradient(exact, x, t, WISH)
    alone = [
        classifier.gradient(exact, x, t, labels.row({name: value})[0])
        for name, value in (("hair colour", "red"), ("glasses", "sunglasses"))
    ]
    assert torch.allclose(both, alone[0][0] + alone[1][0])
    assert torch.allclose(each.sum(1), alone[0][1][:, 0] + alone[1][1][:, 0])
