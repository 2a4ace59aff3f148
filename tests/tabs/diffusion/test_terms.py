"""One step opened in words: the equation has the symbols of its terms, and the numbers beside it are those of the step."""

import dataclasses
import math
import re

import pytest
import torch

from explorer.tabs.diffusion import facts, sampler, schedulers, terms
from explorer.tabs.diffusion.runs import Run
from explorer.tabs.diffusion.sampler import Settings


def made(model, name, **settings) -> Run:
    run = Run(model, sampler.checked(model, Settings("a red face", **{"steps": 6, "seed": 1, "scheduler": name, **settings})))
    run.work()
    assert run.state == "done", run.error
    return run


def speaking(model, kind):
    """The same model, taken to say eps or v."""
    config = {**model.scheduler_config, "prediction_type": kind}
    return dataclasses.replace(model, parts=dataclasses.replace(model.parts, scheduler_config=config))


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", schedulers.NAMES)
def test_the_equation_has_the_symbol_of_every_term(tiny_model, name, kind):
    run = made(speaking(tiny_model, kind), name, eta=0.5)
    for index in range(len(run.steps)):
        told = terms.told(run, index)
        left, right = told["equation"].split(" = ")
        assert left == ("x̃_{t′}" if told["in_sigma"] else "x_{t′}")
        for term in told["terms"]:
            assert term["symbol"] in right, (right, term["symbol"])
        assert ("v̂" in right) == (name == "pndm" and kind == "v_prediction")


def test_fresh_noise_has_a_sigma_of_its_own(tiny_model):
    quiet, loud = (made(tiny_model, "ddim", eta=eta) for eta in (0.0, 0.5))
    assert "$σ_η$ = 0: no fresh noise, so no $z$ term." in terms.told(quiet, 2)["notes"]
    told = terms.told(loud, 2)
    (fresh,) = (term["coefficient"] for term in told["terms"] if term["symbol"] == "z")
    assert f"$σ_η$ = {fresh:.4g} " in " ".join(told["notes"])
    assert f"$σ_t$ = {told['sigma']:.4g} " in " ".join(told["notes"]) and abs(fresh - told["sigma"]) > 1e-3


def test_what_pndm_mixes_follows_from_the_guided_noise_as_it_says(tiny_model):
    run = made(speaking(tiny_model, "v_prediction"), "pndm")
    step, told = run.steps[3], terms.told(run, 3)
    (line,) = (note for note in told["notes"] if note.startswith("This model predicts v"))
    root, rest = map(float, re.search(r"= ([\d.]+) \$ε̂\$ − ([\d.]+) \$x̂₀\$", line).groups())
    assert math.isclose(root**2 + rest**2, 1, abs_tol=1e-3)
    (said,) = (term.tensor for term in terms.opened(run, 3)[1].terms if term.symbol == "v̂")
    assert torch.allclose(root * step.eps - rest * step.x0, said, atol=2e-3)


def test_euler_s_x_is_longer_than_that_of_training(tiny_model):
    for name in ("euler", "euler_a"):
        run = made(tiny_model, name)
        step, told = run.steps[2], terms.told(run, 2)
        assert told["terms"][0]["symbol"] == "x̃ₜ"
        assert torch.allclose(step.x * math.sqrt(step.abar), step.x * step.scale)
        assert any("x̃_t = x_t / √ᾱ_t" in note for note in told["notes"])
        assert torch.allclose(step.x0 + step.sigma * step.eps, step.x, atol=1e-4)


def test_the_page_is_told_what_this_model_mixes(mini):
    (pndm,) = (one for one in facts.start(mini)["schedulers"] if one["name"] == "pndm")
    assert "v̂" in pndm["equation"] and "v̂" in pndm["about"] and "ε̂" not in pndm["equation"] + pndm["about"]
    assert "one call more" in pndm["about"]
