"""A run as Python of one's own, with diffusers alone, that paints the same picture.

diffusers' own pipeline where it can; a loop where it cannot: guidance below 1, labels in the place of text, another prompt
from some step on; and with every coefficient written out where a branch changes the scheduler, which no pipeline does.
"""

import base64
import io
import json
import textwrap

import numpy as np
from PIL import Image

from explorer.tabs.diffusion import folder, labels, sampler, schedulers

HEAD = '''"""A picture of Generative Explorer's diffusion tab, with diffusers alone.

    pip install diffusers transformers torch{more}
    python {name}.py [MODEL]
"""

import sys
{imports}
MODEL = sys.argv[1] if len(sys.argv) > 1 else {model}  # a folder, or a name on the Hub
'''

PIPELINE = """
pipe = {pipeline}.from_pretrained(MODEL, dtype=torch.float32{unsafe})
pipe.scheduler = {scheduler}
image = pipe(
{arguments}
    generator=torch.Generator().manual_seed({seed}),  # on the CPU: the same noise on every device
).images[0]
image.save("picture.png")
"""

LOADED = """
torch.set_grad_enabled(False)
pipe = {pipeline}.from_pretrained(MODEL, dtype=torch.float32{unsafe})
"""

SCHEDULER = """scheduler = {scheduler}
scheduler.set_timesteps({steps})
timesteps = scheduler.timesteps{from_}
"""

PARTS = """
# From which step on the model is told what, and how far past the unconditional noise it is taken.
PARTS = [
{parts}
]
"""

TOLD = '''

def told(part):
    """What the UNet reads for the unconditional half and for the conditional one."""
    cond, uncond = pipe.encode_prompt(part["prompt"], "cpu", 1, True, part["negative"])
    {cond}return torch.cat([uncond, cond]), {{}}

'''

TOLD_XL = '''

def told(part):
    """What the UNet reads for the unconditional half and for the conditional one."""
    cond, uncond, cond_pooled, uncond_pooled = pipe.encode_prompt(
        part["prompt"], device="cpu", negative_prompt=part["negative"] or None
    )
    {cond}sizes = torch.tensor([[{size}, {size}, 0, 0, {size}, {size}]] * 2, dtype=torch.float32)
    added = {{"text_embeds": torch.cat([uncond_pooled, cond_pooled]), "time_ids": sizes}}
    return torch.cat([uncond, cond]), {{"added_cond_kwargs": added}}

'''

NOTHING = "cond = uncond  # it is told nothing\n    "
NOTHING_XL = "cond, cond_pooled = uncond, uncond_pooled  # it is told nothing\n    "
LABELS = """rows = load_file(f"{MODEL}/labels/model.safetensors")["weight"].float()
    cond = rows[torch.tensor(part["labels"] + [0] * (uncond.shape[1] - len(part["labels"])))][None]  # in the place of the text
    """

BEGIN = """
contexts = [told(part) for part in PARTS]
generator = torch.Generator().manual_seed({seed})  # on the CPU: the same noise on every device
"""

NOISE = "x = torch.randn({shape}, generator=generator) * {sigma}\n"
FROM_PICTURE = """pixels = pipe.image_processor.preprocess(start)
latent = pipe.vae.encode(pixels).latent_dist.sample(generator) * pipe.vae.config.scaling_factor
noise = torch.randn({shape}, generator=generator)
"""

LOOP = """for i, t in enumerate(timesteps):
    k = max(k for k, part in enumerate(PARTS) if part["first"] <= i)
    context, added = contexts[k]
    seen = scheduler.scale_model_input(x, t)
    uncond, cond = pipe.unet(torch.cat([seen, seen]), t, encoder_hidden_states=context, **added).sample.chunk(2)
    guided = uncond + PARTS[k]["guidance"] * (cond - uncond)  # diffusers' pipelines do not do this below 1
    x = scheduler.step(guided, t, x{extra}).prev_sample
"""

TABLE = """
# Each step as it was: the part, the time step, alpha-bar, what x is multiplied by before the model sees it and before the
# step, and the terms whose sum is the next x.
STEPS = [
{rows}
]
"""

SUM = """past, x0, before = [], None, x
for k, t, abar, scale, measure, terms in STEPS:
    x = x * measure
    context, added = contexts[k]
    seen = x * scale
    uncond, cond = pipe.unet(torch.cat([seen, seen]), t, encoder_hidden_states=context, **added).sample.chunk(2)
    out = uncond + PARTS[k]["guidance"] * (cond - uncond)
    eps = {eps}
    values = {{"x": x, "eps": eps, "x0": (seen - (1 - abar) ** 0.5 * eps) / abar**0.5, "x0 before": x0, "x before": before}}
    values |= {{f"out {{n}}": value for n, value in enumerate([out, *past[::-1]])}}
    values["z"] = torch.randn(x.shape, generator=generator) if "z" in terms else None
    if "x before" not in terms:
        past.append(out)
    x0, before, x = values["x0"], x, sum(coefficient * values[name] for name, coefficient in terms.items())
x = x * {last}
"""

