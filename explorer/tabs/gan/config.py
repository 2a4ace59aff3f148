"""What can be set in the lab: one frozen record, its limits, and the menu that a page makes of it. Computes nothing.

A run is a function of its Settings: the same settings give the same run, whoever else trains.
"""

import base64
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

DATA_SIZE = 12_000  # points of a data set, drawn once; batches are drawn from them with replacement
MOST_WORK = 10**9  # of one round: about a tenth of a second, so that nobody waits long for anybody's
MOST_POINTS = 2_048  # of a drawing or a file: its link still fits into an address
OWN = "own"  # the data set that a visitor drew or brought

LOSSES = {
    "non_saturating": "Non-saturating",
    "minimax": "Minimax (saturating)",
    "least_squares": "Least squares",
    "wgan": "WGAN, clipped weights",
    "wgan_gp": "WGAN-GP",
    "hinge": "Hinge",
}
ACTIVATIONS = {"relu": "ReLU", "leaky_relu": "Leaky ReLU (0.2)", "tanh": "tanh", "silu": "SiLU"}
OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum 0.9", "adam": "Adam", "rmsprop": "RMSprop"}
NOISES = {
    "gaussian2": "2-D Gaussian, N(0, I)",
    "uniform2": "2-D uniform on [-1, 1]²",
    "gaussian1": "1-D Gaussian, N(0, 1)",
    "uniform1": "1-D uniform on [-1, 1]",
}
OUTPUTS = {"linear": "linear", "tanh": "tanh, inside the plot"}


def _field(default, label, group, live, help, **kind):
    meta = {"label": label, "group": group, "live": live, "help": help, **kind}
    return dataclasses.field(default=default, metadata=meta)


@dataclass(frozen=True)
class Settings:
    """Everything that a run depends on. `check` makes one from outside values and says what is wrong with them."""

    data: str = _field("gaussians", "Data", "data", False, "The distribution that the generator shall imitate.", kind="data")
    points: str = _field("", "Own points", "data", False, "Your points; each stands for a small Gaussian cloud.", kind="points")
    noise: str = _field("gaussian2", "Noise z", "data", False, "What the generator turns into points.", choices=NOISES)
    seed: int = _field(1, "Seed", "data", False, "Weights, noise and batches follow from it: same seed, same run.",
                       low=0, high=999_999)  # fmt: skip
    batch: int = _field(150, "Batch size", "data", True, "Real points, and fakes, in one update.", low=1, high=1024)

    g_layers: int = _field(2, "Hidden layers", "g", False, "Layers between the noise and the output layer.", low=0, high=5)
    g_width: int = _field(8, "Neurons per layer", "g", False, "Neurons in each hidden layer.", low=1, high=100)
    g_act: str = _field("relu", "Activation", "g", False, "What each neuron does to its sum.", choices=ACTIVATIONS)
    g_out: str = _field("linear", "Output", "g", False, "tanh keeps fakes inside [-1, 1].", choices=OUTPUTS)
    g_opt: str = _field("sgd", "Optimizer", "g", True, "How gradients become steps.", choices=OPTIMIZERS)
    g_lr: float = _field(0.1, "Learning rate", "g", True, "The size of a step.", low=1e-6, high=10.0)
    k_g: int = _field(1, "Updates per round", "g", True, "Updates of G in one round of training.", low=0, high=10)
    ema: float = _field(0.0, "Averaged weights (EMA)", "g", True, "Decay of the averaged generator per update; 0 is off.",
                        low=0.0, high=0.9999)  # fmt: skip

    d_layers: int = _field(2, "Hidden layers", "d", False, "Layers between the point and the output neuron.", low=0, high=5)
    d_width: int = _field(8, "Neurons per layer", "d", False, "Neurons in each hidden layer.", low=1, high=100)
    d_act: str = _field("relu", "Activation", "d", False, "What each neuron does to its sum.", choices=ACTIVATIONS)
    d_opt: str = _field("sgd", "Optimizer", "d", True, "How gradients become steps.", choices=OPTIMIZERS)
    d_lr: float = _field(0.1, "Learning rate", "d", True, "The size of a step.", low=1e-6, high=10.0)
    k_d: int = _field(2, "Updates per round", "d", True, "Updates of D in one round of training (the lectures' k).",
                      low=0, high=10)  # fmt: skip

    loss: str = _field("non_saturating", "Loss", "loss", True, "What the two play for.", choices=LOSSES)
    smoothing: float = _field(0.0, "One-sided label smoothing", "loss", True,
                              "Real points count as 1 minus this, with the two log losses.", low=0.0, high=0.4)  # fmt: skip
    clip: float = _field(0.1, "Weight clip", "loss", True, "WGAN: D's weights stay within plus and minus this.",
                         low=1e-3, high=10.0)  # fmt: skip
    gp: float = _field(1.0, "Gradient penalty", "loss", True, "WGAN-GP: weight of (|gradient| - 1)².", low=0.0, high=100.0)
    r1: float = _field(0.0, "R1", "loss", True, "Half of this times |gradient of D's logit|² at real points; 0 is off.",
                       low=0.0, high=100.0)  # fmt: skip
    spectral: bool = _field(False, "Spectral norm", "loss", True, "Each layer of D is divided by its largest singular value.")
    instance_noise: float = _field(0.0, "Instance noise", "loss", True,
                                   "Spread of Gaussian noise added to all that D sees; 0 is off.", low=0.0, high=1.0)  # fmt: skip
    beta1: float = _field(0.5, "Adam's beta 1", "loss", True, "Memory of Adam's mean; GANs like it short.", low=0.0, high=0.99)

    @property
    def noise_dim(self) -> int:
        return int(self.noise[-1])

    @property
    def g_sizes(self) -> tuple[int, ...]:
        """Units of each layer of G, the noise first: (2, 8, 8, 2)."""
        return (self.noise_dim, *[self.g_width] * self.g_layers, 2)

    @property
    def d_sizes(self) -> tuple[int, ...]:
        """Units of each layer of D: (2, 8, 8, 1). The output is a logit (or a critic's value): never squashed."""
        return (2, *[self.d_width] * self.d_layers, 1)

    @property
    def work(self) -> int:
        """What one round costs, in points times weights times updates; roughly as long as what else costs as much."""
        weights = sum(n * m + m for sizes in (self.g_sizes, self.d_sizes) for n, m in zip(sizes, sizes[1:]))
        penalties = 3 if self.r1 or self.loss == "wgan_gp" else 1
        return self.batch * max(1, self.k_d + self.k_g) * weights * penalties


FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
LIVE = frozenset(name for name, field in FIELDS.items() if field.metadata["live"])
GROUPS = {"data": "Data and noise", "g": "Generator G", "d": "Discriminator D", "loss": "Loss and stabilisers"}


def check(values: Mapping[str, Any], base: Settings | None = None, data: Any = None) -> Settings:
    """`base` (the defaults without one) with these values. Text is read as numbers where numbers belong.

    `data` holds the names of the data sets that exist. Raises ValueError with one sentence for what cannot be.
    """
    base, clean = base or Settings(), {}
    if not isinstance(values, Mapping):
        raise ValueError("Settings are names with values.")
    for name, value in values.items():
        if name not in FIELDS:
            raise ValueError(f"There is no setting called {str(name)[:40]!r}.")
        clean[name] = _value(name, value)
    settings = dataclasses.replace(base, **clean)
    if data is not None and settings.data not in data and settings.data != OWN:
        raise ValueError(f"There is no data set called {settings.data[:40]!r}.")
    if settings.data == OWN:
        unpack_points(settings.points)
    if settings.work > MOST_WORK:
        raise ValueError("One round of this would take too long; choose smaller nets, a smaller batch or fewer updates.")
    return settings


def _value(name: str, value: Any):
    field = FIELDS[name]
    meta, label = field.metadata, f"{GROUPS[field.metadata['group']]}, {field.metadata['label'].lower()}"
    if "choices" in meta:
        if not isinstance(value, str) or value not in meta["choices"]:
            raise ValueError(f"{label}: choose one of {', '.join(meta['choices'])}.")
        return value
    if field.type is bool:
        if value in (True, 1, "1", "true", "on"):
            return True
        if value in (False, 0, "0", "false", "off"):
            return False
        raise ValueError(f"{label}: either on or off.")
    if field.type is str:
        if not isinstance(value, str) or len(value) > 6 * MOST_POINTS:
            raise ValueError(f"{label}: this is no text that belongs here.")
        return value
    return _number(value, field.type, meta["low"], meta["high"], label)


def _number(value: Any, type_: type, low: float, high: float, label: str):
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(f"{label}: this takes a number from {low:g} to {high:g}.")
    if type_ is int and number != round(number):
        raise ValueError(f"{label}: this takes a whole number from {low:g} to {high:g}.")
    if not low <= number <= high:
        raise ValueError(f"{label}: {number:g} is not between {low:g} and {high:g}.")
    return type_(number)


def restarts(old: Settings, new: Settings) -> list[str]:
    """The changed settings that a run cannot take over while it goes on."""
    return [name for name in FIELDS if name not in LIVE and getattr(old, name) != getattr(new, name)]


def changes(settings: Settings) -> dict[str, Any]:
    """What differs from the defaults: for links and cards."""
    plain = Settings()
    return {name: getattr(settings, name) for name in FIELDS if getattr(settings, name) != getattr(plain, name)}


def menu() -> dict:
    """What a page needs to draw the controls, as JSON: groups, and for each field label, help, kind, limits, default."""
    fields = []
    for name, field in FIELDS.items():
        meta = dict(field.metadata)
        kind = meta.pop("kind", None) or ("choice" if "choices" in meta else {bool: "switch"}.get(field.type, "number"))
        fields.append({"name": name, "kind": kind, "whole": field.type is int, "default": field.default, **meta})
    return {"groups": GROUPS, "fields": fields, "most_points": MOST_POINTS}


# ---- Own points, as text that fits into a link ------------------------------------------------------------------------------


def pack_points(points: np.ndarray) -> str:
    """(N, 2) in [-1, 1] -> base64url of little-endian uint16 pairs, 0 for -1 and 65535 for 1."""
    whole = np.round((np.clip(points, -1, 1) + 1) * 32767.5).astype("<u2")
    return base64.urlsafe_b64encode(whole.tobytes()).decode().rstrip("=")


def unpack_points(text: str) -> np.ndarray:
    """The (N, 2) float32 points of such a text. Raises ValueError where there are fewer than two, or too many."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        points = np.frombuffer(raw, "<u2").reshape(-1, 2)
    except ValueError:
        raise ValueError("The points of this link are damaged; draw them again.") from None
    if len(points) < 2:
        raise ValueError("There is nothing to learn from fewer than two points; draw some more.")
    if len(points) > MOST_POINTS:
        raise ValueError(f"These are {len(points)} points; at most {MOST_POINTS} fit.")
    return (points / 32767.5 - 1).astype(np.float32)
