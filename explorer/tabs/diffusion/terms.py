"""One step opened: the scheduler's equation with this step's numbers, for its own guidance scale or another."""

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
    wanted, knot = step.settings, step.start.plan.knots[step.index]
    return {
        "run": run.id, "step": index, "scheduler": wanted.scheduler, "equation": schedulers.NAMES[wanted.scheduler].equation,
        "guidance": scale, "own_guidance": wanted.guidance_scale, "eta": wanted.eta,
        "timestep": step.timestep, "abar": knot.abar, "abar_next": knot.after,
        "sigma": knot.sigma, "sigma_next": knot.sigma_after,
        "in_sigma": step.start.plan.in_sigma, "changed": scale != wanted.guidance_scale,
        "terms": [
            {"symbol": term.symbol, "label": term.label, "coefficient": term.coefficient, "norm": float(term.tensor.norm())}
            for term in stepped.terms
        ],
        "result_norm": float(stepped.x_next.norm()),
        # 0 at its own guidance; at another, how far that moves the next frame.
        "result_error": float((stepped.x_next - step.x_next).abs().max()),
    }  # fmt: skip


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
