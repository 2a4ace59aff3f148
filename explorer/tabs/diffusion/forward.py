"""The forward lab: a picture under noise by four schedules, and what the network makes of it at every noise level.

x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps (Ho et al. 2020, equation 4), in the latent or in pixels; the same eps at every t,
so a film shows one picture drowning, not fifty different noises.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from explorer import corpus

TRAINED = 1000  # time steps of every schedule here
FRAMES = (*range(0, TRAINED, 25), TRAINED - 1)  # the time steps of a film: 41
OWN = "scaled_linear"  # what the network was trained on
ROWS = 16  # time steps in one call of the network
CAPTION_CHARS = 400
SEEDS = 2**31  # torch and numpy take larger ones, pages send smaller ones

ABOUT = {
    "linear": ("Linear", "β rises in a straight line (Ho et al. 2020). After half of the time little is left of the picture."),
    "scaled_linear": ("Scaled linear", "√β rises in a straight line (Stable Diffusion). This network was trained on it."),
    "cosine": ("Cosine", "ᾱ falls like a squared cosine (Nichol and Dhariwal 2021): little noise first, more later."),
    "zero_snr": (
        "Zero terminal SNR",
        "Scaled linear, stretched so that nothing of the picture is left at the end (Lin et al. 2023). With eps prediction the "
        "last step could not be undone, as it divides by √ᾱ = 0.",
    ),
}


@dataclass(frozen=True)
class Schedule:
    """`abar` (1000,) float64: how much of the picture's variance is left after each time step."""

    name: str
    title: str
    about: str
    abar: np.ndarray


@cache
def schedules() -> dict[str, Schedule]:
    """The four schedules, as diffusers computes them."""
    from diffusers import DDIMScheduler

    stable = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    made = {
        "linear": DDIMScheduler(beta_start=1e-4, beta_end=0.02, beta_schedule="linear"),
        "scaled_linear": DDIMScheduler(**stable),
        "cosine": DDIMScheduler(beta_schedule="squaredcos_cap_v2"),
        "zero_snr": DDIMScheduler(**stable, rescale_betas_zero_snr=True),
    }
    return {name: Schedule(name, *ABOUT[name], scheduler.alphas_cumprod.double().numpy()) for name, scheduler in made.items()}


def schedule(name: str) -> Schedule:
    """Raises ValueError with one sentence."""
    if name not in schedules():
        raise ValueError(f"There is no schedule called {str(name)[:40]!r}; there are {', '.join(schedules())}.")
    return schedules()[name]


def own_times(abar: np.ndarray) -> np.ndarray:
    """The times, between two steps where need be, at which the network's own schedule has these noise levels: float64.

    The network knows t as "so much noise"; under another schedule it must be asked with the t of equal noise. Beyond the
    ends of its own schedule, abar 0.9991 and 0.0047, the answer is the end.
    """
    sigmas, own = _sigma(np.asarray(abar, np.float64)), _sigma(schedules()[OWN].abar)
    return np.interp(sigmas, own, np.arange(TRAINED))  # as Model.levels has it: sigma runs straight from step to step


def own_levels(times: np.ndarray) -> np.ndarray:
    """abar of the network's own schedule at such times."""
    return 1 / (1 + np.interp(times, np.arange(TRAINED), _sigma(schedules()[OWN].abar)) ** 2)


