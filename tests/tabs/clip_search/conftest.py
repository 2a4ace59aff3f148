"""Small CLIP models with random weights, in open_clip's own folder layout: enough for every equality, and made in a second."""

import gzip
import json

import pytest

WORDS = "a face with red blue green hair shirt and the background someone wearing glasses no of".split()


def write(folder, cfg, mean=0.5, std=0.5, merges=None, seed=0):
    """A `local-dir:` folder of this architecture; with `merges` also a vocabulary of its own."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    pre = dict(mean=[mean] * 3, std=[std] * 3, interpolation="bicubic", resize_mode="shortest")
    if merges is not None:
        lines = ["#version: test", *map(" ".join, merges)]
        (folder / "bpe.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    (folder / "open_clip_config.json").write_text(json.dumps(dict(model_cfg=cfg, preprocess_cfg=pre)))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}")
    with torch.no_grad():  # random scores of a fresh tower are almost equal: spread them
        for name, p in model.named_parameters():
            if "in_proj_weight" in name:
                p.mul_(3)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="session")
def write_clip():
    """write(folder, model_cfg, mean=, std=, merges=, seed=) -> folder"""
    return write


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """ViT towers and a vocabulary of 16 words, 64 pixels, 8 x 8 patches, 32 dimensions."""
    from explorer.clip import vocabulary

    merges = vocabulary.merges(WORDS)
    cfg = dict(
        embed_dim=32, vision_cfg=dict(image_size=64, patch_size=8, width=48, layers=3, head_width=16),
        text_cfg=dict(context_length=16, vocab_size=512 + len(merges) + 2, width=32, heads=2, layers=2),
    )  # fmt: skip
    return write(tmp_path_factory.mktemp("clip") / "tiny", cfg, merges=merges)


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """That model, loaded."""
    from explorer.clip import folder
    from explorer.tabs.clip_search.models import Model

    return Model(folder.load(tiny_folder), "tiny")


@pytest.fixture(scope="session")
def avatars():
    """The trained model that ships."""
    from explorer.tabs.clip_search import models

    return models.load()
