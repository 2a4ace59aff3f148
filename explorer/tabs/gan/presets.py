"""For every data set settings that are known to work, and the state that they led to. Knows how to load it, not how to train."""

from dataclasses import dataclass, replace

import numpy as np
from safetensors.numpy import load_file

from explorer import assets, toy2d
from explorer.tabs.gan.config import Settings, check
from explorer.tabs.gan.state import State, start

MADE_BY = "python -m explorer.tabs.gan.train"
VECTORS = ("g", "d", "ema", "g_memory", "d_memory", "u")
COUNTERS = ("rounds", "d_updates", "g_updates", "d_ticks", "g_ticks")


@dataclass(frozen=True)
class Preset:
    """settings: changes from the defaults, but for the data set's name; rounds: after which the shipped state was taken."""

    settings: dict
    rounds: int
    why: str


PRESETS: dict[str, Preset] = {
    data: Preset({"g_opt": "adam", "d_opt": "adam", "g_lr": 0.003, "d_lr": 0.003, "k_d": 1, "g_width": 32, "d_width": 32,
                  "g_act": "leaky_relu", "d_act": "leaky_relu"}, 4000, "Adam.")
    for data in toy2d.TOYS
}  # fmt: skip


def settings(data: str) -> Settings:
    """The preset of a data set, whole."""
    return check({"data": data, **PRESETS[data].settings})


def model(data: str) -> str:
    """The name of its shipped state, as `explorer.assets` knows it."""
    return f"gan/{data}"


def load(data: str) -> tuple[Settings, State]:
    """The shipped run of a data set, ready to go on exactly where it was. Raises `assets.Missing` where it is not here."""
    name = model(data)
    card, tensors = assets.card(name, MADE_BY), load_file(assets.weights(name, MADE_BY))
    chosen = check(card["settings"])
    state, counters = start(chosen), {k: int(card["counters"][k]) for k in COUNTERS}
    for vector in VECTORS:
        if vector not in tensors or tensors[vector].shape != getattr(state, vector).shape:
            raise assets.Missing(name, MADE_BY, "has weights that do not fit its card")
        setattr(state, vector, np.ascontiguousarray(tensors[vector], np.float32))
    return chosen, replace(state, **counters)
