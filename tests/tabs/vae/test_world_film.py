"""The dial of beta as pictures and as a film: agreement with single decodes, and what a frame holds."""

import numpy as np
import pytest

from explorer.tabs.vae import world_film, worlds


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.abs(a.astype(int) - b).max() <= 1


@pytest.fixture(scope="module")
def digits():
    return worlds.load("digits")


def test_the_dial_shows_the_same_pictures_and_draws_at_every_stop(digits):
    frames, count, drawn = world_film.dial("digits"), world_film.PICTURES, world_film.DRAWS
    assert len(frames) == count + 6 * (count + drawn)
    originals = next(iter(digits.stops.values())).gallery().images[:count]
    assert np.array_equal(frames[:count], originals)
    for i, vae in enumerate(digits.stops.values()):
        block = frames[count + i * (count + drawn) :]
        assert alike(block[:count], vae.decode(vae.encode(originals).mu))
        assert alike(block[count : count + drawn], vae.decode(vae.sample(drawn, 0, source="prior")))


def test_its_pictures_were_never_trained_on(digits):
    from explorer.training.data import open_data

    train = {picture.tobytes() for picture in open_data("digits").train}
    assert not any(picture.tobytes() in train for picture in world_film.dial("digits")[: world_film.PICTURES])


def test_a_path_is_what_each_model_paints_side_by_side(digits):
    models = [digits.stops[name] for name in ("0", "kl")]
    z = np.random.default_rng(0).standard_normal((5, 2, 2))
    frames = world_film.path(models, z)
    assert frames.shape == (5, 32, 64, 3)
    assert alike(frames[3, :, :32], models[0].decode(z[3:4, 0])[0]) and alike(frames[3, :, 32:], models[1].decode(z[3:4, 1])[0])


def test_the_film_stops_at_each_stop_and_its_points_are_the_codes(digits):
    frames = world_film.film("digits", still=2, between=1)
    assert len(frames) == 6 * 2 + 5 and frames.dtype == np.uint8
    assert np.array_equal(frames[0], frames[1]) and not np.array_equal(frames[0], frames[3])
    colours = {tuple(world_film._rgb(one)) for one in world_film.COLOURS}
    last = frames[-1][: world_film.MAP]  # all codes on the prior's middle: coloured pixels only there
    y, x = np.nonzero([[tuple(pixel) in colours for pixel in row] for row in last])
    middle = world_film.MAP / 2
    assert len(x) and np.abs(x - middle).max() <= 3 and np.abs(y - middle).max() <= 3


def test_the_page_colours_classes_as_the_film_does():
    from explorer.views import vae_worlds

    text = (vae_worlds.HERE / "cloud.js").read_text(encoding="utf-8")
    assert "[" + ", ".join(f'"{one}"' for one in world_film.COLOURS) + "]" in text
