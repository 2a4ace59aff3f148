"""How well single numbers of a code match single known factors: MIG, DCI, SAP and the FactorVAE score, from their papers.

Codes are (N, D) means, factors (N, K) whole numbers. Nothing here knows a model; `metric_codes` brings the codes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BINS = 20  # of equal width between the least and the largest of a dimension
FLOOR = 1e-11  # what DCI's reference adds to importances, so that no logarithm is of 0
VOTE = 64  # codes of one vote of the FactorVAE score
PRUNE = 0.05  # a dimension whose spread is below it takes no part in those votes


# ---- MIG: Chen et al. 2018, 1802.04942, section 4; means instead of samples, as everybody's code has it ----------------------


def binned(z: np.ndarray, bins: int = BINS) -> np.ndarray:
    """(N, D) -> (N, D) whole numbers from 0 to bins - 1, per dimension of equal width."""
    out = np.empty(z.shape, np.int64)
    for d, column in enumerate(np.asarray(z, np.float64).T):
        out[:, d] = np.digitize(column, np.histogram(column, bins)[1][:-1]) - 1
    return out


def information(z: np.ndarray, v: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Mutual information in nats of every binned dimension with every factor: (D, K)."""
    cells = binned(z, bins)
    found = np.empty((z.shape[1], v.shape[1]))
    for k, factor in enumerate(v.T):
        values = int(factor.max()) + 1
        for d in range(z.shape[1]):
            joint = np.bincount(cells[:, d] * values + factor, minlength=bins * values).reshape(bins, values) / len(v)
            found[d, k] = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
    return found


def entropy(p: np.ndarray) -> float:
    """Of a distribution over few values, in nats."""
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def entropies(v: np.ndarray) -> np.ndarray:
    """Of every factor, in nats: (K,)."""
    return np.array([entropy(np.bincount(factor) / len(v)) for factor in v.T])


def mig(z: np.ndarray, v: np.ndarray, bins: int = BINS) -> float:
    """Mean over factors of the gap between the two dimensions that know most of it, in parts of the factor's entropy."""
    return mig_of(information(z, v, bins), entropies(v))


def mig_of(table: np.ndarray, h: np.ndarray) -> float:
    """The same from `information` and `entropies`. A factor that never changes does not count."""
    told = h > 0
    if len(table) < 2 or not told.any():
        return float((table[0, told] / h[told]).mean()) if told.any() else 0.0
    best = np.sort(table[:, told], axis=0)
    return float(((best[-1] - best[-2]) / h[told]).mean())


# ---- DCI: Eastwood & Williams 2018, openreview By-7dz-AZ --------------------------------------------------------------------


@dataclass(frozen=True)
class Dci:
    """Disentanglement, completeness, and informativeness as accuracy on codes that were held back; importances (D, K)."""

    disentanglement: float
    completeness: float
    informativeness: float
    importances: np.ndarray


def dci(z, v, z_test, v_test, seed: int = 0, tell: Callable[[int, int], None] = lambda done, total: None) -> Dci:
    """By gradient boosting with scikit-learn's usual settings, which takes minutes. tell(done, total) after every factor."""
    from sklearn.ensemble import GradientBoostingClassifier

    importances, right = np.zeros((z.shape[1], v.shape[1])), []
    for k in range(v.shape[1]):
        model = GradientBoostingClassifier(random_state=seed).fit(z, v[:, k])
        importances[:, k] = np.abs(model.feature_importances_)
        right.append(np.mean(model.predict(z_test) == v_test[:, k]))
        tell(k + 1, v.shape[1])
    return Dci(*dci_of(importances), float(np.mean(right)), importances)


def dci_of(importances: np.ndarray) -> tuple[float, float]:
    """Disentanglement and completeness of importances (D, K). With one factor, or one dimension, that half is NaN: log 1 is 0."""
    from scipy.stats import entropy as spread

    dims, factors = importances.shape
    total = importances.sum()
    rows = 1 - spread(importances.T + FLOOR, base=factors) if factors > 1 else np.full(dims, np.nan)
    columns = 1 - spread(importances + FLOOR, base=dims) if dims > 1 else np.full(factors, np.nan)
    return float(rows @ importances.sum(1) / total), float(columns @ importances.sum(0) / total)


