"""Codes that all visitors share: they come block by block, once, and go with their model."""

import gc
import weakref

import numpy as np
import pytest
import torch

from explorer.tabs.vae import engine, metric_codes, model, worlds
from explorer.tabs.vae.sources import DIGITS, Own


def tiny(count: int = 700, labels: bool = True) -> engine.Vae:
    torch.manual_seed(0)
    pixels, found = DIGITS.batch(count)
    source = Own("mine", pixels, found if labels else None, dict(DIGITS.factors) if labels else {})
    facts = {"title": "tiny", "beta": 1, "version": "t"}
    return engine.Vae(model.Vae(model.Config(32, 3, (8, 8, 16))), source, np.ones((32, 32), np.float32), facts)


def test_all_codes_are_those_of_the_encoder_and_the_labels_theirs():
    vae = tiny()
    codes = metric_codes.all_of(vae)
    pixels, labels = vae.source.batch(700)
    assert codes.ready and codes.total == 700
    np.testing.assert_allclose(codes.z, vae.encode(pixels).mu, atol=1e-5)
    np.testing.assert_array_equal(codes.v, labels)


def test_they_come_in_the_background_once_for_all():
    vae = tiny()
    assert metric_codes.of(vae) is metric_codes.of(vae)
    metric_codes._encoder.submit(lambda: None).result(60)
    z, v = metric_codes.of(vae).first(700)
    assert z.shape == (700, 3) and v.shape == (700, 1)


def test_what_is_not_there_yet_is_said():
    codes = metric_codes.Codes(tiny(20))
    with pytest.raises(ValueError, match="0 of 20 codes are there so far"):
        codes.first(1)


def test_pictures_of_which_nothing_is_known_have_codes_too():
    codes = metric_codes.all_of(tiny(30, labels=False))
    assert codes.v.shape == (30, 0) and codes.z.any()


def test_a_failure_is_told_and_tried_again(monkeypatch):
    vae = tiny(30)
    monkeypatch.setattr(vae, "encode", lambda pixels: 1 / 0)
    first = metric_codes.of(vae)
    metric_codes._encoder.submit(lambda: None).result(60)
    with pytest.raises(ValueError, match="could not be encoded"):
        first.first(1)
    monkeypatch.undo()
    again = metric_codes.of(vae)
    metric_codes._encoder.submit(lambda: None).result(60)
    assert again is not first and again.ready


def test_stops_of_the_dial_have_theirs_at_once():
    vae = worlds.load("digits").stops["4"]
    codes = metric_codes.of(vae)
    assert codes.ready and codes.total == 1797
    np.testing.assert_array_equal(codes.z, worlds.load("digits").codes["4"].mu[:1797])


def test_they_go_with_their_model():
    vae = tiny(20)
    codes = weakref.ref(metric_codes.of(vae))
    metric_codes._encoder.submit(lambda: None).result(60)
    del vae
    gc.collect()
    assert codes() is None
