"""Two estimators of one gradient: right on average, and how far apart in variance, where the truth is known."""

import numpy as np
import pytest
import torch

from explorer.tabs.vae import elbo, engine, model, reparam
from explorer.tabs.vae.sources import DIGITS

MU, SIGMA = 1.5, 0.6


@pytest.fixture(scope="module")
def toy():
    return reparam.joined(list(reparam.draws(reparam.square, MU, SIGMA, 20_000, 0)))


def test_both_are_right_on_the_square_and_their_variances_are_the_known_ones(toy):
    found = reparam.summary(toy, SIGMA)
    for way in reparam.WAYS:
        for mean, error, truth in zip(found[way]["mean"], found[way]["error"], (2 * MU, 2 * SIGMA)):
            assert abs(mean - truth) < 4 * error, way
    # Var[2 z] = 4 sigma^2, and with z^2 = (mu + sigma eps)^2 the moments of eps give the score's.
    assert found["pathwise"]["variance"][0] == pytest.approx(4 * SIGMA**2, rel=0.05)
    eps = np.random.default_rng(1).standard_normal(2_000_000)
    assert found["score"]["variance"][0] == pytest.approx(((MU + SIGMA * eps) ** 2 * eps / SIGMA).var(), rel=0.1)
    for i in (0, 1):
        assert found["pathwise"]["variance"][i] < found["baseline"]["variance"][i] < found["score"]["variance"][i]


def test_the_quadrature_is_exact_on_the_square():
    assert reparam.truth(reparam.square, MU, SIGMA) == pytest.approx([2 * MU, 2 * SIGMA], rel=1e-12)


def test_a_baseline_leaves_out_the_draw_itself():
    d = reparam.Draws(np.array([1.0, -1.0, 2.0]), np.array([3.0, 5.0, 10.0]), np.zeros(3))
    assert reparam.gradients(d, 1.0)["baseline"][:, 0] == pytest.approx([(3 - 7.5) * 1, (5 - 6.5) * -1, (10 - 4) * 2])


@pytest.fixture(scope="module")
def real():
    torch.manual_seed(1)
    vae = engine.Vae(model.Vae(model.Config(32, 3, (8, 8, 16))), DIGITS, np.full((32, 32), 0.7, np.float32), {"version": "v"})
    return vae, DIGITS.batch(1)[0][0]


def test_the_slope_of_the_real_decoder_is_its_finite_difference(real):
    vae, image = real
    z, at = np.array([0.3, -0.4, 0.9]), np.array([-1.0, 0.2, 1.4])
    value, slope = reparam.likelihood(vae, image, z, 1)(at)
    codes = np.tile(z, (3, 1))
    codes[:, 1] = at
    assert np.allclose(value, elbo.constant(vae) - elbo.squared(vae, image, codes), rtol=1e-6)
    wide = 0.02
    ends = [reparam.likelihood(vae, image, z, 1)(at + way * wide)[0] for way in (-1, 1)]
    assert np.allclose(slope, (ends[1] - ends[0]) / (2 * wide), rtol=0.02, atol=0.05)


def test_on_the_real_decoder_both_agree_and_the_path_is_calmer(real):
    vae, image = real
    f = reparam.likelihood(vae, image, np.zeros(3), 0)
    found = reparam.summary(reparam.joined(list(reparam.draws(f, 0.2, 0.5, 512, 2))), 0.5)
    truth = reparam.truth(f, 0.2, 0.5)
    for way in reparam.WAYS:
        for mean, error, want in zip(found[way]["mean"], found[way]["error"], truth):
            assert abs(mean - want) < 4 * error + 1e-3, way
    assert found["score"]["variance"][0] > 100 * found["pathwise"]["variance"][0]
    assert found["baseline"]["variance"][0] < found["score"]["variance"][0]


def test_same_seed_same_draws_and_no_endless_ones(toy):
    again = reparam.joined(list(reparam.draws(reparam.square, MU, SIGMA, 20_000, 0)))
    assert np.array_equal(again.eps, toy.eps) and len(toy.eps) == 20_000
    with pytest.raises(ValueError):
        next(reparam.draws(reparam.square, 0, 1, 10**7, 0))
    with pytest.raises(ValueError):
        reparam.likelihood(_Three(), None, None, 3)


class _Three:
    dims = 3
