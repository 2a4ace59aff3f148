"""What a training on the page may be asked for: data, objective, network, optimiser, budget. Every number has its bounds."""

import math
from dataclasses import asdict, dataclass

from explorer.tabs.vae.objective import KL_ONLY

SETS = {  # name -> (title, sizes of its pictures)
    "digits": ("Digits", (32,)),
    "avatars": ("Faces", (32, 64)),
    "fashion": ("Fashion-MNIST", (32,)),
    "upload": ("Your pictures", (32,)),
}
WIDTHS = (4, 8, 16, 32, 64, 128)  # channels of a layer
BATCHES = (8, 16, 32, 64, 128)
STEPS = (1, 20_000)
WORK = 3e9  # multiplications of one step: a second or less on one slow core, so that a closed page stops as fast
# name -> (title, least, most) of what is a plain number
RANGES = {
    "dims": ("The latent size", 2, 32),
    "sigma": ("The decoder's sigma", 0.1, 5.0),
    "lr": ("The learning rate", 1e-5, 0.05),
    "steps": ("The number of steps", *STEPS),
    "seed": ("The seed", 0, 999_999),
}
WHOLE = ("dims", "steps", "seed")


@dataclass(frozen=True)
class Settings:
    """One training. The defaults make digits readable in seconds on one core; see NOTES.md."""

    data: str = "digits"
    size: int = 32  # pixels per side
    beta: float = 1.0  # objective.KL_ONLY for the KL term alone
    dims: int = 2
    widths: tuple[int, ...] = (8, 16, 32)  # channels at size/2, size/4, ... 4
    sigma: float = 1.0  # of the decoder, for pixels in [-1, 1]
    lr: float = 5e-3
    batch: int = 32
    steps: int = 1000
    seed: int = 0

    @property
    def told(self) -> dict:
        """As JSON can say it."""
        return asdict(self) | {"beta": "kl" if self.beta == KL_ONLY else self.beta, "widths": list(self.widths)}

    @property
    def work(self) -> float:
        """Multiplications of one step, forward and backward."""
        side, before, total = self.size, 3, 0.0
        for width in self.widths:
            side //= 2
            total += side**2 * 16 * before * width  # the encoder strides
            total += side**2 * 9 * width * (before if before > 3 else 12) * (4 if before > 3 else 1)  # the decoder mirrors it
            before = width
        return 3 * self.batch * (total + self.widths[-1] * 16 * 3 * self.dims)


def checked(given: dict) -> Settings:
    """What a page asks for, the rest as usual. Raises ValueError with one sentence that says what may be chosen."""
    if not isinstance(given, dict) or (unknown := set(given) - set(Settings.__dataclass_fields__)):
        raise ValueError(f"Training knows no setting {sorted(map(str, unknown))[0][:40]!r}." if isinstance(given, dict) else
                         "The settings of a training are a JSON object.")  # fmt: skip
    found = {"data": "digits"} | given
    if not isinstance(found["data"], str) or found["data"] not in SETS:
        raise ValueError(f"One can train on {', '.join(SETS)}.")
    title, sizes = SETS[found["data"]]
    found.setdefault("size", sizes[0])
    if type(found["size"]) is not int or found["size"] not in sizes:
        raise ValueError(f"{title}: pictures of {' or '.join(map(str, sizes))} pixels a side.")
    layers = int(math.log2(found["size"] // 4))
    found.setdefault("widths", (8, 16, 32, 64)[:layers])
    widths = found["widths"]
    fits = isinstance(widths, (list, tuple)) and len(widths) == layers
    if not fits or any(type(width) is not int or width not in WIDTHS for width in widths):
        raise ValueError(
            f"Pictures of {found['size']} pixels take {layers} layers, each of {', '.join(map(str, WIDTHS))} channels."
        )
    found["widths"] = tuple(widths)
    found["beta"] = _beta(found.get("beta", Settings.beta))
    if type(found.setdefault("batch", Settings.batch)) is not int or found["batch"] not in BATCHES:
        raise ValueError(f"A batch has {', '.join(map(str, BATCHES))} pictures.")
    for name in RANGES:
        found[name] = _number(name, found.get(name, getattr(Settings, name)))
    settings = Settings(**found)
    if settings.work > WORK:
        raise ValueError("One step of this net would take too long here; choose fewer channels or a smaller batch.")
    return settings


def menu() -> dict:
    """What the page offers: choices, bounds, and the usual values of each data set."""
    return {
        "sets": {name: {"title": title, "sizes": sizes} for name, (title, sizes) in SETS.items()},
        "widths": WIDTHS,
        "batches": BATCHES,
        "ranges": {name: {"title": title, "least": least, "most": most} for name, (title, least, most) in RANGES.items()},
        "usual": Settings().told,
    }


def _beta(value) -> float:
    if value == "kl" or value == KL_ONLY:
        return KL_ONLY
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 16:
        raise ValueError("Beta is a number from 0 to 16, or 'kl' for the KL term alone.")
    return float(value)


def _number(name: str, value) -> float:
    title, least, most = RANGES[name]
    whole = name in WHOLE
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most
    if not fits or (whole and int(value) != value):
        raise ValueError(f"{title} is a {'whole ' if whole else ''}number from {least:g} to {most:,}.")
    return int(value) if whole else float(value)
