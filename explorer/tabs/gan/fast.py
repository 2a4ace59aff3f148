"""The fast engine: one run at a time through compiled loops, some 50 times as fast as a plain PyTorch step.

Agrees with reference.py to rounding. numba is loaded only by `warm`, and compiles in a process of its own that fills a
cache on disk, so that no visitor waits: until it is ready the reference serves, and without numba it always does.
"""

import importlib.util
import math
import os
import subprocess
import sys
import tempfile
import threading
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from explorer.tabs.gan import feed
from explorer.tabs.gan.config import ACTIVATIONS, LOSSES, OPTIMIZERS, Settings
from explorer.tabs.gan.state import BLOCK, State, Trace, data, start

ROOT = Path(__file__).parents[3]
LARGEST = 6_000_000  # products in a pass of a batch through a net, above which a BLAS is faster (bench/gan.py)
COLUMNS = ("d_loss", "real_acc", "fake_acc", "d_norm", "penalty", "g_loss", "g_norm")  # as the kernel tells them
CODES = [{name: code for code, name in enumerate(names)} for names in (LOSSES, ACTIVATIONS, OPTIMIZERS)]

_train = None  # the compiled function
_ready = False
_warming: threading.Thread | None = None
_lock = threading.Lock()
_room = threading.local()  # arrays to work in, one set a thread


def covers(settings: Settings) -> bool:
    """Whether this engine is the one to use for such nets, where it can be used at all."""
    products = max(sum(a * b for a, b in zip(sizes, sizes[1:])) for sizes in (settings.g_sizes, settings.d_sizes))
    return products * settings.batch <= LARGEST and _installed()


def ready() -> bool:
    return _ready


def coming() -> bool:
    """Whether it is being made ready at this moment."""
    return _train is None and _warming is not None and _warming.is_alive()


def warm(wait: bool = False) -> None:
    """Compiles in the background, at low priority, where the cache is empty. Call it as often as you like."""
    global _warming
    with _lock:
        if _warming is None and _installed():
            _warming = threading.Thread(target=_load, name="gan-warm", daemon=True)
            _warming.start()
    if wait and _warming is not None:
        _warming.join()


