"""Six ways from noise to picture, each step as a sum of terms whose coefficients are numbers.

The time steps are those of diffusers' schedulers; the equations are theirs too, but written out and without state: what a
step needs of earlier ones is handed in as `History` and handed back, so a run can go on from any of its steps.

DDPM: Ho et al. 2020, formula 7. DDIM: Song et al. 2021, formula 12. Euler and Euler ancestral: Karras et al. 2022 and
k-diffusion, with x̃ = x_t / sqrt(abar). DPM++ 2M: Lu et al. 2022. PNDM: Liu et al. 2022, formula 9, without its Runge-Kutta start.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

LEAST = 2.0**-24  # abar of a schedule that ends in nothing but noise, so that x0 is still defined


@dataclass(frozen=True)
class Scheduler:
    """What a page says of one scheduler, and its name and settings in diffusers."""

    title: str
    about: str
    equation: str
    diffusers: str
    eta: bool = False  # whether eta changes anything
    stochastic: bool = False  # whether it draws noise of its own (DDIM: where eta > 0)
    settings: dict = field(default_factory=dict)  # beside those of the model's folder


_CLEAN = {"clip_sample": False, "thresholding": False}  # latents are not pixels: there is nothing to clip
_PLAIN = {"use_karras_sigmas": False, "use_exponential_sigmas": False, "use_beta_sigmas": False}

NAMES: dict[str, Scheduler] = {
    "ddim": Scheduler(
        "DDIM", "Jumps from one noise level to the next along the predicted noise. With eta 0 nothing is random.",
        "x_{t′} = √ᾱ_{t′} x̂₀ + √(1−ᾱ_{t′}−σ_η²) ε̂ + σ_η z", "DDIMScheduler", True, False, _CLEAN,
    ),
    "ddpm": Scheduler(
        "DDPM", "The first one: the mean of the step before, and fresh noise at every step.",
        "x_{t′} = c₀ x̂₀ + cₜ xₜ + σ_η z", "DDPMScheduler", False, True, {**_CLEAN, "variance_type": "fixed_small"},
    ),
    "euler": Scheduler(
        "Euler", "The same path as DDIM, measured in sigma: a straight line along the noise.",
        "x̃_{t′} = x̃ₜ + (σ_{t′}−σₜ) ε̂", "EulerDiscreteScheduler", False, False, {**_PLAIN, "timestep_type": "discrete"},
    ),
    "euler_a": Scheduler(
        "Euler ancestral", "Goes further down than Euler and comes back up with fresh noise.",
        "x̃_{t′} = x̃ₜ + (σ_↓−σₜ) ε̂ + σ_↑ z", "EulerAncestralDiscreteScheduler", False, True,
    ),
    "dpmpp_2m": Scheduler(
        "DPM++ 2M", "Also looks at the estimate of the step before, so few steps suffice.",
        "x_{t′} = cₜ xₜ + c₀ x̂₀ + c₋₁ x̂₀₋₁", "DPMSolverMultistepScheduler", False, False,
        {**_PLAIN, "algorithm_type": "dpmsolver++", "solver_order": 2, "solver_type": "midpoint", "thresholding": False},
    ),
    "pndm": Scheduler(
        "PNDM", "Mixes the ε̂ of up to four calls. Its second step is taken twice, so it makes one call more than steps.",
        "x_{t′} = cₜ xₜ + c₀ ε̂ + c₋₁ ε̂₋₁ + c₋₂ ε̂₋₂ + c₋₃ ε̂₋₃", "PNDMScheduler", False, False, {"skip_prk_steps": True},
    ),
}  # fmt: skip


def of_output(name: str, text: str, v: bool) -> str:
    """A scheduler's equation or description for a model that predicts v: PNDM mixes what the model says itself."""
    return text.replace("ε̂", "v̂") if v and name == "pndm" else text