# ---- SAP: Kumar et al. 2018, 1711.00848, section 3 --------------------------------------------------------------------------


def sap(z, v, z_test=None, v_test=None) -> float:
    """Mean over factors of the gap between the two dimensions that predict it best.

    Categories by the accuracy of a linear SVM of one number on (z_test, v_test); without these, by R^2.
    """
    return sap_of(squared_correlation(z, v) if z_test is None else svm_accuracy(z, v, z_test, v_test))


def sap_of(scores: np.ndarray) -> float:
    best = np.sort(scores, axis=0)
    return float((best[-1] - best[-2]).mean()) if len(scores) > 1 else float(best[-1].mean())


def svm_accuracy(z, v, z_test, v_test, dims=None) -> np.ndarray:
    """(D, K), or the rows of `dims` only: the part of test codes whose factor a linear SVM of that one number finds."""
    from sklearn.svm import LinearSVC

    rows = range(z.shape[1]) if dims is None else dims
    scores = np.zeros((len(rows), v.shape[1]))
    for row, d in enumerate(rows):
        for k in range(v.shape[1]):
            model = LinearSVC(C=0.01, class_weight="balanced").fit(z[:, [d]], v[:, k])
            scores[row, k] = np.mean(model.predict(z_test[:, [d]]) == v_test[:, k])
    return scores


def squared_correlation(z, v) -> np.ndarray:
    """(D, K): R^2 of one dimension and one factor, 0 for a dimension that does not move."""
    z, v = z - z.mean(0), v - v.mean(0)
    below = (z**2).mean(0)[:, None] * (v**2).mean(0)
    still = ((z**2).mean(0) <= 1e-12)[:, None] | (below == 0)
    return np.where(still, 0.0, (z.T @ v / len(z)) ** 2 / np.where(still, 1.0, below))


# ---- The FactorVAE score: Kim & Mnih 2018, 1802.05983, section 4 and appendix B ---------------------------------------------


def factor_score(draw: Callable[[np.random.RandomState, int], np.ndarray], factors: int, spread: np.ndarray,
                 rng: np.random.RandomState, train: int = 10_000, test: int = 5_000) -> tuple[float, int]:  # fmt: skip
    """(score, dimensions that took part). draw(rng, k) gives VOTE codes that share one value of factor k.

    spread: variance of every dimension over all codes. A vote is the dimension that moves least in its usual spread; which
    factor each dimension speaks for is learnt from `train` votes and checked on `test` others. Without a dimension: 0.
    """
    active = np.flatnonzero(np.sqrt(spread) >= PRUNE)
    if not len(active):
        return 0.0, 0
    learnt, checked = (votes(draw, factors, spread, active, rng, count) for count in (train, test))
    speaks = learnt.argmax(1)
    return float(checked[np.arange(len(active)), speaks].sum() / test), len(active)


def votes(draw, factors: int, spread, active, rng, count: int) -> np.ndarray:
    """(active dimensions, factors): how often each dimension was the stillest while each factor was held."""
    table = np.zeros((len(active), factors), np.int64)
    for _ in range(count):
        k = rng.randint(factors)
        z = draw(rng, k)[:, active]
        table[np.argmin(z.var(0, ddof=1) / spread[active]), k] += 1
    return table


def pool(z: np.ndarray, v: np.ndarray) -> Callable[[np.random.RandomState, int], np.ndarray]:
    """`draw` of `factor_score` from codes that are there: a random one says the value, VOTE of those that share it are drawn."""
    groups = [[np.flatnonzero(factor == value) for value in range(int(factor.max()) + 1)] for factor in v.T]

    def draw(rng, k):
        same = groups[k][v[rng.randint(len(v)), k]]
        return z[same[rng.randint(len(same), size=VOTE)]]

    return draw
