"""The sampler against diffusers with the exact noise, schedules against diffusers, and what it must return."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from explorer.tabs.diffusion import twin, twin_sampler, twin_schedule


def diffusers_scheduler(name, spacing="leading"):
    betas = {"linear": ("linear", 1e-4, 0.02), "cosine": ("squaredcos_cap_v2", 1e-4, 0.02)}
    kind, start, end = betas.get(name, ("scaled_linear", 0.00085, 0.012))
    return DDIMScheduler(
        beta_start=start, beta_end=end, beta_schedule=kind, clip_sample=False, set_alpha_to_one=True, steps_offset=1,
        rescale_betas_zero_snr=name == "zero_snr", timestep_spacing=spacing,
    )  # fmt: skip


@pytest.mark.parametrize("name", twin_schedule.NAMES)
def test_schedules_are_diffusers(name):
    ours, theirs = twin_schedule.abars(name), diffusers_scheduler(name).alphas_cumprod.numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("spacing", twin_schedule.SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 5, 25, 60, 100])
def test_timesteps_are_diffusers(steps, spacing):
    scheduler = diffusers_scheduler("linear", spacing)
    scheduler.set_timesteps(steps)
    assert twin_schedule.timesteps(steps, spacing).tolist() == scheduler.timesteps.tolist()


@pytest.mark.parametrize("name", ["scaled_linear", "cosine"])
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("w", [0.0, 0.5, 1.0, 6.0])
def test_the_step_is_diffusers_with_the_exact_noise(name, eta, w):
    settings = twin.check({"data": "ring8", "eta": eta, "w": w, "steps": 20, "schedule": name, "n": 30})
    parts, scheduler = twin.mixture(settings), diffusers_scheduler(name)
    scheduler.set_timesteps(20)
    rng = np.random.default_rng([0, twin_sampler.NOISE])
    x = rng.standard_normal((30, 2))
    film = twin_sampler.run(settings)
    for k, t in enumerate(scheduler.timesteps):
        a = float(scheduler.alphas_cumprod[t])
        free, told = parts.eps(x, a), parts.eps(x, a, 0)
        noise = rng.standard_normal(x.shape) if eta and k < 19 else np.zeros_like(x)  # the last step adds none
        out = scheduler.step(
            torch.from_numpy(free + w * (told - free)), t, torch.from_numpy(x), eta=eta, variance_noise=torch.from_numpy(noise)
        )
        np.testing.assert_allclose(film.x0[k], out.pred_original_sample.numpy(), atol=2e-3)
        x = out.prev_sample.numpy()
        np.testing.assert_allclose(film.x[k + 1], x, atol=2e-3)  # diffusers' ᾱ are float32


def test_eta_0_is_deterministic_and_eta_1_is_not():
    """From one start, the ODE has one path and the SDE many; the same seed gives the same film."""
    start = np.tile([[0.4, -0.2]], (5, 1))
    ode = twin_sampler.run(twin.check({"eta": 0}), start)
    sde = twin_sampler.run(twin.check({"eta": 1}), start)
    assert (ode.x == ode.x[:, :1]).all()
    assert np.abs(sde.x[-1] - sde.x[-1, :1]).max() > 0.01
    for eta in (0, 1):
        again = [twin_sampler.run(twin.check({"eta": eta, "seed": seed})).x for seed in (3, 3, 4)]
        assert (again[0] == again[1]).all() and (again[0] != again[2]).any()


def test_samples_are_the_films_end_and_a_trace_starts_where_it_is_told():
    settings = twin.check({"eta": 0.5, "n": 50})
    np.testing.assert_array_equal(twin_sampler.samples(settings), twin_sampler.run(settings).x[-1])
    told = twin_sampler.trace(settings, [1.0, 0.5], 10)
    assert told["ode"][0] == [1.0, 0.5] and len(told["ode"]) == 16 and len(told["sde"]) == twin_sampler.PATHS
    film = twin_sampler.run(replace(settings, eta=0.0))
    path = twin_sampler.trace(settings, film.x[10, 7].tolist(), 10)["ode"]
    np.testing.assert_allclose(path, film.x[10:, 7], atol=1e-12)


def test_the_ode_keeps_the_law():
    """Of one Gaussian the end is known: with many steps its mean and widths come back."""
    settings = twin.check({"data": "gaussians", "y": 1, "w": 1, "steps": 100, "schedule": "cosine", "n": 1000})
    x, parts = twin_sampler.samples(settings), twin.mixture(settings)
    np.testing.assert_allclose(x.mean(0), parts.means[1], atol=0.06)
    np.testing.assert_allclose(x.std(0), parts.variances[1] ** 0.5, rtol=0.08)


def test_a_start_without_signal_gives_no_nan():
    """Zero terminal SNR: ᾱ = 0 at the first step, where ε says nothing of x_0."""
    film = twin_sampler.run(twin.check({"schedule": "zero_snr", "spacing": "trailing", "eta": 1.0, "w": 20}))
    assert film.abar[0] < 1e-12 and np.isfinite(film.x).all() and np.isfinite(film.x0).all()