@dataclass(frozen=True)
class Knot:
    """One call of the model: the time step it is told, and the noise levels before and after the step."""

    t: float
    abar: float  # of the x that comes in
    after: float  # of the x that goes out
    source: float  # of the x that the step starts from: not the one that comes in at PNDM's second call

    @property
    def sigma(self) -> float:
        return math.sqrt((1 - self.abar) / self.abar)

    @property
    def sigma_after(self) -> float:
        return math.sqrt((1 - self.after) / self.after)


@dataclass(frozen=True)
class Term:
    """A coefficient and what it multiplies."""

    symbol: str
    label: str
    coefficient: float
    tensor: Tensor


@dataclass(frozen=True)
class History:
    """What a step needs of those before it: outputs, the newest last, and PNDM's first x."""

    past: tuple[Tensor, ...] = ()
    sample: Tensor | None = None


@dataclass(frozen=True)
class Stepped:
    """A step: the sum of its terms, and what it used."""

    x_next: Tensor
    x0: Tensor
    noise: Tensor | None
    terms: tuple[Term, ...]
    history: History


@dataclass(frozen=True)
class Plan:
    """The calls of one run. `scheduler` is diffusers' own, fresh, for whoever wants to compare; the run does not touch it."""

    name: str
    steps: int  # as asked for; PNDM makes one call more, img2img fewer
    knots: tuple[Knot, ...]
    first: int  # how many calls img2img leaves out
    init_noise_sigma: float
    v: bool  # whether the model predicts v: PNDM mixes what the model says, not eps
    scheduler: object

    def __len__(self) -> int:
        return len(self.knots)

    @property
    def in_sigma(self) -> bool:
        """Whether x is x_t / sqrt(abar), whose noise has deviation sigma."""
        return self.name in ("euler", "euler_a")

    def scale(self, index: int) -> float:
        """What x is multiplied by before the model sees it: as noisy as in training."""
        return math.sqrt(self.knots[index].abar) if self.in_sigma else 1.0

    def x0(self, x: Tensor, eps: Tensor, index: int) -> Tensor:
        """The picture without its noise, if eps is the noise in x."""
        knot = self.knots[index]
        if self.in_sigma:
            return x - knot.sigma * eps
        return (x - math.sqrt(1 - knot.abar) * eps) / math.sqrt(knot.abar)

    def noised(self, x0: Tensor, noise: Tensor) -> Tensor:
        """The picture with as much noise as the first call expects."""
        knot = self.knots[0]
        if self.in_sigma:
            return x0 + knot.sigma * noise
        return math.sqrt(knot.abar) * x0 + math.sqrt(1 - knot.abar) * noise

    def step(self, eps: Tensor, index: int, x: Tensor, eta: float = 0.0, generator: torch.Generator | None = None,
             history: History | None = None) -> Stepped:  # fmt: skip
        """From x at call `index` to the next, with the guided noise eps (1, 4, h, w) and what the last step handed on."""
        x0, history = self.x0(x, eps, index), history or History()
        asked = {"eta": eta} if NAMES[self.name].eta else {}
        terms, history = _STEPS[self.name](self, index, x, eps, x0, _drawer(x, generator), history, **asked)
        x_next = sum(term.coefficient * term.tensor for term in terms)
        noise = next((term.tensor for term in terms if term.symbol == "z"), None)
        return Stepped(x_next, x0, noise, tuple(terms), history)


