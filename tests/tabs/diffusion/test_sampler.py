"""Our loop against diffusers' own pipelines, and what a run promises: same seed, same film; branches that continue."""

from dataclasses import replace

import pytest
import torch

from explorer.tabs.diffusion import sampler, schedulers
from explorer.tabs.diffusion.sampler import Settings, denoise

RED = Settings(prompt="a face with red hair", steps=6, seed=3, guidance_scale=5.0)


def pipeline(kind, model, plan):
    """diffusers' pipeline around the parts of `model`, with the scheduler class and config of `plan`."""
    parts = dict(vae=model.vae, text_encoder=model.text_encoder, tokenizer=model.tokenizer, unet=model.unet,
                 scheduler=type(plan.scheduler).from_config(plan.scheduler.config), safety_checker=None,
                 feature_extractor=None, requires_safety_checker=False)  # fmt: skip
    pipe = kind(**parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def diffusers_latents(model, settings, image=None):
    """Every latent of diffusers' own run."""
    import diffusers
    from PIL import Image

    plan = schedulers.make(settings.scheduler, model.scheduler_config, settings.steps)
    kind = diffusers.StableDiffusionPipeline if image is None else diffusers.StableDiffusionImg2ImgPipeline
    seen = []

    def keep(pipe, i, t, kwargs):
        seen.append(kwargs["latents"].clone())
        return kwargs

    extra = {} if image is None else dict(image=Image.fromarray(image), strength=settings.strength)
    if image is None and settings.size:
        extra = dict(height=settings.size, width=settings.size)
    last = pipeline(kind, model, plan)(
        settings.prompt, negative_prompt=settings.negative, num_inference_steps=settings.steps, eta=settings.eta,
        guidance_scale=settings.guidance_scale, generator=torch.Generator().manual_seed(settings.seed), output_type="latent",
        callback_on_step_end=keep, callback_on_step_end_tensor_inputs=["latents"], **extra,
    ).images  # fmt: skip
    return [*seen[:-1], last]


def apart(steps, latents):
    assert len(steps) == len(latents)
    return max(float((step.x_next - other).abs().max()) for step, other in zip(steps, latents))


@pytest.mark.parametrize("name", schedulers.NAMES)
@pytest.mark.parametrize("which", ["tiny_model", "mini"])
def test_latents_are_those_of_the_pipeline(request, which, name):
    model = request.getfixturevalue(which)
    for settings in (replace(RED, scheduler=name), replace(RED, scheduler=name, steps=17, negative="glasses", eta=0.6)):
        assert apart(list(denoise(model, settings)), diffusers_latents(model, settings)) < 1e-3
