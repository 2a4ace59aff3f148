"""The draws of each update, kept for a while: a run asks for a block many times, and runs of one seed share theirs."""

import threading
from collections import OrderedDict
from dataclasses import fields

from explorer.tabs.gan import state
from explorer.tabs.gan.config import Settings
from explorer.tabs.gan.state import DBlock, GBlock

BUDGET = 64 << 20  # bytes of all blocks kept: a few hundred at the default batch size

_blocks: OrderedDict[tuple, DBlock | GBlock] = OrderedDict()
_lock = threading.Lock()
_bytes = 0


def d_block(settings: Settings, block: int) -> DBlock:
    """state.d_block, remembered. Its arrays are shared: read only."""
    s = settings
    return _block(state.d_block, s, block, (s.loss == "wgan_gp", bool(s.instance_noise)))


def g_block(settings: Settings, block: int) -> GBlock:
    """state.g_block, remembered. Its arrays are shared: read only."""
    return _block(state.g_block, settings, block, (bool(settings.instance_noise),))


def _block(make, s: Settings, block: int, parts: tuple):
    global _bytes
    key = (make, s.seed, s.batch, s.noise, block, parts)
    with _lock:
        if key in _blocks:
            _blocks.move_to_end(key)
            return _blocks[key]
    made = make(s, block)  # outside the lock: two may make the same, and either is right
    with _lock:
        if key not in _blocks:
            _blocks[key] = made
            _bytes += _size(made)
        while _bytes > BUDGET:
            _bytes -= _size(_blocks.popitem(last=False)[1])
    return made


def _size(block: DBlock | GBlock) -> int:
    return sum(0 if (a := getattr(block, f.name)) is None else a.nbytes for f in fields(block))
