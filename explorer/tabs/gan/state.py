"""The numbers of one run: weights, optimiser memories and counters, as flat vectors; how they begin, and what they are fed.

Knows no gradients. Both engines, the page's pictures, saved files and the exported script speak of these vectors.
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from explorer import toy2d
from explorer.tabs.gan.config import DATA_SIZE, OWN, Settings, unpack_points

BLOCK = 64  # updates whose noise is drawn in one go
# Each use of chance has a stream of its own, so that a change of one setting leaves the others' numbers as they were.
WEIGHTS_G, WEIGHTS_D, DATA, BATCH, NOISE_D, NOISE_G, MIX, INSTANCE_D, INSTANCE_G, SHOWN = range(10)


@dataclass
class State:
    """One run at one moment. Vectors are float32 and hold, layer by layer, W (out, in) row by row and then b (out)."""

    g: np.ndarray
    d: np.ndarray
    ema: np.ndarray  # averaged g; equal to g while the average is off
    g_memory: np.ndarray  # (2, len(g)): Adam's m and v; momentum's velocity in row 0; RMSprop's square in row 1
    d_memory: np.ndarray  # (2, len(d))
    u: np.ndarray  # left singular vectors of D's layers for spectral norm, one after the other: sum of d_sizes[1:]
    rounds: int = 0
    d_updates: int = 0  # since the start: the place in the streams of chance
    g_updates: int = 0
    d_ticks: int = 0  # since the optimiser was chosen: Adam's t
    g_ticks: int = 0

    def copy(self) -> "State":
        vectors = {f.name: getattr(self, f.name).copy() for f in fields(self) if f.type is np.ndarray}
        return replace(self, **vectors)

    def finite(self, bound: float = 1e4) -> bool:
        """Whether all weights are numbers, and none has run away."""
        return bool((np.abs(self.g) < bound).all() and (np.abs(self.d) < bound).all())


@dataclass
class Trace:
    """What each of R rounds was like: (R,) float32 each, NaN in a round without such an update.

    Losses are those minimised, averaged over the batch and over the round's updates, D's without penalties; accuracy is the
    share of real points with a logit above the middle (fakes: below); norms are those of the gradients of the weights.
    """

    d_loss: np.ndarray
    g_loss: np.ndarray
    real_acc: np.ndarray
    fake_acc: np.ndarray
    d_norm: np.ndarray
    g_norm: np.ndarray
    penalty: np.ndarray  # gradient penalty and R1, as they enter D's loss

    NAMES = ("d_loss", "g_loss", "real_acc", "fake_acc", "d_norm", "g_norm", "penalty")


def rng(seed: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, *stream])


def start(settings: Settings) -> State:
    """The run before its first update. Weights are N(0, 1/fan_in), biases 0, as in GAN Lab."""
    g = weights(settings.g_sizes, rng(settings.seed, WEIGHTS_G))
    d = weights(settings.d_sizes, rng(settings.seed, WEIGHTS_D))
    u = np.concatenate([np.full(n, n**-0.5, np.float32) for n in settings.d_sizes[1:]])
    return State(g, d, g.copy(), np.zeros((2, len(g)), np.float32), np.zeros((2, len(d)), np.float32), u)


def weights(sizes: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """A net's weights as one vector."""
    parts = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        parts += [random.standard_normal((fan_out, fan_in)).ravel() / fan_in**0.5, np.zeros(fan_out)]
    return np.concatenate(parts).astype(np.float32)


def layers(vector: np.ndarray, sizes: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The (W (out, in), b (out,)) of each layer, as views into the vector."""
    out, at = [], 0
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        end = at + fan_in * fan_out
        out.append((vector[at:end].reshape(fan_out, fan_in), vector[end : end + fan_out]))
        at = end + fan_out
    return out


def toy(settings: Settings) -> toy2d.Toy:
    """The distribution behind the data."""
    return toy2d.cloud(unpack_points(settings.points)) if settings.data == OWN else toy2d.TOYS[settings.data]


@lru_cache(maxsize=512)  # 96 kB each: a class whose runs take turns must not draw them anew at every turn
def _data(data: str, points: str, seed: int) -> np.ndarray:
    drawn = toy(Settings(data=data, points=points)).sample(DATA_SIZE, rng(seed, DATA)).astype(np.float32)
    drawn.flags.writeable = False
    return drawn


def data(settings: Settings) -> np.ndarray:
    """The run's data set: (DATA_SIZE, 2) float32, drawn once from the seed."""
    return _data(settings.data, settings.points, settings.seed)


def noise(settings: Settings, n: int, random: np.random.Generator) -> np.ndarray:
    """(n, noise_dim) float32."""
    shape = (n, settings.noise_dim)
    if settings.noise.startswith("gaussian"):
        return random.standard_normal(shape, np.float32)
    return random.random(shape, np.float32) * 2 - 1


# ---- What updates are fed. Block b of a stream holds the draws of updates 64 b to 64 b + 63. --------------------------------


@dataclass(frozen=True)
class DBlock:
    """For 64 updates of D: index (64, B) into the data, z (64, B, noise_dim), and where the settings need them
    mix (64, B), uniform in [0, 1), for WGAN-GP, and jitter (64, 2, B, 2), standard normal (real, fake), for instance noise."""

    index: np.ndarray
    z: np.ndarray
    mix: np.ndarray | None
    jitter: np.ndarray | None


@dataclass(frozen=True)
class GBlock:
    """For 64 updates of G: z (64, B, noise_dim), and jitter (64, B, 2) where there is instance noise."""

    z: np.ndarray
    jitter: np.ndarray | None


def d_block(settings: Settings, block: int) -> DBlock:
    s, n = settings, BLOCK * settings.batch
    index = rng(s.seed, BATCH, block).integers(0, DATA_SIZE, n, dtype=np.int32)
    z = noise(s, n, rng(s.seed, NOISE_D, block))
    mix = rng(s.seed, MIX, block).random(n, np.float32) if s.loss == "wgan_gp" else None
    jitter = rng(s.seed, INSTANCE_D, block).standard_normal((BLOCK, 2, s.batch, 2), np.float32) if s.instance_noise else None
    shape = (BLOCK, s.batch)
    return DBlock(index.reshape(shape), z.reshape(*shape, -1), None if mix is None else mix.reshape(shape), jitter)


def g_block(settings: Settings, block: int) -> GBlock:
    s = settings
    z = noise(s, BLOCK * s.batch, rng(s.seed, NOISE_G, block)).reshape(BLOCK, s.batch, -1)
    jitter = rng(s.seed, INSTANCE_G, block).standard_normal((BLOCK, s.batch, 2), np.float32) if s.instance_noise else None
    return GBlock(z, jitter)
