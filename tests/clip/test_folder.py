"""Folders in open_clip's layout: what open_clip's own API loads, and what is refused with one sentence."""

import json
import shutil

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from explorer import corpus
from explorer.clip import folder, vocabulary

CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 0, "width": 32, "heads": 2, "layers": 2},
}


def tiny(path, seed=0):
    """A folder with random weights."""
    merges = vocabulary.merges(["red", "hair", "a", "face", "with"])
    config = CONFIG | {"text_cfg": CONFIG["text_cfg"] | {"vocab_size": 514 + len(merges)}}
    folder.write(path, config, merges)
    torch.manual_seed(seed)
    net = open_clip.CLIP(config["embed_dim"], config["vision_cfg"], config["text_cfg"])
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path / folder.WEIGHTS)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("clip") / "tiny")


@torch.inference_mode()
@pytest.mark.parametrize("which", ["tiny", "shipped"])
def test_it_encodes_as_open_clip_does(made, which):
    path = made if which == "tiny" else folder.shipped()
    ours = folder.load(path)
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{path.resolve()}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{path.resolve()}", bpe_path=str((path / folder.MERGES).resolve()))
    face = Image.fromarray(corpus.render([7])[0]).resize((90, 120))
    assert torch.equal(ours.preprocess(face), preprocess(face))
    x = preprocess(face)[None]
    assert torch.equal(ours.model.encode_image(x), model.eval().encode_image(x))
    texts = ["a face with red hair", "zebra", ""]
    assert torch.equal(ours.tokenize(texts), tokenizer(texts))
    assert torch.equal(ours.model.encode_text(ours.tokenize(texts)), model.encode_text(tokenizer(texts)))


def test_what_is_said_of_it(made):
    ours = folder.load(made)
    assert (ours.size, ours.context, ours.dim) == (32, 16, 32)
    assert not any(p.requires_grad for p in ours.model.parameters()) and not ours.model.training
    assert ours.preprocess(Image.new("RGB", (32, 32))).min() == -1, "its own mean and deviation, not OpenAI's"


def test_the_fingerprint_is_of_weights_configuration_and_words(made, tmp_path):
    prints = {folder.load(made).fingerprint, folder.load(tiny(tmp_path / "same")).fingerprint}
    assert len(prints) == 1 and len(prints.copy().pop()) == 16
    prints.add(folder.load(tiny(tmp_path / "other", seed=1)).fingerprint)
    changed = tiny(tmp_path / "mean")
    config = json.loads((changed / folder.CONFIG).read_text())
    config["preprocess_cfg"]["mean"] = [0.4] * 3
    (changed / folder.CONFIG).write_text(json.dumps(config))
    prints.add(folder.load(changed).fingerprint)
    assert len(prints) == 3


def test_a_folder_can_move(made, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(made, moved)
    assert folder.load(moved).fingerprint == folder.load(made).fingerprint


def broken(path, how):
    tiny(path)
    if how == "no configuration":
        (path / folder.CONFIG).unlink()
    if how == "not json":
        (path / folder.CONFIG).write_text("{")
    if how == "a list":
        (path / folder.CONFIG).write_text("[]")
    if how == "no text tower":
        config = json.loads((path / folder.CONFIG).read_text())
        del config["model_cfg"]["text_cfg"]
        (path / folder.CONFIG).write_text(json.dumps(config))
    if how == "no weights":
        (path / folder.WEIGHTS).unlink()
    if how == "a pickle":
        (path / folder.WEIGHTS).unlink()
        torch.save({}, path / "open_clip_pytorch_model.bin")
    if how == "half a file":
        data = (path / folder.WEIGHTS).read_bytes()
        (path / folder.WEIGHTS).write_bytes(data[: len(data) // 2])
    if how == "other sizes":
        config = json.loads((path / folder.CONFIG).read_text())
        config["model_cfg"]["embed_dim"] = 64
        (path / folder.CONFIG).write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(
    "how, told",
    [
        ("no configuration", "is missing or cannot be read"), ("not json", "cannot be read"), ("a list", "cannot be read"),
        ("no text tower", "lacks text_cfg"), ("no weights", "not at all"), ("a pickle", "never opened here"),
        ("half a file", "cannot be loaded"), ("other sizes", "cannot be loaded"),
    ],
)  # fmt: skip
def test_a_broken_folder_is_one_sentence(tmp_path, how, told):
    with pytest.raises(folder.BadModel, match=told) as raised:
        folder.load(broken(tmp_path / "model", how))
    assert str(raised.value).count("\n") == 0 and str(raised.value).endswith(".")


@pytest.mark.parametrize("name", ["org/model", "hf-hub:org/model", "nowhere", "../secrets", "a/b/c"])
def test_a_model_that_cannot_be_fetched_is_one_sentence(monkeypatch, name):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(folder.BadModel) as raised:
        folder.load(name)
    assert str(raised.value).endswith(".")


def test_a_model_of_the_hub_is_a_folder_of_its_cache(monkeypatch, made):
    asked = []

    def snapshot_download(name, allow_patterns, local_files_only):
        asked.append((name, local_files_only))
        assert not any(pattern.endswith((".bin", ".pt", "*")) for pattern in allow_patterns)
        if local_files_only:
            raise OSError("not in the cache")
        return str(made)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    assert folder.load("hf-hub:org/model").fingerprint == folder.load(made).fingerprint
    assert asked == [("org/model", True), ("org/model", False)]
