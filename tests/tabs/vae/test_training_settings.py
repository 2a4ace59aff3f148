"""What a training may be asked for: the usual, the bounds, and what makes no sense."""

import json
import math

import pytest

from explorer.tabs.vae.training_settings import BATCHES, SETS, WIDTHS, Settings, checked, menu


def test_nothing_asked_is_the_usual():
    assert checked({}) == Settings()


def test_what_the_page_is_told_comes_back_as_the_same_settings():
    for given in ({}, {"beta": "kl"}, {"data": "avatars", "size": 64}, {"beta": 0, "dims": 8, "widths": [4, 64, 8], "batch": 8}):
        settings = checked(given)
        assert checked(json.loads(json.dumps(settings.told))) == settings


def test_kl_only_is_an_endless_beta():
    assert checked({"beta": "kl"}).beta == math.inf and checked({"beta": "kl"}).told["beta"] == "kl"


@pytest.mark.parametrize("size, layers", [(32, 3), (64, 4)])
def test_pictures_of_each_size_take_their_layers(size, layers):
    assert len(checked({"data": "avatars", "size": size}).widths) == layers


@pytest.mark.parametrize("given", [
    {"data": "mnist"}, {"data": ["digits"]}, {"data": None}, {"beta": -1}, {"beta": 17}, {"beta": None}, {"beta": True},
    {"beta": "1"}, {"beta": float("nan")}, {"dims": 1}, {"dims": 33}, {"dims": 2.5}, {"dims": "2"}, {"dims": None},
    {"size": 64}, {"size": 16}, {"size": 32.0},
    {"size": True}, {"size": [32]}, {"widths": [16, 32]}, {"widths": [16, 32, 65]}, {"widths": "16"}, {"widths": [16.0, 32, 64]},
    {"widths": None}, {"sigma": 0}, {"sigma": 1e9}, {"lr": 0}, {"lr": float("inf")}, {"batch": 7}, {"batch": True}, {"steps": 0},
    {"steps": 10**9}, {"seed": -1}, {"surprise": 1}, {1: 2},
])  # fmt: skip
def test_what_makes_no_sense_is_one_sentence(given):
    with pytest.raises(ValueError) as told:
        checked(given)
    assert str(told.value).endswith(".") and len(str(told.value)) < 160


@pytest.mark.parametrize("given", [None, [], "digits", 3])
def test_settings_are_an_object(given):
    with pytest.raises(ValueError, match="JSON object"):
        checked(given)


def test_a_net_whose_step_would_hold_a_closed_page_is_refused():
    with pytest.raises(ValueError, match="too long"):
        checked({"data": "avatars", "size": 64, "widths": [128] * 4, "batch": 128})


def test_the_menu_offers_what_is_accepted():
    told = menu()
    assert json.loads(json.dumps(told))["usual"] == Settings().told
    assert set(told["sets"]) == set(SETS)
    for batch in BATCHES:
        checked({"batch": batch})
    for width in WIDTHS:
        checked({"widths": [width] * 3, "batch": 8})
    for name, bound in told["ranges"].items():
        checked({name: bound["least"]}), checked({name: bound["most"]})
