"""The forward process: against published values, diffusers' own mixing, and the network called by hand."""

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import forward

PUBLISHED = {  # abar at t = 0, 250, 500, 750, 999
    "scaled_linear": (0.9992, 0.674, 0.276, 0.056, 0.0047),
    "cosine": (1, 0.846, 0.492, 0.143, 0),
    "linear": (1, 0.521, 0.078, 0.0033, 0),
}


@pytest.fixture(scope="module")
def face(mini):
    return forward.subject(mini, *forward.face(3))


@pytest.mark.parametrize("name", PUBLISHED)
def test_schedules_have_their_published_values(name):
    found = forward.schedule(name).abar[[0, 250, 500, 750, 999]]
    assert found == pytest.approx(PUBLISHED[name], abs=6e-4)


def test_every_schedule_falls_and_zero_snr_reaches_nothing():
    for one in forward.schedules().values():
        assert len(one.abar) == 1000 and (np.diff(one.abar) <= 0).all()
    zero, own = forward.schedule("zero_snr").abar, forward.schedule("scaled_linear").abar
    assert zero[-1] == 0 and zero[0] == pytest.approx(own[0], abs=1e-6) and (zero <= own + 1e-7).all()


@pytest.mark.parametrize("name", ["linear", "scaled_linear", "cosine"])
def test_a_mixture_is_that_of_diffusers(name):
    from diffusers import DDPMScheduler

    kinds = {
        "linear": {}, "cosine": {"beta_schedule": "squaredcos_cap_v2"},
        "scaled_linear": {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"},
    }  # fmt: skip
    times = torch.tensor([0, 17, 500, 999])
    x0, (eps, _) = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), forward.noises(2)
    theirs = DDPMScheduler(**kinds[name]).add_noise(x0.expand(4, -1, -1, -1), eps.expand(4, -1, -1, -1), times)
    ours = forward.noisy(x0, eps, forward.schedule(name).abar[times.numpy()])
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_noise_is_the_same_for_the_same_seed_and_of_unit_variance():
    (a, grain), (b, _), (c, _) = forward.noises(5), forward.noises(5), forward.noises(6)
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert grain.shape == (1, 3, 64, 64) and float(grain.var()) == pytest.approx(1, abs=0.05)


def test_the_network_is_asked_with_the_time_of_equal_noise(mini):
    own = forward.schedule("scaled_linear").abar
    assert np.allclose(forward.own_times(own), np.arange(1000), atol=1e-3)
    for one in forward.schedules().values():
        inside = one.abar[(one.abar < own[0]) & (one.abar > own[-1])]
        times = forward.own_times(inside)
        assert np.allclose(forward.own_levels(times), inside, rtol=1e-6)
        assert np.allclose(mini.levels(torch.from_numpy(times)).numpy(), inside, rtol=1e-4)
    assert forward.own_times(np.array([0.0, 1.0])).tolist() == [999, 0]


def test_a_guess_is_what_the_unet_says(mini, face):
    eps, _ = forward.noises(0)
    found = forward.guess(mini, face, eps, forward.schedule("scaled_linear"), face.caption, [300, 800])
    t, a = torch.tensor([300, 800]), torch.tensor(forward.schedule("scaled_linear").abar[[300, 800]]).float().view(-1, 1, 1, 1)
    x = a.sqrt() * face.x0 + (1 - a).sqrt() * eps
    with torch.no_grad():
        for told, text in ((found.untold, ""), (found.told, face.caption)):
            v = mini.unet(x, t, encoder_hidden_states=mini.encode_prompt(text).states.expand(2, -1, -1)).sample
            assert torch.allclose(told, a.sqrt() * v + (1 - a).sqrt() * x, atol=1e-4)
    assert forward.losses(eps.expand(2, -1, -1, -1), eps).tolist() == [0, 0]
    assert (forward.losses(found.told, eps) < float(eps.square().mean())).all()  # better than guessing nothing


def test_the_true_noise_leads_back_to_the_picture(face):
    eps, _ = forward.noises(3)
    for one in forward.schedules().values():
        times = np.array([100, 500, 900])
        x = forward.noisy(face.x0, eps, one.abar[times])
        back = forward.estimate(x, eps.expand(3, -1, -1, -1), forward.own_times(one.abar[times]))
        reached = one.abar[times] > 0.005
        assert torch.allclose(back[reached], face.x0.expand(3, -1, -1, -1)[reached], atol=1e-3)


def test_without_a_caption_nothing_is_told(mini, face):
    found = forward.guess(mini, face, forward.noises(0)[0], forward.schedule("zero_snr"), "  ", [999])
    assert found.told is None and torch.isfinite(forward.estimate(found.x, found.untold, found.asked)).all()


def test_training_examples_come_from_the_dice(mini, face):
    plan = forward.schedule("cosine")
    a, b = (forward.example(mini, face, plan, "", 7) for _ in range(2))
    assert a.times == b.times and torch.equal(a.eps, b.eps) and torch.equal(a.untold, b.untold)
    times = [int(forward.example(mini, face, plan, "", seed).times[0]) for seed in range(12)]
    assert len(set(times)) > 8 and 0 <= min(times) < 500 < max(times) < 1000


def test_what_makes_no_sense_is_told_in_one_sentence(mini):
    for call in (
        lambda: forward.schedule("quadratic"),
        lambda: forward.face(-1),
        lambda: forward.face(10**9),
        lambda: forward.checked("red hair " * 100),
    ):
        with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
            call()
    assert forward.checked("  red \n hair 🙂 ") == "red hair 🙂"
