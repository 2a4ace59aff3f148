"""Guidance, Bayes, coverage, memory, race, likelihood and bound, each against what must hold."""

import json

import numpy as np
import pytest

from explorer import assets
from explorer.tabs.diffusion import (
    twin,
    twin_coverage,
    twin_elbo,
    twin_gan,
    twin_guidance,
    twin_likelihood,
    twin_memory,
    twin_schedule,
)
from explorer.tabs.diffusion.twin_mixture import Mixture


@pytest.mark.parametrize("data", ["ring8", "gaussians", "moons"])
@pytest.mark.parametrize("w", [1, 5])
def test_classifier_guidance_is_classifier_free_guidance(data, w):
    told = twin_guidance.bayes(twin.check({"data": data, "w": w, "y": 1}), [0.3, -0.8], 400)
    assert max(row["worst"] for row in told["rows"]) < 1e-9 and told["worst"] < 1e-9 and told["films"] < 1e-6
    np.testing.assert_allclose(told["classifier"], told["free_guidance"], atol=1e-9)


def test_the_classifiers_slope_is_a_finite_difference():
    parts, x, h = twin.presets()["ring8"].law, np.array([[0.4, 0.9]]), 1e-6
    share, slope = twin_guidance.class_slope(parts, x, 0.5, 0)
    assert share[0] == pytest.approx(np.exp(parts.log_class(x, 0.5, 0))[0])
    for k, axis in enumerate(np.eye(2)):
        step = parts.log_class(x + h * axis, 0.5, 0) - parts.log_class(x - h * axis, 0.5, 0)
        assert slope[0, k] == pytest.approx(step[0] / (2 * h), abs=1e-7)


def test_guidance_shrinks_and_overshoots():
    told = twin_guidance.curve(twin.check({"data": "ring8", "steps": 50}))
    at = {row["w"]: row for row in told["rows"]}
    assert at[0]["right"] == pytest.approx(0.5, abs=0.1) and at[1]["right"] > 0.95 and at[4]["right"] > 0.95
    assert at[4]["spread"] < at[1]["spread"] and at[8]["radius"] > at[1]["radius"]
    assert at[1]["radius"] == pytest.approx(told["truth"]["radius"], rel=0.02)


def test_the_ode_says_the_true_likelihood():
    parts = Mixture(
        np.array([0.3, 0.7]), np.array([[-1.0, 0.5], [1.0, -0.5]]), np.array([[0.04, 0.1], [0.2, 0.05]]), np.arange(2)
    )
    x, _ = parts.sample(200, np.random.default_rng(0))
    found, ends = twin_likelihood.log_likelihood(parts, x, 40, 1e-4)
    assert np.abs(found - parts.log_density(x, 1.0)).mean() < 0.005
    assert np.abs(ends.mean(0)).max() < 0.25 and np.abs(ends.std(0) - 1).max() < 0.2  # the points became noise


@pytest.mark.parametrize("data", ["ring8", "gaussians"])
def test_the_lessons_likelihood_is_within_002_nats_and_better_solvers_are_better(data):
    told = twin_likelihood.compare(twin.check({"data": data}))
    last = {name: rows[-1]["mean"] for name, rows in told["solvers"].items()}
    assert last["rk4"] < 0.02 and last["rk4"] < last["heun"] < last["euler"]


@pytest.mark.parametrize(
    "data, schedule", [("gaussians", "linear"), ("moons", "cosine"), *(("ring8", name) for name in twin_schedule.NAMES)]
)
def test_the_bound_is_a_bound_and_tightens(data, schedule):
    told = twin_elbo.tighten(twin.check({"data": data, "schedule": schedule}))
    gaps = [row["total"] - told["nll"] for row in told["rows"]]
    errors = [3 * row["error"] for row in told["rows"]]
    assert all(gap > -error for gap, error in zip(gaps, errors))
    assert all(later < sooner + error for sooner, later, error in zip(gaps, gaps[1:], errors[1:]))
    assert gaps[-1] < 0.06 and gaps[0] > 4 * abs(gaps[-1])
    for row in told["rows"]:
        assert row["total"] == pytest.approx(row["prior"] + row["denoising"] + row["reconstruction"])
        assert row["fixed"] >= row["total"]
        assert sum(row["each"]) == pytest.approx(row["denoising"])


def test_one_gaussian_of_unit_variance_has_no_gap():
    """Then p_t is N(0, I) for all t, every reverse step is a Gaussian, and the bound is the likelihood itself."""
    one = Mixture(np.ones(1), np.zeros((1, 2)), np.ones((1, 2)), np.zeros(1, int))
    for steps in (2, 10):
        row = twin_elbo.bound(one, "linear", steps)
        assert row["total"] == pytest.approx(1 + np.log(2 * np.pi), abs=1e-3)
    assert one.entropy() == pytest.approx(1 + np.log(2 * np.pi), abs=1e-6)


