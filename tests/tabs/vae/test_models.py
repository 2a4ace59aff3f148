"""The models of a page: named, kept, bounded, let go. With nets too small to have learnt anything: only names matter here."""

import numpy as np
import pytest

from explorer.tabs.vae import engine, models
from explorer.tabs.vae import model as vae
from explorer.tabs.vae.sources import Own


@pytest.fixture(autouse=True)
def empty():
    yield
    models._own.clear()


def tiny(title="tiny") -> engine.Vae:
    source = Own("mine", np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8))
    net = vae.Vae(vae.Config(32, 3, (4, 4, 4)))
    return engine.Vae(net, source, np.ones((32, 32), np.float32), {"title": title, "beta": 1.0, "version": "v"})


def own(session):
    return [one["name"] for one in models.offer(session) if one["own"]]


def test_what_ships_is_offered_to_everybody_and_the_faces_come_first():
    names = [one["name"] for one in models.offer()]
    assert names[0] == models.FACES and {"digits-0", "avatars-kl"} <= set(names) and not own("")


@pytest.mark.parametrize("name", ["digits-3", "digits", "nobody", "own-none", "../x", "avatars-"])
def test_a_name_that_does_not_exist_is_a_sentence(name):
    with pytest.raises(ValueError, match=r"\.$"):
        models.get(name, "page")


def test_a_kept_model_is_its_pages_alone():
    made = tiny()
    name = models.keep("page-a", made)
    assert models.get(name, "page-a") is made and own("page-a") == [name] and own("page-b") == []
    with pytest.raises(ValueError, match="train it again"):
        models.get(name, "page-b")


def test_under_a_known_name_a_model_takes_the_others_place():
    first, second = tiny(), tiny()
    name = models.keep("page-a", first)
    assert models.keep("page-a", second, name) == name and models.get(name, "page-a") is second and len(own("page-a")) == 1


def test_a_shared_model_is_everybodys():
    name = models.keep(models.SHARED, tiny(), "own-example")
    assert models.get(name, "page-a") is models.get(name, "") and own("page-a") == own("") == [name]


def test_a_pages_oldest_goes_when_it_has_too_many():
    names = [models.keep("page-a", tiny()) for _ in range(models.OWN_EACH + 1)]
    assert own("page-a") == names[1:]


def test_of_too_many_pages_the_oldest_goes_but_never_what_is_shared(monkeypatch):
    monkeypatch.setattr(models, "PAGES", 2)
    models.keep(models.SHARED, tiny(), "own-example")
    for page in ("a", "b", "c"):
        models.keep(page, tiny())
    assert list(models._own) == [models.SHARED, "b", "c"]


def test_a_model_is_forgotten_by_name_or_with_its_page():
    one, two = models.keep("page-a", tiny()), models.keep("page-a", tiny())
    models.forget("page-a", one)
    assert own("page-a") == [two]
    models.left("page-a")
    assert own("page-a") == []
    models.forget("nobody", "own-x"), models.left("nobody")


def test_the_page_is_told_what_a_model_knows():
    told = models.facts("own-x", tiny())
    assert (
        told["dims"] == 3 and told["size"] == 32 and told["judged"] is False and told["factors"] == {} and told["data"] == "mine"
    )
