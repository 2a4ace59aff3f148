"""Settings from outside become one record, or one sentence; the menu says what a page needs."""

import dataclasses
import json
import math

import numpy as np
import pytest

from explorer.tabs.gan import config
from explorer.tabs.gan.config import FIELDS, GROUPS, LIVE, OWN, Settings, changes, check, pack_points, restarts, unpack_points
from explorer.toy2d import TOYS

TWO = pack_points(np.array([[0.5, 0.5], [-0.5, 0.0]]))


def test_what_comes_from_a_page_as_text_is_read():
    read = check({"g_lr": "0.01", "k_d": "3", "spectral": "true", "loss": "hinge", "seed": 7.0}, data=TOYS)
    assert read == Settings(g_lr=0.01, k_d=3, spectral=True, loss="hinge", seed=7)
    assert type(read.seed) is int and type(read.k_d) is int and type(read.g_lr) is float


def test_changes_are_made_to_a_base_and_the_base_stays():
    base = Settings(loss="wgan")
    assert check({"clip": 0.2}, base) == dataclasses.replace(base, clip=0.2) and base.clip == 0.1
    assert check({}) == Settings() == check({}, Settings())


def test_what_differs_from_the_defaults_makes_the_same_settings_again():
    some = Settings(data="moons", g_width=20, r1=0.5, spectral=True, loss="wgan_gp")
    assert changes(some) == {"data": "moons", "g_width": 20, "r1": 0.5, "spectral": True, "loss": "wgan_gp"}
    assert check(json.loads(json.dumps(changes(some)))) == some and changes(Settings()) == {}


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({"g_lr": 0}, "Generator G, learning rate: 0 is not between 1e-06 and 10"), ({"g_lr": 11}, "not between"),
        ({"g_lr": "fast"}, "takes a number"), ({"g_lr": math.nan}, "takes a number"), ({"d_lr": "inf"}, "takes a number"),
        ({"g_width": 0}, "Generator G, neurons per layer: 0 is not between 1 and 100"), ({"d_width": 101}, "not between"),
        ({"k_d": 1.5}, "a whole number"), ({"k_d": True}, "takes a number"), ({"k_d": None}, "takes a number"),
        ({"loss": "logistic"}, "choose one of non_saturating"), ({"g_act": None}, "choose one"),
        ({"spectral": "perhaps"}, "on or off"),
        ({"data": "cats"}, "no data set called 'cats'"), ({"data": 5}, "no text"), ({"points": "x" * 99_999}, "no text"),
        ({"colour": "red"}, "no setting called 'colour'"), ({3: 4}, "no setting called '3'"), ({"batch": 0}, "not between"),
        (["loss"], "names with values"), ({"loss": ["wgan"]}, "choose one"), ({"data": OWN}, "fewer than two points"),
        ({"data": OWN, "points": "!!!"}, "damaged"), ({"data": OWN, "points": "AAA"}, "damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_gets_one_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        check(values, data=TOYS)
    assert str(error.value).endswith(".")


def test_every_limit_is_itself_allowed():
    for name, field in FIELDS.items():
        for limit in ("low", "high"):
            if limit in field.metadata:
                assert getattr(check({name: field.metadata[limit]}), name) == field.metadata[limit]
        for choice in field.metadata.get("choices", ()):
            assert getattr(check({name: choice}), name) == choice


def test_live_changes_go_on_and_the_others_say_that_they_restart():
    old = Settings()
    assert restarts(old, dataclasses.replace(old, g_lr=0.5, loss="hinge", k_g=4, batch=64, r1=1, instance_noise=0.1)) == []
    assert restarts(old, dataclasses.replace(old, g_width=9, seed=5, d_lr=1.0)) == ["seed", "g_width"]
    assert {"data", "points", "noise", "seed", "g_layers", "d_act", "g_out"} <= set(FIELDS) - LIVE
    assert LIVE >= {"g_opt", "d_opt", "loss", "k_d", "k_g", "ema", "spectral", "clip", "gp"}


def test_labels_mean_what_they_say():
    """GAN Lab's "1 hidden layer" built two."""
    one = Settings(g_layers=1, g_width=5, noise="uniform1")
    assert one.noise_dim == 1 and one.g_sizes == (1, 5, 2)
    assert Settings(d_layers=0).d_sizes == (2, 1) and Settings(d_layers=3, d_width=4).d_sizes == (2, 4, 4, 4, 1)


def test_the_menu_is_json_and_knows_every_field():
    told = json.loads(json.dumps(config.menu()))
    assert [field["name"] for field in told["fields"]] == list(FIELDS) and set(told["groups"]) == set(GROUPS)
    for field in told["fields"]:
        assert field["label"] and field["help"].endswith(".") and field["group"] in GROUPS and isinstance(field["live"], bool)
        assert field["kind"] in ("number", "choice", "switch", "data", "points")
        if field["kind"] == "number":
            assert field["low"] <= field["default"] <= field["high"]
        if field["kind"] == "choice":
            assert field["default"] in field["choices"]


def test_points_survive_a_link():
    points = np.random.default_rng(0).uniform(-1, 1, (config.MOST_POINTS, 2))
    text = pack_points(points)
    assert len(text) < 6 * config.MOST_POINTS and text.isascii() and not set(text) & set("+/= &?#%")
    np.testing.assert_allclose(unpack_points(text), points, atol=1 / 65535 + 1e-6)
    np.testing.assert_array_equal(unpack_points(pack_points(unpack_points(text))), unpack_points(text))
    assert unpack_points(TWO).shape == (2, 2)
    np.testing.assert_array_equal(unpack_points(pack_points(np.array([[9, -9], [1, -1]]))), [[1, -1], [1, -1]])


def test_too_many_points_are_named():
    with pytest.raises(ValueError, match="2049 points; at most 2048"):
        unpack_points(pack_points(np.zeros((2049, 2))))


def test_own_points_are_a_data_set():
    assert check({"data": OWN, "points": TWO}, data=TOYS).points == TWO