def _sigma(abar: np.ndarray) -> np.ndarray:
    return np.sqrt((1 - abar) / np.maximum(abar, 1e-12))


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture that is to drown: its pixels, its latent (1, 4, 8, 8), and what it is called ("" where nobody knows)."""

    pixels: np.ndarray
    x0: torch.Tensor
    caption: str = ""


def subject(model, pixels: np.ndarray, caption: str = "") -> Subject:
    """(64, 64, 3) uint8 as the lab takes it."""
    from explorer.tabs.diffusion import autoencoder

    return Subject(pixels, autoencoder.encode(model.vae, pixels[None]) * model.vae.config.scaling_factor, caption)


def face(number: int) -> tuple[np.ndarray, str]:
    """Face `number` of those no model has seen, and its caption. Raises ValueError."""
    if not 0 <= number < len(corpus.SPLITS["test"]):
        raise ValueError(f"There are faces 0 to {len(corpus.SPLITS['test']) - 1:,}.")
    images, rows = corpus.batch("test", int(number), 1)
    return images[0], corpus.caption(rows[0], int(number), 1.0)


def noises(seed: int, latent=(4, 8, 8), pixels=(64, 64)) -> tuple[torch.Tensor, torch.Tensor]:
    """The eps of a seed: one for the latent (1, 4, 8, 8) and one for the pixels (1, 3, 64, 64)."""
    generator = torch.Generator().manual_seed(int(seed) % SEEDS)
    return torch.randn((1, *latent), generator=generator), torch.randn((1, 3, *pixels), generator=generator)


def noisy(x0: torch.Tensor, eps: torch.Tensor, abar) -> torch.Tensor:
    """x_t at noise levels abar (F,): (1, ...) and (1, ...) -> (F, ...)."""
    a = torch.as_tensor(np.asarray(abar, np.float64)).view(-1, *[1] * (x0.ndim - 1))
    return (a.sqrt() * x0.double() + (1 - a).sqrt() * eps.double()).float()


@dataclass(frozen=True, eq=False)
class Guess:
    """What the network says at some time steps: t as asked here and of the network, and its eps without and with caption.

    Tensors (F, 4, 8, 8); `told` is None without a caption. x0 follows with the network's own abar, see `estimate`.
    """

    times: np.ndarray
    asked: np.ndarray
    x: torch.Tensor
    eps: torch.Tensor
    untold: torch.Tensor
    told: torch.Tensor | None


def guess(model, what: Subject, eps: torch.Tensor, plan: Schedule, caption: str, times=FRAMES) -> Guess:
    """Asks the network for the noise in x_t at `times`. Raises ValueError for a caption that is too long."""
    caption = checked(caption)
    times = np.asarray(times)
    abar = plan.abar[times]
    asked = own_times(abar)
    x = noisy(what.x0, eps, abar)
    contexts = [model.encode_prompt("").states] + ([model.encode_prompt(caption).states] if caption else [])
    found = [_predict(model, x, asked, context) for context in contexts]
    return Guess(times, asked, x, eps, found[0], found[1] if caption else None)


@torch.no_grad()
def _predict(model, x: torch.Tensor, t: np.ndarray, context: torch.Tensor) -> torch.Tensor:
    parts = []
    for start in range(0, len(x), ROWS):
        rows = x[start : start + ROWS]
        at = torch.as_tensor(t[start : start + ROWS])
        parts.append(model.predict(rows, at, context.expand(len(rows), -1, -1)).float().cpu())
    return torch.cat(parts)


def checked(caption: str) -> str:
    caption = " ".join(str(caption or "").split())
    if len(caption) > CAPTION_CHARS:
        raise ValueError(f"A caption has at most {CAPTION_CHARS} characters here.")
    return caption


def estimate(x: torch.Tensor, eps: torch.Tensor, asked: np.ndarray) -> torch.Tensor:
    """x0 in one shot, (x - sqrt(1 - abar) eps) / sqrt(abar), with abar of the network's own schedule at `asked`:
    the same as that of the picture, but beyond the end of it, where sqrt(abar) would be 0."""
    a = torch.from_numpy(own_levels(asked)).view(-1, 1, 1, 1)
    return ((x.double() - (1 - a).sqrt() * eps.double()) / a.sqrt()).float()


def losses(found: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    """The mean squared error of each row: (F,)."""
    return (found - eps).square().flatten(1).mean(1)


def example(model, what: Subject, plan: Schedule, caption: str, seed: int) -> Guess:
    """One training example: t drawn uniformly, noise drawn, and what the network, as it is now, says to it."""
    generator = np.random.default_rng(int(seed) % SEEDS)
    t = int(generator.integers(TRAINED))
    eps, _ = noises(int(generator.integers(SEEDS)))
    return guess(model, what, eps, plan, caption, [t])


def shown(found) -> torch.Tensor:
    """A guess as latents to decode: x_t, then the estimates of x0 without the caption and with it, where they were asked for."""
    guesses = [one for one in (found.untold, found.told) if one is not None]
    return torch.cat([found.x, *(estimate(found.x, one, found.asked) for one in guesses)])
