"""The reference engine against closed forms and torch.optim; and that runs in one batch do not know each other."""

import numpy as np
import pytest
import torch

from explorer.tabs.gan import reference
from explorer.tabs.gan.config import LOSSES, OPTIMIZERS, check
from explorer.tabs.gan.state import Trace, data, start


def run(rounds=10, what="both", **settings):
    s = check(settings)
    state = start(s)
    (trace,) = reference.advance([(s, state)], rounds, what)
    return s, state, trace


# ---- Penalties against closed forms -----------------------------------------------------------------------------------------


def test_gradient_penalty_of_a_linear_critic():
    """D(x) = w·x + b has the slope w everywhere: the penalty is (|w| - 1)², and its gradient 2 (|w| - 1) w / |w|."""
    w = torch.tensor([[[3.0, 4.0]]], requires_grad=True)
    points = torch.randn(1, 2, 20)
    penalty = reference.gradient_penalty([(w, torch.zeros(1, 1, 1))], "relu", points) / 20
    (slope,) = torch.autograd.grad(penalty.sum(), w)
    assert penalty.item() == pytest.approx((5 - 1) ** 2, rel=1e-6)
    assert slope.flatten().tolist() == pytest.approx([2 * 4 * 3 / 5, 2 * 4 * 4 / 5], rel=1e-6)


def test_r1_of_a_quadratic_discriminator(monkeypatch):
    """D(x) = sum of a_j (w_j·x)² is x'Ax with A = W' diag(a) W: its slope is 2Ax, so R1 is half the mean of |2Ax|²."""
    monkeypatch.setitem(reference.ACTIVATIONS, "square", torch.square)
    w, a, x = torch.randn(1, 3, 2), torch.randn(1, 1, 3, requires_grad=True), torch.randn(1, 30, 2)
    penalty = reference.r1_penalty([(w, torch.zeros(1, 3, 1)), (a, torch.zeros(1, 1, 1))], "square", x.mT) / 30

    def truth(a):
        return (2 * x[0] @ (w[0].T * a[0, 0]) @ w[0]).square().sum(1).mean() / 2

    assert penalty.item() == pytest.approx(truth(a).item(), rel=1e-5)
    found, true = (torch.autograd.grad(value.sum(), a)[0] for value in (penalty, truth(a)))
    torch.testing.assert_close(found, true, rtol=1e-4, atol=1e-5)


def test_penalties_enter_the_trace_as_they_enter_the_loss():
    """D without hidden layers is linear, so its first update's penalties are known from its weights."""
    s = check({"loss": "wgan_gp", "gp": 3.0, "r1": 2.0, "d_layers": 0})
    state = start(s)
    length = np.linalg.norm(state.d[:2])
    (trace,) = reference.advance([(s, state)], 1, "d")
    assert trace.penalty[0] == pytest.approx(3 * (length - 1) ** 2 + 2 / 2 * length**2, rel=1e-4)


def test_wgan_clips_every_weight_and_bias():
    _, state, _ = run(loss="wgan", clip=0.03)
    assert np.abs(state.d).max() == pytest.approx(0.03)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_critics_output_bias_stays_where_it_is(optimizer):
    """Its gradient is 0, and Adam divides by its own size whatever rounding makes of that 0: the bias used to drift."""
    for loss in ("wgan", "wgan_gp"):
        _, state, _ = run(20, loss=loss, d_opt=optimizer, d_lr=0.01)
        assert state.d[-1] == 0


# ---- Optimisers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers_step_as_those_of_torch(name):
    random = torch.Generator().manual_seed(1)
    w = torch.randn(1, 40, generator=random)
    theirs = torch.nn.Parameter(w[0].clone())
    made = {
        "sgd": lambda p: torch.optim.SGD(p, 0.03),
        "momentum": lambda p: torch.optim.SGD(p, 0.03, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, 0.03, betas=(0.5, 0.999)),
        "rmsprop": lambda p: torch.optim.RMSprop(p, 0.03),
    }
    optimizer, memory = made[name]([theirs]), torch.zeros(1, 2, 40)
    lr, beta1 = torch.tensor([[0.03]]), torch.tensor([[0.5]])
    for tick in range(1, 51):
        gradient = torch.randn(1, 40, generator=random)
        theirs.grad = gradient[0].clone()
        optimizer.step()
        w, memory = reference.optimise(name, w, gradient, memory, lr, beta1, torch.tensor([[float(tick)]]).double())
    torch.testing.assert_close(w[0], theirs.data, rtol=1e-5, atol=2e-6)


def test_the_average_follows_its_formula():
    s = check({"ema": 0.75})
    state = start(s)
    before = state.ema.copy()
    reference.advance([(s, state)], 1, "g")
    np.testing.assert_allclose(state.ema, 0.75 * before + 0.25 * state.g, atol=1e-7)


