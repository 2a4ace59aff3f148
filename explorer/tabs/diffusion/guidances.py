"""Three ways to tell a diffusion model what to paint, from the same noise, step by step beside each other.

    labels      explicit conditioning: eps(x, t, y)                                                     1 call a step
    classifier  eps(x, t) - s sqrt(1 - abar) grad log p(y | x_t)   Dhariwal and Nichol 2021, algorithm 2    1 call and 1 gradient
    free        eps(x, t) + w (eps(x, t, y) - eps(x, t))           Ho and Salimans 2021                     2 calls

w = 1 is the condition itself and w = 0 none, as in diffusers; Ho and Salimans count w from there. The classifier treats the
attributes of a wish as independent given x_t, which is exact for one attribute.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from explorer import corpus
from explorer.clip import pairs
from explorer.tabs.diffusion import classifier, labels

METHODS = ("labels", "classifier", "free")
STEPS, SCALES = (2, 100), (0.0, 20.0)


@dataclass(frozen=True)
class Settings:
    """`wish` attribute -> value; `told` is how classifier-free guidance hears it: "text" or "labels"."""

    wish: tuple[tuple[str, str], ...]
    seed: int = 0
    steps: int = 25
    s: float = 5.0
    w: float = 4.0
    told: str = "text"

    @property
    def row(self) -> np.ndarray:
        """(10,) attribute numbers, -1 where one is left open."""
        return labels.row(dict(self.wish))[0]

    @property
    def text(self) -> str:
        return sentence(dict(self.wish))


@dataclass(frozen=True)
class Branch:
    """One way at one step. Tensors (1, 4, 8, 8): `eps` is what the sampler used; `plain` and `condition` are the network's own
    predictions without and with the condition, None where it was not asked. `p` (asked,) are the classifier's p(value | x_t)."""

    x: torch.Tensor
    eps: torch.Tensor
    plain: torch.Tensor | None
    condition: torch.Tensor | None
    x0: torch.Tensor
    x_next: torch.Tensor
    p: np.ndarray
    seconds: float
    calls: int


@dataclass(frozen=True)
class Step:
    """All three at one step. `gradient` is the classifier's, at the x_t of classifier guidance. `agree` is the cosine between
    what the classifier and what the two predictions say, both at the x_t of classifier-free guidance."""

    index: int
    timestep: int
    abar: float
    branches: dict[str, Branch]
    gradient: torch.Tensor
    agree: float


def checked(given: Mapping) -> Settings:
    """Settings from what a page sends. Raises ValueError with one sentence."""
    wish = given.get("wish")
    if not isinstance(wish, dict) or not wish:
        raise ValueError("Wish for at least one attribute.")
    wish = {str(factor): str(value) for factor, value in wish.items()}
    labels.row(wish)
    told = given.get("told", "text")
    if told not in ("text", "labels"):
        raise ValueError("Classifier-free guidance is told by text or by labels.")
    return Settings(
        tuple((factor, wish[factor]) for factor in corpus.FACTORS if factor in wish),
        _number(given, "seed", 0, 0, 2**31 - 1, whole=True),
        _number(given, "steps", 25, *STEPS, whole=True),
        _number(given, "s", 5.0, *SCALES),
        _number(given, "w", 4.0, *SCALES),
        told,
    )


def _number(given: Mapping, name: str, usual, low, high, whole: bool = False):
    value = given.get(name, usual)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not good or (whole and value != int(value)):
        raise ValueError(f"{name} is a {'whole ' if whole else ''}number from {low:,} to {high:,}.")
    return int(value) if whole else float(value)


def sentence(wish: Mapping[str, str]) -> str:
    """The wish in the captions' words: "red hair, sunglasses, a blue shirt"."""
    return ", ".join(pairs.phrase(factor, wish[factor]) for factor in corpus.FACTORS if factor in wish)


def contexts(model, settings: Settings) -> dict[str, torch.Tensor]:
    """What the UNet reads: nothing, the labels, and what classifier-free guidance is told. Each (1, T, d)."""
    named = labels.context(model.labels, settings.row[None], model.context)
    told = model.encode_prompt(settings.text).states if settings.told == "text" else named
    return {"none": model.encode_prompt("").states, "labels": named, "free": told}


