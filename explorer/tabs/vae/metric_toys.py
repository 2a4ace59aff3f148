"""Codes whose worth is known beforehand: three factors of five values, and what may be done to the code that names them.

A metric that does not tell these apart as it should is not computed right; and they show what each metric is fooled by.
"""

import numpy as np

FACTORS = {name: ("1", "2", "3", "4", "5") for name in ("factor A", "factor B", "factor C")}
NOISE = 0.05
TOYS = {
    "perfect": "one number for each factor",
    "dead": "the perfect code and two numbers that say nothing",
    "doubled": "the perfect code, every number twice",
    "turned": "the perfect code, its first two numbers turned by 45 degrees",
    "noise": "three numbers that know nothing of the factors",
}


def factors(rng: np.random.RandomState, n: int) -> np.ndarray:
    """(n, 3) whole numbers from 0 to 4, independent."""
    return np.stack([rng.randint(0, 5, n) for _ in FACTORS], 1)


def code(toy: str, rng: np.random.RandomState, v: np.ndarray) -> np.ndarray:
    """(n, D): the code of that name for factors (n, 3). Raises ValueError for another name."""
    if toy not in TOYS:
        raise ValueError(f"There is no code called {toy[:20]!r} here; there are {', '.join(TOYS)}.")
    if toy == "noise":
        return rng.randn(len(v), 3)
    s = (v - 2) / np.sqrt(2)  # variance 1
    if toy == "turned":
        c = np.sqrt(0.5)
        s = s @ np.array([[c, -c, 0], [c, c, 0], [0, 0, 1]]).T
    z = s + NOISE * rng.randn(len(v), 3)
    if toy == "dead":
        return np.hstack([z, 0.01 * rng.randn(len(v), 2)])
    return np.hstack([z, z]) if toy == "doubled" else z


def pair(toy: str, train: int = 4000, test: int = 2000, seed: int = 1):
    """z, v, z_test, v_test."""
    rng = np.random.RandomState(seed)
    v = factors(rng, train)
    z = code(toy, rng, v)
    v_test = factors(rng, test)
    return z, v, code(toy, rng, v_test), v_test


def draw(toy: str, count: int = 64):
    """`draw` of `metric_scores.factor_score`, with fresh codes for every vote."""

    def fixed(rng, k):
        v = factors(rng, count)
        v[:, k] = v[0, k]
        return code(toy, rng, v)

    return fixed