def advance(settings: Settings, state: State, rounds: int, what: str = "both") -> Trace:
    """As reference.advance, for one run. Only when `ready`."""
    s = settings
    _sound(s, state)
    k_d = s.k_d if what == "both" else int(what == "d")
    k_g = s.k_g if what == "both" else int(what == "g")
    told = np.zeros((rounds, len(COLUMNS)))
    done = 0
    while done < rounds:
        # As many rounds as the blocks of draws reach for, or one that needs the next blocks too.
        d_at, g_at = state.d_updates % BLOCK, state.g_updates % BLOCK
        reach = [(BLOCK - at) // k for at, k in ((d_at, k_d), (g_at, k_g)) if k]
        count = min(rounds - done, max(1, min(reach, default=rounds)))
        _segment(s, state, count, k_d, k_g, told[done : done + count])
        done += count
        state.d_updates += count * k_d
        state.d_ticks += count * k_d
        state.g_updates += count * k_g
        state.g_ticks += count * k_g
    if what == "both":
        state.rounds += rounds
    with np.errstate(all="ignore"):
        means = (told / ([k_d] * 5 + [k_g] * 2)).astype(np.float32)  # no update: 0 / 0, which is NaN
    return Trace(**{name: np.ascontiguousarray(means[:, i]) for i, name in enumerate(COLUMNS)})


def _sound(s: Settings, state: State) -> None:
    """Makes the vectors what the kernel takes. It checks no index, so wrong lengths must not get that far."""
    g, d = (sum((a + 1) * b for a, b in zip(sizes, sizes[1:])) for sizes in (s.g_sizes, s.d_sizes))
    shapes = {"g": (g,), "d": (d,), "ema": (g,), "g_memory": (2, g), "d_memory": (2, d), "u": (sum(s.d_sizes[1:]),)}
    for name, shape in shapes.items():
        array = getattr(state, name)
        if array.shape != shape:
            raise ValueError(f"These are the numbers of other nets: {name} has the shape {array.shape}, not {shape}.")
        if array.dtype != np.float32 or not (array.flags.c_contiguous and array.flags.writeable):
            setattr(state, name, np.array(array, np.float32, order="C"))


def _segment(s: Settings, state: State, rounds: int, k_d: int, k_g: int, told: np.ndarray) -> None:
    losses, acts, optimizers = CODES
    d_draws = _draws(feed.d_block, s, state.d_updates, rounds * k_d, D_EMPTY)
    g_draws = _draws(feed.g_block, s, state.g_updates, rounds * k_g, G_EMPTY)
    whole = (s.batch, losses[s.loss], k_d, k_g, state.d_updates % BLOCK, state.g_updates % BLOCK, state.d_ticks, state.g_ticks,
             acts[s.g_act], acts[s.d_act], s.g_out == "tanh", s.spectral, optimizers[s.g_opt], optimizers[s.d_opt])  # fmt: skip
    real = (s.d_lr, s.g_lr, s.beta1, s.ema, s.smoothing, s.clip, s.gp, s.r1, s.instance_noise)
    _train(rounds, told, np.array(whole, np.int64), np.array(real, np.float64), np.array(s.g_sizes), np.array(s.d_sizes),
           state.g, state.d, state.ema, state.g_memory, state.d_memory, state.u, data(s), *d_draws, *g_draws,
           *_rooms(s, max(len(state.g), len(state.d))))  # fmt: skip


# What stands in for arrays of draws that a run does not need: the compiled function wants arrays of these types.
D_EMPTY = {"index": np.zeros((1, 1), np.int32), "z": np.zeros((1, 1, 1), np.float32),
           "mix": np.zeros((1, 1), np.float32), "jitter": np.zeros((1, 1, 1, 1), np.float32)}  # fmt: skip
G_EMPTY = {"z": np.zeros((1, 1, 1), np.float32), "jitter": np.zeros((1, 1, 1), np.float32)}


def _draws(blocks, s: Settings, updates: int, more: int, empty: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The arrays of the block where the run is, each followed by that of the next block, if the run gets there."""
    if not more:
        return [array for array in empty.values() for _ in range(2)]
    number = updates // BLOCK
    here = blocks(s, number)
    after = blocks(s, number + 1) if updates % BLOCK + more > BLOCK else here
    found = [(getattr(block, name), spare) for name, spare in empty.items() for block in (here, after)]
    return [spare if array is None else array for array, spare in found]


def _rooms(s: Settings, weights: int) -> list[np.ndarray]:
    """Room for the passes of G, of D and for vectors of weights; kept by the thread, and cut to size.

    Rows begin with a line of the cache (16 numbers) and are an odd number of lines long, or all of them would want the same
    few places in it.
    """
    shapes = (3, sum(s.g_sizes), _padded(s.batch) + 16), (7, sum(s.d_sizes), _padded(2 * s.batch) + 16), (4, weights)
    ends = list(accumulate(map(math.prod, shapes)))
    room = getattr(_room, "room", None)
    if room is None or room.size < ends[-1]:
        whole = np.empty(ends[-1] + 16, np.float32)
        room = _room.room = whole[-whole.ctypes.data % 64 // 4 :]
    return [room[end - math.prod(shape) : end].reshape(shape) for end, shape in zip(ends, shapes)]


def _padded(columns: int) -> int:
    return -(-columns // 32) * 32  # kernels.LANES


# ---- Compiling --------------------------------------------------------------------------------------------------------------


@cache
def _installed() -> bool:
    return importlib.util.find_spec("numba") is not None


def _load() -> None:
    """Has another process compile, and then loads what it left on disk."""
    folder = _cache_folder()
    if folder is None:
        return
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from explorer.tabs.gan import fast; fast.compile_here(nice=True)"]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode == 0:
        compile_here(folder)
    else:
        why = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
        print(f"The GAN lab's fast engine could not be compiled, so torch trains instead: {why}", file=sys.stderr)


def compile_here(folder: Path | None = None, nice: bool = False) -> None:
    """Trains a tiny run, which compiles the kernel or loads it from the cache; then it is ready."""
    global _train, _ready
    if nice and hasattr(os, "nice"):
        os.nice(10)
    import numba

    if folder is not None:
        numba.config.CACHE_DIR = str(folder)
    from explorer.tabs.gan import kernels

    settings = Settings(batch=2)
    _train = kernels.train
    advance(settings, start(settings), 1)
    _ready = True


def _cache_folder() -> Path | None:
    """A folder for compiled code that is ours and can be written to; None on a machine that has none.

    Beside the source where possible, as Python does it; on a host whose source is read-only, the user's cache or /tmp.
    """
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    own = f"generative-explorer-{os.getuid()}" if hasattr(os, "getuid") else "generative-explorer"
    for folder in (Path(__file__).parent / "__pycache__", home / "generative-explorer", Path(tempfile.gettempdir()) / own):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
                continue  # code of somebody else's making
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None
