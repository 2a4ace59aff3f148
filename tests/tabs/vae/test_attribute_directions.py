"""Directions against scikit-learn, closed forms, and a latent in which the truth is known."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from explorer.tabs.vae import attribute_directions as directions


def cosine(a, b) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture(scope="module")
def groups():
    """Two groups of unequal size and a covariance of their own, in six dimensions."""
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(6, 6)) / 2
    return rng.normal(size=(240, 6)) @ mix, rng.normal(size=(160, 6)) @ mix + np.array([1, -0.5, 0.3, 0, 0, 0.2])


def both(z0, z1):
    return np.concatenate([z0, z1]), np.repeat([0, 1], [len(z0), len(z1)])


def test_the_mean_difference_is_exact(groups):
    z0, z1 = groups
    found = directions.fit("mean", z0, z1)
    assert np.allclose(found.step, z1.mean(0) - z0.mean(0), atol=1e-12)
    assert found.distance((z0.mean(0) + z1.mean(0)) / 2) == pytest.approx(0, abs=1e-12)


def test_the_probe_is_scikit_learns(groups):
    found = directions.fit("probe", *groups)
    z = np.concatenate(groups) / directions.scale(*groups)
    truth = LogisticRegression(class_weight="balanced", max_iter=2000).fit(z, both(*groups)[1])
    assert cosine(found.step, truth.coef_[0]) == pytest.approx(1, abs=1e-9)
    assert np.array_equal(found.distance(np.concatenate(groups)) > 0, truth.predict(z) == 1)


def test_the_svm_is_scikit_learns_on_the_extremes(groups):
    z0, z1 = (side / directions.scale(*groups) for side in groups)
    weight = LogisticRegression(class_weight="balanced", max_iter=2000).fit(*both(z0, z1)).coef_[0]
    low = z0[np.argsort(z0 @ weight)[: len(z0) // 4]]
    high = z1[np.argsort(-(z1 @ weight))[: len(z1) // 4]]
    truth = SVC(kernel="linear", class_weight="balanced").fit(*both(low, high))
    found = directions.fit("svm", z0, z1)
    assert cosine(found.step, truth.coef_[0]) == pytest.approx(1, abs=1e-9)
    assert np.array_equal(found.distance(z1) > 0, truth.predict(z1) == 1)


def test_lda_is_scikit_learns_and_the_closed_form(groups):
    z0, z1 = groups
    found = directions.fit("lda", z0, z1)
    truth = LinearDiscriminantAnalysis(solver="svd", priors=(0.5, 0.5)).fit(*both(z0, z1))
    within = (np.cov(z0.T, bias=True) + np.cov(z1.T, bias=True)) / 2  # either group weighs a half
    closed = np.linalg.solve(within, z1.mean(0) - z0.mean(0))
    assert cosine(found.step, closed) == pytest.approx(1, abs=1e-9)
    # The solver "svd" weighs by the groups' sizes, which 240 and 160 make a small difference.
    assert cosine(found.step, truth.coef_[0]) > 0.999
    assert found.distance((z0.mean(0) + z1.mean(0)) / 2) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("method", directions.METHODS)
def test_one_dose_takes_one_mean_to_the_other_along_the_direction(groups, method):
    z0, z1 = groups
    found, delta = directions.fit(method, z0, z1), z1.mean(0) - z0.mean(0)
    assert found.normal @ found.step == pytest.approx(found.normal @ delta)
    assert found.distance(z1.mean(0)) - found.distance(z0.mean(0)) == pytest.approx(1)
    assert np.allclose(found.step, found.normal * found.dose)
    assert found.distance(z0 + found.step) - found.distance(z0) == pytest.approx(np.ones(len(z0)))


@pytest.mark.parametrize("method", directions.METHODS)
def test_the_dose_does_not_depend_on_the_unit_of_the_codes(groups, method):
    z0, z1 = groups
    once, large = directions.fit(method, z0, z1), directions.fit(method, 7 * z0, 7 * z1)
    assert np.allclose(large.step, 7 * once.step, atol=1e-3)
    assert np.allclose(large.distance(7 * z1), once.distance(z1), atol=1e-3)
    assert large.accuracy(7 * z0, 7 * z1) == once.accuracy(z0, z1)


@pytest.mark.parametrize("method", directions.METHODS)
def test_back_is_the_way_there_turned_round(groups, method):
    there, back = directions.fit(method, *groups), directions.fit(method, *groups[::-1])
    assert np.allclose(there.step, -back.step, atol=2e-3)


def test_accuracy_counts_both_groups_alike():
    plane = directions.Direction(np.array([1.0]), np.array([1.0]), 0.0)
    assert plane.accuracy(np.full((90, 1), 2.0), np.full((10, 1), 2.0)) == 0.5  # all on one side: chance
    assert plane.accuracy(np.full((90, 1), -2.0), np.full((10, 1), 2.0)) == 1


# --- A latent in which the truth is known: z = a u + b v + noise, where b goes along with a in nine cases of ten ---


@pytest.fixture(scope="module")
def correlated():
    rng = np.random.default_rng(0)
    u, v = np.eye(8)[0] * 2, np.eye(8)[1] * 2
    a = rng.integers(0, 2, 4000)
    b = np.where(rng.random(4000) < 0.9, a, 1 - a)
    return u, v, a, b, a[:, None] * u + b[:, None] * v + 0.4 * rng.normal(size=(4000, 8))


def test_lda_takes_a_correlated_attribute_out_and_the_mean_difference_does_not(correlated):
    u, v, a, b, z = correlated
    mean, lda = (directions.fit(method, z[a == 0], z[a == 1]) for method in ("mean", "lda"))
    expected = u + v * (b[a == 1].mean() - b[a == 0].mean())  # b goes along by .8
    assert np.allclose(mean.step, expected, atol=0.06)  # standard error of a mean of 2,000: .4 * sqrt(2 / 2000) = .013
    assert cosine(mean.step, v) > 0.55
    # Within a class b still varies, p (1 - p) = .09, so the covariance is .16 I + .09 v v': of the lean .16 / .52 is left.
    within = 0.16 * np.eye(8) + 0.09 * np.outer(v, v)
    assert cosine(lda.step, np.linalg.solve(within, u + 0.8 * v)) > 0.995
    assert cosine(lda.step, v) < 0.3


@pytest.mark.parametrize("metric", [False, True])
def test_what_is_kept_is_at_right_angles(correlated, metric):
    u, v, a, b, z = correlated
    mean = directions.fit("mean", z[a == 0], z[a == 1])
    others = np.stack([v, np.arange(8.0), np.ones(8)])
    weight = np.linalg.inv(np.cov(z.T)) if metric else None
    free = directions.without(mean.step, others, weight)
    assert np.abs((others if weight is None else others @ weight) @ free).max() < 1e-5
    assert np.allclose(directions.without(free, others, weight), free, atol=1e-9)  # twice is once


def test_subtracting_the_projection_is_the_least_change(correlated):
    _, v, a, _, z = correlated
    step = directions.fit("mean", z[a == 0], z[a == 1]).step
    free = directions.without(step, v[None])
    assert np.allclose(free, step - (step @ v) / (v @ v) * v)
    assert np.array_equal(directions.without(step, np.empty((0, 8))), step)


def test_an_attributes_spread_is_the_span_of_its_class_means():
    rng = np.random.default_rng(1)
    means, column = rng.normal(size=(4, 6)), np.repeat(np.arange(4), 50)
    basis = directions.spread(means[column], column, 4)
    assert basis.shape == (3, 6)
    left = directions.without(means[2] - means[0], basis)
    assert np.abs(left).max() < 1e-9
    assert len(directions.spread(np.ones((200, 6)), column, 4)) == 0  # a collapsed world has none


def test_cosines_are_those_of_the_definition():
    steps = np.array([[1.0, 0], [1, 1], [0, -3]])
    assert np.allclose(directions.cosines(steps), [[1, 0.5**0.5, 0], [0.5**0.5, 1, -(0.5**0.5)], [0, -(0.5**0.5), 1]])


@pytest.mark.parametrize(
    "method, z0, z1, words",
    [
        ("magic", np.zeros((9, 2)), np.ones((9, 2)), "mean, probe, svm, lda"),
        ("mean", np.zeros((0, 2)), np.ones((9, 2)), "at least one picture"),
        ("lda", np.zeros((3, 2)), np.ones((9, 2)), "4 pictures"),
        ("mean", np.ones((9, 2)), np.ones((9, 2)), "the same place"),
        ("lda", np.ones((9, 2)), np.ones((9, 2)), "the same place"),
    ],
)
def test_what_has_no_direction_is_said_in_a_sentence(method, z0, z1, words):
    with pytest.raises(ValueError, match=words):
        directions.fit(method, z0, z1)
