"""The metrics say what is true: golden values, closed forms, numerical integrals, scipy."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from explorer.tabs.gan import metrics
from explorer.tabs.gan.metrics import FAKES, measure
from explorer.toy2d import TOYS, cloud

GAUSSIANS = TOYS["gaussians"]


def draw(toy, n=FAKES, seed=5):
    return toy.sample(n, np.random.default_rng(seed))


def left_half(n=FAKES, seed=5):
    """Two Gaussians of which one was lost."""
    return (np.array([-0.4, 0.4]) + 0.2 * np.random.default_rng(seed).standard_normal((n, 2))).astype(np.float32)


# ---- Divergences -------------------------------------------------------------------------------------------------------------


def test_golden_values_of_gan_labs_two_gaussians():
    """What GAN Lab's panel means to show (reference notes: 10,000 fakes against the exact law), within chance."""
    perfect = [measure(GAUSSIANS, draw(GAUSSIANS, seed=seed)) for seed in range(5)]
    assert np.mean([m.kl for m in perfect]) == pytest.approx(0.035, abs=0.004)
    assert np.mean([m.js for m in perfect]) == pytest.approx(0.009, abs=0.001)
    lost = measure(GAUSSIANS, left_half())
    assert lost.kl == pytest.approx(2.115, abs=0.04) and lost.js == pytest.approx(0.27, abs=0.005)


def test_with_150_fakes_chance_alone_would_look_like_failure():
    """Why 10,000 are needed: KL in GAN Lab's way is 2.3 bits for a perfect generator."""
    cells = metrics._cells(GAUSSIANS)
    found = [metrics.kl(cells, metrics.histogram(draw(GAUSSIANS, 150, seed))) for seed in range(40)]
    assert np.mean(found) == pytest.approx(2.32, abs=0.06)


@pytest.mark.parametrize("name", TOYS)
def test_a_perfect_generators_divergences_go_to_nought_with_more_fakes(name):
    toy = TOYS[name]
    few, more, most = (measure(toy, draw(toy, n)) for n in (10_000, 40_000, 160_000))
    assert few.kl > 2.5 * more.kl > 6 * most.kl >= 0 and most.kl < 4e-3
    assert few.js > 2.5 * more.js > 6 * most.js >= 0 and most.js < 1e-3
    assert few.sw > most.sw and most.sw < 2e-3


def test_divergences_of_two_known_laws_against_a_numerical_integral():
    """Cells fine enough and no smoothing: the integral of p log2(p / q) that quadrature gives."""
    p, q = GAUSSIANS, TOYS["gaussians"].law.__class__(np.array([1.0]), np.array([[0.1, 0.0]]), np.array([[0.5, 0.6]]))
    edges = np.linspace(-3, 3, 601)
    cells_p, cells_q = p.mass(edges, edges).ravel(), q.mass(edges, edges).ravel()

    def integral(of):
        return integrate.dblquad(lambda y, x: of(p.density(np.array([x, y])), q.density(np.array([x, y]))),
                                 -1.5, 1.5, -2.2, 1.8, epsabs=1e-4)[0]  # fmt: skip

    kl = integral(lambda a, b: a * math.log2(a / b) if a > 1e-12 else 0.0)
    assert metrics.kl(cells_p, cells_q, 0) == pytest.approx(kl, abs=3e-3)


def test_js_of_strangers_is_one_bit_and_of_equals_nought():
    a, b = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.25, 0.75])
    assert metrics.js(a, b, 0) == pytest.approx(1) and metrics.js(a, a) == metrics.kl(a, a) == 0
    half = np.array([1.0, 0, 0, 0])  # JS of (½, ½) and (1, 0): 1.5 - 0.75 log2(3) - ... by hand 0.3113
    assert metrics.js(a, half, 0) == pytest.approx(0.311278, abs=1e-6)


def test_the_mean_of_d_stars_losses_is_the_js_divergence():
    """Goodfellow et al. 2014, Theorem 1: with D* = p / (p + q), E log D* + E log(1 - D*) = 2 JS - 2 ln 2, in nats."""
    p, q = metrics._cells(GAUSSIANS), metrics.histogram(left_half(200_000))
    p, q = p + 1e-12, q + 1e-12
    best = p / (p + q)
    value = p @ np.log(best) + q @ np.log(1 - best)
    assert value == pytest.approx(2 * metrics.js(p, q, 0) * math.log(2) - 2 * math.log(2), abs=1e-6)


def test_every_fake_is_counted_those_outside_too():
    """GAN Lab lost points beyond its box, and 299 of 450 real ones."""
    points = np.array([[0, 0], [0.999, 0.999], [1.0, 0], [-1.0, -1.0], [-1.01, 0], [50, -1e30], [0, 1.2], [0.01, 0.01]])
    cells = metrics.histogram(points.astype(np.float32))
    assert cells.sum() == pytest.approx(1) and cells[-1] == pytest.approx(4 / 8) and cells[0] == 1 / 8
    assert all(metrics._cells(toy).sum() == pytest.approx(1, abs=1e-12) for toy in TOYS.values())
    assert metrics._cells(GAUSSIANS)[-1] == pytest.approx(0.0134, abs=5e-4)


