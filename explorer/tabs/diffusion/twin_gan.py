"""Samples of the GANs that ship in assets/gan, each trained on one of toy2d's distributions: plain weights, plain NumPy."""

import json
from functools import lru_cache

import numpy as np
from safetensors.numpy import load_file

from explorer import assets
from explorer.tabs.diffusion import twin

ACTS = {
    "relu": lambda v: np.maximum(v, 0),
    "leaky_relu": lambda v: np.maximum(v, 0.2 * v),
    "tanh": np.tanh,
    "silu": lambda v: v / (1 + np.exp(-v)),
}


@lru_cache(maxsize=16)
def _generator(name: str) -> tuple[list[tuple[np.ndarray, np.ndarray]], str, str, dict]:
    path = assets.weights(f"gan/{name}")
    told = json.loads((path.parent / "card.json").read_text(encoding="utf-8"))
    settings = told["settings"]
    if settings.get("noise", "gaussian2") != "gaussian2" or settings.get("ema"):
        raise assets.Missing(f"gan/{name}", problem="is of a kind that is not read here")
    wide, deep = settings.get("g_width", 8), settings.get("g_layers", 2)
    sizes = (2, *[wide] * deep, 2)
    vector, layers, at = load_file(path)["g"].astype(np.float64), [], 0
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        end = at + fan_in * fan_out
        layers.append((vector[at:end].reshape(fan_out, fan_in), vector[end : end + fan_out]))
        at = end + fan_out
    if at != len(vector):
        raise assets.Missing(f"gan/{name}", problem="has weights that do not fit its card")
    return layers, settings.get("g_act", "relu"), settings.get("g_out", "linear"), told


def samples(name: str, n: int, seed: int) -> tuple[np.ndarray, dict]:
    """(n, 2) fakes in the twin's units, and the card. Raises assets.Missing where no such GAN ships."""
    layers, act, out, told = _generator(name)
    x = np.random.default_rng([seed, 8]).standard_normal((n, 2))
    for weight, bias in layers[:-1]:
        x = ACTS[act](x @ weight.T + bias)
    x = x @ layers[-1][0].T + layers[-1][1]
    return twin.SCALE * (np.tanh(x) if out == "tanh" else x), told
