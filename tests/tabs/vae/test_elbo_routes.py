"""The routes of the part "elbo": agreement with the engines, runs that pages share or stop, and requests that make no sense."""

import base64
import io
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import answers
from explorer.tabs.vae import elbo, elbo_bound, elbo_routes, elbo_work, engine, model, model_routes, models, reparam, spectrum
from explorer.tabs.vae.sources import DIGITS, Own

ROOT = "/gradio_api/x/vae/"
PAGE = "elbo-test-page"


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(2)
    few = Own("digits", DIGITS.batch(30)[0])
    facts = {"title": "tiny", "beta": 2.0, "version": "t1"}
    return engine.Vae(model.Vae(model.Config(32, 3, (8, 8, 16))), few, np.full((32, 32), 0.8, np.float32), facts)


@pytest.fixture(scope="module")
def name(vae):
    yield models.keep(PAGE, vae)
    models.left(PAGE)
    elbo_routes.left(PAGE)


@pytest.fixture(scope="module")
def site():
    app = Starlette(routes=[*elbo_routes.routes(), *model_routes.routes()])
    app.auth = app.auth_dependency = None
    with TestClient(app, headers={"x-session": PAGE}) as client:
        yield client


@pytest.fixture(scope="module")
def ask(site, name):
    return lambda path, **query: site.get(ROOT + "elbo/" + path, params={"model": name, **query})


@pytest.fixture(scope="module")
def do(site, name):
    return lambda path, **body: site.post(ROOT + "elbo/" + path, json={"model": name, **body})


