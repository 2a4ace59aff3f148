"""Pictures of a state against torch autograd and against what is known exactly."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.tabs.gan import nets, view
from explorer.tabs.gan.config import check
from explorer.tabs.gan.run import Run
from explorer.tabs.gan.state import layers

LOSS = {  # the generator's loss of one fake, written once more
    "non_saturating": lambda l: torch.nn.functional.softplus(-l),
    "minimax": lambda l: torch.nn.functional.logsigmoid(-l),
    "least_squares": lambda l: (l - 1) ** 2 / 2,
    "wgan": lambda l: -l, "wgan_gp": lambda l: -l, "hinge": lambda l: -l,
}  # fmt: skip
ACT = {
    "relu": torch.relu, "leaky_relu": lambda a: torch.nn.functional.leaky_relu(a, 0.2),
    "tanh": torch.tanh, "silu": torch.nn.functional.silu,
}  # fmt: skip


@pytest.mark.parametrize("act", ACT)
@pytest.mark.parametrize("loss", LOSS)
def test_arrows_are_the_gradient_of_the_chosen_loss(loss, act):
    run = Run(check({"loss": loss, "d_act": act, "spectral": loss == "hinge"}))
    run.advance(10)
    shown = view.look(run.settings, run.state)

    x = torch.tensor(shown.fakes, requires_grad=True)
    h, stack = x, layers(nets.effective_d(run.settings, run.state), run.settings.d_sizes)
    for i, (w, b) in enumerate(stack):
        h = torch.nn.functional.linear(h, torch.tensor(w), torch.tensor(b))
        h = ACT[act](h) if i < len(stack) - 1 else h
    gradient = torch.autograd.grad(LOSS[loss](h[:, 0]).sum(), x)[0].numpy()
    assert np.abs(shown.fake_logits - h[:, 0].detach().numpy()).max() < 1e-5
    assert np.abs(shown.arrows + gradient).max() < 1e-5 * max(1, np.abs(gradient).max())


def test_the_map_is_d_at_the_cells_centres():
    run = Run(check({"loss": "least_squares"}))
    heat = view.look(run.settings, run.state).heat
    for row, column in ((0, 0), (3, 30), (39, 39)):
        point = np.array([[(column + 0.5) / 20 - 1, (row + 0.5) / 20 - 1]], np.float32)
        value = nets.logits(run.settings, run.state.d, point)[0]
        assert heat[row, column] == pytest.approx(np.clip(value, 0, 1), abs=1e-5)


def test_the_same_points_from_first_to_last():
    settings = check({"seed": 5})
    a, b = view.scene(settings), view.scene(dataclasses.replace(settings, g_lr=0.5))
    assert a is b and a.reals.shape == (450, 2) and a.noise.shape == (256, 2)
    assert not np.array_equal(a.noise, view.scene(dataclasses.replace(settings, seed=6)).noise)


def test_the_average_is_shown_when_it_is_asked_for():
    run = Run(check({"ema": 0.9}))
    run.advance(30)
    plain, averaged = (view.look(run.settings, run.state, on).fakes for on in (False, True))
    assert not np.allclose(plain, averaged)
    expected = nets.generate(run.settings, run.state.ema, view.scene(run.settings).noise)
    assert np.allclose(averaged, expected)


# ---- The best D ----


def _ideal(settings, many, fakes=None):
    run = Run(settings)
    shown = view.look(settings, run.state)
    if fakes is not None:
        shown = dataclasses.replace(shown, fakes=fakes)
    return view.ideal(settings, shown, many)


def test_against_a_perfect_generator_the_best_d_can_only_guess():
    settings = check({"data": "gaussians"})
    from explorer.toy2d import TOYS

    many = TOYS["gaussians"].sample(200_000, np.random.default_rng(0))
    ideal = _ideal(settings, many, many[:256].astype(np.float32))
    density = TOYS["gaussians"].density(view._PLOT.astype(float)).reshape(view.GRID, view.GRID)
    where = density > 0.1
    assert np.abs(ideal.heat[where] - 0.5).max() < 0.06


def test_the_best_d_is_p_over_p_plus_q_for_two_gaussians():
    """Data and fakes are two known clouds, so that D* and its slope can be computed by hand."""
    from explorer.tabs.gan.config import pack_points

    points = np.array([[-0.2, 0.0], [-0.2, 0.0]])
    settings = check({"data": "own", "points": pack_points(points)})
    random = np.random.default_rng(0)
    many = (np.array([-0.1, 0.0]) + 0.03 * random.standard_normal((400_000, 2))).astype(np.float32)
    at = np.tile(np.array([[-0.15, 0.0]], np.float32), (256, 1))  # half-way: p = q
    ideal = _ideal(settings, many, at)

    # Both clouds have the variance s² = 0.03² + SIGMA² once blurred, so log p/q is linear along x: -0.1 / s² per unit.
    s2 = 0.03**2 + view.SIGMA**2
    slope = -0.1 / s2
    # Non-saturating: -d/dx softplus(-l) = sigmoid(-l) l', and at p = q the sigmoid is 1/2.
    assert ideal.arrows[:, 0] == pytest.approx(np.full(256, slope / 2), rel=0.03)
    assert np.abs(ideal.arrows[:, 1]).max() < 0.05 * abs(slope)
    centre = view._PLOT.reshape(view.GRID, view.GRID, 2)
    for column in (15, 16, 17, 18):
        x = centre[20, column, 0]
        l = -((x + 0.2) ** 2) / (2 * s2) + (x + 0.1) ** 2 / (2 * s2)
        assert ideal.heat[20, column] == pytest.approx(1 / (1 + np.exp(-l)), abs=0.02)


@pytest.mark.parametrize("loss", ["wgan", "wgan_gp", "hinge"])
def test_critics_have_no_such_best_d(loss):
    run = Run(check({"loss": loss}))
    assert view.ideal(run.settings, view.look(run.settings, run.state), view.fakes(run.settings, run.state)) is None
