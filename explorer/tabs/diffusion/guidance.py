"""Classifier-free guidance taken apart (Ho and Salimans 2022): what a step recorded, put together again with another scale.

No network: both noises of every step are kept, and everything that follows from them is arithmetic.
"""

import math

from torch import Tensor

from explorer.tabs.diffusion import sampler


def x0(step: sampler.Step, scale: float) -> Tensor:
    """The picture that a step would have estimated with another guidance scale."""
    eps = sampler.recombine(step.eps_uncond, step.eps_cond, scale)
    return step.start.plan.x0(step.x, eps, step.index)


def numbers(step: sampler.Step) -> dict:
    """What a page draws of a step's guidance: how far the prompt pulls, and how much it turns the noise. Angles in degrees."""
    uncond, cond, guided = (noise.flatten().double() for noise in (step.eps_uncond, step.eps_cond, step.eps))
    pull = cond - uncond
    return {
        "delta": float(pull.norm()),  # |eps_cond - eps_uncond|
        "cos": _cosine(uncond, cond),
        "angle": _angle(uncond, cond),  # between the two noises
        "pull_angle": _angle(uncond, pull),  # between the unconditional noise and what guidance adds to it
        "turn": _angle(uncond, guided),  # what guidance makes of it
    }


def curves(run) -> dict:
    """Per step: its noise level, and the numbers above."""
    names = ("index", "timestep", "abar", "sigma", "delta", "cos", "angle", "pull_angle", "turn")
    rows = [run.row(index) for index in range(len(run.steps))]
    cells = run.steps[0].x.numel() if rows else 0
    return {"run": run.id, "steps": [{name: row[name] for name in names} for row in rows], "cells": cells}


def _angle(a: Tensor, b: Tensor) -> float:
    return math.degrees(math.acos(_cosine(a, b)))


def _cosine(a: Tensor, b: Tensor) -> float:
    length = float(a.norm() * b.norm())
    return max(-1.0, min(1.0, float(a.dot(b)) / length)) if length > 0 else 1.0
