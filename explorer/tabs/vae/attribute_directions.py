"""Directions that mean something: from one group of codes to another, found in four ways, all in the same unit.

The unit is the natural dose: one step along a direction takes a code as far, measured along that direction, as the two
groups' means are apart. For a linear classifier with weight w that is w . step = w . (m1 - m0): the score moves from the
one group's average to the other's. The step of the class-mean difference is m1 - m0 itself.
"""

import warnings
from dataclasses import dataclass

import numpy as np

METHODS = {
    "mean": "class-mean difference",
    "probe": "logistic probe",
    "svm": "linear SVM on extremes",
    "lda": "LDA",
}
EXTREME = 0.25  # the share of either group, furthest from the probe's plane, that the SVM sees (1907.10786 takes the ends, too)
LEAST = 4  # codes of either group that a classifier needs


@dataclass(frozen=True, eq=False)
class Direction:
    """`step` (D,): one dose. `normal` (D,): its unit vector. `normal . z + offset` is the signed distance from the plane."""

    step: np.ndarray
    normal: np.ndarray
    offset: float

    @property
    def dose(self) -> float:
        """The length of one dose."""
        return float(np.linalg.norm(self.step))

    def distance(self, z: np.ndarray) -> np.ndarray:
        """(N, D) or (D,) -> signed distance from the plane, in doses: the groups' averages are one apart."""
        return (np.asarray(z) @ self.normal + self.offset) / self.dose

    def accuracy(self, z0: np.ndarray, z1: np.ndarray) -> float:
        """The share that lies on its own side of the plane, both groups counted alike: a half is chance."""
        return float(((self.distance(z0) < 0).mean() + (self.distance(z1) > 0).mean()) / 2)


def fit(method: str, z0: np.ndarray, z1: np.ndarray) -> Direction:
    """From the codes z0 (N0, D) to the codes z1 (N1, D). Raises ValueError where there is no direction between them."""
    if method not in METHODS:
        raise ValueError(f"Directions are found by {', '.join(METHODS)}; not by {str(method)[:20]!r}.")
    if not len(z0) or not len(z1):
        raise ValueError("Both sides need at least one picture.")
    if method != "mean" and min(len(z0), len(z1)) < LEAST:
        raise ValueError(f"A classifier needs {LEAST} pictures on either side; with fewer, take the mean difference.")
    weight, intercept = _FITS[method](np.asarray(z0, np.float64), np.asarray(z1, np.float64))
    return _scaled(weight, intercept, z1.mean(0) - z0.mean(0))


def _scaled(weight: np.ndarray, intercept: float, delta: np.ndarray) -> Direction:
    length = np.linalg.norm(weight)
    apart = float(weight @ delta) / length if length > 0 else 0.0
    if not apart > 1e-9:
        raise ValueError("The codes of both groups lie at the same place, so no direction leads from one to the other.")
    normal = weight / length
    return Direction(normal * apart, normal, float(intercept / length))


def _mean(z0, z1):
    weight = z1.mean(0) - z0.mean(0)
    return weight, -weight @ (z0.mean(0) + z1.mean(0)) / 2


def _probe(z0, z1):
    from sklearn.linear_model import LogisticRegression

    size = scale(z0, z1)
    found = LogisticRegression(class_weight="balanced", max_iter=2000).fit(*_both(z0 / size, z1 / size))
    return found.coef_[0] / size, found.intercept_[0]


def _svm(z0, z1):
    from sklearn.svm import SVC

    (weight, _), size = _probe(z0, z1), scale(z0, z1)
    low, high = extremes(z0 @ weight, z1 @ weight, z0 / size, z1 / size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # groups that no plane parts would keep it busy for minutes: what it has then will do
        found = SVC(kernel="linear", class_weight="balanced", max_iter=10_000).fit(*_both(low, high))
    return found.coef_[0] / size, found.intercept_[0]


def scale(z0, z1) -> float:
    """One number by which both penalise alike whatever the codes' unit is: without a KL term codes lie far out."""
    size = float(np.concatenate([z0, z1]).std(0).mean())
    return size if size > 0 else 1.0


def _lda(z0, z1):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    found = LinearDiscriminantAnalysis(solver="lsqr", priors=(0.5, 0.5)).fit(*_both(z0, z1))
    return found.coef_[0], found.intercept_[0]


_FITS = {"mean": _mean, "probe": _probe, "svm": _svm, "lda": _lda}


def extremes(s0, s1, z0, z1, share: float = EXTREME) -> tuple[np.ndarray, np.ndarray]:
    """Of z0 those with the lowest scores, of z1 those with the highest."""
    keep = [max(LEAST, round(share * len(z))) for z in (z0, z1)]
    return z0[np.argsort(s0)[: keep[0]]], z1[np.argsort(-s1)[: keep[1]]]


def _both(z0, z1) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([z0, z1]), np.repeat([0, 1], [len(z0), len(z1)])


def cosines(steps) -> np.ndarray:
    """(K, D) -> (K, K): the cosines of the angles between directions."""
    steps = np.asarray(steps, np.float64)
    units = steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-12)
    return units @ units.T


# ---- What an edit is to leave alone -------------------------------------------------------------------------------------


def spread(mu: np.ndarray, column: np.ndarray, values: int) -> np.ndarray:
    """(values - 1 or fewer, D): how one attribute moves codes, its class means less their common mean, as a basis."""
    means = np.stack([mu[column == value].mean(0) for value in range(values) if (column == value).any()])
    means = means - means.mean(0)
    _, sizes, rows = np.linalg.svd(means, full_matrices=False)
    return rows[sizes > 1e-6 * max(sizes.max(), 1e-12)] * sizes[sizes > 1e-6 * max(sizes.max(), 1e-12), None]


def without(step: np.ndarray, others: np.ndarray, metric: np.ndarray | None = None) -> np.ndarray:
    """The step less its projection on the span of `others` (K, D): least squares, so that others . result = 0.

    With a `metric` (D, D), such as the inverse of the within-class covariance, orthogonal is meant in that metric:
    others . metric . result = 0, which is the projection in the whitened space.
    """
    if not len(others):
        return step
    weights = others if metric is None else others @ metric
    back = np.linalg.lstsq(weights @ others.T, weights @ step, rcond=1e-10)[0]
    return step - others.T @ back
