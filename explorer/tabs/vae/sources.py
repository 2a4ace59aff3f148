"""Where a model's pictures come from, and what is known of them: held-out faces, digits, or what a visitor brought.

`unseen`: so many of the first pictures no training saw, whichever model of these pictures it was.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from explorer import corpus

# Faces of the corpus's test split: a friendly few to begin with, then the first ones as they come.
GALLERY = (563, 448, 941, 791, *range(20))
SHOWN = 24


class Avatars:
    """Faces that no training saw; ten known factors, and a judge that reads them."""

    name, judged = "avatars", True
    factors = corpus.FACTORS  # factor -> names of its values
    most = unseen = 10_000

    def batch(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The first `count` validation faces: (count, 64, 64, 3) uint8 and their factors (count, 10)."""
        return corpus.batch("val", 0, min(count, self.most))

    def gallery(self) -> tuple[np.ndarray, list[str]]:
        indices = np.array(GALLERY) + corpus.SPLITS["test"].start
        return corpus.render(indices), [corpus.caption(row) for row in corpus.attributes(indices)]


class Digits:
    """scikit-learn's handwritten digits, held-out ones first; one known factor."""

    name, judged = "digits", False
    factors = {"digit": tuple("0123456789")}
    most, unseen = 1797, 179  # a training on the page holds out more, the first of them the same

    def batch(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        pixels, labels = _digits()
        return pixels[:count], labels[:count]

    def gallery(self) -> tuple[np.ndarray, list[str]]:
        pixels, labels = _digits()
        chosen = [int(np.flatnonzero(labels[:, 0] == i % 10)[i // 10]) for i in range(20)]  # two of each, all held out
        return pixels[chosen], [f"a handwritten {labels[i, 0]}" for i in chosen]


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    from explorer.training.data import open_data

    data = open_data("digits")
    order = np.random.default_rng(0).permutation(Digits.most)  # as open_data shuffles them
    return np.concatenate([data.val, data.train]), load_digits().target[order][:, None]


@dataclass(frozen=True, eq=False)
class Own:
    """Pictures that a visitor brought, or of a set without known factors; (N, size, size, 3) uint8, held-out ones first."""

    name: str
    pixels: np.ndarray
    labels: np.ndarray | None = None  # (N, factors) where they are known
    factors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    judged: bool = False
    held: int | None = None  # how many of the first no training saw; None for all of them

    @property
    def most(self) -> int:
        return len(self.pixels)

    @property
    def unseen(self) -> int:
        return self.most if self.held is None else self.held

    def batch(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.empty((len(self.pixels), 0), np.int64) if self.labels is None else self.labels
        return self.pixels[:count], labels[:count]

    def gallery(self) -> tuple[np.ndarray, list[str]]:
        shown = self.pixels[:SHOWN]
        return shown, [("" if i < self.unseen else "trained on: ") + f"picture {i + 1}" for i in range(len(shown))]


AVATARS, DIGITS = Avatars(), Digits()
BY_NAME = {"avatars": AVATARS, "digits": DIGITS}
