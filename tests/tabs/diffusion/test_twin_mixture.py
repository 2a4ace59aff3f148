"""The exact score against finite differences and autograd, Tweedie against sampling, the entropy against its mean."""

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import twin
from explorer.tabs.diffusion.twin_mixture import Mixture

LAWS = [name for name, preset in twin.presets().items() if preset.law]


def law(name="gaussians") -> Mixture:
    return twin.presets()[name].law


def places(n=40, seed=0):
    return np.random.default_rng(seed).uniform(-2.5, 2.5, (n, 2))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("a", [0.0, 0.05, 0.6, 0.95])
@pytest.mark.parametrize("y", [None, 1])
def test_the_score_is_the_slope_of_the_density(name, a, y):
    parts, x, h = law(name), places(), 1e-5
    slope = np.empty_like(x)
    for axis in range(2):
        aside = np.zeros(2)
        aside[axis] = h
        slope[:, axis] = (parts.log_density(x + aside, a, y) - parts.log_density(x - aside, a, y)) / (2 * h)
    np.testing.assert_allclose(parts.score(x, a, y), slope, atol=2e-5 * max(1, np.abs(slope).max()))


def test_the_score_is_autograds():
    parts, x, a = law("disjoint"), torch.tensor(places(), requires_grad=True), 0.7
    m, v = (torch.from_numpy(part) for part in parts.noisy(a))
    laws = torch.distributions.Independent(torch.distributions.Normal(m, v.sqrt()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.from_numpy(parts.weights)), laws)
    density = mixture.log_prob(x)
    (slope,) = torch.autograd.grad(density.sum(), x)
    np.testing.assert_allclose(parts.log_density(x.detach().numpy(), a), density.detach().numpy(), atol=1e-10)
    np.testing.assert_allclose(parts.score(x.detach().numpy(), a), slope.numpy(), atol=1e-9)


def test_without_noise_the_density_is_toy2ds():
    from explorer import toy2d

    x = places()
    for name in LAWS:
        plain = toy2d.TOYS[name].density(x / twin.SCALE) / twin.SCALE**2
        np.testing.assert_allclose(np.exp(law(name).log_density(x, 1.0)), plain, rtol=1e-9, atol=1e-250)


def test_eps_and_the_estimate_are_tweedies():
    """x_0 = (x − √(1−ᾱ) ε) / √ᾱ, and the pair is both of its parts."""
    parts, x, a = law("ring8"), places(), 0.3
    for y in (None, 0):
        np.testing.assert_allclose(parts.x0(x, a, y), (x - (1 - a) ** 0.5 * parts.eps(x, a, y)) / a**0.5, atol=1e-9)
    free, told = parts.x0_pair(x, a, 0)
    np.testing.assert_allclose(free, parts.x0(x, a), atol=1e-12)
    np.testing.assert_allclose(told, parts.x0(x, a, 0), atol=1e-12)


def test_the_estimate_of_pure_noise_is_the_mean_of_the_class():
    parts = law("disjoint")
    np.testing.assert_allclose(parts.x0(places(), 0.0, 2), np.tile(parts.means[2], (40, 1)), atol=1e-12)


def test_one_gaussian_has_the_textbook_posterior():
    one = Mixture(np.ones(1), np.array([[0.5, -1.0]]), np.array([[0.25, 0.04]]), np.zeros(1, int))
    x, a = places(), 0.4
    gain = a**0.5 * one.variances / (a * one.variances + 1 - a)
    np.testing.assert_allclose(one.x0(x, a), one.means + gain * (x - a**0.5 * one.means), atol=1e-12)
    np.testing.assert_allclose(
        one.left_open(x, a), np.full(40, (one.variances - gain * a**0.5 * one.variances).sum()), atol=1e-12
    )


def test_the_perfect_predictor_leaves_this_much_open():
    """E|x_0 − E[x_0|x_t]|², measured on drawn pairs, is the mean of what is said to be left open."""
    parts, rng, a = law("moons"), np.random.default_rng(0), 0.7
    x0, _ = parts.sample(20_000, rng)
    x = a**0.5 * x0 + (1 - a) ** 0.5 * rng.standard_normal(x0.shape)
    measured = ((x0 - parts.x0(x, a)) ** 2).sum(1)
    assert parts.left_open(x, a).mean() == pytest.approx(measured.mean(), abs=4 * measured.std() / len(x) ** 0.5)


@pytest.mark.parametrize("a", [0.1, 0.9])
def test_the_divergence_is_that_of_the_score(a):
    parts, x, h = law("ring8"), places(), 1e-5
    both = parts.divergence(x, a)
    np.testing.assert_allclose(both[0], parts.score(x, a), atol=1e-9)
    slope = sum((parts.score(x + h * axis, a) - parts.score(x - h * axis, a))[:, k] / (2 * h) for k, axis in enumerate(np.eye(2)))
    np.testing.assert_allclose(both[1], slope, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["ring8", "gaussians", "spiral"])
def test_the_entropy_is_the_mean_of_the_log_density(name):
    parts = law(name)
    logs = -parts.log_density(parts.sample(20_000, np.random.default_rng(1))[0], 1.0)
    assert parts.entropy() == pytest.approx(logs.mean(), abs=4 * logs.std() / len(logs) ** 0.5)


def test_a_data_set_without_width_is_the_softmax_over_its_points():
    points = places(50, 3)
    settings = twin.check({"data": "own", "points": [[*point, 0] for point in points.tolist()], "y": None})
    x, a = places(20), 0.8
    away = ((x[:, None] - a**0.5 * points) ** 2).sum(2) / (2 * (1 - a))
    share = np.exp(-away) / np.exp(-away).sum(1, keepdims=True)
    np.testing.assert_allclose(twin.mixture(settings).x0(x, a), share @ points, atol=1e-10)


def test_classes_share_the_whole():
    parts, x = law("imbalanced"), places()
    shares = np.exp([parts.log_class(x, 0.5, y) for y in range(5)])
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-12)
    assert parts.only(3).weights.sum() == 1 and len(parts.only(3).weights) == 1
