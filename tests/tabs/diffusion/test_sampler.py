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
    for settings in (replace(RED, scheduler=name), replace(RED, scheduler=name, steps=4, negative="glasses", eta=0.6)):
        assert apart(list(denoise(model, settings)), diffusers_latents(model, settings)) < 1e-3


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_latents_of_v_prediction_and_of_another_size(tiny_v, name):
    settings = replace(RED, scheduler=name, size=48, steps=7)
    steps = list(denoise(tiny_v, settings))
    assert steps[0].x.shape == (1, 4, 12, 12)
    assert apart(steps, diffusers_latents(tiny_v, settings)) < 1e-3


@pytest.fixture(scope="module")
def tiny_v(tiny_models, tmp_path_factory):
    from explorer.tabs.diffusion import models

    folder = tmp_path_factory.mktemp("diffusion") / "tiny-v"
    tiny_models.FAMILIES["sd2"]().save_pretrained(folder)
    return models.open_model(folder)


@pytest.fixture(scope="module")
def face():
    from explorer import corpus

    return corpus.batch("test", 0, 1)[0][0]


@pytest.mark.parametrize("name", [name for name in schedulers.NAMES if name != "pndm"])
def test_img2img_is_that_of_the_pipeline(mini, face, name):
    settings = replace(RED, scheduler=name, steps=10, strength=0.55, eta=0.4)
    steps = list(denoise(mini, settings, image=face))
    assert len(steps) == 5
    assert apart(steps, diffusers_latents(mini, settings, image=face)) < 1e-3


def test_a_picture_of_another_size_is_resized(mini):
    import numpy as np

    *_, last = denoise(mini, replace(RED, strength=0.5), image=np.zeros((100, 80, 3), np.uint8))
    assert last.x_next.shape == (1, 4, 8, 8)


# --- Guidance ---


def test_guidance_is_right_where_the_pipeline_is_not(tiny_model):
    """At 0 it is the negative prompt's own run, at 1 the prompt's; a pipeline runs the prompt at both."""
    told = replace(RED, negative="blue hair", guidance_scale=0.0)
    theirs = diffusers_latents(tiny_model, replace(told, prompt=told.negative, negative=""))
    assert apart(list(denoise(tiny_model, told)), theirs) < 1e-3
    one = replace(told, guidance_scale=1.0)
    assert apart(list(denoise(tiny_model, one)), diffusers_latents(tiny_model, one)) < 1e-3
    for step in denoise(tiny_model, replace(told, guidance_scale=0.5, steps=3)):
        assert torch.allclose(step.eps, (step.eps_uncond + step.eps_cond) / 2, atol=1e-6)
        assert not torch.allclose(step.eps_uncond, step.eps_cond, atol=1e-2)


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_recombined_guidance_is_a_rerun(tiny_model, name):
    """Without the UNet, another w at a step gives what a run from there with that w gives."""
    settings = replace(RED, scheduler=name, eta=0.5)
    step = list(denoise(tiny_model, settings))[3]
    rerun = next(denoise(tiny_model, replace(settings, guidance_scale=11.0), start=step.start))
    quick = sampler.again(step, 11.0)
    assert torch.allclose(quick.x0, rerun.x0, atol=1e-5) and torch.allclose(quick.x_next, rerun.x_next, atol=1e-5)
    assert torch.equal(sampler.again(step, settings.guidance_scale).x_next, step.x_next)


def test_what_conditions_a_run(mini):
    nothing = next(denoise(mini, replace(RED, mode="none")))
    assert torch.allclose(nothing.eps_cond, nothing.eps_uncond, atol=1e-5)

    told = next(denoise(mini, replace(RED, mode="labels", labels=(("hair colour", "red"),))))
    assert torch.allclose(told.eps_uncond, nothing.eps_uncond, atol=1e-5)
    assert not torch.allclose(told.eps_cond, told.eps_uncond, atol=1e-2)


# --- What a step holds ---


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_a_step_holds_together(mini, name):
    steps = list(denoise(mini, replace(RED, scheduler=name, eta=0.3)))
    for step, after in zip(steps, steps[1:]):
        assert torch.equal(step.x_next, after.x) and step.scale_next == pytest.approx(after.scale)
        total = sum(term.coefficient * term.tensor for term in step.terms)
        assert float((total - step.x_next).abs().max()) <= 1e-5
        x, sigma, abar = step.x * step.scale, step.sigma, step.abar  # as noisy as in training
        assert torch.allclose(x, abar**0.5 * step.x0 + (1 - abar) ** 0.5 * step.eps, atol=1e-4)
        assert sigma == pytest.approx(((1 - abar) / abar) ** 0.5)
        assert [one.shape[0] for one in step.maps.values()] == [mini.context] * len(step.maps)
        for one in step.maps.values():
            assert torch.allclose(one.sum(0), torch.ones(one.shape[1:]), atol=1e-4)
    assert [step.index for step in steps] == list(range(steps[0].total))


