"""Looking into a network while it computes: the activations of chosen parts as small maps and numbers.

Others use the same network at the same time, so hooks are put on a double: modules of its own over the same weights.
"""

import base64
import copy
import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

SIDE = 32  # of a map on the wire
CHANNELS = 8  # of a part that are shown one by one: those that vary most from place to place


def double(module: nn.Module) -> nn.Module:
    """Modules of its own over the same tensors: a hook on it is met by nobody else. Costs milliseconds and no memory."""
    shared = {id(tensor): tensor for tensor in itertools.chain(module.parameters(), module.buffers())}
    return copy.deepcopy(module, shared)


class Activations:
    """Keeps what chosen modules put out in one call: `seen[name]`, for row `row` of the batch."""

    def __init__(self, row: int = 0):
        self.row, self.seen = row, {}

    def watch(self, name: str, module: nn.Module, pick: Callable = lambda out: out) -> None:
        module.register_forward_hook(lambda _m, _given, out: self.seen.__setitem__(name, pick(out)[self.row].float().cpu()))


def first(out) -> Tensor:
    """The tensor of an output that may be wrapped: Transformer2DModel's stands in `sample`."""
    return out if isinstance(out, Tensor) else out[0]


def told(x: Tensor) -> dict:
    """An activation (C, h, w) in numbers and small maps.

    {shape, rms, low, high, maps, channels, size}: `maps` are bytes in base64, (1 + channels) maps of size h x w: the mean over
    the channels first, then the channels that vary most. Map k is from low[k] to high[k]: value = low + byte / 255 (high - low).
    """
    small = _reduced(x)
    spread = x.flatten(1).std(1, correction=0)
    strongest = spread.topk(min(CHANNELS, len(x))).indices
    maps = torch.cat([small.mean(0, keepdim=True), small[strongest]])
    low, high = maps.flatten(1).min(1).values, maps.flatten(1).max(1).values
    scaled = (maps - low.view(-1, 1, 1)) / (high - low).clamp(min=1e-12).view(-1, 1, 1)
    return {
        "shape": list(x.shape), "rms": float(x.square().mean().sqrt()), "channels": strongest.tolist(),
        "low": low.tolist(), "high": high.tolist(), "size": list(maps.shape[1:]),
        "maps": base64.b64encode((scaled * 255).round().byte().numpy().tobytes()).decode(),
    }  # fmt: skip


def _reduced(x: Tensor) -> Tensor:
    """At most SIDE x SIDE places, by averaging."""
    h, w = x.shape[1:]
    size = min(h, SIDE), min(w, SIDE)
    return x if size == (h, w) else nn.functional.adaptive_avg_pool2d(x, size)
