"""A run as pictures: which frames there are, that they are decoded once, and what noises and channels look like."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.tabs.diffusion import decoders, difference, frames, sampler
from explorer.tabs.diffusion.runs import Run
from explorer.tabs.diffusion.sampler import Settings


@pytest.fixture(scope="module")
def run(tiny_model):
    run = Run(tiny_model, sampler.checked(tiny_model, Settings("a blue shirt", steps=5, scheduler="euler")))
    run.work()
    return run


def test_the_frames_are_the_decoded_latents(run):
    assert frames.strip(run, "x").shape == (6, 32, 32, 3) and frames.strip(run, "x0").shape == (5, 32, 32, 3)
    for index, step in enumerate(run.steps):
        for view, latent in (("x", step.x * step.scale), ("x0", step.x0)):
            single = decoders.decode(run.model, latent)[0].astype(int)
            assert abs(frames.strip(run, view)[index] - single).max() <= 1
    last = run.steps[-1]
    assert np.array_equal(frames.strip(run, "final")[0], frames.strip(run, "x")[-1])
    assert (
        abs(frames.strip(run, "final")[0] - decoders.decode(run.model, last.x_next * last.scale_next)[0].astype(int)).max() <= 1
    )


def test_euler_s_x_is_shown_as_noisy_as_in_training(run):
    """In its own measure the first x has deviation 5 here, and would be decoded to nothing but black and white."""
    assert float(run.steps[0].x.std()) > 4
    assert 0.8 < float(frames.latents(run, "x", [0]).std()) < 1.2


def test_a_film_is_decoded_in_one_batch_and_only_once(run, monkeypatch):
    calls, real = [], decoders.decode
    monkeypatch.setattr(
        decoders, "decode", lambda model, batch, kind="full": calls.append((len(batch), kind)) or real(model, batch, kind)
    )
    frames.CACHE.forget(run.id)
    preview = frames.strip(run, "x0", "rgb", range(0, 2))
    assert np.array_equal(frames.strip(run, "x0", "rgb")[:2], preview)
    frames.strip(run, "x0")
    frames.strip(run, "x0")
    assert calls == [(2, "rgb"), (3, "rgb"), (5, "full")]


@pytest.mark.parametrize("view, first, last", [("x0", 0, 5), ("x", 3, 6), ("x0", 4, 2), ("final", 0, 1)])
def test_frames_that_are_not_there(run, view, first, last):
    with pytest.raises(ValueError, match="Of this run frames 0 to"):
        frames.span(run, view, first, last)


def test_views_and_decoders_that_are_not_there(run):
    with pytest.raises(ValueError, match="no view called"):
        frames.span(run, "y", None, None)
    with pytest.raises(ValueError, match="decoded by"):
        frames.strip(run, "x0", "best")


def test_a_run_without_steps_has_no_frames(tiny_model):
    empty = Run(tiny_model, sampler.checked(tiny_model, Settings(steps=3)))
    with pytest.raises(ValueError, match="made no step yet"):
        frames.strip(empty, "x0")
    with pytest.raises(ValueError, match="made no step yet"):
        frames.numbers(empty, ["x"])


def test_the_final_frame_is_that_of_the_moment(tiny_model):
    """While a run goes on the last frame is another one each time."""
    run = Run(tiny_model, sampler.checked(tiny_model, Settings("red", steps=4)))
    seen = []
    for step in sampler.denoise(tiny_model, run.settings):
        run.steps.append(step)
        seen.append(frames.strip(run, "final", "rgb")[0])
    assert all(not np.array_equal(one, two) for one, two in zip(seen, seen[1:]))


def test_noises_are_drawn_around_middle_grey(run):
    noise = torch.randn(64, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    shown = frames.noise(run.model, noise).astype(float)
    assert abs(shown.mean() - 127.5) < 3 and 15 < shown.std() < 60 and frames.noise(run.model, noise * 0).std() < 1
    assert np.array_equal(shown[:, 0, 0], shown[:, 3, 3])  # each cell is one colour


def test_the_difference_keeps_its_measure_over_the_film(run):
    step = run.steps[0]
    assert frames.spread(run, "difference") == pytest.approx(float((step.eps_cond - step.eps_uncond).std()))
    assert frames.spread(run, "eps") == 1


def test_channels_are_blue_below_zero_and_red_above(run):
    shown, most = frames.channels(run, "x", range(2))
    latents = frames.latents(run, "x", range(2))
    assert shown.shape == (8, 8, 8, 3) and most == pytest.approx(float(latents.abs().max()))
    red_over_blue = shown[..., 0].astype(int) - shown[..., 2]
    strong = latents.reshape(8, 8, 8).numpy()
    assert (red_over_blue[strong > 0.2 * most] > 0).all() and (red_over_blue[strong < -0.2 * most] < 0).all()
    assert tuple(frames.diverging(np.zeros(1))[0]) == frames.ZERO


def test_the_numbers_of_a_run(run):
    found = frames.numbers(run, ["x", "eps_uncond"])
    assert found.shape == (5, 2, 4, 8, 8) and np.array_equal(found[3, 1], run.steps[3].eps_uncond[0].numpy())
    with pytest.raises(ValueError, match="A step holds"):
        frames.numbers(run, ["y"])


def test_numbers_of_a_large_model_stay_here(run, monkeypatch):
    monkeypatch.setattr(frames, "NUMBERS", 500)
    assert frames.numbers(run, ["x"]).size
    with pytest.raises(ValueError, match="too large"):
        frames.numbers(run, ["x", "x0"])


def test_large_frames_are_reduced_in_a_strip_and_whole_alone(run, monkeypatch):
    monkeypatch.setattr(frames, "SIDE", 16)
    strip, one = frames.strip(run, "x0", "full", range(0, 2)), frames.strip(run, "x0", "full", range(1, 2))
    assert strip.shape == (2, 16, 16, 3) and one.shape == (1, 32, 32, 3)
    assert abs(one.reshape(16, 2, 16, 2, 3).mean((1, 3)) - strip[1]).max() <= 1


def test_the_cache_forgets_what_nobody_looks_at():
    cache, picture = frames.Cache(3 * 12), np.zeros((2, 2, 3), np.uint8)
    for name in "abc":
        cache.put((name, 0), picture)
    cache.get(("a", 0))
    cache.put(("d", 0), picture)
    assert cache.get(("a", 0)) is not None and cache.get(("b", 0)) is None
    cache.forget("a")
    assert cache.get(("a", 0)) is None and cache._bytes == 2 * 12


# ---- Decoders ------------------------------------------------------------------------------------------------------------


def test_the_linear_map_is_the_best_there_is(mini):
    """No other map of a cell's numbers to a colour comes nearer to the decoded faces that it was fitted to."""
    from explorer import corpus
    from explorer.tabs.diffusion import autoencoder

    pixels, _ = corpus.batch("val", 0, decoders.FACES)
    latents = autoencoder.encode(mini.vae, pixels)
    cells = autoencoder.decode(mini.vae, latents).reshape(-1, 8, 8, 8, 8, 3).mean((2, 4)) / 127.5 - 1
    x = np.concatenate([latents.permute(0, 2, 3, 1).reshape(-1, 4).numpy(), np.ones((cells.size // 3, 1))], 1)
    best = np.linalg.lstsq(x, cells.reshape(-1, 3), rcond=None)[0]
    assert np.allclose(decoders.matrix(mini).numpy(), best, atol=1e-3)
    assert decoders.matrix(mini) is decoders.matrix(mini)
    error = x @ best - cells.reshape(-1, 3)
    assert error.var() < 0.4 * cells.var()  # a preview worth looking at


def test_a_model_without_a_tiny_decoder_uses_its_full_one(tiny_model):
    assert tiny_model.preview is None and decoders.kinds(tiny_model) == ["full", "rgb"]
    latents = torch.randn(2, 4, 8, 8)
    assert np.array_equal(decoders.decode(tiny_model, latents, "tiny"), decoders.decode(tiny_model, latents, "full"))
    with pytest.raises(ValueError, match="nothing to decode"):
        decoders.decode(tiny_model, latents[:0])


def test_many_large_pictures_are_decoded_by_the_tiny_decoder(tiny_model, monkeypatch):
    assert decoders.chosen(tiny_model, "full", 25) == "full"
    monkeypatch.setattr(decoders, "LARGE", 16)
    monkeypatch.setattr(type(tiny_model), "preview", property(lambda self: self.vae))
    assert [decoders.chosen(tiny_model, kind, count) for kind, count in (("full", 25), ("full", 1), ("rgb", 25))] == [
        "tiny",
        "full",
        "rgb",
    ]


def test_decoding_is_the_autoencoder_s(tiny_model):
    latents = torch.randn(3, 4, 8, 8)
    true = tiny_model.vae.decode(latents / tiny_model.vae.config.scaling_factor).sample.clamp(-1, 1)
    shown = torch.from_numpy(decoders.decode(tiny_model, latents)).permute(0, 3, 1, 2) / 127.5 - 1
    assert float((shown - true).abs().max()) < 1.01 / 127.5


# ---- Two runs ------------------------------------------------------------------------------------------------------------


def test_the_difference_of_two_runs(run, tiny_model):
    other = Run(tiny_model, dataclasses.replace(run.settings, guidance_scale=9.0), branch=run.leave(2))
    other.work()
    told = difference.told(run, other)
    shown = difference.strip(run, other)
    one, two = (frames.strip(r, "x0").astype(int) for r in (run, other))
    assert np.array_equal(shown, abs(one - two)) and not shown[:2].any() and shown[3:].any()
    assert told["frames"][0]["rms"] == 0 and told["frames"][0]["cos"] == pytest.approx(1)
    last = (run.steps[-1].x0 - other.steps[-1].x0).square().mean().sqrt()
    assert told["frames"][-1]["rms"] == pytest.approx(float(last), rel=1e-4)
    assert told["frames"][-1]["pixels"] == pytest.approx(abs(one[-1] - two[-1]).mean())
    assert np.array_equal(difference.strip(run, other, gain=4.0), np.clip(abs(one - two) * 4, 0, 255))


def test_runs_that_cannot_be_compared(run, mini, tiny_model):
    other = Run(mini, sampler.checked(mini, Settings(steps=1)))
    larger = Run(tiny_model, sampler.checked(tiny_model, Settings(steps=1, size=tiny_model.sizes[-1])))
    larger.work()
    for b, said in ((other, "same model"), (larger, "same size")):
        with pytest.raises(ValueError, match=said):
            difference.strip(run, b)
    with pytest.raises(ValueError, match="compared by"):
        difference.strip(run, run, "eps")