def make(name: str, config: dict, steps: int, strength: float = 1.0, after: float | None = None) -> Plan:
    """The plan of a run of `steps` with this scheduler, for a model with this scheduler config.

    With `strength` below 1 the first steps are left out, as in img2img. `after` is the time step of an x that is there
    already, from a run with another scheduler or another number of steps: the plan begins with it and goes on below it.
    """
    if name not in NAMES:
        raise ValueError(f"There is no scheduler called {name}; choose one of {', '.join(NAMES)}.")
    scheduler = from_config(name, config)
    scheduler.set_timesteps(steps)
    times = [float(t) for t in scheduler.timesteps]
    if name == "pndm" and len(times) > 1:
        del times[2]  # the second call's twin; it comes back below
    first = steps - min(int(steps * strength), steps)
    times = times[first:]
    if after is not None:
        times = [after, *(t for t in times if t < after - 1e-3)]

    abar = _Levels(scheduler)
    levels = [abar(t) for t in times]
    knots, stride = [], scheduler.config.num_train_timesteps // steps
    for i, t in enumerate(times):
        following = abar.end if i + 1 == len(times) else levels[i + 1]
        if name in ("ddim", "pndm") and after is None:  # a fixed stride, whatever the list says
            before = int(t) - stride
            following = abar(before) if before >= 0 else abar.end
        knots.append(Knot(t, levels[i], following, levels[i]))
    if name == "pndm" and len(knots) > 1:  # its second call looks again at the first step, from where that one ended
        begun = levels[0] if after is not None else abar(min(times[1] + stride, len(abar.table) - 1))
        knots.insert(1, Knot(times[1], levels[1], levels[1], begun))
    sigma = float(scheduler.init_noise_sigma)
    return Plan(name, steps, tuple(knots), first, sigma, scheduler.config.prediction_type == "v_prediction", scheduler)


def from_config(name: str, config: dict):
    """diffusers' scheduler of that name with the model's own betas."""
    import diffusers

    # What pipelines correct in old configs: latents are never clipped, and time steps begin at 1.
    settings = {"steps_offset": 1, **{k: v for k, v in config.items() if not k.startswith("_")}, **NAMES[name].settings}
    return getattr(diffusers, NAMES[name].diffusers).from_config(settings)


class _Levels:
    """abar of any time step, as the scheduler reads its table; between two entries sigma is interpolated."""

    def __init__(self, scheduler):
        table = scheduler.alphas_cumprod.double().clamp(min=LEAST)
        self.table = table.tolist()
        self.sigmas = ((1 - table) / table).sqrt().tolist()
        final = getattr(scheduler, "final_alpha_cumprod", None)  # of DDIM and PNDM
        self.end = 1.0 if final is None else float(final)
        if scheduler.config.get("final_sigmas_type") == "sigma_min":
            self.end = self.table[0]

    def __call__(self, t: float) -> float:
        low = int(t)
        if low == t:
            return self.table[low]
        share = t - low
        sigma = (1 - share) * self.sigmas[low] + share * self.sigmas[low + 1]
        return 1 / (1 + sigma * sigma)


def _drawer(x: Tensor, generator: torch.Generator | None) -> Callable[[], Tensor]:
    return lambda: torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)


X0, EPS, Z = ("x̂₀", "the picture estimated now"), ("ε̂", "the guided noise"), ("z", "fresh noise")
X, SCALED = ("xₜ", "where it is"), ("x̃ₜ", "where it is: xₜ / √ᾱₜ")


def _ddim(plan, index, x, eps, x0, draw, history, eta):
    a, b = plan.knots[index].abar, plan.knots[index].after
    variance = max(0.0, eta * eta * (1 - b) / (1 - a) * (1 - a / b))
    terms = [Term(*X0, math.sqrt(b), x0), Term(*EPS, math.sqrt(max(0.0, 1 - b - variance)), eps)]
    if eta > 0:
        terms.append(Term(*Z, math.sqrt(variance), draw()))
    return terms, history


def _ddpm(plan, index, x, eps, x0, draw, history):
    a, b = plan.knots[index].abar, plan.knots[index].after
    beta = 1 - a / b
    terms = [Term(*X0, math.sqrt(b) * beta / (1 - a), x0), Term(*X, math.sqrt(a / b) * (1 - b) / (1 - a), x)]
    if plan.knots[index].t > 0:
        terms.append(Term(*Z, math.sqrt(max(beta * (1 - b) / (1 - a), 1e-20)), draw()))
    return terms, history


