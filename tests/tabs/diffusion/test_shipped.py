"""The model that ships keeps what its card says, and is what the page says it is."""

import json

import numpy as np
import pytest
import torch

from explorer import corpus
from explorer.clip import folder as clips
from explorer.judge import engine as judging
from explorer.tabs.diffusion import autoencoder, folder, measure, train_autoencoder


@pytest.fixture(scope="module")
def here():
    return folder.shipped()


@pytest.fixture(scope="module")
def card(here):
    return json.loads((here / "card.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pipe(here):
    return folder.pipeline(here)


def test_it_is_small_and_holds_no_pickle(here):
    files = [path for path in here.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 25_000_000
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".png"}


def test_plain_diffusers_loads_and_runs_it(here):
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(here, local_files_only=True, low_cpu_mem_usage=False, dtype=torch.float32)
    assert type(pipe).__name__ == "StableDiffusionPipeline"
    picture = pipe("red hair", num_inference_steps=3, output_type="np", generator=torch.Generator().manual_seed(0)).images[0]
    assert picture.shape == (64, 64, 3) and np.isfinite(picture).all()


def test_the_text_encoder_is_the_clip_tab_s(pipe):
    clip = clips.load(clips.shipped())
    ids = clip.tokenize(["someone with red hair", "a blue shirt, sunglasses"])
    with torch.no_grad():
        ends = pipe.text_encoder(ids)[0][torch.arange(2), ids.argmax(1)] @ clip.model.text_projection
        assert torch.allclose(ends, clip.model.encode_text(ids), atol=1e-3)


def test_the_card_meets_the_bars(card):
    figures = card["metrics"]
    best = figures["best guidance"]
    assert figures["PSNR of the autoencoder, dB"] >= 28
    assert figures[f"attributes as captioned, guidance {best:g}, val"]["mean"] >= 0.90
    assert figures["attributes as captioned, guidance 1, val"]["mean"] >= 0.80
    for scale in (1, best):
        name = f"attributes as captioned, guidance {scale:g}"
        assert abs(figures[f"{name}, val"]["mean"] - figures[f"{name}, compose"]["mean"]) <= 0.05


def test_the_card_s_figures_are_those_of_these_weights(pipe, card):
    images, _ = corpus.batch("val", 0, 64)
    seen = autoencoder.decode(pipe.vae, autoencoder.encode(pipe.vae, images))
    assert train_autoencoder.psnr(images, seen) == pytest.approx(card["metrics"]["PSNR of the autoencoder, dB"], abs=0.6)

    texts, rows = measure.captions("val", 32)
    pictures = measure.sample(pipe, measure.states(pipe, texts), 3, steps=12)
    assert measure.accuracy(judging.load(), pictures, rows)["mean"] >= 0.85


def test_more_guidance_obeys_and_leaves_less_open(card):
    """The lesson of the slider, as it is in this model."""
    curve = {point["guidance_scale"]: point for point in card["metrics"]["guidance"]}
    assert curve[3]["attributes"] > curve[1]["attributes"] > curve[0]["attributes"]
    assert curve[0]["diversity"] > curve[5]["diversity"]
    assert curve[15]["attributes"] < max(point["attributes"] for point in curve.values()), "too much guidance burns"
