"""Runs over HTTP with the model that ships: what a page may ask for, and one sentence for what it may not."""

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import export
from explorer.tabs.diffusion import frames, generate, run_routes, runs, sampler, sweep

X = "/gradio_api/x/diffusion/"
ME, OTHER = "page-of-run-routes", "another-page"


@pytest.fixture(scope="module")
def site():
    """The routes alone, on an app that asks nobody to log in, as one page asks them."""
    app = Starlette(routes=run_routes.routes())
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": ME}) as client:
        yield client
    run_routes.left(ME)
    run_routes.left(OTHER)


def post(site, name, body, **named):
    return site.post(X + name, content=json.dumps(body), **named)


def get(site, name, **query):
    return site.get(X + name, params=query)


def watched(site, run: str) -> dict:
    """News of a run until it is over: the last answer, with the steps of all."""
    steps, after = [], 0
    while True:
        told = get(site, "news", run=run, after=after).json()
        steps += told["steps"]
        after = len(steps)
        if told["state"] != "running":
            return told | {"steps": steps}


def begun(site, body=None, **settings) -> dict:
    reply = post(site, "run", {"settings": {"prompt": "red hair", "steps": 6, **settings}, **(body or {})})
    assert reply.status_code == 200, reply.text
    return reply.json()


def pixels(reply) -> np.ndarray:
    """The frames of a sprite."""
    assert reply.status_code == 200, reply.text
    count, height, width, _ = map(int, reply.headers["x-shape"].split(","))
    columns, sheet = int(reply.headers["x-columns"]), np.asarray(Image.open(io.BytesIO(reply.content)).convert("RGB"))
    at = ((k // columns * height, k % columns * width) for k in range(count))
    return np.stack([sheet[y : y + height, x : x + width] for y, x in at])


def sentence(reply, status=400) -> str:
    assert reply.status_code == status, reply.text
    said = reply.json()["error"]
    assert said.endswith(".") and len(said) < 250
    return said


@pytest.fixture(scope="module")
def done(site):
    """A run that is over: its id."""
    return watched(site, begun(site)["run"])["run"]


def test_what_a_page_needs_to_know_first(site, mini):
    told = get(site, "start").json()
    model = told["model"]
    assert model["latent"] == [4, 8, 8] and model["image"] == [64, 64, 3] and model["ratio"] == 64 * 64 * 3 / 256 == 48
    assert model["parameters"]["unet"] == sum(p.numel() for p in mini.unet.parameters())
    assert [one["name"] for one in told["schedulers"]] == ["ddim", "ddpm", "euler", "euler_a", "dpmpp_2m", "pndm"]
    assert told["sweep"] == list(sweep.SCALES) and told["defaults"]["steps"] == 25 and told["words"]["shirt"]
    assert told["models"][0]["available"] and model["decoders"][-1] == "rgb"


def test_a_run_from_the_prompt_to_its_film(site):
    run = begun(site, seed=4)
    assert run["total"] == 6 and run["warnings"] == [] and run["settings"]["guidance_scale"] == 4
    told = watched(site, run["run"])
    assert told["state"] == "done" and told["done"] == 6 and told["left"] is None
    assert [step["index"] for step in told["steps"]] == list(range(6))
    assert all({"timestep", "abar", "sigma", "delta", "cos", "norms", "coefficients"} <= set(step) for step in told["steps"])
    kept = runs.of(ME).get(run["run"])
    for view, count in (("x", 7), ("x0", 6), ("eps_uncond", 6), ("difference", 6), ("eps", 6), ("final", 1)):
        reply = get(site, "strip", run=run["run"], view=view)
        assert np.array_equal(pixels(reply), frames.strip(kept, view)) and len(pixels(reply)) == count
        assert "max-age" in reply.headers["cache-control"]
    part = pixels(site.get(X + "strip", params={"run": run["run"], "view": "x", "from": 2, "to": 3, "decoder": "rgb"}))
    assert np.array_equal(part, frames.strip(kept, "x", "rgb")[2:4])
    assert np.array_equal(part[0], generate_film(seed=4)[2])


def generate_film(**settings) -> np.ndarray:
    """The same film made outside the routes: the same seed gives the same film."""
    given = {"settings": {"prompt": "red hair", "steps": 6, **settings}}
    run, _ = runs.wanted(OTHER, given)
    run.work()
    return frames.strip(run, "x", "rgb")


def test_a_picture_in_one_call(site, done):
    picture, film = generate.generate("red hair", steps=6), frames.strip(runs.of(ME).get(done), "final")[0]
    assert np.abs(picture.astype(int) - film).max() <= 1  # decoded in batches of different size
    with pytest.raises(ValueError, match="guidance"):
        generate.generate("red hair", guidance_scale=99)


def test_pictures_are_there_while_the_run_goes_on(site, monkeypatch):
    gate, first, real = threading.Event(), threading.Event(), sampler.denoise

    def slow(*given, **named):
        for step in real(*given, **named):
            yield step
            if step.index == 1:
                first.set()
                gate.wait(60)

    monkeypatch.setattr(sampler, "denoise", slow)
    run = begun(site)["run"]
    assert first.wait(60)
    told = get(site, "news", run=run, after=0).json()
    assert told["state"] == "running" and told["done"] == 2 and told["left"] > 0
    reply = get(site, "strip", run=run, view="x0", decoder="tiny")
    assert len(pixels(reply)) == 2 and reply.headers["cache-control"] == "no-store"
    # A page that is loaded again, or a second look, finds the run where it is.
    assert next(one for one in get(site, "runs").json()["runs"] if one["run"] == run)["state"] == "running"
    quiet = get(site, "news", run=run, after=2).json()  # after a second, although there is nothing new
    assert quiet["steps"] == [] and quiet["state"] == "running" and quiet["pause"] == 0
    assert post(site, "stop", {"run": run}).status_code == 200
    gate.set()
    told = watched(site, run)
    assert told["state"] == "stopped" and told["done"] == 3  # the step that was being made is there too
    assert len(pixels(get(site, "strip", run=run, view="x"))) == 4


def test_questions_for_news_do_not_hold_up_others(site, monkeypatch):
    """More pages than places: those beyond are answered at once, and told when to ask again."""
    monkeypatch.setattr(run_routes, "PARKED", 0)
    gate, real = threading.Event(), sampler.denoise

    def slow(*given, **named):
        gate.wait(60)
        yield from real(*given, **named)

    monkeypatch.setattr(sampler, "denoise", slow)
    run = begun(site)["run"]
    told = get(site, "news", run=run, after=0).json()
    assert told["pause"] == run_routes.PAUSE and told["state"] == "running" and told["done"] == 0
    gate.set()
    assert watched(site, run)["state"] == "done"


def test_steps_of_large_films_are_asked_for_where_they_begin(site, done):
    assert [step["index"] for step in get(site, "news", run=done, after=4).json()["steps"]] == [4, 5]
    assert get(site, "news", run=done, after=600).json()["steps"] == []


def test_a_branch_and_its_tree(site, done):
    branch = begun_branch(site, done, 3, guidance_scale=9, prompt="green hair")
    told = watched(site, branch["run"])
    assert (told["parent"], told["step"], told["total"]) == (done, 3, 6) and told["settings"]["seed"] == 0
    x, y = (pixels(get(site, "strip", run=run, view="x")) for run in (done, branch["run"]))
    assert np.array_equal(x[:4], y[:4]) and not np.array_equal(x[6], y[6])
    tree = {one["run"]: one["parent"] for one in get(site, "runs").json()["runs"]}
    assert tree[branch["run"]] == done
    a, b = done, branch["run"]
    assert np.array_equal(pixels(get(site, "difference", a=a, b=b, view="x")), abs(x.astype(int) - y))
    numbers = get(site, "difference.json", a=a, b=b, view="x").json()["frames"]
    assert numbers[3]["rms"] == 0 and numbers[6]["rms"] > 0
    assert post(site, "forget", {"run": branch["run"]}).json() == {}
    assert "no longer here" in sentence(get(site, "strip", run=branch["run"]))


def begun_branch(site, parent, step, **settings):
    return post(site, "run", {"parent": {"run": parent, "step": step}, "settings": settings}).json()


def test_guidance_terms_and_numbers_of_a_step(site, done):
    kept = runs.of(ME).get(done)
    film = get(site, "sweep", run=done, step=3)
    assert np.array_equal(pixels(film), sweep.strip(kept, 3)) and film.headers["x-scales"].startswith("0,0.5,1,")
    assert np.array_equal(pixels(get(site, "sweep", run=done, step=3, w="2,7.5")), pixels(film)[[4, 15]])
    curves = get(site, "curves", run=done).json()
    assert len(curves["steps"]) == 6 and curves["steps"][0]["delta"] > 0
    terms = get(site, "terms", run=done, step=3).json()
    assert terms["result_error"] == 0 and [term["symbol"] for term in terms["terms"]] == ["x̂₀", "ε̂"]
    assert get(site, "terms", run=done, step=3, w=12).json()["result_error"] > 0
    assert len(pixels(get(site, "terms.png", run=done, step=3, w=12))) == 3
    reply = get(site, "latents", run=done, what="x,eps_cond")
    shape = tuple(map(int, reply.headers["x-shape"].split(",")))
    numbers = np.frombuffer(reply.content, "<f4").reshape(shape)
    assert shape == (6, 2, 4, 8, 8) and np.array_equal(numbers[2, 1], kept.steps[2].eps_cond[0].numpy())
    reply = get(site, "channels", run=done, view="x0")
    assert reply.headers["x-shape"] == "24,8,8,3" and reply.headers["x-channels"] == "4" and float(reply.headers["x-scale"]) > 0


def test_a_comparison_of_scales(site, done):
    found = post(site, "compare", {"run": done, "scales": [0, 1, 4, 10]}).json()["runs"]
    assert [one["scale"] for one in found] == [0, 1, 4, 10] and found[2]["run"] == done  # which is there already
    for one in found:
        assert watched(site, one["run"])["state"] == "done"
    single = generate.generate("red hair", steps=6, guidance_scale=10.0)
    assert abs(pixels(get(site, "strip", run=found[3]["run"], view="final"))[0] - single.astype(int)).max() <= 1
    for scales in ([], [1] * 9, [99], ["a"], None, [float("nan")]):
        sentence(post(site, "compare", {"run": done, "scales": scales}))


def test_a_picture_of_one_s_own(site):
    file, image = io.BytesIO(), Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 50).convert("RGB")
    image.save(file, "JPEG")
    kept = site.post(X + "upload", content=file.getvalue()).json()
    assert (kept["width"], kept["height"]) == (300, 200)
    assert pixels(get(site, "picture", picture=kept["picture"])).shape[1] <= 256
    run = begun(site, {"picture": kept["picture"]}, strength=0.5)
    assert run["total"] == 3 and run["settings"]["strength"] == 0.5 and watched(site, run["run"])["state"] == "done"
    assert begun(site, {"face": 3}, strength=0.5)["total"] == 3
    assert begun(site, strength=0.5)["total"] == 6  # without a picture there is nothing to keep
    assert "no longer here" in sentence(post(site, "run", {"picture": "gone", "settings": {}}))
    assert "0 to" in sentence(post(site, "run", {"face": 10**9, "settings": {}}))
    assert "leaves none" in sentence(post(site, "run", {"face": 1, "settings": {"steps": 2, "strength": 0.1}}))


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_an_upload_that_is_no_picture(site, data):
    sentence(site.post(X + "upload", content=data))


def test_files_to_take_home(site, done):
    for kind, media, name in (
        ("png", "image/png", ".png"), ("strip", "image/png", ".png"), ("gif", "image/gif", ".gif"),
        ("tensors", "application/octet-stream", ".safetensors"), ("python", "text/x-python; charset=utf-8", ".py"),
    ):  # fmt: skip
        reply = get(site, "export", run=done, kind=kind)
        assert reply.status_code == 200 and reply.headers["content-type"] == media, kind
        assert reply.headers["content-disposition"] == f'attachment; filename="red-hair-0{name}"'
    gif = Image.open(io.BytesIO(get(site, "export", run=done, kind="gif").content))
    assert gif.n_frames == 6
    assert "tensors" in sentence(get(site, "export", run=done, kind="docx"))
    assert "gif" in export.formats()


NO_SETTINGS = {
    "no steps": ({"steps": 0}, "steps from 1 to 100"), "10,000 steps": ({"steps": 10_000}, "steps from 1 to 100"),
    "half a step": ({"steps": 2.5}, "steps from 1 to 100"), "steps in words": ({"steps": "ten"}, "steps from 1 to 100"),
    "guidance that is no number": ({"guidance_scale": float("nan")}, "guidance scale from 0 to 20"),
    "guidance below nothing": ({"guidance_scale": -1}, "guidance scale from 0 to 20"),
    "guidance beyond all": ({"guidance_scale": 1e9}, "guidance scale from 0 to 20"),
    "guidance that is true": ({"guidance_scale": True}, "guidance scale from 0 to 20"),
    "eta above one": ({"eta": 1.5}, "eta from 0 to 1"), "a seed of 400 digits": ({"seed": 10**400}, "whole number"),
    "a seed below nothing": ({"seed": -1}, "whole number"), "a scheduler that is none": ({"scheduler": "heun"}, "no scheduler"),
    "a list of schedulers": ({"scheduler": ["ddim"]}, "no such scheduler"), "a prompt that is none": ({"prompt": 3}, "is a text"),
    "no prompt at all": ({"prompt": None}, "is a text"), "an endless prompt": ({"prompt": "red " * 30_000}, "100,000 characters"),
    "a setting that is none": ({"colour": 1}, "no setting called"), "a size that is none": ({"size": 65}, "side of"),
    "a mode that is none": ({"mode": "sound"}, "conditioned by"), "labels that are none": ({"labels": ["red"]}, "an object"),
    "a hat": ({"mode": "labels", "labels": {"hat": "red"}}, "no attribute"), "strength zero": ({"strength": 0}, "strength"),
    "blue skin": ({"mode": "labels", "labels": {"shirt": "tartan"}}, "no shirt"),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_SETTINGS)
def test_settings_that_no_run_can_have(site, case):
    settings, said = NO_SETTINGS[case]
    assert said in sentence(post(site, "run", {"settings": settings}))


def test_commands_that_make_no_sense(site, done):
    for body in ({"settings": []}, {"settings": 3}, {"parent": done}, {"model": "runwayml/stable-diffusion-v1-5"}):
        sentence(post(site, "run", body))
    for step in (6, -1, True, "1", None, 10**400):
        assert "steps 0 to 5" in sentence(post(site, "run", {"parent": {"run": done, "step": step}}))
    assert "no longer here" in sentence(post(site, "run", {"parent": {"run": "x", "step": 0}}))
    for settings in ({"seed": 3}, {"size": 32}, {"strength": 0.5}):
        said = sentence(post(site, "run", {"parent": {"run": done, "step": 2}, "settings": settings}))
        assert f"its {next(iter(settings))} cannot be another" in said
    assert "no page" in sentence(site.post(X + "run", content="{}", headers={"x-session": ""}))
    for name in ("stop", "forget"):
        assert "no longer here" in sentence(post(site, name, {"run": "nobody"}))
        assert "no longer here" in sentence(post(site, name, {"run": {"a": 1}}))


QUERIES = [
    ("strip", {"view": "y"}), ("strip", {"view": "x0", "to": 6}), ("strip", {"from": 4, "to": 2}), ("strip", {"decoder": "best"}),
    ("strip", {"from": "x"}), ("strip", {"size": 3}), ("channels", {"view": "x0", "from": 9}), ("latents", {"what": "y"}),
    ("sweep", {"step": 6}), ("sweep", {}), ("sweep", {"step": 1, "w": "99"}), ("sweep", {"step": 1, "w": "nan"}),
    ("sweep", {"step": 1, "w": ",".join(["1"] * 65)}), ("terms", {"step": 99}), ("terms", {"step": 1, "w": "-2"}),
    ("terms.png", {"step": "one"}), ("news", {"after": -1}), ("export", {"kind": "gif", "fps": 900}),
    ("export", {"kind": "strip", "size": 9000}),
]  # fmt: skip


@pytest.mark.parametrize("name, query", QUERIES)
def test_queries_that_make_no_sense(site, done, name, query):
    sentence(get(site, name, run=done, **query))


def test_nobody_sees_another_page_s_runs(site, done):
    for name in ("strip", "news", "curves", "export", "latents"):
        reply = site.get(X + name, params={"run": done}, headers={"x-session": OTHER})
        assert "no longer here" in sentence(reply)
    assert site.get(X + "runs", headers={"x-session": OTHER}).json() == {"runs": []}
    assert site.get(X + "strip", params={"run": done, "session_hash": ME}, headers={"x-session": ""}).status_code == 200


def test_prompts_that_the_model_does_not_understand(site, mini):
    said = post(site, "run", {"settings": {"prompt": "red " * 10_000, "steps": 1}}).json()
    assert said["warnings"] == ["The prompt has 10,000 tokens; the text encoder reads the first 46 only."]
    assert len(said["settings"]["prompt"]) <= 2_000
    # What was cut off is what no encoder reads.
    import torch

    assert torch.equal(mini.encode_prompt("red " * 10_000).states, mini.encode_prompt(said["settings"]["prompt"]).states)
    blank = post(site, "run", {"settings": {"prompt": " " * 50_000, "steps": 1}}).json()
    assert blank["warnings"] == [] and blank["settings"]["prompt"] == ""
    (said,) = post(site, "run", {"settings": {"prompt": "a zebra 🦓 with red hair", "steps": 1}}).json()["warnings"]
    assert "“zebra”" in said and "🦓" in said and "hair" not in said
    for prompt in ("", "   ", "\x00", "a" * 3_000, "<|endoftext|> red", "مرحبا"):
        reply = post(site, "run", {"settings": {"prompt": prompt, "steps": 1}})
        assert reply.status_code == 200 and watched(site, reply.json()["run"])["state"] == "done"


def test_a_page_that_closes_frees_its_runs_at_once(site):
    reply = site.post(X + "run", content=json.dumps({"settings": {"steps": 100}}), headers={"x-session": OTHER}).json()
    kept = runs.of(OTHER).get(reply["run"])
    run_routes.left(OTHER)
    assert "no longer here" in sentence(site.get(X + "news", params={"run": reply["run"]}, headers={"x-session": OTHER}))
    assert kept.over.wait(10) and kept.state == "stopped"
