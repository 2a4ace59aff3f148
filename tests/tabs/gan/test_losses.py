"""The closed forms of the losses, against torch autograd and against what the papers say of them."""

import numpy as np
import pytest
import torch

from explorer.tabs.gan import losses, reference
from explorer.tabs.gan.config import LOSSES

LOGITS = np.linspace(-6, 6, 121).astype(np.float32) + 0.013  # on no kink


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_values_and_slopes_are_those_that_autograd_trains_with(loss, smoothing):
    real, fake, g = (torch.tensor(LOGITS)[None].requires_grad_() for _ in range(3))
    of_d = reference.d_loss(loss, real, fake, torch.tensor([[smoothing]])).sum()
    of_g = reference.g_loss(loss, g).sum()
    slopes = [*torch.autograd.grad(of_d, (real, fake)), *torch.autograd.grad(of_g, g)]

    (value_real, slope_real), (value_fake, slope_fake) = losses.d_real(loss, LOGITS, smoothing), losses.d_fake(loss, LOGITS)
    value_g, slope_g = losses.g(loss, LOGITS)
    assert value_real.sum() + value_fake.sum() == pytest.approx(of_d.item(), rel=1e-5, abs=1e-3)
    assert value_g.sum() == pytest.approx(of_g.item(), rel=1e-5, abs=1e-3)
    for slope, truth in zip((slope_real, slope_fake, slope_g), slopes):
        np.testing.assert_allclose(slope, truth[0], atol=2e-6)


def test_log_losses_are_the_binary_cross_entropy():
    bce = torch.nn.BCEWithLogitsLoss(reduction="none")
    l = torch.tensor(LOGITS)
    np.testing.assert_allclose(losses.d_real("minimax", LOGITS, 0.1)[0], bce(l, torch.full_like(l, 0.9)), atol=1e-5)
    np.testing.assert_allclose(losses.d_fake("minimax", LOGITS)[0], bce(l, torch.zeros_like(l)), atol=1e-5)
    np.testing.assert_allclose(losses.g("non_saturating", LOGITS)[0], bce(l, torch.ones_like(l)), atol=1e-5)


def test_minimax_saturates_where_d_is_sure_and_non_saturating_does_not():
    """Goodfellow et al. 2014, section 3: the reason for the second loss."""
    sure = np.array([-10.0])
    assert abs(losses.g("minimax", sure)[1][0]) < 1e-4
    assert abs(losses.g("non_saturating", sure)[1][0]) > 0.9999


def test_extreme_logits_neither_overflow_nor_warn():
    far = np.array([-1e4, 1e4, -np.inf, np.inf], np.float32)
    with np.errstate(over="raise", invalid="raise"):
        assert losses.sigmoid(far).tolist() == [0, 1, 0, 1]
        assert losses.softplus(far[:2]).tolist() == [0, 1e4]


def test_middle_and_output():
    assert losses.middle("hinge") == losses.middle("minimax") == 0
    assert losses.middle("least_squares") == 0.5
    assert losses.middle("wgan_gp", 3.0, 1.0) == 2
    assert losses.output("minimax", np.zeros(1))[0] == 0.5
    assert losses.output("least_squares", np.array([-1.0, 0.3, 2.0])).tolist() == [0, 0.3, 1]
    assert losses.output("wgan", np.array([-7.0]))[0] == -7