# ---- Sliced Wasserstein ------------------------------------------------------------------------------------------------------


def test_a_shifted_copy_is_two_over_pi_times_its_shift_away():
    points = draw(TOYS["moons"])
    for shift in ([0.3, 0.0], [-0.1, 0.2]):
        distance = metrics.sliced((points + np.float32(shift)), metrics.project(points))
        assert distance == pytest.approx(2 / math.pi * math.hypot(*shift), rel=2e-3)
    assert metrics.sliced(points, metrics.project(points)) == 0


def test_one_direction_against_scipy():
    points, law = left_half(), metrics._quantiles(GAUSSIANS, FAKES)
    mine = np.abs(metrics.project(points) - law).mean(1)
    for i in (0, 11, 31):
        along = points @ metrics._AXES[i]
        theirs = stats.wasserstein_distance(along, draw(GAUSSIANS, 400_000, 9) @ metrics._AXES[i])
        assert mine[i] == pytest.approx(theirs, abs=3e-3)


def test_the_fast_sort_is_the_plain_one():
    """Within 4 of the centre 16-bit numbers are sorted instead; beyond, the plain sort takes over."""
    points = draw(TOYS["spiral"])
    np.testing.assert_allclose(metrics.project(points), np.sort(metrics._AXES @ points.T, axis=1), atol=1 / 8192)
    far = points * 100
    np.testing.assert_allclose(metrics.project(far), np.sort(metrics._AXES @ far.T, axis=1), rtol=1e-6)


def test_fakes_in_one_place_far_away():
    there = np.full((FAKES, 2), 1000, np.float32)
    found = measure(TOYS["ring8"], there)
    assert found.sw == pytest.approx(1000 * math.sqrt(2) * 2 / math.pi, rel=0.01)
    assert found.js > 0.9 and found.kl > 5 and found.modes_covered == 0 and found.high_quality == 0


# ---- Modes and quality -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TOYS, "own"])
def test_a_perfect_generator_has_all_modes_and_the_quality_of_the_data(name):
    toy = TOYS.get(name) or cloud(np.random.default_rng(1).uniform(-0.9, 0.9, (40, 2)))
    found = measure(toy, draw(toy))
    assert found.high_quality == pytest.approx(1 if name == "checkerboard" else metrics.GOOD, abs=0.006)
    if toy.modes is None:
        assert (found.modes_covered, found.modes_total, found.shares) == (0, 0, ())
    else:
        assert found.modes_covered == found.modes_total == len(toy.modes)
        np.testing.assert_allclose(found.shares, toy.weights * metrics.GOOD, atol=0.015)


def test_shares_count_good_fakes_of_the_nearest_mode_only():
    toy = TOYS["ring8"]
    fakes = np.repeat(toy.modes[[0, 0, 3]], [5000, 2500, 2500], axis=0).astype(np.float32)
    fakes[:1000] = 0  # nowhere
    fakes[1000:1500] += np.float32(2.1 * 0.03)  # 2.97 sds away: still near
    fakes[1500:2000] += np.float32(2.2 * 0.03)  # 3.11 sds
    found = measure(toy, fakes)
    np.testing.assert_allclose(found.shares, [0.6, 0, 0, 0.25, 0, 0, 0, 0])
    assert found.modes_covered == 2 and found.high_quality == pytest.approx(0.85)


def test_a_mode_is_covered_with_a_twentieth_of_its_own_share():
    toy = TOYS["imbalanced"]
    fakes = np.repeat(toy.modes, [9956, 20, 20, 0, 4], axis=0).astype(np.float32)
    assert measure(toy, fakes).modes_covered == 1
    fakes = np.repeat(toy.modes, [9700, 130, 60, 25, 85], axis=0).astype(np.float32)
    assert measure(toy, fakes).modes_covered == 5
    assert measure(GAUSSIANS, left_half()).modes_covered == 1  # though 0.2 % stray into the other's 3 sds


def test_fakes_beside_a_curve_are_not_good():
    toy = TOYS["ring"]
    fakes = draw(toy)
    fakes[:4000] = [0, -0.1]  # its empty centre
    fakes[4000:5000] = [3, 3]
    assert measure(toy, fakes).high_quality == pytest.approx(0.5 * metrics.GOOD, abs=0.01)


def test_numbers_that_are_none_are_said_to_be_none():
    fakes = draw(TOYS["ring8"])
    fakes[7, 0] = np.nan
    found = measure(TOYS["ring8"], fakes)
    assert math.isnan(found.kl) and math.isnan(found.sw) and found.modes_covered == 0 and found.modes_total == 8


def test_plain_numbers_come_out():
    found = measure(TOYS["grid25"], draw(TOYS["grid25"]))
    assert {type(value) for value in vars(found).values()} == {float, int, tuple}
    assert type(found.shares[0]) is float and found.middle == pytest.approx((0, 0), abs=0.02)
