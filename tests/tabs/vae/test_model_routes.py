"""What every part asks: the models, a gallery, a place for one's own picture; and what each answers where it makes no sense."""

import io

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer.tabs.vae import engine, models, subjects, ui
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.model_routes import left
from explorer.tabs.vae.sources import Own

ROOT = "/gradio_api/x/vae/"


@pytest.fixture(scope="module")
def site():
    with gr.Blocks():
        routes = ui.build()
    app = Starlette(routes=routes)
    app.auth = app.auth_dependency = None
    with TestClient(app) as client:
        yield client


def ask(site, path, page="page-one", **query):
    return site.get(ROOT + path, params=query, headers={"x-session": page})


def tiny() -> engine.Vae:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), np.uint8)
    facts = {"title": "Mine", "beta": float("inf"), "version": "1"}
    return engine.Vae(vae.Vae(vae.Config(32, 3, (8, 8, 16))), Own("mine", pixels), np.ones((32, 32), np.float32), facts)


def png(size=(90, 60)) -> bytes:
    """A picture of that size, red on its upper half."""
    image, file = np.zeros((size[1], size[0], 3), np.uint8), io.BytesIO()
    image[: size[1] // 2, :, 0] = 255
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_the_models_that_ship_are_offered_and_load(site):
    told = ask(site, "models").json()["models"]
    assert told[0] == {"name": "faces", "title": "Faces, 48 numbers", "own": False} and len(told) == 13
    for one in told[:3] + told[7:8]:
        facts = ask(site, "model", model=one["name"]).json()
        assert facts["title"] == one["title"] and len(facts["captions"]) >= 20
        shape = ask(site, "gallery", model=one["name"]).headers["x-shape"]
        assert shape == f"{len(facts['captions'])},{facts['size']},{facts['size']},3"
    assert ask(site, "model", model="digits-kl").json()["beta"] == "kl", "JSON has no infinity"


def test_a_page_sees_its_own_models_until_it_is_closed(site):
    name = models.keep("page-one", tiny())
    assert ask(site, "models").json()["models"][-1] == {"name": name, "title": "Mine", "own": True}
    assert ask(site, "model", model=name).json()["dims"] == 3
    assert ask(site, "decode", model=name, z="0,0.5,1").headers["x-shape"] == "1,32,32,3"
    start = ask(site, "start", model=name).json()
    assert start["dims"] == 3 and len(start["gallery"]) == 5 and len(start["axes"]) == 3
    other = ask(site, "model", "page-two", model=name)
    assert other.status_code == 400 and "train it again" in other.json()["error"]
    assert len(ask(site, "models", "page-two").json()["models"]) == 13
    left("page-one")
    assert ask(site, "model", model=name).status_code == 400


def test_the_desks_routes_speak_of_the_model_they_are_asked_for(site):
    world = models.get("digits-1")
    z = world.encode(world.gallery().images[:1]).mu[0]
    answer = ask(site, "decode", model="digits-1", z=",".join(f"{v:.6f}" for v in z))
    picture = np.frombuffer(answer.content, np.uint8).reshape(32, 32, 3)
    assert np.abs(picture.astype(int) - world.decode(z[None])[0]).max() <= 1
    assert ask(site, "decode", model="digits-1", z="0,0,0").status_code == 400
    assert len(ask(site, "sample", model="digits-1", seed=3).json()["z"]) == 2
    assert ask(site, "film", model="digits-1", z="0,0", dim=1, frames=5).headers["x-shape"] == "5,32,32,3"


def test_an_uploaded_picture_is_its_pages_own_and_of_each_models_size(site):
    told = site.post(ROOT + "picture", content=png(), headers={"x-session": "page-one"}).json()
    assert told["picture"].startswith("upload:") and "middle square" in told["note"]
    for name, side in (("faces", 64), ("digits-1", 32)):
        picture = subjects.pixels(models.get(name), "page-one", told["picture"])
        assert picture.shape == (side, side, 3) and (picture[: side // 3, :, 0] > 240).all() and picture[-1].max() < 10
    with pytest.raises(ValueError, match="bring it again"):
        subjects.pixels(models.get("faces"), "page-two", told["picture"])
    left("page-one")
    with pytest.raises(ValueError, match="bring it again"):
        subjects.pixels(models.get("faces"), "page-one", told["picture"])


@pytest.mark.parametrize(
    "name", ["gallery:", "gallery:999", "gallery:-1", "gallery:²", "gallery:1e3", "upload:", "file:/etc/passwd", "x"]
)
def test_a_picture_that_is_none_is_one_sentence(name):
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]*$"):
        subjects.pixels(models.get("faces"), "page-one", name)


@pytest.mark.parametrize("name", ["nothing", "digits-2", "own-", "own-1234", "../faces", "avatars", "faces\n", "x" * 1000])
def test_a_model_that_is_none_is_one_sentence(site, name):
    answer = ask(site, "model", model=name)
    assert answer.status_code == 400 and answer.json()["error"].endswith((".", "here."))


def test_a_picture_that_is_none_is_refused_and_nothing_is_kept(site):
    answer = site.post(ROOT + "picture", content=b"no picture", headers={"x-session": "page-one"})
    assert answer.status_code == 400
    assert site.post(ROOT + "picture", content=png()).status_code == 400, "a request that names no page"


def test_of_many_pictures_and_models_the_oldest_go():
    for n in range(subjects.EACH + 3):
        subjects.keep("page-many", png((10 + n, 10)))
    assert len(subjects._kept["page-many"]) == subjects.EACH
    names = [models.keep("page-many", tiny()) for _ in range(models.OWN_EACH + 1)]
    with pytest.raises(ValueError, match="train it again"):
        models.get(names[0], "page-many")
    assert models.get(names[-1], "page-many").dims == 3
    left("page-many")


def test_two_models_of_one_title_are_told_apart(site):
    for _ in range(3):
        models.keep("page-alike", tiny())
    titles = [one["title"] for one in ask(site, "models", "page-alike").json()["models"] if one["own"]]
    assert titles[-3:] == ["Mine", "Mine (2)", "Mine (3)"]
    left("page-alike")


def test_a_model_trained_on_the_page_has_metrics_without_a_report(site):
    name = models.keep("page-own", tiny())
    models.get(name, "page-own").card = {"config": {}}  # its card has no checksum of a file
    assert ask(site, "metrics/start", "page-own", model=name).status_code == 200
    left("page-own")
