"""Turned codes: what must stay, stays; and what a diagonal posterior would lose is what the closed form says."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from explorer.tabs.vae import metric_rotation as rotation
from explorer.tabs.vae import model
from explorer.tabs.vae.metric_rotation import Turn


@pytest.mark.parametrize("dims", [2, 3, 5, 8])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_random_rotation_is_one_and_half_the_way_twice_is_the_whole(dims, seed):
    whole, half = (Turn("all", seed=seed, part=part).matrix(dims) for part in (1.0, 0.5))
    np.testing.assert_allclose(whole @ whole.T, np.eye(dims), atol=1e-12)
    assert np.linalg.det(whole) == pytest.approx(1)
    np.testing.assert_allclose(half @ half, whole, atol=1e-12)
    assert np.abs(np.linalg.eigvals(rotation.logarithm(dims, seed))).max() <= np.pi + 1e-9  # the shortest way
    np.testing.assert_allclose(Turn("all", seed=seed, part=0).matrix(dims), np.eye(dims), atol=1e-12)


def test_rotations_are_drawn_evenly():
    """The trace of a rotation of R^3 drawn evenly is 1 + 2 cos(angle) with a mean of 0; its entries have the variance 1/3."""
    drawn = np.stack([expm(rotation.logarithm(3, seed)) for seed in range(600)])
    traces = np.trace(drawn, axis1=1, axis2=2)
    assert abs(traces.mean()) < 4 * traces.std() / np.sqrt(len(traces))
    np.testing.assert_allclose((drawn**2).mean(0), 1 / 3, atol=0.06)


def test_the_elbo_of_a_turned_model_is_the_same_to_the_digit():
    """-E log p(x|z) with the decoder after R^T, and KL(N(R mu, R Sigma R^T) || N(0, I)), of a small network in float64."""
    torch.manual_seed(0)
    net = model.Vae(model.Config(32, 6, (8, 8, 16))).double()
    x = torch.rand(1, 3, 32, 32, dtype=torch.float64) * 2 - 1
    turned = torch.from_numpy(Turn("all", seed=4, part=0.7).matrix(6))
    with torch.no_grad():
        mu, logvar = net.encode(x)
        eps = torch.randn(64, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        z = model.reparametrize(mu, logvar, eps)
        plain = model.nll(x, net.decode(z), 0.7)
        after = model.nll(x, net.decode((z @ turned.T) @ turned), 0.7)  # g(R^T z')
    torch.testing.assert_close(after, plain, rtol=1e-10, atol=0)

    sigma = (0.5 * logvar).exp()[0].numpy()
    told = rotation.bill(mu[0].numpy(), sigma, turned.numpy())
    assert told["after"] == pytest.approx(told["before"], abs=1e-10)
    assert told["before"] == pytest.approx(float(model.kl(mu, logvar).sum()), abs=1e-10)
    assert told["gap"] > 0


def test_kl_of_a_full_covariance_is_that_of_torch():
    rng = np.random.default_rng(0)
    factor, mu = rng.normal(size=(4, 4)), rng.normal(size=4)
    covariance = factor @ factor.T + 0.1 * np.eye(4)
    q = torch.distributions.MultivariateNormal(torch.from_numpy(mu), torch.from_numpy(covariance))
    p = torch.distributions.MultivariateNormal(torch.zeros(4, dtype=torch.float64), torch.eye(4, dtype=torch.float64))
    assert rotation.kl_full(mu, covariance) == pytest.approx(float(torch.distributions.kl_divergence(q, p)))


def test_the_price_of_a_diagonal_posterior_is_its_distance_from_the_full_one():
    """The gap is KL(full || best diagonal), by torch."""
    mu, sigma, turned = np.array([0.5, -1, 2]), np.array([0.1, 0.6, 1.2]), Turn("all", seed=2, part=1).matrix(3)
    covariance = (turned * sigma**2) @ turned.T
    full, diagonal = (
        torch.distributions.MultivariateNormal(torch.zeros(3, dtype=torch.float64), torch.from_numpy(one))
        for one in (covariance, np.diag(np.diag(covariance)))
    )
    expected = float(torch.distributions.kl_divergence(full, diagonal))
    assert rotation.bill(mu, sigma, turned)["gap"] == pytest.approx(expected)
    assert rotation.bill(mu, np.full(3, 0.3), turned)["gap"] == pytest.approx(0, abs=1e-12)  # round: diagonal in all axes


def test_a_plane_turns_its_first_number_towards_its_second():
    turned = rotation.plane(4, 1, 3, 90)
    np.testing.assert_allclose(turned @ [0, 1, 0, 0], [0, 0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turned @ [1, 0, 1, 0], [1, 0, 1, 0], atol=1e-12)


@pytest.mark.parametrize("text", [
    "plane:0:1", "plane:0:1:nan", "plane:a:1:3", "plane:0:1:999", "all:1", "all:-1:0.5", "all:1:1.5", "all:1:nan", "sideways:1:2",
    "all:1e99:1",
])  # fmt: skip
def test_what_is_no_rotation_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="A rotation is plane"):
        Turn.read(text)


@pytest.mark.parametrize("turn", [Turn(i=0, j=0), Turn(i=0, j=9), Turn(i=-1, j=1)])
def test_a_plane_needs_two_dimensions_that_are_there(turn):
    with pytest.raises(ValueError, match="two different dimensions of the 4"):
        turn.matrix(4)


def test_nothing_said_is_no_turn():
    np.testing.assert_allclose(Turn.read(None).matrix(5), np.eye(5))