def _euler(plan, index, x, eps, x0, draw, history):
    knot = plan.knots[index]
    return [Term(*SCALED, 1.0, x), Term(*EPS, knot.sigma_after - knot.sigma, eps)], history


def ancestral(sigma: float, after: float) -> tuple[float, float]:
    """How far down Euler ancestral goes, and the noise with which it comes back up: down² + up² = after²."""
    up = math.sqrt(after**2 * (sigma**2 - after**2) / sigma**2)
    return math.sqrt(after**2 - up**2), up


def _euler_a(plan, index, x, eps, x0, draw, history):
    s, end = plan.knots[index].sigma, plan.knots[index].sigma_after
    down, up = ancestral(s, end)
    return [Term(*SCALED, 1.0, x), Term(*EPS, down - s, eps), Term(*Z, up, draw())], history


def _dpmpp_2m(plan, index, x, eps, x0, draw, history):
    knot, last = plan.knots[index], index + 1 == len(plan.knots)
    a, b = math.sqrt(knot.abar), math.sqrt(knot.after)
    x_share = math.sqrt(1 - knot.after) / math.sqrt(1 - knot.abar)
    now = b - x_share * a  # = -alpha' (exp(-h) - 1), and right where h is infinite
    few = len(plan.scheduler.timesteps) < 15 and plan.scheduler.config.lower_order_final
    final = last and (few or plan.scheduler.config.final_sigmas_type == "zero" or plan.scheduler.config.euler_at_final)
    terms = [Term(*X, x_share, x), Term(*X0, now, x0)]
    if history.past and not final:
        h = math.log(knot.sigma / knot.sigma_after)
        ratio = math.log(plan.knots[index - 1].sigma / knot.sigma) / h
        terms[1] = Term(*X0, now * (1 + 0.5 / ratio), x0)
        terms.append(Term("x̂₀₋₁", "the picture estimated one step before", -0.5 * now / ratio, history.past[-1]))
    return terms, History((x0,))


_MIXES = {1: (1.0,), 2: (3 / 2, -1 / 2), 3: (23 / 12, -16 / 12, 5 / 12), 4: (55 / 24, -59 / 24, 37 / 24, -9 / 24)}


def _pndm(plan, index, x, eps, x0, draw, history):
    knot = plan.knots[index]
    said = (eps - math.sqrt(1 - knot.abar) * x) / math.sqrt(knot.abar) if plan.v else eps  # what the model said itself
    again = history.sample is not None  # the second call: the mean of both ends, from where the first began
    if again:
        outputs, mix, start = (said, history.past[-1]), (1 / 2, 1 / 2), history.sample
        history = History(history.past)
    else:
        past = (*history.past[-3:], said)
        outputs, mix, start = past[::-1], _MIXES[len(past)], x
        history = History(past, x if len(past) == 1 and not history.past else None)

    a, b = knot.source, knot.after
    noise = -(b - a) / (a * math.sqrt(1 - b) + math.sqrt(a * (1 - a) * b))
    share = math.sqrt(b / a)
    if plan.v:  # eps = sqrt(abar) v + sqrt(1 - abar) x
        share, noise = share + noise * math.sqrt(1 - a), noise * math.sqrt(a)
    letter, what = ("v̂", "v, the model's own output") if plan.v else EPS
    ago = ("", "₋₁", "₋₂", "₋₃")
    when = ("now", "one call before", "two calls before", "three calls before")
    terms = [Term("xₜ" if not again else "xₜ₋₁", "where it is" if not again else "where the step before began", share, start)]
    terms += [Term(letter + ago[k], f"{what}, {when[k]}", noise * c, out) for k, (c, out) in enumerate(zip(mix, outputs))]
    return terms, history


_STEPS = {"ddim": _ddim, "ddpm": _ddpm, "euler": _euler, "euler_a": _euler_a, "dpmpp_2m": _dpmpp_2m, "pndm": _pndm}
