"""Random numbers that are a function of (seed, index, stream), the same on every machine.

NumPy's generators may change between versions and know only sequences; here any number can be asked for by its
address. SplitMix64 (Steele, Lea, Flood 2014) in unsigned 64-bit integers, without any floating point.
"""

from __future__ import annotations

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: every input bit reaches every output bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def bits(seed: int, indices: np.ndarray, stream: int, count: int) -> np.ndarray:
    """uint64 (N, count): `count` words for each index; `stream` separates uses that must not share numbers."""
    key = _mix(np.array([seed % 2**64], np.uint64) + _GAMMA)
    key = _mix(key ^ (np.asarray(indices, np.int64).astype(np.uint64) * _GAMMA))  # (N,)
    key = _mix(key + np.uint64(stream * 0xD1342543DE82EF95 % 2**64))
    steps = np.arange(1, count + 1, dtype=np.uint64) * _GAMMA
    return _mix(key[:, None] + steps)


def below(words: np.ndarray, limits) -> np.ndarray:
    """int64: words -> whole numbers in 0 .. limit - 1 (upper half of a 32-bit product; bias under 1e-8)."""
    return ((words >> np.uint64(32)) * np.asarray(limits, np.uint64) >> np.uint64(32)).astype(np.int64)


def bell(words: np.ndarray) -> np.ndarray:
    """int64: a bell-shaped whole number, the sum of four bytes less its mean; standard deviation 147.8."""
    byte = np.uint64(255)
    return sum(((words >> np.uint64(shift)) & byte).astype(np.int64) for shift in (0, 8, 16, 24)) - 510
