"""PPL-phi: the forward derivative in float32 against finite differences in float64, and where it must be 0 or closed."""

import numpy as np
import pytest
import torch

from explorer.tabs.vae import metric_path as path
from explorer.tabs.vae import model


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return model.Vae(model.Config(32, 4, (8, 8, 16))).eval().requires_grad_(False)


def test_float32_forward_derivatives_agree_with_float64_differences(net):
    found = path.lengths(net.decode, path.pixel_phi, 4, 24, seed=3)
    exact = path.lengths(net.double().decode, path.pixel_phi, 4, 24, seed=3, dtype=torch.float64)
    np.testing.assert_allclose(found, exact, rtol=1e-4)

    rng = torch.Generator().manual_seed(3)
    ends, t = torch.randn(24, 2, 4, generator=rng).double(), torch.rand(24, 1, generator=rng).double()
    a, b, eps = ends[:, 0], ends[:, 1], 1e-5
    with torch.no_grad():
        here, there = (path.pixel_phi(net.decode((1 - s) * a + s * b)) for s in (t - eps / 2, t + eps / 2))
    net.float()
    np.testing.assert_allclose(exact, ((there - here).square().sum(1) / eps**2).numpy(), rtol=1e-6)


def test_a_linear_decoder_has_a_closed_form():
    """E ||W (b - a)||^2 = 2 ||W||^2 for a, b ~ N(0, I)."""
    weights = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    found = path.lengths(lambda z: z @ weights.T, lambda x: x, 5, 4000)
    expected = 2 * float(weights.square().sum())
    assert abs(found.mean() - expected) < 4 * found.std(ddof=1) / np.sqrt(len(found))


def test_a_decoder_that_paints_one_picture_has_no_length():
    assert path.lengths(lambda z: torch.ones(len(z), 3) + 0 * z[:, :1], lambda x: x, 5, 10).max() == 0


def test_turning_the_code_changes_nothing(net):
    from explorer.tabs.vae.metric_rotation import Turn

    turned = torch.from_numpy(Turn("all", seed=1, part=1).matrix(4)).float()
    plain = path.lengths(net.decode, path.pixel_phi, 4, 400, seed=0)
    other = path.lengths(lambda z: net.decode(z @ turned), path.pixel_phi, 4, 400, seed=1)
    error = np.hypot(plain.std(ddof=1), other.std(ddof=1)) / 20
    assert abs(plain.mean() - other.mean()) < 4 * error


def test_the_judge_looks_at_faces_only(net):
    class Source:
        judged = False

    class Other:
        source, size = Source, 32

    with pytest.raises(ValueError, match="ask for pixels"):
        path.path_length(Other, "judge")
