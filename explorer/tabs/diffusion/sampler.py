"""The loop from noise to picture, one step at a time, with everything that a step used and made.

    eps = eps_uncond + w (eps_cond - eps_uncond)       Ho and Salimans 2022, with w = 1 the condition alone

Both halves are computed in one call at every w, so both can be shown, and w between 0 and 1 is what the formula says; diffusers'
pipelines run no unconditional half there. Above 1 the latents are theirs. Knows nothing of pages and visitors.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from explorer.tabs.diffusion import attention, labels, schedulers, zerogpu
from explorer.tabs.diffusion.families import Prompt
from explorer.tabs.diffusion.models import Model
from explorer.tabs.diffusion.schedulers import History, Plan, Stepped, Term

__all__ = ["Settings", "Start", "Step", "again", "checked", "contexts", "count", "denoise", "planned", "recombine"]

STEPS, GUIDANCE, MODES = (1, 100), (0.0, 20.0), ("text", "labels", "none")


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run: the same settings and seed give the same film."""

    prompt: str = ""
    negative: str = ""
    seed: int = 0
    steps: int = 25
    scheduler: str = "ddim"
    eta: float = 0.0  # of DDIM: 0 draws no noise, 1 as much as DDPM
    guidance_scale: float = 4.0
    strength: float = 1.0  # of img2img: the share of the steps that are done
    size: int | None = None  # the picture's side in pixels; None is the model's own
    mode: str = "text"  # what the conditional half is told: "text", "labels" or "none"
    labels: tuple[tuple[str, str], ...] = ()  # (factor, value), for mode "labels"


@dataclass(frozen=True)
class Start:
    """Where a run stands before a step, and all that it needs to go on from there."""

    index: int
    x: Tensor
    generator_state: Tensor
    history: History
    plan: Plan  # of the run that stood there


@dataclass(frozen=True)
class Step:
    """One step: tensors are (1, 4, h, w) float32 on the CPU. x and x_next are the scheduler's own; times `scale` they are as
    noisy as in training (only Euler's are not so already)."""

    index: int
    total: int
    timestep: float
    abar: float
    sigma: float  # sqrt((1 - abar) / abar)
    x: Tensor
    eps_uncond: Tensor
    eps_cond: Tensor
    eps: Tensor
    x0: Tensor
    x_next: Tensor
    noise: Tensor | None
    terms: tuple[Term, ...]
    coefficients: dict[str, float]
    maps: dict[str, Tensor] | None  # per layer (tokens, h, w): what the conditional half attends to
    start: Start  # to branch here
    settings: Settings

    @property
    def scale(self) -> float:
        return self.coefficients["scale"]

    @property
    def scale_next(self) -> float:
        return self.coefficients["scale_next"]


def denoise(model: Model, settings: Settings, *, image: np.ndarray | None = None, start: Start | None = None,
            attention: bool = True) -> Iterator[Step]:  # fmt: skip
    """Yields each step of a run. Closing the generator ends it.

    `image` (H, W, 3) uint8 begins with that picture and as much noise as `strength` says. `start` goes on from a step of an
    earlier run, with these settings: nothing changed, nothing differs. Raises ValueError with one sentence for bad settings.
    """
    settings = checked(model, settings, image is not None)
    if zerogpu.here() and model.device.type == "cuda":
        return zerogpu.film(model.name, settings, image, start, attention)
    return film(model, settings, image, start, attention)


def film(model: Model, settings: Settings, image=None, start: Start | None = None, keep: bool = True) -> Iterator[Step]:
    """The same for settings that are in order, on the device as it is. Computes nothing before the first step is asked for."""
    uncond, cond = contexts(model, settings)
    plan = planned(model, settings, start)
    index = 0 if start is None or start.plan is not plan else start.index
    generator = torch.Generator().manual_seed(settings.seed)
    if start is None:
        x, history = _first(model, settings, plan, image, generator), History()
    else:
        x, history = _taken_over(start, plan)
        generator.set_state(start.generator_state)

    added = None if cond.added is None else {k: torch.cat([uncond.added[k], cond.added[k]]) for k in cond.added}
    context = torch.cat([uncond.states, cond.states])
    with model.bus.ride():
        for k in range(index, len(plan)):
            before = Start(k, x, generator.get_state(), history, plan)
            knot, scale = plan.knots[k], plan.scale(k)
            store = attention.Store(tuple(x.shape[-2:])) if keep else None
            seen = x * scale if scale != 1 else x
            halves = model.predict(torch.cat([seen, seen]), knot.t, context, store, added)
            eps_uncond, eps_cond = halves.chunk(2)
            eps = recombine(eps_uncond, eps_cond, settings.guidance_scale)
            done = plan.step(eps, k, x, settings.eta, generator, history)
            maps = None if store is None else attention.of_row(store, 1, tuple(x.shape[-2:]))
            yield _step(plan, k, before, eps_uncond, eps_cond, eps, done, maps, settings)
            x, history = done.x_next, done.history


def _step(plan: Plan, k: int, start: Start, eps_uncond, eps_cond, eps, done: Stepped, maps, settings) -> Step:
    knot = plan.knots[k]
    numbers = {
        "abar": knot.abar, "abar_next": knot.after, "sigma": knot.sigma, "sigma_next": knot.sigma_after,
        "scale": plan.scale(k), "scale_next": math.sqrt(knot.after) if plan.in_sigma else 1.0, "w": settings.guidance_scale,
    }  # fmt: skip
    return Step(k, len(plan), knot.t, knot.abar, knot.sigma, start.x, eps_uncond, eps_cond, eps, done.x0, done.x_next, done.noise,
                done.terms, numbers, maps, start, settings)  # fmt: skip