@torch.no_grad()
def compare(model, net: classifier.Classifier, settings: Settings) -> Iterator[Step]:
    """Denoises three times side by side with DDIM and yields after every step."""
    from diffusers import DDIMScheduler

    # eps goes in whatever the network was trained to say: `predict` has converted it.
    schedulers = {}
    for method in METHODS:
        schedulers[method] = DDIMScheduler.from_config(model.scheduler_config, prediction_type="epsilon")
        schedulers[method].set_timesteps(settings.steps)
    told, wanted = contexts(model, settings), settings.row
    generator = torch.Generator().manual_seed(settings.seed)
    start = torch.randn((1, *model.latent), generator=generator)
    x = dict.fromkeys(METHODS, start)

    any_one = schedulers["free"]
    for index, t in enumerate(int(t) for t in any_one.timesteps):
        abar = float(any_one.alphas_cumprod[t])
        found, gradient = _predictions(model, net, x, t, abar, told, settings)
        branches = {}
        for method, (eps, plain, condition, seconds, calls) in found.items():
            out = schedulers[method].step(eps, t, x[method])
            there, each = classifier.gradient(net, x[method], torch.tensor([t]), wanted)
            p = each[0].exp().numpy()
            branches[method] = Branch(
                x[method], eps, plain, condition, out.pred_original_sample, out.prev_sample, p, seconds, calls
            )
            if method == "free":
                agree = float(torch.nn.functional.cosine_similarity(-there.flatten(), (condition - plain).flatten(), dim=0))
        yield Step(index, t, abar, branches, gradient, agree)
        x = {method: branch.x_next for method, branch in branches.items()}


def _predictions(model, net, x: dict, t: int, abar: float, told: dict, settings: Settings):
    """Per method (eps, plain, condition, seconds, UNet rows), and the classifier's gradient."""
    at = torch.tensor([t])

    begin = time.perf_counter()
    eps = model.predict(x["labels"], at, told["labels"]).float().cpu()
    explicit = (eps, None, eps, time.perf_counter() - begin, 1)

    begin = time.perf_counter()
    plain = model.predict(x["classifier"], at, told["none"]).float().cpu()
    gradient, _ = classifier.gradient(net, x["classifier"], at, settings.row)
    eps = plain - settings.s * (1 - abar) ** 0.5 * gradient
    by_classifier = (eps, plain, None, time.perf_counter() - begin, 1)

    begin = time.perf_counter()
    both = torch.cat([told["none"], told["free"]])
    plain, condition = model.predict(x["free"].expand(2, -1, -1, -1), at.expand(2), both).float().cpu().chunk(2)
    eps = plain + settings.w * (condition - plain)
    free = (eps, plain, condition, time.perf_counter() - begin, 2)
    return {"labels": explicit, "classifier": by_classifier, "free": free}, gradient


def recombined(step: Step, method: str, scale: float) -> torch.Tensor:
    """x0 at a step had its scale been another, from what the step has kept: (1, 4, 8, 8)."""
    one, noise = step.branches[method], (1 - step.abar) ** 0.5
    if method == "classifier":
        eps = one.plain - scale * noise * step.gradient
    elif method == "free":
        eps = one.plain + scale * (one.condition - one.plain)
    else:
        raise ValueError("Explicit conditioning has no scale.")
    return (one.x - noise * eps) / step.abar**0.5


def verdict(pictures: np.ndarray, settings: Settings) -> list[list[dict]]:
    """The judge on each picture (N, 64, 64, 3): per attribute asked {factor, value, p, seen}; seen is what the judge reads."""
    from explorer.judge import engine

    read = engine.load().read(pictures)
    return [
        [
            {
                "factor": factor, "value": value,
                "p": round(float(read[factor][i][corpus.FACTORS[factor].index(value)]), 4),
                "seen": corpus.FACTORS[factor][int(read[factor][i].argmax())],
            }
            for factor, value in settings.wish
        ]
        for i in range(len(pictures))
    ]  # fmt: skip
