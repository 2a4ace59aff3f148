"""Our equations against diffusers' schedulers, call by call: the next x, the picture estimated, and the sum of the terms."""

import math

import pytest
import torch

from explorer.tabs.diffusion import schedulers

CONFIG = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000)
KINDS = [(name, kind) for name in schedulers.NAMES for kind in ("epsilon", "v_prediction")]


def both(name, kind="epsilon", steps=12, eta=0.0, spacing="leading", outputs=None):
    """A run with made-up model outputs, ours and diffusers' beside each other: (index, plan, x, ours, theirs)."""
    plan = schedulers.make(name, dict(CONFIG, prediction_type=kind, timestep_spacing=spacing), steps)
    theirs, noise = plan.scheduler, torch.Generator().manual_seed(1)
    mine, drawn = torch.Generator().manual_seed(2), torch.Generator().manual_seed(2)
    assert [float(t) for t in theirs.timesteps] == [knot.t for knot in plan.knots]

    x = torch.randn(1, 4, 8, 8, generator=noise) * plan.init_noise_sigma
    history = None
    for index, t in enumerate(theirs.timesteps):
        output = torch.randn(x.shape, generator=noise)
        seen, abar = x * plan.scale(index), plan.knots[index].abar
        assert torch.allclose(seen, theirs.scale_model_input(x, t), atol=1e-5)
        eps = output if kind == "epsilon" else math.sqrt(abar) * output + math.sqrt(1 - abar) * seen
        ours = plan.step(eps, index, x, eta, mine, history)
        extra = {"eta": eta} if name == "ddim" else {}
        extra |= {"generator": drawn} if name in ("ddim", "ddpm", "euler", "euler_a", "dpmpp_2m") else {}
        yield index, plan, x, ours, theirs.step(output, t, x, **extra)
        x, history = ours.x_next, ours.history


@pytest.mark.parametrize("name, kind", KINDS)
@pytest.mark.parametrize("steps, spacing", [(12, "leading"), (25, "leading"), (7, "trailing"), (15, "linspace"), (1, "leading"),
                                            (2, "leading"), (30, "trailing")])  # fmt: skip
def test_every_step_is_that_of_diffusers(name, kind, steps, spacing):
    for index, _, x, ours, theirs in both(name, kind, steps, spacing=spacing):
        scale = max(1.0, float(x.abs().max()))
        assert float((ours.x_next - theirs.prev_sample).abs().max()) < 3e-5 * scale, index


@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_the_noise_of_ddim_is_that_of_diffusers(eta):
    for _, _, _, ours, theirs in both("ddim", eta=eta):
        assert torch.allclose(ours.x_next, theirs.prev_sample, atol=3e-5)
        assert ours.noise is not None


@pytest.mark.parametrize("name, kind", KINDS)
def test_the_terms_sum_to_the_next_x(name, kind):
    for _, _, _, ours, _ in both(name, kind, steps=9, eta=0.5):
        total = sum(term.coefficient * term.tensor for term in ours.terms)
        assert float((total - ours.x_next).abs().max()) <= 1e-5
        assert (ours.noise is not None) == any(term.symbol == "z" for term in ours.terms)


@pytest.mark.parametrize("name, kind", KINDS)
def test_the_picture_estimated_is_what_diffusers_says_it_is(name, kind):
    """Where each scheduler keeps x0: `pred_original_sample`; DPM++ 2M in `model_outputs`; PNDM nowhere, so by the formula."""
    for index, plan, x, ours, theirs in both(name, kind, steps=25):
        if name == "dpmpp_2m":
            x0 = plan.scheduler.model_outputs[-1]
        elif name == "pndm":
            abar = plan.scheduler.alphas_cumprod[int(plan.knots[index].t)]
            noise = torch.Generator().manual_seed(1)
            for _ in range(index + 2):  # the x of the start, then one output per call
                said = torch.randn(x.shape, generator=noise)
            eps = said if kind == "epsilon" else abar.sqrt() * said + (1 - abar).sqrt() * x
            x0 = (x - (1 - abar).sqrt() * eps) / abar.sqrt()
        else:
            x0 = theirs.pred_original_sample
        assert float((ours.x0 - x0).abs().max()) < 1e-4 * max(1.0, float(x0.abs().max()))


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_how_often_the_model_is_called(name):
    assert len(schedulers.make(name, CONFIG, 25)) == (26 if name == "pndm" else 25)


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_img2img_leaves_out_the_first_steps(name):
    """A strength of 0.6 leaves 15 of 25 steps. diffusers' PNDM repeats a step there too, and leaves another out for it."""
    config = dict(CONFIG, timestep_spacing="leading")
    whole, part = (schedulers.make(name, config, 25, strength) for strength in (1.0, 0.6))
    assert part.first == 10 and len(part) == len(whole) - 10
    if name != "pndm":
        assert part.knots == whole.knots[10:]
    for before, after in zip(part.knots[1:], part.knots[2:]):
        assert before.after == pytest.approx(after.abar)
    if name != "dpmpp_2m":  # which divides the time into one piece more
        assert part.knots[0].t == 561