END = """
pixels = pipe.vae.decode(x / pipe.vae.config.scaling_factor).sample
pipe.image_processor.postprocess(pixels)[0].save("picture.png")
"""


def script(run) -> str:
    """The script; it writes picture.png. Raises ValueError for a run that has made no step."""
    if not len(run.steps):
        raise ValueError("This run has made no step yet.")
    wanted, parts = run.settings, [part for _, part in run.chain]
    # PNDM takes its second step twice; where img2img leaves steps out, diffusers counts them otherwise.
    whole = len(run.steps) == run.total and not (wanted.scheduler == "pndm" and run.image is not None)
    if whole and len(parts) == 1 and wanted.mode == "text" and wanted.guidance_scale >= 1:
        return _head(run, [*_kinds(run), _diffusers(wanted)]) + _start(run) + _pipeline(run)
    if not whole or any((part.scheduler, part.steps) != (wanted.scheduler, wanted.steps) for part in parts):
        return _head(run, _kinds(run, False)) + _start(run) + _table(run)
    return _head(run, [*_kinds(run, False), _diffusers(wanted)]) + _start(run) + _loop(run)


# ---- What all have in common ---------------------------------------------------------------------------------------------


def _head(run, names: list[str]) -> str:
    begins = run.image is not None
    imports = ["import base64", "import io"] if begins else []
    imports += ["", "import torch", f"from diffusers import {', '.join(sorted(set(names)))}"]
    imports += ["from PIL import Image"] if begins else []
    imports += ["from safetensors.torch import load_file"] if _labelled(run) else []
    more = " safetensors" if _labelled(run) else ""
    return HEAD.format(more=more, name="picture", imports="\n".join(imports) + "\n", model=_literal(_model(run)))


def _model(run) -> str:
    """How a stranger names the model: never by a path of this host's."""
    source = run.model.parts.source
    return f"assets/{folder.SHIPPED}" if run.model.name == "" else source if run.model.folder is None else run.model.folder.name


def _start(run) -> str:
    """The picture that img2img begins with, in the script itself."""
    if run.image is None:
        return ""
    file = io.BytesIO()
    Image.fromarray(np.asarray(run.image)).save(file, "PNG")
    lines = textwrap.wrap(base64.b64encode(file.getvalue()).decode(), 110)
    text = "\n".join(f'    "{line}"' for line in lines)
    return f"START = (\n{text}\n)\nstart = Image.open(io.BytesIO(base64.b64decode(START)))\n"


def _kinds(run, whole: bool = True) -> list[str]:
    return [f"StableDiffusion{'XL' if _xl(run) else ''}{'Img2Img' if whole and run.image is not None else ''}Pipeline"]


def _xl(run) -> bool:
    return len(run.model.text_encoders) > 1


def _labelled(run) -> bool:
    return any(part.mode == "labels" for _, part in run.chain)


def _diffusers(wanted) -> str:
    return schedulers.NAMES[wanted.scheduler].diffusers


def _loaded(run, whole: bool) -> dict:
    settings = "".join(f", {name}={value!r}" for name, value in schedulers.NAMES[run.settings.scheduler].settings.items())
    return {
        "pipeline": _kinds(run, whole)[0], "unsafe": "" if _xl(run) else ", safety_checker=None",
        "scheduler": f"{_diffusers(run.settings)}.from_config(pipe.scheduler.config{settings})",
    }  # fmt: skip


# ---- diffusers' pipeline -------------------------------------------------------------------------------------------------


def _pipeline(run) -> str:
    wanted = run.settings
    arguments = {"prompt": wanted.prompt, "negative_prompt": wanted.negative or None, "num_inference_steps": wanted.steps}
    arguments["guidance_scale"] = wanted.guidance_scale
    if schedulers.NAMES[wanted.scheduler].eta:
        arguments["eta"] = wanted.eta
    lines = [f"    {name}={_literal(value)}," for name, value in arguments.items()]
    if run.image is not None:
        lines += ["    image=start,", f"    strength={wanted.strength!r},"]
    else:
        lines += [f"    height={wanted.size},", f"    width={wanted.size},"]
    return PIPELINE.format(**_loaded(run, True), arguments="\n".join(lines), seed=wanted.seed)


