"""For every data set settings that are known to work, and the state that they led to. Knows how to load it, not how to train."""

from dataclasses import dataclass, replace

import numpy as np
from safetensors.numpy import load_file

from explorer import assets
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


# What all have in common: nets large enough, Adam with the short memory that GANs like, and a D that is a little ahead, as the
# lectures' k steps of D ask for. G's kinks decide what it draws best: ReLUs bend noise sharply, which makes clean gaps between
# narrow modes; SiLUs bend it smoothly, which fills broad shapes instead of folding into their middle lines.
_BOTH = {"g_opt": "adam", "d_opt": "adam", "g_lr": 0.0005, "d_lr": 0.001, "k_d": 3, "g_width": 32, "d_width": 32,
         "d_act": "leaky_relu"}  # fmt: skip
_SMOOTH = {**_BOTH, "g_act": "silu"}
_QUICK = {**_BOTH, "g_lr": 0.001}
_STEADY = {"g_lr": 0.0003, "d_lr": 0.002}  # the circles around the optimum get smaller; too slow where modes are to be found

PRESETS: dict[str, Preset] = {
    "line": Preset({**_BOTH, **_STEADY}, 10_000,
                   "Almost no width, so ReLUs do: they flatten the noise onto the line. D takes three steps for one of G, so "
                   "that it has seen where G is before G moves on."),
    "gaussians": Preset({**_SMOOTH, **_STEADY, "r1": 0.05}, 10_000,
                        "Broad clouds need a smooth G: SiLUs spread the noise where ReLUs would fold it into thin lines. A "
                        "little R1 keeps D from drawing edges where there are none."),
    "ring": Preset({**_SMOOTH, **_STEADY}, 10_000,
                   "One smooth curve: SiLUs bend the noise around it and keep its width."),
    "disjoint": Preset({**_SMOOTH, "g_lr": 0.001, "r1": 0.1}, 10_000,
                       "Between the blobs there is nothing to tell D what to say. R1 keeps it flat at the data, so that no blob "
                       "gets lost."),
    "ring8": Preset(_QUICK, 10_000,
                    "Eight narrow modes with gaps: ReLUs tear the noise apart where it must tear. With three steps of D for one "
                    "of G all eight are found within a few hundred rounds."),
    "grid25": Preset({**_QUICK, "k_d": 2, "g_lr": 0.002, "d_lr": 0.002}, 12_000,
                     "Twenty-five modes, the usual test of mode collapse. Higher learning rates find them all and leave fewer "
                     "fakes between them."),
    "moons": Preset(_SMOOTH, 10_000,
                    "Two curves that never touch: SiLUs bend the noise along both and leave but a thin bridge."),
    "spiral": Preset(_SMOOTH, 10_000,
                     "One long curve, wound up: D takes three steps for one of G, as it has windings to tell apart."),
    "imbalanced": Preset({**_SMOOTH, "g_lr": 0.001, "r1": 0.1}, 10_000,
                         "The rarest blob has 1 % of the data: one or two points of a batch. Without R1 G often loses it, and "
                         "others with it."),
    "checkerboard": Preset({**_BOTH, "k_d": 2, "d_layers": 3, "d_width": 48}, 12_000,
                           "Hard edges: D needs a third layer and more neurons to see them, and G gets ReLUs to draw them."),
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
