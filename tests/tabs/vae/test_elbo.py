"""The bill of one picture: closed forms against sampling and torch's own distributions, and sums that are sums."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, LowRankMultivariateNormal, Normal, kl_divergence

from explorer.tabs.vae import elbo, elbo_bound, elbo_settle, engine, model
from explorer.tabs.vae.sources import DIGITS

SIZE = 4


class Linear(nn.Module):
    """x = W z + b: of its Gaussian everything is known in closed form."""

    def __init__(self, weight: torch.Tensor, middle: torch.Tensor):
        super().__init__()
        self.config = SimpleNamespace(size=SIZE, latent_dim=weight.shape[1])
        self.weight, self.middle = nn.Parameter(weight), nn.Parameter(middle)

    def encode(self, x):
        return torch.zeros(len(x), self.config.latent_dim), torch.zeros(len(x), self.config.latent_dim)

    def decode(self, z):
        return (z @ self.weight.T + self.middle).view(len(z), 3, SIZE, SIZE)


@pytest.fixture(scope="module")
def net():
    """A small net, unlike at every pixel: (Vae, picture)."""
    torch.manual_seed(0)
    sigma = np.random.default_rng(0).uniform(0.3, 0.9, (32, 32)).astype(np.float32)
    vae = engine.Vae(model.Vae(model.Config(32, 3, (8, 8, 16))), DIGITS, sigma, {"title": "t", "beta": 1.0, "version": "v"})
    return vae, DIGITS.batch(1)[0][0]


@pytest.fixture(scope="module")
def linear():
    """(Vae, picture, log p(x), posterior where the columns of W are at right angles)."""
    rng = torch.Generator().manual_seed(3)
    columns = torch.linalg.qr(torch.randn(3 * SIZE**2, 3, generator=rng))[0]
    weight, middle = columns * torch.tensor([1.5, 0.8, 0.3]), 0.1 * torch.randn(3 * SIZE**2, generator=rng)
    sigma = 0.4
    vae = engine.Vae(Linear(weight, middle), DIGITS, np.full((SIZE, SIZE), sigma, np.float32), {"version": "v"})
    image = np.random.default_rng(5).integers(90, 170, (SIZE, SIZE, 3), np.uint8)
    x = torch.from_numpy(image).permute(2, 0, 1).flatten().double() / 127.5 - 1
    truth = LowRankMultivariateNormal(
        middle.double().detach(), weight.double().detach(), torch.full((len(x),), sigma**2).double()
    )
    precision = 1 + (weight.double() ** 2).sum(0) / sigma**2
    mu = (weight.double().T @ (x - middle)) / sigma**2 / precision
    return vae, image, float(truth.log_prob(x)), elbo.Posterior(mu.detach().numpy(), (precision**-0.5).detach().numpy())


def test_kl_is_that_of_torch_and_of_sampling():
    q = elbo.Posterior(np.array([0.0, 1.3, -2.1, 0.4]), np.array([1.0, 0.2, 1.7, 0.03]))
    ours, torchs = Normal(torch.tensor(q.mu), torch.tensor(q.sigma)), Normal(torch.tensor(0.0).double(), 1.0)
    assert np.allclose(q.kl, kl_divergence(ours, torchs).numpy(), rtol=1e-12, atol=1e-12)
    eps = elbo.noise(40_000, 4, 1)
    z = torch.from_numpy(q.mu + q.sigma * eps)
    ratios = (ours.log_prob(z) - torchs.log_prob(z)).numpy()
    assert (np.abs(ratios.mean(0) - q.kl) < 4 * ratios.std(0) / 200 + 1e-12).all()


def test_log_p_of_x_given_z_is_a_sum_of_normals(net):
    vae, image = net
    z = elbo.noise(5, 3, 2)
    x, sigma, _ = elbo.subject(vae, image)
    with torch.inference_mode():
        want = Independent(Normal(vae.net.decode(torch.from_numpy(z).float()), sigma.expand(3, 32, 32)), 3).log_prob(x)
    assert np.allclose(elbo.constant(vae) - elbo.squared(vae, image, z), want.numpy(), rtol=1e-6)


def test_the_bill_adds_up_and_says_how_sure_it_is(net):
    vae, image = net
    bill = elbo.bill(vae, image, samples=200, seed=4)
    assert bill.elbo == pytest.approx(bill.constant - bill.squared.mean() - bill.posterior.kl.sum(), abs=1e-9)
    assert bill.error == pytest.approx(bill.squared.std(ddof=1) / 200**0.5)
    code = vae.encode(image[None])
    assert np.allclose(bill.posterior.kl, code.kl[0], rtol=1e-4, atol=1e-5)
    assert bill.squared_at_mean == pytest.approx(elbo.squared(vae, image, code.mu)[0], rel=1e-6)
    other = elbo.bill(vae, image, samples=200, seed=5)
    assert abs(bill.elbo - other.elbo) < 5 * np.hypot(bill.error, other.error)


def test_more_samples_begin_with_the_fewer(net):
    assert np.array_equal(elbo.noise(8, 3, 7), elbo.noise(20, 3, 7)[:8])
    assert not np.array_equal(elbo.noise(8, 3, 7), elbo.noise(8, 3, 8))


def test_the_exact_posterior_makes_the_bound_exact(linear):
    vae, image, truth, q = linear
    bill = elbo.bill(vae, image, q, samples=200)
    assert abs(bill.elbo - truth) < 5 * bill.error + 1e-3
    logs = np.concatenate(list(elbo_bound.log_weights(vae, image, q, 100, 0)))
    assert np.allclose(logs, truth, atol=1e-3)  # p(x, z) = p(x) p(z|x): every weight is p(x)


def test_the_bound_tightens_to_log_p_of_x(linear):
    vae, image, truth, q = linear
    loose = elbo.Posterior(q.mu + 0.5 * q.sigma, 1.3 * q.sigma)
    logs = np.concatenate(list(elbo_bound.log_weights(vae, image, loose, 10_000, 1)))
    found = elbo_bound.bounds(logs)
    assert [one.k for one in found] == list(elbo_bound.KS)
    assert found[0].value < truth - 0.2 and abs(found[0].value - elbo.bill(vae, image, loose, samples=256).elbo) < 0.3
    values = [one.value for one in found if one.k in (1, 2, 10, 100, 1000)]  # each k a multiple of the one before: same groups
    assert values == sorted(values)
    assert abs(found[-1].value - truth) < 4 * found[-1].error + 0.01
    assert all(1 <= one.effective <= one.k for one in found) and found[0].error > found[0].groups ** -0.5 * 0.1


def test_a_bound_of_few_draws_says_so():
    assert [one.k for one in elbo_bound.bounds(np.zeros(12))] == [1, 2, 5, 10]
    assert elbo_bound.bounds(np.zeros(12))[-1].error is None and elbo_bound.bounds(np.empty(0)) == []
    huge = elbo_bound.bounds(np.array([-5000.0, -4000.0]))  # weights that no float holds
    assert huge[1].value == pytest.approx(-4000 - np.log(2))


def test_a_walk_finds_the_best_sigma_of_a_linear_model(linear):
    vae, image, _, q = linear
    wrong = elbo.Posterior(q.mu, q.sigma * np.array([3.0, 1, 1]))
    values = np.geomspace(wrong.sigma[0] / 8, wrong.sigma[0] * 8, 33)
    walk = elbo.walk(vae, image, wrong, 0, "sigma", values, samples=40)
    assert walk.values[walk.here] == wrong.sigma[0] and walk.error[walk.here] == 0
    assert walk.values[walk.best] == pytest.approx(q.sigma[0], rel=0.35) and walk.elbo[walk.best] > walk.elbo[walk.here]
    assert np.allclose(walk.kl[walk.here], wrong.kl.sum())
    along = elbo.walk(vae, image, q, 0, "mu", np.linspace(q.mu[0] - 1, q.mu[0] + 1, 21), samples=40)
    assert abs(along.values[along.best] - q.mu[0]) <= 0.2


def test_a_q_that_settles_ends_at_the_exact_posterior(linear):
    vae, image, truth, q = linear
    wrong = elbo.Posterior(q.mu + 0.8 * q.sigma, 1.8 * q.sigma)
    steps = list(elbo_settle.settle(vae, image, wrong, steps=300))
    end = steps[-1].posterior
    assert np.allclose(end.mu, q.mu, atol=0.15 * q.sigma.max()) and np.allclose(end.sigma, q.sigma, rtol=0.15)
    bill = elbo.bill(vae, image, end, samples=256)
    assert abs(bill.elbo - truth) < 0.05 + 4 * bill.error and elbo.bill(vae, image, wrong, samples=256).elbo < bill.elbo - 0.5
    again = list(elbo_settle.settle(vae, image, wrong, steps=300))
    assert np.array_equal(again[-1].posterior.mu, end.mu)


@pytest.mark.parametrize(
    "mu, sigma, word",
    [
        ([0, 0], [1, 1, 1], "mu is a list of 3"), ([0, 0, float("nan")], [1, 1, 1], "mu is a list of 3"),
        ([0, 0, "1"], [1, 1, 1], "mu is a list"), (None, [1, 1, 1], "mu is a list"), ([0, 0, 10**400], [1, 1, 1], "mu is a list"),
        ([0, 0, 50], [1, 1, 1], "Each mu"), ([0, 0, 0], [1, 0, 1], "Each sigma"), ([0, 0, 0], [1, 99, 1], "Each sigma"),
        ([0, 0, 0], [True, 1, 1], "sigma is a list"),
    ],
)  # fmt: skip
def test_what_is_no_posterior_is_one_sentence(net, mu, sigma, word):
    with pytest.raises(ValueError, match=word):
        elbo.chosen(net[0], mu, sigma)


def test_what_an_encoder_says_can_be_chosen(net):
    """Its widest sigma is exp(3), and a strange picture's mu lies beyond what is decoded for the page."""
    vae = net[0]
    q = elbo.chosen(vae, [vae.far + 1.5, 0, 0], [float(np.exp(np.float32(3))), 1, 1])
    assert q.mu[0] == vae.far + 1.5 and q.sigma[0] == pytest.approx(np.exp(3))


def test_what_cannot_be_computed_is_one_sentence(net):
    vae, image = net
    q = elbo.encoded(vae, image)
    for samples in (0, 257):
        with pytest.raises(ValueError, match="samples"):
            elbo.bill(vae, image, samples=samples)
    for dim, which, values in ((3, "mu", [0, 1]), (0, "eps", [0, 1]), (0, "mu", np.arange(60))):
        with pytest.raises(ValueError):
            elbo.walk(vae, image, q, dim, which, values)
    with pytest.raises(ValueError):
        next(elbo_bound.log_weights(vae, image, q, 10**6, 0))
