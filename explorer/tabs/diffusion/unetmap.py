"""The UNet of one step as a map: what each of its parts made of this x_t, and what becomes of the noise without a skip.

The call is made once more with the x_t, time step and texts that the step recorded, on a double of the network with hooks.
All variants (nothing off, each asked skip off) are rows of the same call.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.tabs.diffusion import attention, decoders, families, frames, opened, sampler

WEIGHTLESS = 40_000_000  # parameters up to which a UNet is fast enough on a processor to be called again with all skips off


@dataclass(frozen=True)
class Skip:
    """An activation that goes straight from the way down to the way up: made by `source`, read by the up block `target`."""

    number: int
    source: str
    target: int


def skips(unet) -> list[Skip]:
    """In the order in which the way down makes them; the way up takes them from the end."""
    sources = ["conv_in"]
    for i, block in enumerate(unet.down_blocks):
        attended = len(getattr(block, "attentions", None) or [])
        for j in range(len(block.resnets)):
            sources.append(f"down_blocks.{i}.attentions.{j}" if attended else f"down_blocks.{i}.resnets.{j}")
        if block.downsamplers:
            sources.append(f"down_blocks.{i}.downsamplers.0")
    out, left = [], len(sources)
    for target, block in enumerate(unet.up_blocks):
        taken = range(left - len(block.resnets), left)
        out += [Skip(n, sources[n], target) for n in taken]
        left = taken.start
    return sorted(out, key=lambda skip: skip.number)


def parts(unet) -> list[tuple[str, str, str]]:
    """(name, block, kind) of everything that is shown, in the order of the call. Blocks: in, down 1, ..., mid, up 1, ..., out."""
    out = [("conv_in", "in", "convolution")]
    for i, block in enumerate(unet.down_blocks):
        out += _of_block(block, f"down_blocks.{i}", f"down {i + 1}", "downsamplers")
    if unet.mid_block is not None:
        mid = _of_block(unet.mid_block, "mid_block", "mid", "")
        out += mid[:1] + [part for part in mid[1:] if "attentions" in part[0]] + [p for p in mid[1:] if "resnets" in p[0]]
    for i, block in enumerate(unet.up_blocks):
        out += _of_block(block, f"up_blocks.{i}", f"up {i + 1}", "upsamplers")
    return [*out, ("conv_out", "out", "convolution")]


def _of_block(block, name: str, title: str, sampling: str) -> list[tuple[str, str, str]]:
    attentions = getattr(block, "attentions", None) or []
    out = []
    for j in range(len(block.resnets)):
        out.append((f"{name}.resnets.{j}", title, "resnet"))
        if j < len(attentions):
            out.append((f"{name}.attentions.{j}", title, "attention"))
    if sampling and getattr(block, sampling, None):
        out.append((f"{name}.{sampling}.0", title, "down" if sampling == "downsamplers" else "up"))
    return out


def look(run, index: int, off: list[int] | None = None) -> tuple[dict, np.ndarray]:
    """A stored step's call, opened. `off`: the numbers of the skips to be switched off, one variant each; None means each of
    them and all together, where the network is small enough.

    Gives {step, timestep, nodes: [{name, block, kind, shape, rms, maps, ...}], skips: [{number, source, target, shape, rms}],
    variants: [{off, change, x0_change}], error}, where `error` is how far the repeated noise is from the recorded one; and
    pictures (2 V, H, W, 3) uint8: each variant's x0 estimate, then its guided noise. Raises ValueError with one sentence.
    """
    told, eps, x0 = called(run, index, off)
    pictures = decoders.decode(run.model, x0, "full" if small(run.model) else "tiny")
    return told, np.concatenate([pictures, frames.noise(run.model, eps)])


def small(model) -> bool:
    return sum(p.numel() for p in model.unet.parameters()) <= WEIGHTLESS


@torch.no_grad()
def called(run, index: int, off: list[int] | None) -> tuple[dict, Tensor, Tensor]:
    """What `look` tells, and each variant's guided noise and x0 estimate (V, C, h, w)."""
    model, step = run.model, _step(run, index)
    if not small(model) and model.device.type == "cpu":
        raise ValueError("On this host one more call of so large a UNet takes too long; the map needs a GPU or the small model.")
    found = skips(model.unet)
    if off is None:
        variants = [(), *((skip.number,) for skip in found), tuple(range(len(found)))] if small(model) else [()]
    else:
        if not all(0 <= number < len(found) for number in off):
            raise ValueError(f"This UNet has skip connections 0 to {len(found) - 1}.")
        variants = [(), *((number,) for number in off)]

    unet, count = opened.double(model.unet), len(variants)
    seen = opened.Activations(row=count)  # the conditional half, nothing off
    modules = dict(unet.named_modules())
    for name, _, _ in parts(unet):
        seen.watch(name, modules[name], opened.first)
    for target, block in enumerate(unet.up_blocks):
        mine = [skip.number for skip in found if skip.target == target]
        block.register_forward_pre_hook(_switch(mine, variants), with_kwargs=True)

    uncond, cond = sampler.contexts(model, step.settings)
    x = (step.x * step.scale).expand(2 * count, -1, -1, -1).to(model.device, model.dtype)
    states = torch.cat([uncond.states.expand(count, -1, -1), cond.states.expand(count, -1, -1)])
    added = None
    if cond.added is not None:
        added = {key: torch.cat([uncond.added[key].expand(count, -1), cond.added[key].expand(count, -1)]) for key in cond.added}
    added = families.added(model, x, added)
    added = added and {key: value.to(model.device, model.dtype) for key, value in added.items()}
    t = torch.full((2 * count,), float(step.timestep))
    said = unet(x, t.to(model.device), encoder_hidden_states=states.to(model.device, model.dtype), added_cond_kwargs=added,
                cross_attention_kwargs={"store": attention.Store(tuple(x.shape[-2:]))}).sample  # fmt: skip
    halves = model.to_eps(said.float().cpu(), x.float().cpu(), t)
    eps = sampler.recombine(*halves.chunk(2), step.settings.guidance_scale)
    x0 = torch.cat([step.start.plan.x0(step.x, one[None], step.index) for one in eps])

    nodes = [{"name": n, "block": b, "kind": k, **opened.told(seen.seen[n])} for n, b, k in parts(unet)]
    by_name = {node["name"]: node for node in nodes}
    told = {
        "run": run.id, "step": index, "timestep": step.timestep, "guidance": step.settings.guidance_scale, "nodes": nodes,
        "skips": [{"number": s.number, "source": s.source, "target": s.target, "block": by_name[s.source]["block"],
                   "shape": by_name[s.source]["shape"], "rms": by_name[s.source]["rms"]} for s in found],
        "variants": [{"off": list(v), "change": _relative(eps[i], eps[0]), "x0_change": _relative(x0[i], x0[0])}
                     for i, v in enumerate(variants)],
        "error": float((eps[0] - step.eps[0]).abs().max()), "embedding": unet.config.block_out_channels[0] * 4,
    }  # fmt: skip
    return told, eps, x0


def _switch(mine: list[int], variants: list[tuple[int, ...]]):
    """A hook that empties, for each variant's rows, the skips that are off. `mine` are the numbers that this block reads."""

    def hook(_module, args, kwargs):
        given = list(kwargs["res_hidden_states_tuple"])
        for place, number in enumerate(mine):
            keep = torch.tensor([number not in off for off in variants] * 2).to(given[place])
            given[place] = given[place] * keep.view(-1, 1, 1, 1)
        return args, {**kwargs, "res_hidden_states_tuple": tuple(given)}

    return hook


def _relative(other: Tensor, one: Tensor) -> float:
    return float((other - one).norm() / one.norm().clamp(min=1e-12))


def _step(run, index: int):
    steps = len(run.steps)
    if not 0 <= index < steps:
        raise ValueError(f"Of this run steps 0 to {steps - 1} are there." if steps else "This run has made no step yet.")
    return run.steps[index]
