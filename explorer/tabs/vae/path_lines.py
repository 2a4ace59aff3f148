"""Ways from one code to another: the straight line, the arc on the sphere, and how long a code is along them."""

import numpy as np

FRAMES = 25  # pictures of a path, both ends among them
COLLINEAR = 1e-3  # below this sine of the angle between two codes there is no plane to turn in


def steps(frames: int = FRAMES) -> np.ndarray:
    """t = 0 ... 1, (frames,) float32."""
    return np.linspace(0, 1, frames, dtype=np.float32)


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """z(t) = (1 - t) a + t b: (D,), (D,), (F,) -> (F, D), exactly a and b at 0 and 1."""
    t = np.asarray(t, np.float32)[:, None]
    return (1 - t) * a + t * b


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The direction turns evenly from a's to b's, and the norm goes evenly from |a| to |b|: (F, D).

    White 2016 (arXiv 1609.04468) for two codes of any norms. Where they are nearly collinear, or one is nearly zero, no
    plane is defined to turn in, and this is lerp.
    """
    t = np.asarray(t, np.float64)
    wide_a, wide_b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    length_a, length_b = np.linalg.norm(wide_a), np.linalg.norm(wide_b)
    if not turns(a, b):
        return lerp(a, b, t)
    unit_a, unit_b = wide_a / length_a, wide_b / length_b
    angle = np.arctan2(np.linalg.norm(unit_b - (unit_a @ unit_b) * unit_a), unit_a @ unit_b)
    direction = (np.sin((1 - t) * angle)[:, None] * unit_a + np.sin(t * angle)[:, None] * unit_b) / np.sin(angle)
    out = (((1 - t) * length_a + t * length_b)[:, None] * direction).astype(np.float32)
    out[t == 0], out[t == 1] = a, b  # not off by a rounding
    return out


def turns(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether an arc from a to b exists: neither is nearly zero and they are not nearly collinear."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    if lengths < 1e-8:
        return False
    cosine = a @ b / lengths
    return bool(1 - cosine**2 > COLLINEAR**2)


def blend(codes: np.ndarray, weights: np.ndarray, keep: bool = False) -> np.ndarray:
    """sum_i w_i z_i: codes (N, D), weights (..., N) that sum to 1 -> (..., D).

    With `keep` its length becomes the same blend of the codes' lengths. The middle of independent codes is short: four of
    them in many dimensions give half their length, which decodes to an average face.
    """
    mixed = weights @ codes
    if not keep:
        return mixed.astype(np.float32)
    short = np.linalg.norm(mixed, axis=-1, keepdims=True)
    wanted = (weights @ np.linalg.norm(codes, axis=-1))[..., None]
    return np.where(short > 1e-6, mixed * wanted / np.maximum(short, 1e-6), mixed).astype(np.float32)
