"""The shipped VAE behind its engine: what it promises to the page, and that bad input is one sentence."""

import numpy as np
import pytest
import torch

from explorer import corpus
from explorer.judge import engine as judging
from explorer.tabs.vae import engine


@pytest.fixture(scope="module")
def vae():
    return engine.load()


@pytest.fixture(scope="module")
def faces():
    return corpus.batch("val", 0, 200)


def test_there_and_back_is_the_same_face(vae, faces):
    images, truth = faces
    seen = vae.decode(vae.encode(images).mu)
    assert seen.shape == images.shape and seen.dtype == np.uint8
    error = ((seen.astype(float) - images) ** 2).mean((1, 2, 3))
    assert (10 * np.log10(255**2 / error)).mean() >= 27
    right = (judging.load().labels(seen) == truth).mean(0)
    assert right.mean() >= 0.95 and right.min() >= 0.85


def test_the_card_says_what_is_measured_here(vae, faces):
    images, _ = corpus.batch("val", 0, 1000)
    error = ((vae.decode(vae.encode(images).mu).astype(float) - images) ** 2).mean((1, 2, 3))
    assert (10 * np.log10(255**2 / error)).mean() == pytest.approx(vae.card["metrics"]["psnr_db"], abs=0.05)


def test_codes_have_the_shape_and_the_kl_of_their_gaussians(vae, faces):
    code = vae.encode(faces[0][:7])
    assert code.mu.shape == code.sigma.shape == code.kl.shape == (7, vae.dims)
    want = 0.5 * (code.mu**2 + code.sigma**2 - 2 * np.log(code.sigma) - 1)
    np.testing.assert_allclose(code.kl, want, rtol=1e-3, atol=1e-4)


def test_dimensions_are_ordered_by_information(vae):
    kl = [vae.axes[d]["kl"] for d in vae.order]
    assert sorted(vae.order) == list(range(vae.dims)) and kl == sorted(kl, reverse=True)


def test_a_film_is_the_decoder_at_each_value_and_moves_one_number_only(vae):
    z, values = vae.encode(vae.gallery().images[:1]).mu[0], np.linspace(-3, 3, 49)
    film = vae.film(z, vae.order[0], values)
    frame = z.copy()
    frame[vae.order[0]] = values[10]
    assert film.shape == (49, 64, 64, 3)
    assert np.abs(film[10].astype(int) - vae.decode(frame[None])[0]).max() <= 1
    assert np.abs(film[0].astype(int) - film[-1]).max() > 30


def test_a_morph_ends_exactly_at_both_reconstructions(vae):
    a, b = vae.gallery().codes.mu[:2]
    film = vae.morph(a, b, 33)
    assert len(film) == 33
    ends = vae.decode(np.stack([a, b]))
    assert np.abs(film[[0, -1]].astype(int) - ends).max() <= 1  # a batch of 33 may round one level apart
    same = vae.morph(a, a, 5)
    assert (same == same[0]).all()


def test_samples_are_seeded_and_do_not_disturb_the_global_generator(vae):
    before = torch.get_rng_state()
    for source in ("aggregate", "prior"):
        one, again, other = (vae.sample(3, seed, source=source) for seed in (7, 7, 8))
        assert (one == again).all() and (one != other).any() and one.shape == (3, vae.dims)
        cold = vae.sample(4, 7, temperature=0.0, source=source)
        assert np.abs(cold - cold[0]).max() < 1e-6
    assert torch.equal(before, torch.get_rng_state())


def test_prior_samples_have_the_priors_moments(vae):
    z = np.concatenate([vae.sample(256, seed, source="prior") for seed in range(20)])
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02


def test_the_gallery_is_held_out_and_starts_on_a_face(vae):
    gallery = vae.gallery()
    assert gallery.images.shape == (24, 64, 64, 3) and len(gallery.captions) == 24
    assert (gallery.images[4:] == corpus.batch("test", 0, 20)[0]).all()
    assert "smil" in gallery.captions[0]


@pytest.mark.parametrize(
    ("z", "sentence"),
    [
        (np.zeros((1, 3)), "a list of 48 numbers"),
        (np.zeros(48), "a list of 48 numbers"),
        (np.zeros((0, 48)), "a list of 48 numbers"),
        (np.full((1, 48), np.nan), "finite"),
        (np.full((1, 48), np.inf), "finite"),
        (np.full((1, 48), 13.0), "between -12 and 12"),
    ],
)
def test_bad_codes_are_refused_in_one_sentence(vae, z, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        vae.decode(z)
    assert str(caught.value).count(".") == 1


def test_other_bad_input(vae):
    z = np.zeros(vae.dims)
    for call in (
        lambda: vae.encode(np.zeros((1, 32, 32, 3), np.uint8)),
        lambda: vae.encode(np.zeros((1, 64, 64, 3), np.float32)),
        lambda: vae.film(z, 48, np.zeros(3)),
        lambda: vae.film(z, 0, np.array([np.nan])),
        lambda: vae.morph(z, z, 1),
        lambda: vae.morph(z, z, 10_000),
        lambda: vae.sample(0, 1),
        lambda: vae.sample(1, 1, temperature=float("nan")),
        lambda: vae.sample(1, 1, source="posterior"),
    ):
        with pytest.raises(ValueError):
            call()
