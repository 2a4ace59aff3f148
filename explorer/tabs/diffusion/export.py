"""A run to take home: its picture with the settings inside, and its tensors."""

import io
import json

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from explorer.tabs.diffusion import asked, frames

SOFTWARE = "Generative Explorer"


def picture(run) -> bytes:
    """The last frame as a PNG. Its text chunks say how it was made: `settings` as JSON, `parameters` as others write it."""
    pixels = frames.strip(run, "final")[0]
    wanted = run.settings
    told = PngInfo()
    told.add_text("Software", SOFTWARE)
    told.add_itxt("settings", json.dumps(settings(run), ensure_ascii=False))
    told.add_itxt(
        "parameters",
        f"{wanted.prompt}\nNegative prompt: {wanted.negative}\nSteps: {wanted.steps}, Sampler: {wanted.scheduler}, "
        f"CFG scale: {wanted.guidance_scale:g}, Seed: {wanted.seed}, Size: {pixels.shape[1]}x{pixels.shape[0]}",
    )
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", pnginfo=told)
    return file.getvalue()


def settings(run) -> dict:
    """All that decided the run: its settings, and from which step on they held where it branched."""
    return {
        "model": run.model.label, **asked.plain(run.settings), "picture": run.image is not None,
        "branches": [{"from": first, **asked.plain(wanted)} for first, wanted in run.chain][:-1],
        "branched_at": run.first if run.parent else None, "steps_made": len(run.steps), "steps_planned": run.total,
    }  # fmt: skip


def tensors(run) -> bytes:
    """All steps as safetensors: x has one frame more than the others; x times `scale` is as noisy as in training."""
    from safetensors.torch import save

    steps = run.steps[:]
    if not steps:
        raise ValueError("This run has made no step yet.")
    out = {name: torch.cat([getattr(step, name) for step in steps]) for name in ("eps_uncond", "eps_cond", "eps", "x0")}
    out["x"] = torch.cat([*(step.x for step in steps), steps[-1].x_next])
    out["scale"] = torch.tensor([*(step.scale for step in steps), steps[-1].scale_next])
    out |= {name: torch.tensor([getattr(step, name) for step in steps]) for name in ("timestep", "abar", "sigma")}
    drawn = [step.noise for step in steps]
    if any(noise is not None for noise in drawn):  # a step that draws none has zeros
        out["noise"] = torch.cat([torch.zeros_like(step.x) if step.noise is None else step.noise for step in steps])
    for layer in steps[0].maps or {}:
        if all(layer in (step.maps or {}) for step in steps):
            out[f"attention.{layer}"] = torch.stack([step.maps[layer] for step in steps])
    out = {name: tensor.contiguous() for name, tensor in out.items()}
    return save(out, {"settings": json.dumps(settings(run)), "software": SOFTWARE})
