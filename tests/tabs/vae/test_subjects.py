"""The picture that a page speaks of: a gallery's or its own, each page's apart, so many and no more."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer.tabs.vae import engine, subjects
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.sources import DIGITS
from explorer.uploads import BadImage


@pytest.fixture(scope="module")
def model():
    net = vae.Vae(vae.Config(32, 2, (4, 4, 4)))
    return engine.Vae(net, DIGITS, np.ones((32, 32), np.float32), {"title": "t", "beta": 1.0, "version": "v"})


@pytest.fixture(autouse=True)
def empty():
    yield
    subjects._kept.clear()


def file(seed=0, size=64) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_a_picture_of_the_gallery(model):
    assert np.array_equal(subjects.pixels(model, "page", "gallery:3"), model.gallery().images[3])
    assert np.array_equal(subjects.pixels(model, "page", None), model.gallery().images[0])
    assert subjects.title(model, "gallery:3") == model.gallery().captions[3]


def test_ones_own_picture_comes_at_the_models_size_and_to_its_page_alone(model):
    name = subjects.keep("page-a", file())["picture"]
    assert subjects.pixels(model, "page-a", name).shape == (32, 32, 3) and subjects.title(model, name) == "your picture"
    with pytest.raises(ValueError, match="no longer here"):
        subjects.pixels(model, "page-b", name)


def test_a_page_keeps_so_many_and_pages_are_bounded(model, monkeypatch):
    names = [subjects.keep("page-a", file(i))["picture"] for i in range(subjects.EACH + 1)]
    with pytest.raises(ValueError):
        subjects.pixels(model, "page-a", names[0])
    assert subjects.pixels(model, "page-a", names[-1]) is not None
    monkeypatch.setattr(subjects, "PAGES", 1)
    subjects.keep("page-b", file())
    assert list(subjects._kept) == ["page-b"]


def test_a_closed_page_takes_its_pictures_with_it(model):
    name = subjects.keep("page-a", file())["picture"]
    subjects.left("page-a")
    with pytest.raises(ValueError):
        subjects.pixels(model, "page-a", name)


@pytest.mark.parametrize(
    "name", ["gallery:99", "gallery:-1", "gallery:x", "gallery:", "upload:", "face:1", "gallery:²", "x" * 300]
)
def test_a_name_that_makes_no_sense_is_a_sentence(model, name):
    with pytest.raises(ValueError, match=r"\.$"):
        subjects.pixels(model, "page", name)


def test_what_is_no_picture_is_refused():
    with pytest.raises(BadImage):
        subjects.keep("page", b"hello")
