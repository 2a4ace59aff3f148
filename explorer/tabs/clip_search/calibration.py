"""From which z-score on our own model's results are sure: learnt from faces it never saw, of which everything is known.

The more a text says, the higher the faces score that fit it, and the higher those that fit it by half. So the thresholds are
found for texts of one to four attributes and interpolated by the number of words that say something.
"""

from dataclasses import dataclass

import numpy as np

from explorer import corpus
from explorer.corpus.factors import NAMES, column

FACES, TEXTS = 256, 64  # of the split "val", and texts of each length
LONGEST = 4  # attributes


@dataclass(frozen=True)
class Thresholds:
    """For texts of so many telling words, (K,) ascending: the least z to be sure, and the least to be a maybe.

    `label` is what a label t of a classifier must add to the text p that says nothing, to be more than "none of these": the
    cosine with t - p over |t - p|, in standard deviations of a picture's unrelated scores.
    """

    words: np.ndarray
    sure: np.ndarray
    maybe: np.ndarray
    label: float

    def at(self, words: float) -> tuple[float, float]:
        """(sure, maybe) for a text of so many; at the ends those of the shortest and of the longest."""
        return float(np.interp(words, self.words, self.sure)), float(np.interp(words, self.words, self.maybe))


def calibrate(model, unrelated, empty: np.ndarray) -> Thresholds:
    """`unrelated(pieces)` gives the background texts (N, D) of a length, `empty` (D,) is the text that says nothing.

    Sure lies half-way between the faces that fit and the best of those that fit by half; maybe above the best of those of which
    nothing fits.
    """
    images, rows = corpus.batch("val", 0, FACES)
    vectors, rng = model.images(images), np.random.default_rng(0)
    spread = (vectors @ unrelated(12).T).std(1)

    sure, maybe, labels = [], [], []
    for k in range(1, 1 + LONGEST):
        right, half, wrong = [], [], []
        for seed in range(TEXTS):
            row = rows[rng.integers(FACES)]
            there = [name for name in NAMES if corpus.FACTORS[name][row[column(name)]] != "none"]
            factors = rng.choice(there, k, replace=False).tolist()
            columns = [column(factor) for factor in factors]
            text = corpus.caption(row, seed, 0, tuple(factors))
            t = model.texts([text])[0]
            cos, fits = vectors @ unrelated(len(model.pieces(text))).T, (rows[:, columns] == row[columns]).sum(1)
            z = (vectors @ t - cos.mean(1)) / cos.std(1)
            right.append(z[fits == k])
            half.append(best(z[fits == k // 2]))
            wrong.append(best(z[fits == 0]))
            if k == 1:
                adds = vectors @ (t - empty) / spread / np.linalg.norm(t - empty)
                labels.append((np.quantile(adds[fits == 1], 0.05), np.quantile(adds[fits == 0], 0.98)))
        right, half, wrong = (np.concatenate(group) for group in (right, half, wrong))
        sure.append((np.quantile(right, 0.05) + np.quantile(half, 0.95)) / 2)
        maybe.append(min(wrong.max(), sure[-1]) if k > 1 else sure[-1])  # one attribute fits or does not
    words = 2 * np.arange(1, 1 + LONGEST)  # a look and a thing
    return Thresholds(words, np.array(sure), np.array(maybe), float(np.mean(labels)))


def best(z: np.ndarray) -> np.ndarray:
    """The highest two of some 200: what the first page of some 2,000 would show."""
    return np.sort(z)[-2:]
