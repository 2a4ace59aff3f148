"""Guidance without the network: what is put together again from a step's two noises is what a rerun of the step gives."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import decoders, guidance, sampler, sweep, terms
from explorer.tabs.diffusion.runs import Run
from explorer.tabs.diffusion.sampler import Settings

NAMES = ["ddim", "ddpm", "euler", "euler_a", "dpmpp_2m", "pndm"]


def made(model, **settings) -> Run:
    run = Run(model, sampler.checked(model, Settings("a red face", **{"steps": 5, "seed": 1, "eta": 0.5, **settings})))
    run.work()
    assert run.state == "done", run.error
    return run


@pytest.mark.parametrize("scale", [0.0, 0.4, 1.0, 13.0])
@pytest.mark.parametrize("name", NAMES)
def test_recombined_guidance_is_a_rerun_of_that_single_step(tiny_model, name, scale):
    run = made(tiny_model, scheduler=name)
    step = run.steps[3]
    rerun = next(sampler.denoise(tiny_model, dataclasses.replace(run.settings, guidance_scale=scale), start=step.start))
    assert torch.allclose(guidance.x0(step, scale), rerun.x0, atol=1e-4)
    _, opened, _ = terms.opened(run, 3, scale)
    assert torch.allclose(opened.x_next, rerun.x_next, atol=1e-4)
    assert torch.allclose(sum(term.coefficient * term.tensor for term in opened.terms), rerun.x_next, atol=1e-4)


def test_the_sweep_is_each_scale_s_own_estimate(tiny_model):
    run = made(tiny_model)
    found = sweep.latents(run, 2, (0.0, 0.5, 4.0, 20.0))
    for latent, scale in zip(found, (0.0, 0.5, 4.0, 20.0)):
        assert torch.allclose(latent, guidance.x0(run.steps[2], scale)[0], atol=1e-4)
    assert torch.allclose(found[2], run.steps[2].x0[0], atol=1e-4)  # its own scale


def test_the_sweep_s_pictures_are_decoded_once_and_the_same_one_by_one(tiny_model, monkeypatch):
    run, calls, real = made(tiny_model), [], decoders.decode
    monkeypatch.setattr(
        decoders, "decode", lambda model, batch, kind="full": calls.append(len(batch)) or real(model, batch, kind)
    )
    film = sweep.strip(run, 2)
    assert film.shape == (41, 32, 32, 3) and calls == [41]
    assert np.array_equal(sweep.strip(run, 2), film) and calls == [41]
    assert np.array_equal(sweep.strip(run, 2, scales=(3.0, 0.0)), film[[6, 0]]) and calls in ([41], [41, 2])
    single = real(tiny_model, guidance.x0(run.steps[2], 3.0))[0].astype(int)
    assert abs(single - film[6]).max() <= 1
    with pytest.raises(ValueError, match="steps 0 to 4"):
        sweep.strip(run, 5)


@pytest.mark.parametrize("name", NAMES)
def test_the_terms_of_every_step_sum_to_the_next_frame(tiny_model, name):
    run = made(tiny_model, scheduler=name)
    for index, step in enumerate(run.steps):
        told = terms.told(run, index)
        assert told["result_error"] < 1e-5 and not told["changed"] and told["equation"]
        _, opened, _ = terms.opened(run, index)
        if step.noise is not None:
            assert torch.equal(opened.noise, step.noise)
        if index + 1 < len(run.steps):
            assert torch.allclose(opened.x_next * step.scale_next, run.steps[index + 1].x * run.steps[index + 1].scale, atol=1e-5)
    assert terms.told(run, 1, 9.0)["changed"] and terms.told(run, 1, 9.0)["result_error"] > 1e-3


def test_the_terms_pictures_end_with_the_next_frame(tiny_model):
    run = made(tiny_model, scheduler="euler_a")
    shown = terms.pictures(run, 1)
    assert shown.shape == (4, 32, 32, 3)  # x, the noise, fresh noise, the result
    after = decoders.decode(tiny_model, run.steps[2].x * run.steps[2].scale)[0]
    assert abs(after.astype(int) - shown[-1]).max() <= 1


def test_a_branch_s_first_terms_are_its_parent_s(tiny_model):
    parent = made(tiny_model)
    branch = Run(tiny_model, dataclasses.replace(parent.settings, scheduler="euler"), branch=parent.leave(2))
    branch.work()
    assert terms.told(branch, 1)["scheduler"] == "ddim" and terms.told(branch, 2)["scheduler"] == "euler"
    assert terms.told(branch, 1) | {"run": ""} == terms.told(parent, 1) | {"run": ""}


def test_the_curves_are_norms_and_angles(tiny_model):
    run = made(tiny_model)
    curves = guidance.curves(run)
    assert [row["index"] for row in curves["steps"]] == list(range(5)) and curves["cells"] == 4 * 8 * 8
    for row, step in zip(curves["steps"], run.steps):
        pull = step.eps_cond - step.eps_uncond
        assert row["delta"] == pytest.approx(float(pull.norm()), rel=1e-5)
        for name, one, two in (
            ("angle", step.eps_uncond, step.eps_cond), ("pull_angle", step.eps_uncond, pull), ("turn", step.eps_uncond, step.eps),
        ):  # fmt: skip
            cosine = float((one * two).sum() / (one.norm() * two.norm()))
            assert math.cos(math.radians(row[name])) == pytest.approx(cosine, abs=1e-4)


def test_where_nothing_is_asked_guidance_has_no_direction(tiny_model):
    numbers = guidance.numbers(made(tiny_model, mode="none").steps[0])
    assert numbers["delta"] == 0 and numbers["cos"] == pytest.approx(1) and numbers["pull_angle"] == 0
