"""What D and G are paid for a logit l: value and slope of every loss, as closed forms in NumPy.

Minimax and non-saturating: Goodfellow et al. 2014; least squares: Mao et al. 2017, with its halves; WGAN: Arjovsky et al.
2017; WGAN-GP: Gulrajani et al. 2017 (its penalty is not here); hinge: Lim and Ye 2017, Miyato et al. 2018.
"""

import numpy as np

LOG = ("non_saturating", "minimax")
CRITICS = ("wgan", "wgan_gp")  # their D has no zero point: only differences of its values mean something


def middle(loss: str, real_mean: float = 0.0, fake_mean: float = 0.0) -> float:
    """The logit above which a point counts as judged real. Critics need the mean logits of reals and of fakes."""
    if loss in CRITICS:
        return (real_mean + fake_mean) / 2
    return 0.5 if loss == "least_squares" else 0.0


def output(loss: str, l: np.ndarray) -> np.ndarray:
    """D as a page shows it: in [0, 1] for the log losses and least squares, else the critic's value itself."""
    if loss in LOG:
        return sigmoid(l)
    return np.clip(l, 0, 1) if loss == "least_squares" else np.asarray(l)


def d_real(loss: str, l: np.ndarray, smoothing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """D's loss at the logits of real points, and its slope dL/dl."""
    l = np.asarray(l)
    if loss in LOG:  # -(1 - s) log D - s log(1 - D)
        return softplus(-l) + smoothing * l, smoothing - sigmoid(-l)
    if loss == "least_squares":
        return (l - 1) ** 2 / 2, l - 1
    if loss == "hinge":
        return np.maximum(1 - l, 0), -(l < 1).astype(l.dtype)
    return -l, -np.ones_like(l)


def d_fake(loss: str, l: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """D's loss at the logits of fakes, and its slope dL/dl."""
    l = np.asarray(l)
    if loss in LOG:  # -log(1 - D)
        return softplus(l), sigmoid(l)
    if loss == "least_squares":
        return l**2 / 2, l
    if loss == "hinge":
        return np.maximum(1 + l, 0), (l > -1).astype(l.dtype)
    return l, np.ones_like(l)


def g(loss: str, l: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """G's loss at the logits of its fakes, and its slope dL/dl."""
    l = np.asarray(l)
    if loss == "non_saturating":  # -log D
        return softplus(-l), -sigmoid(-l)
    if loss == "minimax":  # log(1 - D)
        return -softplus(l), -sigmoid(l)
    if loss == "least_squares":
        return (l - 1) ** 2 / 2, l - 1
    return -l, -np.ones_like(l)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + e^x), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1, e) / (1 + e)
