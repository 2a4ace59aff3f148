"""The nets in NumPy, against torch."""

import warnings

import numpy as np
import pytest
import torch

from explorer.tabs.gan import nets, reference
from explorer.tabs.gan.config import ACTIVATIONS, check
from explorer.tabs.gan.state import start

X = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32)


@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_forward_and_input_gradient_are_those_of_torch(act, depth):
    s = check({"d_act": act, "d_layers": depth, "g_act": act, "g_layers": depth, "g_out": "tanh"})
    state = start(s)
    x = torch.tensor(X.T)[None].requires_grad_()
    l = reference.forward(reference.net(torch.tensor(state.d)[None], s.d_sizes), act, x)
    (slope,) = torch.autograd.grad(l.sum(), x)
    fakes = torch.tanh(reference.forward(reference.net(torch.tensor(state.g)[None], s.g_sizes), act, x))
    np.testing.assert_allclose(nets.logits(s, state.d, X), l[0, 0].detach(), atol=2e-6)
    np.testing.assert_allclose(nets.input_gradient(state.d, s.d_sizes, act, X), slope[0].T, atol=2e-6)
    np.testing.assert_allclose(nets.generate(s, state.g, X), fakes[0].T.detach(), atol=2e-6)


def test_spectral_norm_finds_the_largest_singular_values():
    """After many power iterations sigma is the matrix norm, so each effective layer has norm 1."""
    s = check({"spectral": True, "d_layers": 3, "d_lr": 1e-6})
    state = start(s)
    reference.advance([(s, state)], 300, "d")
    from explorer.tabs.gan.state import layers

    for w, _ in layers(nets.effective_d(s, state), s.d_sizes):
        assert np.linalg.norm(w, 2) == pytest.approx(1, abs=1e-3)
    assert nets.effective_d(check({}), state) is state.d


def test_weights_that_ran_away_give_no_warning():
    s = check({"d_act": "silu"})
    wild = np.full_like(start(s).d, 1e30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nets.logits(s, wild, X).shape == (50,)
        assert nets.input_gradient(wild, s.d_sizes, "silu", X).shape == (50, 2)