def _literal(value) -> str:
    """Text in double quotes, as one types it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


# ---- The loop ------------------------------------------------------------------------------------------------------------


def _loop(run) -> str:
    wanted = run.settings
    scheduler = schedulers.NAMES[wanted.scheduler]
    load, from_ = _loaded(run, False), ""
    if run.image is None:
        begin = NOISE.format(shape=_shape(run), sigma="scheduler.init_noise_sigma")
    else:
        plan = run.steps[0].start.plan
        if plan.first:
            from_ = f"[{plan.first}:]"
            from_ += f"\nscheduler.set_begin_index({plan.first})" if hasattr(plan.scheduler, "set_begin_index") else ""
        begin = FROM_PICTURE.format(shape=_shape(run)) + "x = scheduler.add_noise(latent, noise, timesteps[:1])\n"
    extra = ', eta=PARTS[k]["eta"]' if scheduler.eta else ""
    extra += ", generator=generator" if scheduler.eta or scheduler.stochastic else ""
    load = LOADED.format(**load) + SCHEDULER.format(**load, steps=wanted.steps, from_=from_)
    body = BEGIN.format(seed=wanted.seed) + begin + LOOP.format(extra=extra)
    return load + PARTS.format(parts=_parts(run)) + _told(run) + body + END


def _shape(run) -> str:
    return str(tuple(run.steps[0].x.shape))


def _parts(run) -> str:
    out = []
    for first, part in run.chain:
        told = {"first": first, "prompt": part.prompt if part.mode == "text" else "", "negative": part.negative}
        told |= {"guidance": part.guidance_scale, "eta": part.eta}
        if part.mode == "labels":
            told["labels"] = labels.rows(labels.row(dict(part.labels)), len(labels.row({})[0]))[0].tolist()
        elif part.mode == "none":
            told["nothing"] = True
        out.append("    {" + ", ".join(f'"{name}": {_literal(value)}' for name, value in told.items()) + "},")
    return "\n".join(out)


def _told(run) -> str:
    modes = {part.mode for _, part in run.chain}
    cond = ""
    if "none" in modes:
        cond += 'if part.get("nothing"):\n        ' + (NOTHING_XL if _xl(run) else NOTHING)
    if "labels" in modes:
        cond += 'if "labels" in part:\n        ' + LABELS.replace("\n    cond", "\n        cond")
    return TOLD_XL.format(cond=cond, size=run.settings.size) if _xl(run) else TOLD.format(cond=cond)


# ---- Every coefficient ---------------------------------------------------------------------------------------------------

VALUES = {"x̂₀": "x0", "ε̂": "eps", "xₜ": "x", "x̃ₜ": "x", "z": "z", "x̂₀₋₁": "x0 before", "xₜ₋₁": "x before", "v̂": "out 0"}
VALUES |= {f"{letter}{sign}": f"out {ago}" for letter in ("ε̂", "v̂") for ago, sign in enumerate(("₋₁", "₋₂", "₋₃"), 1)}


def _table(run) -> str:
    """The steps as they were: for a branch with another scheduler, which no pipeline has, and for a run that was stopped."""
    first, rows, steps = run.steps[0], [], run.steps[:]
    for index, step in enumerate(steps):
        k = max(k for k, (begins, _) in enumerate(run.chain) if begins <= index)
        new = index and step.start.plan is not steps[index - 1].start.plan
        measure = steps[index - 1].scale_next / step.scale if new else 1.0
        terms = {VALUES[term.symbol]: term.coefficient for term in sampler.again(step, step.settings.guidance_scale).terms}
        rows.append(f"    ({k}, {step.timestep!r}, {step.abar!r}, {step.scale!r}, {measure!r}, {json.dumps(terms)}),")
    if run.image is None:
        begin = NOISE.format(shape=_shape(run), sigma=repr(first.start.plan.init_noise_sigma))
    else:
        latent, noise = (1.0, first.sigma) if first.start.plan.in_sigma else (first.abar**0.5, (1 - first.abar) ** 0.5)
        begin = FROM_PICTURE.format(shape=_shape(run)) + f"x = {latent!r} * latent + {noise!r} * noise\n"
    eps = {"epsilon": "out", "v_prediction": "abar**0.5 * out + (1 - abar) ** 0.5 * seen"}.get(
        run.model.prediction, "(seen - abar**0.5 * out) / (1 - abar) ** 0.5"
    )
    load = LOADED.format(**_loaded(run, False))
    body = BEGIN.format(seed=run.settings.seed) + begin + SUM.format(eps=eps, last=steps[-1].scale_next)
    return load + PARTS.format(parts=_parts(run)) + TABLE.format(rows="\n".join(rows)) + _told(run) + body + END
