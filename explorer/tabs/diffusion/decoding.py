"""The decoder opened: from 4 x 8 x 8 numbers to pixels, stage by stage, for the estimate of one step."""

import torch

from explorer.pixels import to_uint8
from explorer.tabs.diffusion import opened, unetmap


@torch.no_grad()
def told(run, index: int) -> dict:
    """{step, nodes: [{name, title, shape, rms, maps, ...}], numbers, range, picture, ...}: what each stage of the decoder puts
    out for x0 of that step."""
    model, step = run.model, unetmap._step(run, index)
    vae = opened.double(model.vae)
    seen = opened.Activations()
    chosen = {
        "post_quant_conv": "1 × 1 convolution", "decoder.conv_in": "first convolution", "decoder.mid_block": "middle",
        **{f"decoder.up_blocks.{i}": f"up {i + 1}" for i in range(len(vae.decoder.up_blocks))},
        "decoder.conv_out": "last convolution: the picture",
    }  # fmt: skip
    modules = dict(vae.named_modules())
    chosen = {name: title for name, title in chosen.items() if modules.get(name) is not None}
    for name in chosen:
        seen.watch(name, modules[name], opened.first)
    weight = next(vae.parameters())
    latent = (step.x0 / vae.config.scaling_factor).to(weight.device, weight.dtype)
    picture = vae.decode(latent).sample.float().cpu()
    nodes = [{"name": "latent", "title": "x̂₀: the latent", **opened.told(step.x0[0])}]
    nodes += [{"name": name, "title": title, **opened.told(seen.seen[name])} for name, title in chosen.items()]
    return {
        "run": run.id, "step": index, "nodes": nodes, "parameters": sum(p.numel() for p in vae.decoder.parameters()),
        "numbers": [step.x0.numel(), picture.numel()], "factor": vae.config.scaling_factor,
        "range": [float(picture.min()), float(picture.max())], "picture": to_uint8(picture)[0],
    }  # fmt: skip