@pytest.mark.parametrize("name, error", [("ddim", 0.1), ("euler", 0.1), ("dpmpp_2m", 0.005), ("pndm", 0.02)])
@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_more_steps_come_nearer_to_the_known_way_of_a_gaussian(name, error, strength):
    """Where x0 ~ N(0, s^2), eps is x sqrt(1 - abar) / v with v = abar s^2 + 1 - abar, and x goes as sqrt(v): a closed form."""

    def apart(steps, s2=0.3**2):
        plan = schedulers.make(name, dict(CONFIG, timestep_spacing="leading"), steps, strength)
        v = [knot.abar * s2 + 1 - knot.abar for knot in plan.knots]
        x, history = torch.full((1, 4, 2, 2), 1 / plan.scale(0)), None
        for index, knot in enumerate(plan.knots[:-1]):
            eps = x * plan.scale(index) / v[index] * math.sqrt(1 - knot.abar)
            done = plan.step(eps, index, x, history=history)
            x, history = done.x_next, done.history
        return abs(float((x * plan.scale(len(plan) - 1)).mean()) / math.sqrt(v[-1] / v[0]) - 1)

    assert apart(50) < error
    assert apart(100) < 0.7 * apart(50) or apart(100) < 0.005


@pytest.mark.parametrize("name", schedulers.NAMES)
def test_a_plan_that_begins_at_a_given_time_goes_down_from_there(name):
    plan = schedulers.make(name, CONFIG, 20, after=517.0)
    times = [knot.t for knot in plan.knots]
    assert times[0] == 517 and times == sorted(times, reverse=True)
    assert plan.knots[-1].after >= 0.999
    for before, after in zip(plan.knots, plan.knots[1:]):
        assert after.source == pytest.approx(before.after) or name == "pndm"


def test_noise_is_added_as_diffusers_adds_it():
    generator = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(1, 4, 8, 8, generator=generator) for _ in range(2))
    for name in schedulers.NAMES:
        plan = schedulers.make(name, CONFIG, 25, 0.6)
        t = torch.tensor([plan.knots[0].t]).to(plan.scheduler.timesteps.dtype)
        assert torch.allclose(plan.noised(x0, noise), plan.scheduler.add_noise(x0, noise, t), atol=1e-5), name


def test_folders_of_every_age_are_read_without_clipping():
    """SD 1.5's config is PNDM's and says nothing of clipping, from which DDPM would conclude that latents end at 1."""
    old = dict(CONFIG, _class_name="PNDMScheduler", skip_prk_steps=True, set_alpha_to_one=False, trained_betas=None)
    for name in ("ddim", "ddpm"):
        assert schedulers.from_config(name, old).config.clip_sample is False
    assert schedulers.from_config("ddim", old).config.steps_offset == 1


def test_a_schedule_that_ends_in_noise_alone_stays_finite():
    config = dict(CONFIG, rescale_betas_zero_snr=True, timestep_spacing="trailing", prediction_type="v_prediction")
    for name in ("ddim", "euler"):
        plan = schedulers.make(name, config, 5)
        x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)) * plan.init_noise_sigma
        eps = x * plan.scale(0)  # nothing but noise
        assert plan.step(eps, 0, x).x_next.isfinite().all()


def test_an_unknown_scheduler_is_refused():
    with pytest.raises(ValueError, match="ddim"):
        schedulers.make("heun", CONFIG, 10)
