"""What the two nets answer, in plain NumPy: points from noise, logits from points, and the slope of the logit.

For pictures and metrics. Training has its own passes (reference.py, fast.py); these agree with them to rounding.
"""

import numpy as np

from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import State, layers

LEAK = np.float32(0.2)
TINY = np.float32(1e-12)  # smallest length that is divided by


def forward(vector: np.ndarray, sizes: tuple[int, ...], act: str, out: str, x: np.ndarray) -> np.ndarray:
    """(N, sizes[0]) -> (N, sizes[-1]) float32. `out` is "linear" or "tanh". Overflow gives inf or NaN, never a warning."""
    x = np.asarray(x, np.float32)
    stack = layers(vector, sizes)
    with np.errstate(all="ignore"):
        for w, b in stack[:-1]:
            x = _act(act, x @ w.T + b)
        w, b = stack[-1]
        x = x @ w.T + b
        return np.tanh(x) if out == "tanh" else x


def input_gradient(vector: np.ndarray, sizes: tuple[int, ...], act: str, x: np.ndarray) -> np.ndarray:
    """The gradient of a net's one linear output at each point: (N, sizes[0]) -> (N, sizes[0]) float32."""
    x = np.asarray(x, np.float32)
    stack, slopes = layers(vector, sizes), []
    with np.errstate(all="ignore"):
        for w, b in stack[:-1]:
            a = x @ w.T + b
            x = _act(act, a)
            slopes.append(_slope(act, a))
        gradient = np.broadcast_to(stack[-1][0], (len(x), stack[-1][0].shape[1]))
        for (w, _), slope in zip(stack[-2::-1], slopes[::-1]):
            gradient = (gradient * slope) @ w
    return gradient


def generate(settings: Settings, vector: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The fakes of a generator's weights (state.g or state.ema): (N, noise_dim) -> (N, 2)."""
    return forward(vector, settings.g_sizes, settings.g_act, settings.g_out, z)


def logits(settings: Settings, vector: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What D says to points: (N, 2) -> (N,). `vector` is effective_d's."""
    return forward(vector, settings.d_sizes, settings.d_act, "linear", x)[:, 0]


def effective_d(settings: Settings, state: State) -> np.ndarray:
    """The weights that D works with: its own, or with spectral norm each layer's W by its largest singular value."""
    if not settings.spectral:
        return state.d
    vector, at = state.d.copy(), 0
    with np.errstate(all="ignore"):
        for w, _ in layers(vector, settings.d_sizes):
            u = state.u[at : at + len(w)]
            w /= max(np.linalg.norm(w.T @ u), TINY)  # u'Wv with v = normalise(W'u)
            at += len(w)
    return vector


def _act(act: str, a: np.ndarray) -> np.ndarray:
    if act == "relu":
        return np.maximum(a, 0)
    if act == "leaky_relu":
        return np.maximum(a, LEAK * a)
    if act == "tanh":
        return np.tanh(a)
    return a / (1 + np.exp(-a))  # silu


def _slope(act: str, a: np.ndarray) -> np.ndarray:
    if act == "relu":
        return (a > 0).astype(np.float32)
    if act == "leaky_relu":
        return np.where(a > 0, np.float32(1), LEAK)
    if act == "tanh":
        return 1 - np.tanh(a) ** 2
    s = 1 / (1 + np.exp(-a))
    return s * (1 + a * (1 - s))
