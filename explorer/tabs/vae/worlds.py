"""The same small network at every stop of the beta dial: its codes are points of a plane.

Three stops are the three worlds of the lecture: reconstruction only, KL only, and both.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from safetensors.torch import load_file

from explorer import assets
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.engine import FAR, Code, Vae
from explorer.tabs.vae.objective import KL_ONLY
from explorer.tabs.vae.sources import BY_NAME

DATA = ("digits", "avatars")
STOPS: dict[str, float] = {"0": 0.0, "0.1": 0.1, "1": 1.0, "4": 4.0, "16": 16.0, "kl": KL_ONLY}  # name -> beta
WORLDS = {"0": "Reconstruction only", "1": "Both: a VAE", "kl": "KL only"}
DIMS = 2
MADE_BY = "python -m explorer.tabs.vae.train_worlds"
TITLES = {"digits": "Digits", "avatars": "Faces"}


@dataclass(frozen=True)
class Dial:
    """The stops of one data set. `codes` are those of the pictures on the map, `labels` (N, factors) what is known of them."""

    data: str
    card: dict
    stops: dict[str, Vae]
    codes: dict[str, Code]
    labels: np.ndarray


def config(size: int) -> vae.Config:
    """A network for pictures of that side that is small enough to be trained beside eleven others."""
    return vae.Config(size, DIMS, {32: (16, 32, 64), 64: (16, 32, 64, 128)}[size])


@cache
def load(data: str) -> Dial:
    """All stops of "digits" or "avatars". Raises ValueError for another name, assets.Missing where they are not here."""
    if data not in DATA:
        raise ValueError(f"There are worlds of {' and of '.join(DATA)}.")
    name = f"vae/worlds-{data}"
    card, tensors = assets.card(name, MADE_BY), load_file(assets.weights(name, MADE_BY))
    stops, codes = {}, {}
    for stop, beta in STOPS.items():
        net = vae.Vae(vae.Config(**card["config"]))
        net.load_state_dict({k: tensors[f"{stop}.{k}"].float() for k in net.state_dict()})
        mu, logvar = (tensors[f"codes.{stop}.{part}"].float() for part in ("mu", "logvar"))
        codes[stop] = Code(mu.numpy(), (0.5 * logvar).exp().numpy(), vae.kl(mu, logvar).numpy())
        sigma = np.full((net.config.size,) * 2, card["settings"]["sigma"], np.float32)
        words = {"0": "reconstruction only", "kl": "KL only"}.get(stop, f"β = {stop}")
        facts = {"title": f"{TITLES[data]}, 2 numbers, {words}", "beta": beta, "version": card["sha256"][:8]}
        axes = [{"kl": k, "effect": "", "share": 0.0} for k in card["stops"][stop]["kl"]]
        far = max(FAR, float(1.5 * mu.abs().max()))  # without the KL codes lie far out
        stops[stop] = Vae(net, BY_NAME[data], sigma, facts, axes=axes, card=card, far=far)
    return Dial(data, card, stops, codes, tensors["labels"].numpy().astype(np.int64))
