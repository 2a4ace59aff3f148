"""The film of a training: maps, pictures and losses at a growing interval. Bounded in bytes; knows no page."""

import io
import struct
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from explorer import export

MOST = 120  # moments that are kept; beyond them every other one goes
SHARE = 0.025  # of the time, for making them
LEAST = 0.1  # seconds between two
COLUMNS = 8  # reconstructions in the first row, then the board
QUALITY = 88


@dataclass(frozen=True)
class Moment:
    """A training at one step. Losses in nats per picture; None where nothing was trained since the moment before."""

    number: int  # ascending; a page asks for what is newer than the last it has
    step: int
    seconds: float
    rate: float  # pictures a second
    losses: dict[str, float | None]  # reconstruction, kl: of training; held_reconstruction, held_kl
    kl: list[float]  # per dimension, held out
    dims: tuple[int, int]  # the two dimensions of the map
    scale: float  # of the points
    points: bytes  # (N, 2) int16: point = value / 32767 * scale
    sprite: bytes  # JPEG: COLUMNS reconstructions, then the board, COLUMNS in a row

    @property
    def size(self) -> int:
        return len(self.points) + len(self.sprite)

    @property
    def told(self) -> dict:
        rounded = {name: None if value is None else round(value, 3) for name, value in self.losses.items()}
        return {
            "number": self.number, "step": self.step, "seconds": round(self.seconds, 2), "rate": round(self.rate, 1),
            "losses": rounded, "kl": [round(k, 3) for k in self.kl], "dims": self.dims, "scale": round(self.scale, 5),
            "points": len(self.points), "sprite": len(self.sprite),
        }  # fmt: skip


class Film:
    """The moments of one training, the oldest first."""

    def __init__(self, clock=time.thread_time):  # what this thread computes, whatever else the host does meanwhile
        self.moments: list[Moment] = []
        self._clock, self._last, self._cost, self._step, self._number = clock, -1e9, 0.0, -1, 0

    def due(self, step: int) -> bool:
        """Whether it is time for another one: at each doubling of the steps, and as often as a share of the time allows."""
        if step <= self._step:
            return False
        return step >= 2 * self._step or self._clock() - self._last >= max(LEAST, self._cost / SHARE)

    def take(self, make) -> Moment:
        """Adds what `make(number)` makes, and notes what it costs."""
        began = self._clock()
        moment = make(self._number)
        moments = [*self.moments, moment]  # a new list: others read the old one meanwhile
        if len(moments) > MOST:
            moments = [*moments[:-1:2], moments[-1]]
        self.moments, self._number, self._step = moments, self._number + 1, moment.step
        self._last = self._clock()
        self._cost = self._last - began
        return moment

    def frames(self) -> np.ndarray:
        """(F, H, W, 3) uint8: reconstructions and board of every moment."""
        return np.stack([np.asarray(Image.open(io.BytesIO(moment.sprite)).convert("RGB")) for moment in self.moments])

    @property
    def size(self) -> int:
        return sum(moment.size for moment in self.moments)

    def since(self, number: int, most_bytes: int) -> list[Moment]:
        """What is newer than that moment, as much as fits; at least one."""
        out, size = [], 0
        for moment in [m for m in self.moments if m.number > number]:
            size += moment.size
            if out and size > most_bytes:
                break
            out.append(moment)
        return out


def points(mu: np.ndarray) -> tuple[float, bytes]:
    """(N, 2) -> scale and int16 values."""
    scale = float(max(1e-3, np.abs(mu).max()))
    return scale, (mu / scale * 32767).round().astype("<i2").tobytes()


def sprite(pictures: np.ndarray) -> bytes:
    """(N, S, S, 3) uint8 as one JPEG: a film is looked at; what is measured comes from the model itself."""
    out = io.BytesIO()
    Image.fromarray(export.grid(pictures, COLUMNS)).save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue()


def packed(header: bytes, moments: list[Moment]) -> bytes:
    """u32 length of a JSON text, the text, then points and sprite of each moment, whose lengths the text says."""
    return struct.pack("<I", len(header)) + header + b"".join(m.points + m.sprite for m in moments)
