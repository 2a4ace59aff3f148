"""What a run's rounds were like, from the first to the last, in a few hundred points. Knows no network.

When there are too many points, each two become their mean: the curve always covers the whole run.
"""

import numpy as np

MOST = 800


class Curve:
    """Rows of (round, values of `names`). NaN is unknown; the mean of a pair ignores it."""

    def __init__(self, names: tuple[str, ...], most: int = MOST):
        self.names, self._most = names, most
        self._rows: list[np.ndarray] = []
        self._gap = 1  # rounds to a point
        self._open: list[np.ndarray] = []  # rows of the point that is not full yet

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rounds: int, values: np.ndarray) -> None:
        """(R, len(names)) values of the R rounds that end with `rounds`."""
        first = rounds - len(values) + 1
        steps = np.arange(first, rounds + 1, dtype=np.float64)
        rows = np.column_stack([steps, values])
        if self._gap == 1 and len(rows) < 64 and not self._open:
            self._rows.extend(rows)
        else:
            self._fill(rows)
        while len(self._rows) > self._most:
            even = len(self._rows) // 2 * 2
            pairs = np.array(self._rows[:even]).reshape(-1, 2, len(self.names) + 1)
            self._rows = [*_mean(pairs, axis=1), *self._rows[even:]]
            self._gap *= 2

    def _fill(self, rows: np.ndarray) -> None:
        rows = np.concatenate([np.array(self._open).reshape(-1, rows.shape[1]), rows])
        full = len(rows) // self._gap * self._gap
        self._rows.extend(_mean(rows[:full].reshape(-1, self._gap, rows.shape[1]), axis=1))
        self._open = list(rows[full:])

    def until(self, rounds: int) -> "Curve":
        """A copy that ends with this round."""
        other = Curve(self.names, self._most)
        other._rows = [row for row in self._rows if row[0] <= rounds]
        other._gap = self._gap
        return other

    def last(self, points: int = 1) -> dict[str, float]:
        """The mean of the newest points, by name."""
        recent = [*self._rows[-points:], *self._open][-points:]
        if not recent:
            return {name: float("nan") for name in self.names}
        return dict(zip(self.names, _mean(np.array(recent))[1:].tolist()))

    def columns(self) -> dict[str, list]:
        """{"step": [...], name: [...]}, unknown values as None."""
        rows = [*self._rows, *([_mean(np.array(self._open))] if self._open else [])]
        table = np.array(rows).reshape(-1, len(self.names) + 1)
        out = {"step": np.round(table[:, 0]).astype(int).tolist()}
        for name, column in zip(self.names, table[:, 1:].T):
            out[name] = [float(f"{value:.5g}") if np.isfinite(value) else None for value in column]
        return out


def _mean(rows: np.ndarray, axis: int = 0) -> np.ndarray:
    """The mean of rows, column by column, of what is known."""
    known = np.isfinite(rows)
    count = known.sum(axis)
    return np.where(count, np.where(known, rows, 0).sum(axis) / np.maximum(count, 1), np.nan)
