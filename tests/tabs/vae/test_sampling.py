"""Draws and what is measured of them, against the engine's own samples and numbers computed by hand."""

import numpy as np
import pytest
import torch

from explorer.tabs.vae import path_eye, sampling_measures, worlds
from explorer.tabs.vae.path_codes import known_codes
from explorer.tabs.vae.sampling_draw import draw, middle
from explorer.tabs.vae.sampling_measures import Figure, curves, diversity, mean_of, nearest
from tests.tabs.vae.path_models import tiny


@pytest.fixture(scope="module")
def vae():
    return tiny(3, count=130)


@pytest.mark.parametrize("source", ["prior", "aggregate"])
@pytest.mark.parametrize("psi", [0.0, 0.5, 1.0, 1.5])
def test_at_temperature_one_these_are_the_engines_samples(vae, source, psi):
    assert np.allclose(draw(vae, source, 24, 7, psi), vae.sample(24, 7, psi, source), atol=1e-5)


@pytest.mark.parametrize("source", ["prior", "aggregate"])
def test_psi_moves_codes_along_lines_to_the_middle(vae, source):
    full, half, none = (draw(vae, source, 9, 3, psi) for psi in (1.0, 0.5, 0.0))
    centre = middle(vae, source)
    assert np.allclose(half - centre, (full - centre) / 2, atol=1e-5) and np.allclose(none, centre, atol=1e-6)


def test_at_no_temperature_the_centres_of_the_mixture_remain(vae):
    z = draw(vae, "aggregate", 50, 0, temperature=0.0)
    means = vae.mixture["mixture.means"].numpy()
    assert np.abs(z[:, None] - means[None]).sum(2).min(1).max() < 1e-5
    assert len(np.unique(z.round(4), axis=0)) <= len(means)
    assert (draw(vae, "prior", 5, 0, temperature=0.0) == 0).all()


def test_the_prior_knows_one_dial_only(vae):
    assert np.allclose(draw(vae, "prior", 5, 1, 0.5, 1.0), draw(vae, "prior", 5, 1, 1.0, 0.5))


@pytest.mark.parametrize(
    "bad", [{"source": "all"}, {"n": 0}, {"n": 10_000}, {"psi": -0.1}, {"psi": float("nan")}, {"temperature": 9.0}]
)
def test_what_cannot_be_drawn_is_said(vae, bad):
    with pytest.raises(ValueError):
        draw(**{"vae": vae, "source": "prior", "n": 4, "seed": 0} | bad)


# ---- Figures -------------------------------------------------------------------------------------------------------------


def test_diversity_is_the_mean_over_pairs():
    x = torch.tensor([[0.0, 0, 0, 0], [2, 2, 2, 2], [4, 4, 4, 4]])  # 2, 4 and 2 apart, RMS
    found = diversity(x)
    assert found.value == pytest.approx(8 / 3)
    leave_out = np.array([2.0, 4.0, 2.0])  # of the pair that remains
    assert found.error == pytest.approx(np.sqrt(2 / 3 * ((leave_out - leave_out.mean()) ** 2).sum()))
    assert diversity(torch.zeros(1, 4)) == Figure(0, 0) and diversity(torch.zeros(5, 4)) == Figure(0, 0)


def test_its_error_is_what_repeating_shows():
    rng = torch.Generator().manual_seed(0)
    runs = [diversity(torch.randn(40, 6, generator=rng)) for _ in range(200)]
    spread = np.std([run.value for run in runs])
    assert np.mean([run.error for run in runs]) == pytest.approx(spread, rel=0.25)


def test_means_and_nearest_codes():
    assert mean_of(np.array([1.0, 2, 3])) == Figure(2.0, pytest.approx(1 / 3**0.5))
    assert mean_of(np.array([4.0])) == Figure(4.0, 0.0)
    z, codes = np.array([[0.0, 0], [3, 4]]), np.array([[0.0, 0], [3, 0], [0, 9]])
    assert nearest(z, codes) == pytest.approx([0, 4]) and nearest(z, codes, own=True) == pytest.approx([3, 5])


def test_at_psi_zero_all_pictures_are_one_and_diversity_is_nothing(vae):
    z = draw(vae, "aggregate", 24, 5, psi=0.0)
    pictures = vae.decode(z)
    assert (pictures == pictures[0]).all()
    found = curves(vae, path_eye.PIXELS, 5, 1.0, count=6)
    for source in ("prior", "aggregate"):
        assert found["psi"][0] == 0 and found[source]["diversity"]["value"][0] == pytest.approx(0, abs=1e-3)
        assert found[source]["nearest"]["error"][0] == pytest.approx(0, abs=1e-4)


def test_curves_hold_what_they_say(vae):
    shares = []
    found = curves(vae, path_eye.PIXELS, 5, 1.0, shares.append, count=6)
    assert found["n"] == 6 and found["pictures"]["n"] == 6 and set(found["prior"]) == {"diversity", "nearest"}
    assert shares == sorted(shares) and 0 < shares[0] and shares[-1] <= 1
    z = draw(vae, "prior", 6, 5, psi=1.0)
    shown = (vae.decode(z).astype(np.float64) / 127.5 - 1) * 127.5
    by_hand = [np.sqrt(((shown[i] - shown[j]) ** 2).mean()) for i in range(6) for j in range(6) if i != j]
    at = found["psi"].index(1.0)
    assert found["prior"]["diversity"]["value"][at] == pytest.approx(np.mean(by_hand), rel=0.01)  # 8-bit pixels
    apart = np.linalg.norm(z[:, None] - known_codes(vae)[None], axis=2).min(1)
    assert found["prior"]["nearest"]["value"][at] == pytest.approx(apart.mean(), rel=1e-4)
    assert found == curves(vae, path_eye.PIXELS, 5, 1.0, count=6)


def test_the_judges_readings_are_those_of_its_own_face():
    from explorer.judge import engine as judges
    from explorer.tabs.vae import engine

    vae = engine.load()
    eye = path_eye.eye_of(vae)
    assert eye.name == "judge"
    z = draw(vae, "aggregate", 6, 0)
    found = sampling_measures.measured(vae, eye, z, np.zeros(6))
    read = np.array([p.max(1) for p in judges.load().read(vae.decode(z)).values()])
    assert found["certainty"].value == pytest.approx(read.mean(), abs=0.01)  # of 8-bit pixels
    assert found["sure"].value == pytest.approx((read.min(0) > 0.9).mean(), abs=0.2)


def test_models_that_nobody_judges_are_measured_by_pixels(vae):
    assert path_eye.eye_of(vae) is path_eye.PIXELS
    assert path_eye.eye_of(worlds.load("digits").stops["1"]) is path_eye.PIXELS


def test_a_model_of_one_picture_has_no_cloud_to_draw_from():
    vae = tiny(2, count=1)
    assert draw(vae, "prior", 3, 0).shape == (3, 2)
    with pytest.raises(ValueError, match="draw from the prior"):
        draw(vae, "aggregate", 3, 0)
