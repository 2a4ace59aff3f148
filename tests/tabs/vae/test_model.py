"""The VAE's formulas against torch.distributions, Monte Carlo and torch's own gradients."""

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from explorer.tabs.vae import aggregate
from explorer.tabs.vae import model as vae

RNG = torch.Generator().manual_seed(3)
SMALL = vae.Config(size=32, latent_dim=5, widths=(8, 8, 16))


def normal(*shape):
    return torch.randn(*shape, generator=RNG)


def test_kl_equals_the_library_and_monte_carlo():
    mu, logvar = normal(4, 6), normal(4, 6)
    posterior, prior = Normal(mu, (logvar / 2).exp()), Normal(torch.zeros(6), torch.ones(6))
    torch.testing.assert_close(vae.kl(mu, logvar), kl_divergence(posterior, prior))

    z = vae.reparametrize(mu, logvar, normal(200_000, 4, 6))
    estimate = (posterior.log_prob(z) - prior.log_prob(z)).mean(0)
    torch.testing.assert_close(vae.kl(mu, logvar), estimate, rtol=0.05, atol=0.02)


def test_nll_equals_the_library_up_to_its_constant():
    x, x_hat, sigma = normal(3, 3, 8, 8), normal(3, 3, 8, 8), 0.1 + torch.rand(8, 8, generator=RNG)
    full = -Independent(Normal(x_hat, sigma.expand_as(x)), 3).log_prob(x)
    constant = 3 * (sigma.log() + 0.5 * torch.tensor(2 * torch.pi).log()).sum()
    torch.testing.assert_close(vae.nll(x, x_hat, sigma), full - constant)
    torch.testing.assert_close(vae.nll(x, x_hat, 0.5), vae.nll(x, x_hat, torch.full((8, 8), 0.5)))


def test_gradients_pass_through_the_sample():
    mu, logvar, eps = normal(1, 3).requires_grad_(), normal(1, 3).requires_grad_(), normal(1, 3)
    z = vae.reparametrize(mu, logvar, eps)
    z.sum().backward()
    assert torch.equal(mu.grad, torch.ones(1, 3))  # dz/dmu = 1
    torch.testing.assert_close(logvar.grad, 0.5 * (logvar / 2).exp().detach() * eps)  # dz/dlogvar = sigma eps / 2


def test_shapes_follow_the_config():
    net = vae.Vae(SMALL)
    mu, logvar = net.encode(normal(2, 3, 32, 32))
    assert mu.shape == logvar.shape == (2, 5)
    assert net.decode(mu).shape == (2, 3, 32, 32)
    assert vae.Config(**{"size": 32, "latent_dim": 5, "widths": [8, 8, 16]}) == SMALL
    with pytest.raises(ValueError, match="3 widths fit pictures of 32, not 64"):
        vae.Config(size=64, widths=(8, 8, 16))


def test_the_mixture_has_the_moments_of_what_it_was_fitted_to():
    z = torch.cat([normal(3000, 3) * 0.1 + 2, normal(1000, 3) * 0.3 - 1])
    mixture = {k: v.half() for k, v in aggregate.fit(z, components=2, seed=0).items()}
    drawn = aggregate.draw(mixture, 20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(0), z.mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(drawn.T.cov(), z.T.cov(), rtol=0.05, atol=0.05)


def test_temperature_scales_the_spread_and_zero_gives_the_mean():
    z = torch.cat([normal(500, 3) + 3, normal(500, 3) - 3])
    mixture = aggregate.fit(z, components=2, seed=0)
    draws = {t: aggregate.draw(mixture, 500, torch.Generator().manual_seed(0), t) for t in (0.0, 0.5, 1.0)}
    centre = draws[0.0][0]
    torch.testing.assert_close(draws[0.0], centre.expand(500, 3))
    torch.testing.assert_close(draws[0.5] - centre, 0.5 * (draws[1.0] - centre))
