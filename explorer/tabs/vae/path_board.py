"""A board between four faces: its cells decoded at once, the code at any place of it, and a way drawn over it."""

import numpy as np

from explorer.tabs.vae.engine import BATCH, Vae
from explorer.tabs.vae.path_lines import blend

SIDES = 11, 17  # cells along an edge, to choose from
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # base64url
LEVELS = 64**2 - 1  # of a place of a recorded way: two letters for each of x and y
POINTS = 2, 64  # of a recorded way


def weights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Places (...,) in [0, 1], x to the right and y down -> (..., 4): of the corners top left, top right, bottom left and
    bottom right. They sum to 1."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], -1)


def cells(corners: np.ndarray, side: int, keep: bool = False) -> np.ndarray:
    """(4, D) -> (side^2, D): the codes of the board, row by row."""
    if side not in SIDES:
        raise ValueError(f"A board has {' or '.join(map(str, SIDES))} cells along an edge.")
    places = np.linspace(0, 1, side)
    y, x = np.meshgrid(places, places, indexing="ij")
    return blend(corners, weights(x, y).reshape(-1, 4), keep)


def decoded(vae: Vae, codes: np.ndarray) -> np.ndarray:
    """Any number of codes, each within the decoder's reach -> pictures."""
    return np.concatenate([vae.decode(codes[i : i + BATCH].clip(-vae.far, vae.far)) for i in range(0, len(codes), BATCH)])


def unpack(text: str) -> np.ndarray:
    """A way as a link holds it, four letters a point -> (P, 2) of x and y in [0, 1]. Raises ValueError."""
    low, high = POINTS
    if not isinstance(text, str) or len(text) % 4 or not low * 4 <= len(text) <= high * 4 or set(text) - set(LETTERS):
        raise ValueError(f"A recorded way is {low} to {high} points of four letters each; draw it again.")
    digits = np.array([LETTERS.index(letter) for letter in text]).reshape(-1, 2, 2)
    return (digits @ np.array([64, 1])) / LEVELS


def pack(places: np.ndarray) -> str:
    """The inverse, to 1 part in 4,095."""
    levels = np.rint(np.asarray(places).clip(0, 1) * LEVELS).astype(int)
    return "".join(LETTERS[v // 64] + LETTERS[v % 64] for v in levels.ravel())


def drive(places: np.ndarray, frames: int) -> np.ndarray:
    """A way (P, 2) walked at constant speed: (frames, 2), both ends among them."""
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    far = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, far[-1], frames)
    moved = np.concatenate([[True], lengths > 0])
    return np.stack([np.interp(at, far[moved], places[moved, i]) for i in (0, 1)], 1)