# ---- Rows -------------------------------------------------------------------------------------------------------------------


def test_rows_of_one_batch_train_as_each_would_alone():
    """Every setting that may differ between rows does, k_d and k_g too."""
    varied = [
        {"loss": loss, "seed": i, "d_opt": optimizer, "g_opt": optimizer, "d_lr": 0.01, "k_d": i % 3, "k_g": 1 + i % 2}
        for i, (loss, optimizer) in enumerate(zip(LOSSES, [*OPTIMIZERS, "sgd", "adam"]))
    ]
    varied[1] |= {"spectral": True, "r1": 0.5, "smoothing": 0.1}
    varied[2] |= {"instance_noise": 0.2, "ema": 0.9, "data": "ring"}
    varied[4] |= {"r1": 0.1, "noise": "uniform2", "spectral": True}
    settings = [check({"d_act": "silu", "g_act": "tanh", "g_lr": 0.01, "batch": 20, **values}) for values in varied]
    together = [start(s) for s in settings]
    traces = reference.advance(list(zip(settings, together)), 12)
    for s, state, trace in zip(settings, together, traces):
        alone = start(s)
        (its,) = reference.advance([(s, alone)], 12)
        np.testing.assert_allclose(state.g, alone.g, atol=3e-6)
        np.testing.assert_allclose(state.d, alone.d, atol=3e-6)
        np.testing.assert_allclose(state.ema, alone.ema, atol=3e-6)
        assert (state.rounds, state.d_updates, state.g_updates, state.d_ticks) == (12, 12 * s.k_d, 12 * s.k_g, 12 * s.k_d)
        for name in ("d_loss", "g_loss", "penalty", "d_norm", "g_norm"):
            np.testing.assert_allclose(getattr(trace, name), getattr(its, name), atol=1e-5)


def test_runs_of_several_shapes_come_back_in_their_order():
    settings = [check({"g_width": width, "batch": batch, "seed": 3}) for width, batch in ((4, 10), (6, 10), (4, 10), (4, 11))]
    states = [start(s) for s in settings]
    traces = reference.advance(list(zip(settings, states)), 3)
    np.testing.assert_array_equal(traces[0].d_loss, traces[2].d_loss)
    assert traces[1].d_loss[0] != traces[0].d_loss[0] != traces[3].d_loss[0]


def test_single_steps_are_the_parts_of_a_round():
    s = check({"k_d": 2, "k_g": 1})
    whole, parts = start(s), start(s)
    reference.advance([(s, whole)], 1)
    (of_d,) = reference.advance([(s, parts)], 2, "d")
    assert np.isnan(of_d.g_loss).all() and np.isfinite(of_d.d_loss).all() and parts.rounds == 0
    (of_g,) = reference.advance([(s, parts)], 1, "g")
    assert np.isnan(of_g.d_loss).all() and np.isnan(of_g.real_acc).all() and np.isfinite(of_g.g_norm).all()
    np.testing.assert_array_equal(whole.g, parts.g)
    np.testing.assert_array_equal(whole.d, parts.d)


def test_accuracies_of_a_blind_and_of_a_seeing_discriminator():
    s = check({"d_layers": 0, "data": "gaussians"})
    state = start(s)
    state.g[:], state.d[:] = 0, (0, 0, 0)
    state.g[-2:] = (5, 5)  # every fake is far from the data
    (blind,) = reference.advance([(s, state.copy())], 1, "d")
    assert (blind.real_acc[0], blind.fake_acc[0]) == (0, 1)  # a logit of 0 is not above the middle
    state.d[:] = (-1, -1, 4)
    (seeing,) = reference.advance([(s, state)], 1, "d")
    assert (seeing.real_acc[0], seeing.fake_acc[0]) == (1, 1)
    assert np.abs(data(s)).max() < 4


@pytest.mark.parametrize(
    "settings",
    [
        {"g_layers": 0, "d_layers": 0},
        {"g_width": 1, "d_width": 1, "d_layers": 5, "g_layers": 5},
        {"batch": 1},
        {"k_d": 0},
        {"k_g": 0},
        {"g_lr": 10, "d_lr": 10, "loss": "least_squares"},
        {"g_lr": 10, "d_lr": 10, "loss": "wgan_gp", "gp": 100, "g_opt": "momentum", "d_opt": "momentum", "spectral": True},
        {"noise": "uniform1", "g_out": "tanh"},
    ],
)
def test_ugly_settings_give_arrays(settings):
    _, state, trace = run(30, **settings)
    for name in Trace.NAMES:
        assert getattr(trace, name).shape == (30,) and getattr(trace, name).dtype == np.float32
    assert state.rounds == 30 and state.g.dtype == np.float32


def test_no_rounds_are_no_rounds():
    _, state, trace = run(0)
    assert trace.d_loss.shape == (0,) and state.d_updates == 0
