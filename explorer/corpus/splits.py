"""Which attributes image number `index` has, and which numbers belong to which split.

Training, validation and test faces draw every factor uniformly and independently, except for the pairs in
`factors.HELD_OUT` (6.7 % of all combinations), which they never show: when such a pair comes up, its second value is
replaced by the second value of another pair of its group. That keeps every factor exactly uniform on its own, and all
factors outside the group independent. The faces of the split "compose" show at least one held-out pair each, and are
uniform otherwise: a model that does well there has composed what it knows, not remembered it.
"""

from __future__ import annotations

import numpy as np

from . import numbers
from .canvas import SIZE, draw
from .factors import FACTORS, HELD_OUT, column, value

# Disjoint ranges of image numbers; everything else about an image follows from its number and the seed.
SPLITS: dict[str, range] = {
    "train": range(0, 10_000_000),
    "val": range(10_000_000, 11_000_000),
    "test": range(11_000_000, 12_000_000),
    "compose": range(12_000_000, 13_000_000),
}

_DRAW, _REPLACE = 2, 3  # streams of numbers.bits
_COUNTS = [len(names) for names in FACTORS.values()]


def _pairs() -> list[tuple[int, int, np.ndarray]]:
    """Per group of held-out pairs: the two columns, and the pairs as value numbers (k, 2)."""
    return [
        (column(a), column(b), np.array([[value(a, x), value(b, y)] for x, y in pairs]))
        for (a, b), pairs in HELD_OUT.items()
    ]


def held_out(rows: np.ndarray) -> np.ndarray:
    """bool (N,): whether a face shows a pair that is kept out of training."""
    rows = np.atleast_2d(rows)
    found = np.zeros(len(rows), bool)
    for a, b, pairs in _pairs():
        found |= (rows[:, [a, b]][:, None] == pairs).all(-1).any(1)
    return found


def attributes(indices, seed: int = 0, split: str | None = None) -> np.ndarray:
    """Value numbers of images: indices (N,) -> int64 (N, len(FACTORS)).

    Without `split` an index is an image's own number (`SPLITS` says which split owns it); with it, indices count from
    that split's start. Raises ValueError for an unknown split or a number outside every split.
    """
    indices = _numbers(indices, split)
    rows = numbers.below(numbers.bits(seed, indices, _DRAW, len(_COUNTS)), _COUNTS)
    words = numbers.bits(seed, indices, _REPLACE, 2 + len(HELD_OUT))
    compose = (indices >= SPLITS["compose"].start) & (indices < SPLITS["compose"].stop)

    # Training, validation, test: replace the second value of a held-out pair.
    for group, (a, b, pairs) in enumerate(_pairs()):
        step = 1 + numbers.below(words[:, 2 + group], len(pairs) - 1)  # how many pairs further
        hit = (rows[:, [a, b]][:, None] == pairs).all(-1)  # (N, k)
        other = pairs[(hit.argmax(1) + step) % len(pairs), 1]
        rows[:, b] = np.where(hit.any(1) & ~compose, other, rows[:, b])

    # Compose: put one held-out pair there, each group and each of its pairs equally often.
    chosen = numbers.below(words[:, 0], len(HELD_OUT))
    for group, (a, b, pairs) in enumerate(_pairs()):
        here = compose & (chosen == group)
        rows[here, a], rows[here, b] = pairs[numbers.below(words[here, 1], len(pairs))].T
    return rows


def render(indices, seed: int = 0) -> np.ndarray:
    """Images by their numbers: (N,) -> uint8 (N, 64, 64, 3)."""
    indices = np.atleast_1d(np.asarray(indices, np.int64))
    return draw(attributes(indices, seed), indices, seed)


def batch(split: str, start: int, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The `start`-th and following images of a split: uint8 (count, 64, 64, 3) and their attributes (count, A)."""
    indices = _numbers(np.arange(start, start + count), split)
    if not count:
        return np.empty((0, SIZE, SIZE, 3), np.uint8), np.empty((0, len(_COUNTS)), np.int64)
    rows = attributes(indices, seed)
    return draw(rows, indices, seed), rows


def _numbers(indices, split: str | None) -> np.ndarray:
    """Checks image numbers and makes those of a split absolute."""
    indices = np.atleast_1d(np.asarray(indices, np.int64))
    if split is None:
        first, last = 0, SPLITS["compose"].stop
    elif split in SPLITS:
        first, last = SPLITS[split].start, SPLITS[split].stop
    else:
        raise ValueError(f"There is no split {split!r}; choose one of {', '.join(SPLITS)}.")
    if indices.size and (indices.min() < 0 or indices.max() >= last - first):
        asked = f"{indices.min():,} to {indices.max():,}"
        raise ValueError(f"{split or 'The corpus'} has images 0 to {last - first - 1:,}, not {asked}.")
    return indices + first
