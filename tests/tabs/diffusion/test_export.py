"""What is taken home: a picture that says how it was made, tensors, and Python that paints the same picture when it is run."""

import io
import json
import runpy
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from explorer.tabs.diffusion import export, folder, frames, models, pictures, sampler, script
from explorer.tabs.diffusion.runs import Run
from explorer.tabs.diffusion.sampler import Settings


def made(model, image=None, branch=None, **settings) -> Run:
    settings = {"prompt": "red hair and a “blue” shirt", "steps": 5, "seed": 7, **settings}
    if image is not None:
        image = pictures.square(pictures.face(image), model.size)
    run = Run(model, sampler.checked(model, Settings(**settings), image is not None), image, branch)
    run.work()
    assert run.state == "done", run.error
    return run


def painted(text: str, source, where, monkeypatch) -> np.ndarray:
    """What the script paints, run as its reader runs it."""
    (where / "picture.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(where)
    monkeypatch.setattr(sys, "argv", ["picture.py", str(source)])
    try:
        with torch.enable_grad():
            runpy.run_path("picture.py")
    finally:
        torch.set_grad_enabled(True)
    return np.asarray(Image.open("picture.png")).astype(int)


CASES = {
    "the pipeline": {"eta": 0.5, "negative": "a beard"},
    "the pipeline, ancestral": {"scheduler": "euler_a"},
    "the pipeline from a picture": {"image": 3, "strength": 0.7, "scheduler": "dpmpp_2m"},
    "guidance below one": {"guidance_scale": 0.5, "negative": "sunglasses", "scheduler": "pndm"},
    "guidance below one from a picture": {"guidance_scale": 0.2, "image": 4, "strength": 0.6, "scheduler": "euler"},
    "labels": {"mode": "labels", "labels": (("hair", "bob"), ("shirt", "red")), "scheduler": "ddpm"},
    "nothing": {"mode": "none", "guidance_scale": 2.0},
    "PNDM from a picture": {"image": 5, "strength": 0.7, "scheduler": "pndm"},
}


@pytest.mark.parametrize("case", CASES)
def test_the_script_paints_the_picture(case, mini, tmp_path, monkeypatch):
    run = made(mini, **CASES[case])
    text = script.script(run)
    assert ("pipe.unet(" in text) == (not case.startswith("the pipeline"))
    assert str(folder.shipped()) not in text  # no path of this host
    assert abs(painted(text, folder.shipped(), tmp_path, monkeypatch) - frames.strip(run, "final")[0]).max() <= 2


def test_the_script_of_a_branch(mini, tmp_path, monkeypatch):
    """One part follows another: the same scheduler in a loop, another one with every coefficient written out."""
    first = made(mini, scheduler="pndm")
    same = made(mini, scheduler="pndm", guidance_scale=9.0, prompt="green hair", branch=first.leave(2))
    other = made(mini, scheduler="euler_a", steps=7, guidance_scale=0.5, branch=same.leave(4))
    for run, loop in ((same, True), (other, False)):
        text = script.script(run)
        assert ("scheduler.step(" in text) == loop
        assert abs(painted(text, folder.shipped(), tmp_path, monkeypatch) - frames.strip(run, "final")[0]).max() <= 2


def test_the_script_of_a_run_that_was_stopped_paints_what_was_there(mini, tmp_path, monkeypatch):
    run = Run(mini, sampler.checked(mini, Settings("red hair", steps=6, scheduler="dpmpp_2m")))
    for step in list(sampler.denoise(mini, run.settings))[:4]:
        run.steps.append(step)
    assert abs(painted(script.script(run), folder.shipped(), tmp_path, monkeypatch) - frames.strip(run, "final")[0]).max() <= 2


@pytest.mark.parametrize("scale", [5.0, 0.5])
def test_the_script_of_stable_diffusion_xl(scale, tiny_models, tmp_path, monkeypatch):
    source = tmp_path / "tiny-xl"
    tiny_models.sdxl().save_pretrained(source)
    run = made(models.open_model(source), guidance_scale=scale, scheduler="euler")
    assert "tiny-xl" in script.script(run) and str(tmp_path) not in script.script(run)
    assert abs(painted(script.script(run), source, tmp_path, monkeypatch) - frames.strip(run, "final")[0]).max() <= 2


def test_a_run_without_steps_has_nothing_to_take_home(tiny_model):
    run = Run(tiny_model, sampler.checked(tiny_model, Settings(steps=2)))
    for what in (script.script, export.tensors, export.picture):
        with pytest.raises(ValueError, match="made no step yet"):
            what(run)


def test_the_picture_says_how_it_was_made(tiny_model):
    parent = made(tiny_model)
    run = made(tiny_model, guidance_scale=9.0, branch=parent.leave(2))
    image = Image.open(io.BytesIO(export.picture(run)))
    assert np.array_equal(np.asarray(image), frames.strip(run, "final")[0])
    told = json.loads(image.text["settings"])
    assert told["prompt"] == "red hair and a “blue” shirt" and told["guidance_scale"] == 9 and told["branched_at"] == 2
    assert [part["from"] for part in told["branches"]] == [0] and "Seed: 7" in image.text["parameters"]


def test_the_tensors_are_all_there(tiny_model, tmp_path):
    run = made(tiny_model, scheduler="ddpm")
    (tmp_path / "run.safetensors").write_bytes(export.tensors(run))
    with safe_open(tmp_path / "run.safetensors", "pt") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}
        assert json.loads(file.metadata()["settings"])["seed"] == 7
    assert kept["x"].shape == (6, 4, 8, 8) and kept["timestep"].tolist() == [step.timestep for step in run.steps]
    for k, step in enumerate(run.steps):
        for name in ("eps_uncond", "eps_cond", "eps", "x0"):
            assert torch.equal(kept[name][k], getattr(step, name)[0])
        for layer, maps in step.maps.items():
            assert torch.equal(kept[f"attention.{layer}"][k], maps)
    # The tensors suffice to make every step again: DDPM's terms from its own noise.
    assert torch.equal(kept["x"][-1], run.steps[-1].x_next[0]) and kept["noise"].shape == (5, 4, 8, 8)