def test_without_attention_the_film_is_the_same(tiny_model):
    steps, plain = list(denoise(tiny_model, RED)), list(denoise(tiny_model, RED, attention=False))
    assert all(step.maps is None for step in plain)
    assert torch.allclose(steps[-1].x_next, plain[-1].x_next, atol=1e-3)


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_same_seed_same_film(tiny_model, name):
    settings = replace(RED, scheduler=name, eta=1.0)
    torch.manual_seed(1)
    first = list(denoise(tiny_model, settings))
    torch.manual_seed(2)
    again, other = list(denoise(tiny_model, settings)), list(denoise(tiny_model, replace(settings, seed=4)))
    assert all(torch.equal(a.x_next, b.x_next) for a, b in zip(first, again))
    assert not torch.allclose(first[-1].x_next, other[-1].x_next, atol=1e-2)


# --- Branches ---


@pytest.mark.parametrize("name", schedulers.NAMES)
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_branch_where_nothing_changed_is_a_rerun(tiny_model, name, at):
    """To the last bit, with the noises of the stochastic ones and what the multistep ones remember."""
    settings = replace(RED, scheduler=name, eta=0.7)
    steps = list(denoise(tiny_model, settings))
    branch = list(denoise(tiny_model, settings, start=steps[at].start))
    assert sampler.count(tiny_model, settings, steps[at].start) == len(branch) == len(steps) - at
    assert all(torch.equal(a.x_next, b.x_next) and a.index == b.index for a, b in zip(steps[at:], branch))


def test_a_branch_with_another_prompt_shares_what_came_before(tiny_model):
    steps = list(denoise(tiny_model, RED))
    branch = list(denoise(tiny_model, replace(RED, prompt="blue shirt"), start=steps[2].start))
    assert torch.equal(branch[0].x, steps[2].x) and torch.equal(branch[0].eps_uncond, steps[2].eps_uncond)
    assert not torch.allclose(branch[0].eps_cond, steps[2].eps_cond, atol=1e-3)


def test_a_branch_from_ddim_to_euler_walks_the_same_way(tiny_model):
    """Both are one equation in two measures (Song et al. 2021, section 4.3), so only the measure of x may change."""
    settings = replace(RED, steps=10)
    steps = list(denoise(tiny_model, settings))
    branch = list(denoise(tiny_model, replace(settings, scheduler="euler"), start=steps[4].start))
    assert len(branch) == 6 and [step.timestep for step in branch] == [step.timestep for step in steps[4:]]
    for mine, theirs in zip(branch, steps[4:]):
        assert torch.allclose(mine.x * mine.scale, theirs.x * theirs.scale, atol=1e-3)
        assert torch.allclose(mine.x0, theirs.x0, atol=1e-2)
    back = list(denoise(tiny_model, settings, start=branch[2].start))
    assert torch.allclose(back[-1].x_next, steps[-1].x_next, atol=1e-3)


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_a_branch_to_any_scheduler_and_number_of_steps_ends(tiny_model, name):
    start = list(denoise(tiny_model, RED))[3].start
    settings = replace(RED, scheduler=name, steps=13)
    branch = list(denoise(tiny_model, settings, start=start))
    assert branch[0].timestep == start.plan.knots[3].t and branch[-1].x_next.isfinite().all()
    assert sampler.count(tiny_model, settings, start) == len(branch)


# --- Stopping, and what is refused ---


def test_closing_a_run_leaves_nothing_behind(tiny_model):
    run = denoise(tiny_model, RED)
    next(run)
    run.close()
    assert tiny_model.bus.riders == 0
    assert len(list(denoise(tiny_model, RED))) == 6


@pytest.mark.parametrize("change, word", [
    ({"steps": 0}, "steps"), ({"steps": 10_000}, "steps"), ({"steps": 2.5}, "steps"), ({"steps": float("nan")}, "steps"),
    ({"guidance_scale": float("nan")}, "guidance"), ({"guidance_scale": -1}, "guidance"), ({"guidance_scale": 21}, "guidance"),
    ({"guidance_scale": "7"}, "guidance"), ({"eta": 2}, "eta"), ({"eta": float("inf")}, "eta"), ({"seed": -1}, "seed"),
    ({"seed": 2**70}, "seed"), ({"scheduler": "heun"}, "scheduler"), ({"size": 33}, "side"), ({"strength": 0}, "strength"),
    ({"mode": "dream"}, "conditioned"), ({"mode": "labels"}, "labels"), ({"prompt": None}, "text"),
])  # fmt: skip
def test_settings_that_no_run_can_have_are_refused_in_a_sentence(tiny_model, change, word):
    with pytest.raises(ValueError) as refused:
        denoise(tiny_model, replace(RED, **change))
    assert word in str(refused.value) and str(refused.value).endswith(".") and "\n" not in str(refused.value)


def test_an_unknown_label_is_named(mini):
    with pytest.raises(ValueError, match="tail"):
        denoise(mini, replace(RED, mode="labels", labels=(("tail", "long"),)))


def test_a_strength_that_leaves_no_step_is_refused(mini, face):
    with pytest.raises(ValueError, match="strength"):
        denoise(mini, replace(RED, steps=4, strength=0.1), image=face)


@pytest.mark.parametrize("prompt", ["", "🙂 🦄", "red hair " * 5000, "\x00\ud83d", "日本語 zebra"])
def test_any_text_is_a_prompt(tiny_model, prompt):
    *_, last = denoise(tiny_model, replace(RED, prompt=prompt, steps=2))
    assert last.x_next.isfinite().all()