def test_a_data_set_without_width_is_memorised_and_has_no_likelihood():
    settings = twin.check({"data": "moons", "size": 60})
    told = twin_memory.sweep(settings)
    zero, wide = told["rows"][0], told["rows"][-1]
    assert zero["worst"] < 1e-3 and zero["copies"] == 1 and zero["used"] > 30
    assert wide["median"] > 0.1 and wide["copies"] < 0.3
    points = twin.check({"data": "moons", "kind": "points", "size": 60, "s": 0.0})
    for lesson in (twin_likelihood.compare, twin_elbo.tighten):
        with pytest.raises(ValueError, match="has no density"):
            lesson(points)


def test_a_point_that_was_drawn_twice_is_copied_all_the_same():
    points = [[-1, 0], [-1, 0], [1, 0], [1, 0], [1, 0]]
    told = twin_memory.sweep(twin.check({"data": "own", "points": points, "y": None, "steps": 10, "n": 50}))
    assert told["rows"][0]["copies"] == 1 and told["rows"][0]["used"] == told["size"] == 2


def test_nearest_points():
    train = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
    first, second, which = twin_memory.nearest(np.array([[0.9, 0.0], [0.0, 2.0]]), train)
    np.testing.assert_allclose(first, [0.1, 1.0])
    np.testing.assert_allclose(second, [0.9, 2.0])
    assert which.tolist() == [1, 2]
    assert twin_memory.nearest(np.zeros((1, 2)), train[:1])[1].tolist() == [np.inf]


def test_all_modes_are_covered_by_their_shares():
    told = twin_coverage.compare(twin.check({"data": "ring8", "steps": 50}))
    rows = {row["name"]: row for row in told["rows"]}
    assert rows["diffusion"]["hit"] == 8 and rows["diffusion"]["near"] > 0.95
    assert min(rows["diffusion"]["shares"]) > 0.08 and max(rows["diffusion"]["shares"]) < 0.17
    assert rows["truth"]["near"] == pytest.approx(0.989, abs=0.012)
    assert {"truth", "diffusion", "gan"} == set(rows)


@pytest.mark.parametrize("data", ["ring8", "disjoint", "spiral", "checkerboard"])
def test_the_shipped_gans_are_read_as_the_gan_tab_measured_them(data):
    """The same share of fakes near the data as the card's, which the tab of GANs measured itself."""
    fakes, card = twin_gan.samples(data, 4000, 0)
    known = assets.card(f"gan/{data}")["metrics"]["high_quality"]
    preset = twin.presets()[data]
    if preset.modes is not None:
        away = (((fakes[:, None] - preset.modes) / preset.spreads) ** 2).sum(2).min(1)
        assert (away <= 9).mean() == pytest.approx(known, abs=0.03)
    assert np.abs(fakes).max() < 2 * twin.REACH and json.dumps(card)


def test_more_steps_come_nearer():
    told = twin_coverage.race(twin.check({"data": "ring8"}))
    near = [row["ode"]["near"] for row in told["rows"]]
    assert near == sorted(near) and near[0] < 0.5 and near[-1] > 0.97
    assert told["rows"][-1]["sde"]["near"] > 0.97


def test_the_distance_of_a_cloud_that_was_moved():
    x = np.random.default_rng(0).standard_normal((2000, 2))
    assert twin_coverage.distance(x, x) == 0
    assert twin_coverage.distance(x, x + [1, 0]) == pytest.approx(2 / np.pi, abs=0.02)  # the mean of |cos|


LESSONS = (
    twin_guidance.curve, twin_guidance.bayes, twin_coverage.compare, twin_coverage.race, twin_likelihood.compare,
    twin_elbo.tighten, twin_memory.sweep,
)  # fmt: skip


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: f"{one.__module__.split('_')[-1]}.{one.__name__}")
def test_lessons_answer_for_own_points_and_the_checkerboard(lesson):
    """Few points, two classes, a width; and data of which no law is known."""
    points = [[-1, 0, 0], [-1.2, 0.1, 0], [1, 0, 1], [1.3, -0.2, 1]]
    for given in ({"data": "own", "points": points}, {"data": "checkerboard", "size": 50}):
        told = lesson(twin.check({**given, "s": 0.1, "y": 1, "steps": 5}))
        assert json.loads(json.dumps(told, allow_nan=False))