def floats(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<f4").reshape([int(n) for n in answer.headers["x-shape"].split(",")])


def follow(ask, run: str) -> dict:
    """All that a run tells until it is over."""
    told, gathered = {"state": "running", "done": 0}, {"eps": [], "f": [], "slope": []}
    while told["state"] == "running":
        told = ask("news", run=run, after=len(gathered["eps"])).json()
        for part in gathered:
            gathered[part] += told.get(part, [])
    return told | gathered


def test_what_the_bill_needs_to_know(ask, vae):
    told = ask("start").json()
    assert told["constant"] == pytest.approx(-3 * 1024 * (np.log(0.8) + np.log(2 * np.pi) / 2), rel=1e-6)
    assert told["order"] == vae.order and len(told["axes"]) == 3 and told["values"] == 3072
    assert told["sigmas"] == [{"sigma": 0.8, "share": 1.0}]


def test_the_encoders_bill_and_ones_own_are_those_of_the_engine(ask, do, vae):
    told, want = ask("bill", samples=16, seed=3).json(), elbo.bill(vae, vae.gallery().images[0], samples=16, seed=3)
    assert told["elbo"] == pytest.approx(want.elbo) and np.allclose(told["squared"], want.squared) and len(told["kl"]) == 3
    assert told["elbo"] == pytest.approx(told["constant"] - np.mean(told["squared"]) - sum(told["kl"]), abs=1e-3)
    same = do("yours", mu=told["mu"], sigma=told["sigma"], samples=16, seed=3).json()
    assert same["elbo"] == pytest.approx(told["elbo"], abs=0.01)
    moved = do("yours", mu=[1, 0, 0], sigma=[1, 1, 2], samples=16, seed=3, picture="gallery:2").json()
    q = elbo.Posterior(np.array([1.0, 0, 0]), np.array([1.0, 1, 2]))
    assert moved["elbo"] == pytest.approx(elbo.bill(vae, vae.gallery().images[2], q, 16, 3).elbo)
    assert moved["kl"][0] == 0.5 and moved["kl"][1] == 0


def test_a_walk_holds_its_start_and_its_best(do):
    for which in ("mu", "sigma"):
        told = do("walk", dim=1, which=which, samples=8).json()
        assert (
            len(told["values"]) in (33, 34)
            and told["elbo"][told["best"]] == max(told["elbo"])
            and told["error"][told["here"]] == 0
        )
    assert do("walk", dim=0, which="sigma", mu=[0, 0, 0], sigma=[20, 1, 1], samples=8).json()["values"][-1] == elbo.SIGMAS[1]


def test_the_decoders_density_in_pixels(do, vae):
    image = vae.gallery().images[1]
    told = floats(do("pixels", picture="gallery:1", seed=5))
    assert told.shape == (10, 32, 32) and np.allclose(told[9], 0.8)
    assert np.array_equal(np.round((told[:3] + 1) * 127.5).transpose(1, 2, 0), image)
    costs = (((told[:3] - told[3:6]) / told[9]) ** 2).sum() / 2
    assert costs == pytest.approx(elbo.bill(vae, image, samples=1).squared_at_mean, rel=1e-5)
    assert abs(told[6:9].mean()) < 0.1 and abs(told[6:9].std() - 1) < 0.05
    again = floats(do("pixels", picture="gallery:1", seed=5, z=[0, 0, 0]))
    assert np.array_equal(again[6:9], told[6:9]) and not np.array_equal(again[3:6], told[3:6])
    drawn = do("draws", count=4, seed=1, picture="gallery:1")
    assert drawn.headers["x-shape"] == "4,32,32,3"


def test_the_bound_comes_in_parts_and_ends_as_the_engine_has_it(ask, do, vae):
    began = do("bound", count=220, seed=1).json()
    told = follow(ask, began["run"])
    assert told["state"] == "done" and told["done"] == began["total"] == 220
    image = vae.gallery().images[0]
    logs = np.concatenate(list(elbo_bound.log_weights(vae, image, elbo.encoded(vae, image), 220, 1)))
    want = elbo_bound.bounds(logs)
    assert [one["k"] for one in told["bounds"]] == [one.k for one in want]
    assert told["bounds"][-1]["value"] == pytest.approx(want[-1].value) and told["bounds"][-1]["error"] is None
    assert do("bound", count=220, seed=1).json()["run"] == began["run"]  # it is there already


def test_gradients_come_in_parts_with_their_truth(ask, do):
    began = do("gradients", of="square", dim=0, mu=[1.5, 0, 0], sigma=0.6, count=200).json()
    assert began["truth"] == pytest.approx([3, 1.2]) and (began["mu"], began["sigma"]) == (1.5, 0.6)
    told = follow(ask, began["run"])
    assert told["done"] == len(told["eps"]) == 200
    d = reparam.Draws(*(np.array(told[part]) for part in ("eps", "f", "slope")))
    assert np.allclose(d.f, (1.5 + 0.6 * d.eps) ** 2, atol=1e-5)
    assert told["summary"]["score"]["mean"] == pytest.approx(reparam.summary(d, 0.6)["score"]["mean"], abs=1e-4)
    real = do("gradients", dim=1, count=64).json()
    assert follow(ask, real["run"])["state"] == "done" and len(real["truth"]) == 2


def test_a_q_settles_for_one_picture(ask, do, vae):
    told = follow(ask, do("settle", seed=2).json()["run"])
    assert told["state"] == "done" and told["done"] == len(told["elbo"]) == 80
    image = vae.gallery().images[0]
    fitted = elbo.bill(vae, image, elbo.chosen(vae, told["mu"], told["sigma"]), samples=64)
    assert fitted.elbo > elbo.bill(vae, image, samples=64).elbo  # an untrained encoder misses by far


def test_the_slope_at_one_draw_and_its_picture(do, vae):
    told = do("slope", dim=1, mu=[0.5, 0, -1], z=1.25).json()
    f = reparam.likelihood(vae, vae.gallery().images[0], np.array([0.5, 0, -1]), 1)
    assert (told["f"], told["slope"]) == pytest.approx([float(one[0]) for one in f(np.array([1.25]))], rel=1e-5)
    assert base64.b64decode(told["pixels"]) == vae.decode(np.array([[0.5, 1.25, -1]]))[0].tobytes()


def test_the_slope_of_a_picture_whose_code_lies_beyond_what_is_decoded(do, vae):
    told = do("slope", dim=0, mu=[0, vae.far + 2, 0], z=0.5)
    assert told.status_code == 200, told.text
    edge = vae.decode(np.array([[0.5, vae.far, 0]]))[0]
    assert base64.b64decode(told.json()["pixels"]) == edge.tobytes()


def test_spectra_of_one_and_of_many(ask, vae):
    told = ask("spectrum").json()
    image = vae.gallery().images[:1]
    assert told["count"] == 30 and np.allclose(told["picture"]["input"], spectrum.of(spectrum.luminance(image)).rings)
    assert np.array(told["average"]["residual"]).shape == (16,) and told["picture"]["half"] is not None
    assert floats(ask("planes")).shape == (4, 32, 32)


def test_the_average_is_of_what_no_training_saw(ask, vae, monkeypatch):
    monkeypatch.setattr(vae, "source", replace(vae.source, held=4))
    monkeypatch.setattr(elbo_work, "answers", answers.Answers(9, elbo_work.places))
    told = ask("spectrum").json()
    few = spectrum.luminance(vae.source.pixels[:4])
    assert told["count"] == 4 and np.allclose(told["average"]["input"], spectrum.of(few).rings)


def test_a_run_is_stopped_by_its_page_and_by_its_leaving(site, do, ask):
    began = do("bound", count=4000, seed=9).json()
    assert do("stop", run=began["run"]).status_code == 200
    assert follow(ask, began["run"])["state"] == "stopped"
    other = do("bound", count=4000, seed=10).json()["run"]
    assert site.get(ROOT + "elbo/news", params={"run": other}, headers={"x-session": "another-page"}).status_code == 400
    elbo_routes.left(PAGE)
    assert ask("news", run=other).status_code == 400


def test_runs_of_what_ships_are_shared_and_outlive_one_of_two_pages():
    def chunks():
        while True:
            time.sleep(0.001)
            yield 1

    key = ("", "test", "shared")
    one = elbo_work.begin("page-one", key, "bound", chunks, 10)
    assert elbo_work.begin("page-two", key, "bound", chunks, 10) is one
    elbo_work.stop("page-one", one.id)
    assert one.state == "running" and elbo_work.get("page-one", one.id) is one
    elbo_work.left("page-two")
    assert one.state == "stopped"
    elbo_work.left("page-one")


def test_a_new_run_of_a_page_replaces_its_old_one():
    def chunks():
        while True:
            time.sleep(0.001)
            yield 1

    first = elbo_work.begin("page-three", ("", "a"), "bound", chunks, 10)
    second = elbo_work.begin("page-three", ("", "b"), "bound", chunks, 10)
    assert first.state == "stopped" and second.state == "running"
    elbo_work.left("page-three")


def test_a_run_that_breaks_says_so():
    def chunks():
        yield 1
        raise RuntimeError("planted")

    run = elbo_work.begin("page-four", ("", "broken"), "bound", chunks, 10)
    until = time.monotonic() + 20
    while run.state == "running" and time.monotonic() < until:
        time.sleep(0.005)
    assert run.state == "failed" and "log" in run.error and run.parts == [1]
    elbo_work.left("page-four")


BAD = [
    ("bill", {"picture": "gallery:99"}, "gallery"), ("bill", {"samples": "0"}, "samples"),
    ("bill", {"samples": "9999"}, "samples"), ("bill", {"seed": "-1"}, "seed"),
    ("bill", {"picture": "upload:nobody"}, "bring it again"), ("start", {"model": "own-x"}, "train"),
    ("start", {"model": "nothing"}, "no model"), ("news", {"run": "x"}, "start it again"),
    ("spectrum", {"picture": "x"}, "picture"),
]  # fmt: skip


@pytest.mark.parametrize("path, query, word", BAD)
def test_a_question_that_makes_no_sense_is_one_sentence(ask, path, query, word):
    answer = ask(path, **query)
    assert answer.status_code == 400 and word in answer.json()["error"]


ORDERS = [
    ("yours", {"mu": [0, 0], "sigma": [1, 1, 1]}), ("yours", {"mu": [0, 0, None], "sigma": [1, 1, 1]}),
    ("yours", {"mu": [0, 0, 0]}), ("yours", {"mu": [0, 0, 1e9], "sigma": [1, 1, 1]}), ("yours", {"samples": 1e3}),
    ("yours", {"samples": True}), ("yours", {"mu": {}}), ("walk", {"dim": 3}), ("walk", {"which": "z"}),
    ("walk", {"samples": 500}), ("pixels", {"z": [0, 0, "a"]}), ("pixels", {"seed": -1}), ("pixels", {"z": 7}),
    ("draws", {"count": 100}), ("bound", {"count": 1000000}), ("bound", {"count": 0}), ("gradients", {"of": "cube"}),
    ("gradients", {"sigma": 0}), ("gradients", {"sigma": "wide"}), ("gradients", {"mu": [1]}), ("gradients", {"dim": 1.5}),
    ("gradients", {"count": 100000000}), ("stop", {"run": None}), ("slope", {"z": None}), ("slope", {"z": 99}),
    ("yours", {"model": ["own"], "picture": 3, "mu": []}),
]  # fmt: skip


@pytest.mark.parametrize("path, body", ORDERS)
def test_a_command_that_makes_no_sense_is_one_sentence(do, path, body):
    answer = do(path, **body)
    assert answer.status_code == 400 and answer.json()["error"].endswith(".") and "\n" not in answer.json()["error"]


def test_a_picture_of_ones_own(site, ask, do, vae):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (70, 90, 3), np.uint8)).save(file, "PNG")
    picture = site.post(ROOT + "picture", content=file.getvalue()).json()["picture"]
    assert ask("bill", picture=picture).json()["squared"] != ask("bill").json()["squared"]
    assert ask("spectrum", picture=picture).json()["picture"]["half"] < 16
    assert site.post(ROOT + "elbo/yours", json={"picture": picture}, headers={"x-session": "another-page"}).status_code == 400
