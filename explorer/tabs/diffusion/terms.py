"""One step opened: the scheduler's equation with this step's numbers, for its own guidance scale or another."""

import math

import numpy as np
import torch

from explorer.tabs.diffusion import decoders, frames, sampler, schedulers


def opened(run, index: int, scale: float | None = None) -> tuple[sampler.Step, schedulers.Stepped, float]:
    """Step `index` as it was made, the same with the guidance `scale` (its own without), and that scale."""
    step = run.step(index)
    scale = step.settings.guidance_scale if scale is None else scale
    return step, sampler.again(step, scale), scale


def told(run, index: int, scale: float | None = None) -> dict:
    """The equation in symbols and numbers, and how far its sum is from the next frame as it was made."""
    step, stepped, scale = opened(run, index, scale)
    wanted, plan = step.settings, step.start.plan
    knot = plan.knots[step.index]
    return {
        "run": run.id, "step": index, "scheduler": wanted.scheduler, "equation": _equation(plan, stepped),
        "notes": notes(step, stepped),
        "guidance": scale, "own_guidance": wanted.guidance_scale, "eta": wanted.eta,
        "timestep": step.timestep, "abar": knot.abar, "abar_next": knot.after,
        "sigma": knot.sigma, "sigma_next": knot.sigma_after,
        "in_sigma": plan.in_sigma, "changed": scale != wanted.guidance_scale,
        "terms": [
            {"symbol": term.symbol, "label": term.label, "coefficient": term.coefficient, "norm": float(term.tensor.norm())}
            for term in stepped.terms
        ],
        "result_norm": float(stepped.x_next.norm()),
        # 0 at its own guidance; at another, how far that moves the next frame.
        "result_error": float((stepped.x_next - step.x_next).abs().max()),
    }  # fmt: skip


def _equation(plan: schedulers.Plan, stepped: schedulers.Stepped) -> str:
    """The scheduler's own; of PNDM's outputs only those that this step mixes."""
    if plan.name != "pndm":
        return schedulers.NAMES[plan.name].equation
    x, *outputs = (term.symbol for term in stepped.terms)
    return " + ".join([f"x_{{t′}} = cₜ {x}", *(f"c{symbol[2:] or '₀'} {symbol}" for symbol in outputs)])


def notes(step: sampler.Step, stepped: schedulers.Stepped) -> list[str]:
    """What the equation's symbols are at this step, and which of its terms are not there; formulas stand between $."""
    plan, eta, number = step.start.plan, step.settings.eta, _number
    knot, name, symbols = plan.knots[step.index], plan.name, [term.symbol for term in stepped.terms]
    before = "ᾱₜ₋₁" if "xₜ₋₁" in symbols else "ᾱₜ"
    said = [f"From ${before}$ = {number(knot.source)} to $ᾱ_{{t′}}$ = {number(knot.after)}."]
    fresh = next((term.coefficient for term in stepped.terms if term.symbol == "z"), None)
    if name == "ddim" and fresh is None:
        said.append("$σ_η$ = 0: no fresh noise, so no $z$ term.")
    elif name == "ddpm" and fresh is None:
        said.append("The last step adds no fresh noise, so no $z$ term.")
    elif name in ("ddim", "ddpm"):
        whose = f"at $η$ = {eta:g}" if name == "ddim" else "as DDIM's at $η$ = 1"
        said.append(f"$σ_η$ = {number(fresh)} is the deviation of the fresh noise, {whose}.")
        said.append(f"$σ_t$ = {number(knot.sigma)} is another number: all noise per unit of signal.")
    elif plan.in_sigma:
        levels = f"with $σ_t$ = {number(knot.sigma)} and $σ_{{t′}}$ = {number(knot.sigma_after)}"
        said.append(f"$x̃_t = x_t / √ᾱ_t$ = picture + $σ_t$ × noise, {levels}.")
    if name == "euler_a":
        down, up = schedulers.ancestral(knot.sigma, knot.sigma_after)
        said.append(f"$σ_↓$ = {number(down)} and $σ_↑$ = {number(up)}: $σ_↓² + σ_↑² = σ_{{t′}}²$.")
    if name == "dpmpp_2m" and len(symbols) == 2:
        said.append("This step looks at no earlier estimate, so there is no $c₋₁$ term.")
    if name == "pndm":
        said += _mixed(plan, knot, symbols)
    return said


def _mixed(plan: schedulers.Plan, knot: schedulers.Knot, symbols: list[str]) -> list[str]:
    said = []
    if plan.v:
        root, rest = math.sqrt(knot.abar), math.sqrt(1 - knot.abar)
        said.append(
            "This model predicts v, and PNDM mixes what the model says: $v̂ = √ᾱ_t ε̂ − √(1−ᾱ_t) x̂₀$ = "
            f"{_number(root)} $ε̂$ − {_number(rest)} $x̂₀$, from the guided noise."
        )
    if "xₜ₋₁" in symbols:
        said.append("The second call repeats the first step: from where that began, with the mean of both outputs.")
    elif len(symbols) < 5:
        said.append(f"Only {len(symbols) - 1} of the four outputs {'is' if len(symbols) == 2 else 'are'} there so far.")
    return said


def _number(value: float) -> str:
    return f"{value:.2e}".replace("-", "−") if value and abs(value) < 1e-3 else f"{value:.4g}"


def pictures(run, index: int, scale: float | None = None, decoder: str = "full") -> np.ndarray:
    """(terms + 1, H, W, 3) uint8: each term's tensor without its coefficient, then the result.

    What is like a picture is decoded; noises and v are drawn by the linear map around middle grey.
    """
    step, stepped, _ = opened(run, index, scale)
    like = [_picture(step, term) for term in stepped.terms]
    latents = [shown for shown in like if shown is not None] + [stepped.x_next * step.scale_next]
    decoded = iter(decoders.decode(run.model, torch.cat(latents), decoder))
    noises = (frames.noise(run.model, term.tensor)[0] for term in stepped.terms)
    out = [next(decoded) if shown is not None else noise for shown, noise in zip(like, noises)]
    return frames.reduced(np.stack([*out, next(decoded)]), frames.SIDE)


def _picture(step: sampler.Step, term: schedulers.Term):
    """A term's latent as it can be decoded; None for a noise. x of Euler is longer than in training."""
    if term.symbol.startswith("x̂"):
        return term.tensor
    return term.tensor * step.scale if term.symbol.startswith("x") else None
