"""Every training of the diffusion tab runs, goes on where it was stopped, and leaves a folder that diffusers loads as it is."""

import json

import numpy as np
import pytest
import torch

from explorer import assets
from explorer.tabs.diffusion import autoencoder, folder, labels, measure, stages, train, train_autoencoder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two steps of each stage, published."""
    root = tmp_path_factory.mktemp("trained")
    more = ["--runs", str(root / "runs"), "--out", str(root / "model"), "--threads", "1", "--device", "cpu"]
    assert train.main(["--steps", "2", "--limit", "64", "--judged-on", "4", "--judged-in", "2", *more]) == 0
    return root


def test_the_folder_is_a_pipeline(made):
    pipe = folder.pipeline(made / "model")
    assert pipe.unet.config.cross_attention_dim == pipe.text_encoder.config.hidden_size
    picture = pipe("a face", num_inference_steps=2, output_type="np", generator=torch.Generator().manual_seed(0)).images[0]
    assert picture.shape == (64, 64, 3) and np.isfinite(picture).all()


def test_the_card_says_what_was_done(made):
    card = json.loads((made / "model" / "card.json").read_text(encoding="utf-8"))
    assert set(card["stages"]) == set(train.STAGES)
    assert [point["guidance_scale"] for point in card["metrics"]["guidance"]] == list(measure.SCALES)
    for name, checksum in card["files"].items():
        assert assets.sha256(made / "model" / name) == checksum
    assert not any(str(made) in path.read_text(encoding="utf-8") for path in (made / "model").rglob("*.json"))


def test_what_is_done_is_not_repeated(made):
    before = stages.done(made / "runs" / "diffusion")
    more = ["--runs", str(made / "runs"), "--out", str(made / "again"), "--threads", "1", "--device", "cpu"]
    assert train.main(["--steps", "2", "--only", "--judged-on", "2", "--judged-in", "1", *more]) == 0
    assert stages.done(made / "runs" / "diffusion") == before


def test_the_decoder_learns_without_moving_the_latents(made):
    vae = folder.pipeline(made / "model").vae
    first = train_autoencoder.load(made / "runs" / "diffusion" / "autoencoder")
    images = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), np.uint8)
    assert torch.allclose(autoencoder.encode(vae, images), autoencoder.encode(first, images), atol=0.02)  # float16 on disk


def test_the_lean_autoencoder_computes_the_same():
    torch.manual_seed(0)
    vae = autoencoder.build().eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        slow = vae.decode(vae.encode(x).latent_dist.mean).sample
        autoencoder.lean(vae, without_finest=True)
        quick = vae.decode(vae.encode(x).latent_dist.mean).sample
        autoencoder.plain(vae)
        plain = vae.decode(vae.encode(x).latent_dist.mean).sample
    assert torch.allclose(quick, slow, atol=1e-4) and torch.equal(plain, slow)


def test_a_block_that_has_learnt_something_is_not_left_out():
    torch.manual_seed(0)
    vae = autoencoder.build().eval()
    torch.nn.init.normal_(vae.decoder.up_blocks[-1].resnets[0].conv2.weight, std=0.1)
    z = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        before = vae.decode(z).sample
        autoencoder.lean(vae, without_finest=True)
        assert torch.allclose(vae.decode(z).sample, before, atol=1e-4)


def test_normalising_changes_the_latents_and_nothing_else():
    torch.manual_seed(0)
    vae = autoencoder.build().eval()
    x = torch.randn(64, 3, 64, 64).clamp(-1, 1)
    with torch.no_grad():
        before = vae.encode(x).latent_dist
        picture = vae.decode(before.mean).sample
        autoencoder.normalise(vae, before.mean)
        after = vae.encode(x).latent_dist
        assert torch.allclose(vae.decode(after.mean).sample, picture, atol=1e-3)
    assert after.mean.mean((0, 2, 3)).abs().max() < 1e-4
    assert torch.allclose(after.mean.std((0, 2, 3)), torch.ones(4), atol=1e-3)
    ratio = before.mean.std((0, 2, 3)).view(1, 4, 1, 1)
    assert torch.allclose(after.std * ratio, before.std, rtol=1e-3)


def test_labels_are_rows_of_a_table():
    rows = labels.rows(np.array([[0] * 10, [-1] * 10]), 48)
    assert rows[1].tolist() == [labels.UNKNOWN] * 48
    assert len(set(rows[0, :10])) == 10 and rows[0, 10:].tolist() == [labels.UNKNOWN] * 38
    last = labels.row({"background": "pink"})
    assert labels.rows(last, 48).max() < labels.table(8).num_embeddings
    with pytest.raises(ValueError, match="no shirt called plaid"):
        labels.row({"shirt": "plaid"})
    with pytest.raises(ValueError, match="no attribute called hat"):
        labels.row({"hat": "red"})
