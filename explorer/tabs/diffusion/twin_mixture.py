"""A Gaussian mixture in the plane, seen through noise: its density, its exact score, and what follows from them.

Noise makes x_t = √ᾱ x_0 + √(1−ᾱ) ε. A mixture of N(μ_k, s_k²) then stays a mixture, of N(√ᾱ μ_k, v_k) with
v_k = ᾱ s_k² + 1 − ᾱ, so nothing here is trained or approximated. A data set is the mixture with s → 0. Knows no schedule.
"""

from dataclasses import dataclass

import numpy as np

BLOCK = 2**16  # entries of an (n, K) table that are worked on at once: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Mixture:
    """weights (K,) that sum to 1, means (K, 2), variances (K, 2) along the axes, label (K,): the class of each part."""

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    label: np.ndarray

    def has(self, y: int | None) -> bool:
        return y is None or bool((self.label == y).any())

    def only(self, y: int | None) -> "Mixture":
        """p(x | y) as a mixture of its own."""
        if y is None:
            return self
        mine = self.label == y
        weights = self.weights[mine] / self.weights[mine].sum()
        return Mixture(weights, self.means[mine], self.variances[mine], self.label[mine])

    def noisy(self, a: float) -> tuple[np.ndarray, np.ndarray]:
        """(√ᾱ μ_k, v_k) for ᾱ = a."""
        return a**0.5 * self.means, a * self.variances + (1 - a)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """n points x_0 and their classes."""
        which = rng.choice(len(self.weights), n, p=self.weights)
        return self.means[which] + self.variances[which] ** 0.5 * rng.standard_normal((n, 2)), self.label[which]

    # ---- Through noise: x (n, 2), a = ᾱ, y a class or None for all ----

    def responsibilities(self, x, a: float, y: int | None = None) -> np.ndarray:
        """r_k = p(part k | x_t): (n, K), rows that sum to 1, 0 for the parts of other classes."""
        return _softmax(self._logs(np.asarray(x, np.float64), a, y))[0]

    def log_density(self, x, a: float, y: int | None = None) -> np.ndarray:
        """log p_t(x | y) in nats."""
        return self._each(x, lambda part: _softmax(self._logs(part, a, y))[1]) - np.log(self._share(y))

    def log_class(self, x, a: float, y: int) -> np.ndarray:
        """log p(y | x_t)."""
        return self.log_density(x, a, y) + np.log(self._share(y)) - self.log_density(x, a)

    def score(self, x, a: float, y: int | None = None) -> np.ndarray:
        """∇ log p_t(x | y) = Σ_k r_k (√ᾱ μ_k − x) / v_k."""
        m, v = self.noisy(a)

        def work(part):
            r = _softmax(self._logs(part, a, y))[0]
            return r @ (m / v) - part * (r @ (1 / v))

        return self._each(x, work)

    def x0(self, x, a: float, y: int | None = None) -> np.ndarray:
        """E[x_0 | x_t], Tweedie's estimate; finite even where ᾱ = 0."""
        return self._each(x, lambda part: self._mean(_softmax(self._logs(part, a, y))[0], part, a))

    def x0_pair(self, x, a: float, y: int | None) -> tuple[np.ndarray, np.ndarray]:
        """(E[x_0 | x_t], E[x_0 | x_t, y]) at the price of one."""
        if y is None:
            alone = self.x0(x, a)
            return alone, alone
        others = self.label != y

        def work(part):
            logs = self._logs(part, a, None)
            free = self._mean(_softmax(logs)[0], part, a)
            logs[:, others] = -np.inf
            return np.concatenate([free, self._mean(_softmax(logs)[0], part, a)], 1)

        both = self._each(x, work)
        return both[:, :2], both[:, 2:]

    def eps(self, x, a: float, y: int | None = None) -> np.ndarray:
        """The noise that a perfect predictor says: −√(1−ᾱ) · score."""
        return -((1 - a) ** 0.5) * self.score(x, a, y)

    def left_open(self, x, a: float) -> np.ndarray:
        """E|x_0 − E[x_0 | x_t]|² given x_t, (n,): the loss that even a perfect predictor keeps."""
        _, v = self.noisy(a)
        pull, push = self.means * ((1 - a) / v), a**0.5 * self.variances / v
        rest = (self.variances * (1 - a) / v).sum(1)

        def work(part):
            r = _softmax(self._logs(part, a, None))[0]
            square = r @ pull**2 + 2 * part * (r @ (pull * push)) + part**2 * (r @ push**2)
            mean = r @ pull + part * (r @ push)
            return np.maximum(r @ rest + (square - mean**2).sum(1), 0)

        return self._each(x, work)

    def entropy(self, most: int = 1600) -> float:
        """−E[log p(x_0)] in nats, by a sum over a grid that is finer than every part is wide."""
        width = self.variances.min() ** 0.5
        axes, bells = [], []
        for axis in range(2):
            reach = 7 * self.variances[:, axis].max() ** 0.5
            low, high = self.means[:, axis].min() - reach, self.means[:, axis].max() + reach
            at = np.linspace(low, high, int(min(most, np.ceil((high - low) / (0.4 * width)) + 2)))
            var = self.variances[:, axis, None]
            bells.append(np.exp(-0.5 * (at - self.means[:, axis, None]) ** 2 / var) / np.sqrt(2 * np.pi * var))
            axes.append(at[1] - at[0])
        p = (bells[1] * self.weights[:, None]).T @ bells[0]
        p = p[p > 1e-200]
        return float(-(p * np.log(p)).sum() * axes[0] * axes[1])

    def divergence(self, x, a: float) -> tuple[np.ndarray, np.ndarray]:
        """(score, ∇·score): the trace of the Hessian of log p_t beside it, in closed form."""
        m, v = self.noisy(a)
        once, square, cross = 1 / v, (m / v) ** 2 - 1 / v, m / v**2

        def work(part):
            r = _softmax(self._logs(part, a, None))[0]
            score = r @ (m * once) - part * (r @ once)
            second = r @ square - 2 * part * (r @ cross) + part**2 * (r @ once**2)
            return np.concatenate([score, (second - score**2).sum(1, keepdims=True)], 1)

        both = self._each(x, work)
        return both[:, :2], both[:, 2]

    # ---- Inside ----

    def _share(self, y):
        return 1.0 if y is None else self.weights[self.label == y].sum()

    def _mean(self, r, x, a):
        _, v = self.noisy(a)
        return r @ (self.means * ((1 - a) / v)) + x * (r @ (a**0.5 * self.variances / v))

    def _logs(self, x, a, y):
        """log w_k + log N(x; √ᾱ μ_k, v_k): (n, K). The square is multiplied out, so that it is two matrix products."""
        m, v = self.noisy(a)
        with np.errstate(divide="ignore"):
            constant = np.log(self.weights) - 0.5 * (m * m / v + np.log(2 * np.pi * v)).sum(1)
        logs = (x * x) @ (-0.5 / v).T + x @ (m / v).T + constant
        if y is not None:
            logs[:, self.label != y] = -np.inf
        return logs

    def _each(self, x, work):
        x = np.asarray(x, np.float64)
        rows = max(1, BLOCK // len(self.weights))
        if len(x) <= rows:
            return work(x)
        return np.concatenate([work(x[i : i + rows]) for i in range(0, len(x), rows)])


def _softmax(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(softmax, log of the sum) over the last axis, in the memory of `logs`' copy."""
    top = logs.max(1, keepdims=True)
    r = np.exp(logs - top)
    total = r.sum(1, keepdims=True)
    r /= total
    return r, (top + np.log(total))[:, 0]