def recombine(eps_uncond: Tensor, eps_cond: Tensor, w: float) -> Tensor:
    """Classifier-free guidance, for any w: no UNet is needed to change it."""
    return eps_uncond + w * (eps_cond - eps_uncond)


def again(step: Step, w: float) -> Stepped:
    """The same step with another guidance scale: its x0 and where it would have led, without the UNet and with the same noise."""
    generator = torch.Generator()
    generator.set_state(step.start.generator_state)
    eps = recombine(step.eps_uncond, step.eps_cond, w)
    return step.start.plan.step(eps, step.index, step.x, step.settings.eta, generator, step.start.history)


# --- Before the first step ---


def checked(model: Model, settings: Settings, picture: bool = False) -> Settings:
    """The settings with whole numbers whole. Raises ValueError with one sentence for what no run can have."""
    steps, seed = settings.steps, settings.seed
    if not _number(steps) or steps != int(steps) or not STEPS[0] <= steps <= STEPS[1]:
        raise ValueError(f"Choose a whole number of steps from {STEPS[0]} to {STEPS[1]}.")
    if not _number(seed) or seed != int(seed) or not 0 <= seed < 2**63:
        raise ValueError("A seed is a whole number from 0 on, below 2 to the power 63.")
    if not _number(settings.guidance_scale) or not GUIDANCE[0] <= settings.guidance_scale <= GUIDANCE[1]:
        raise ValueError(f"Choose a guidance scale from {GUIDANCE[0]:g} to {GUIDANCE[1]:g}.")
    if not _number(settings.eta) or not 0 <= settings.eta <= 1:
        raise ValueError("Choose an eta from 0 to 1.")
    if settings.scheduler not in schedulers.NAMES:
        raise ValueError(f"There is no scheduler called {settings.scheduler}; choose one of {', '.join(schedulers.NAMES)}.")
    if not _number(settings.strength) or not 0 < settings.strength <= 1:
        raise ValueError("Choose a strength above 0, up to 1.")
    if picture and int(steps * settings.strength) < 1:
        raise ValueError(f"A strength of {settings.strength:g} leaves none of {int(steps)} steps; raise one of the two.")
    size = settings.size if settings.size is not None else model.size
    if size not in model.sizes:
        raise ValueError(f"This model paints pictures with a side of {', '.join(map(str, model.sizes))} pixels.")
    if settings.mode not in MODES:
        raise ValueError(f"A run is conditioned by one of {', '.join(MODES)}.")
    if settings.mode == "labels" and model.labels is None:
        raise ValueError("This model has not learned labels; give it a text.")
    if settings.mode == "labels":
        labels.row(dict(settings.labels))  # says which is unknown
    if not isinstance(settings.prompt, str) or not isinstance(settings.negative, str):
        raise ValueError("A prompt is a text.")
    strength = float(settings.strength) if picture else 1.0
    return replace(settings, steps=int(steps), seed=int(seed), size=int(size), strength=strength, eta=float(settings.eta),
                   guidance_scale=float(settings.guidance_scale))  # fmt: skip


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@torch.no_grad()
def contexts(model: Model, settings: Settings) -> tuple[Prompt, Prompt]:
    """What the unconditional half is told (the negative prompt, or nothing), and the conditional one."""
    uncond = model.encode_prompt(settings.negative, empty=True)
    if settings.mode == "none":
        return uncond, model.encode_prompt("", empty=True)
    if settings.mode == "labels":
        states = labels.context(model.labels, labels.row(dict(settings.labels)), model.context)
        return uncond, Prompt(states.float().cpu())
    return uncond, model.encode_prompt(settings.prompt)


def planned(model: Model, settings: Settings, start: Start | None = None) -> Plan:
    """The calls that this run will make; those of the run it branches from where neither scheduler nor steps changed."""
    if start is not None:
        same = start.plan
        if (same.name, same.steps) == (settings.scheduler, settings.steps):
            return same
        knot = same.knots[start.index]
        return schedulers.make(settings.scheduler, model.scheduler_config, settings.steps, after=knot.t)
    return schedulers.make(settings.scheduler, model.scheduler_config, settings.steps, settings.strength)


def count(model: Model, settings: Settings, start: Start | None = None) -> int:
    """How many steps a run with these settings will yield."""
    plan = planned(model, settings, start)
    return len(plan) - (start.index if start is not None and plan is start.plan else 0)


def _taken_over(start: Start, plan: Plan) -> tuple[Tensor, History]:
    """x and history of another run, in the measure of this one."""
    if start.plan is plan:
        return start.x, start.history
    scale, mine = start.plan.scale(start.index), plan.scale(0)
    return (start.x if scale == mine else start.x * (scale / mine)), History()


@torch.no_grad()
def _first(model: Model, settings: Settings, plan: Plan, image: np.ndarray | None, generator: torch.Generator) -> Tensor:
    side = settings.size // model.ratio
    shape = (1, model.latent[0], side, side)
    if image is None:
        return torch.randn(shape, generator=generator) * plan.init_noise_sigma
    # As StableDiffusionImg2ImgPipeline: a sample of the latent first, then the noise, from one generator.
    posterior = model.vae.encode(_pixels(image, settings.size).to(model.vae.device, model.vae.dtype)).latent_dist
    draw = torch.randn(shape, generator=generator)
    latent = (posterior.mean.float().cpu() + posterior.std.float().cpu() * draw) * model.vae.config.scaling_factor
    return plan.noised(latent, torch.randn(shape, generator=generator))


def _pixels(image: np.ndarray, size: int) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, size, size) in [-1, 1]."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3:
        raise ValueError("A picture must be height x width x 3 numbers of 8 bits.")
    if image.shape[:2] != (size, size):
        from PIL import Image

        image = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
