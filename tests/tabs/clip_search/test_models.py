import threading

import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from explorer.clip import folder, vocabulary
from explorer.tabs.clip_search import catalogue, models, relevance
from explorer.tabs.clip_search.models import Model

TEXT = dict(context_length=16, vocab_size=49408, width=16, heads=2, layers=1)
SIGLIP = dict(
    embed_dim=32, init_logit_bias=-10.0, custom_text=True,
    vision_cfg=dict(
        image_size=160, timm_model_name="test_vit", timm_model_pretrained=False, timm_pool="avg", timm_proj="linear",
    ),
    text_cfg=dict(TEXT, no_causal_mask=True, pool_type="last", proj_bias=True),
)  # fmt: skip
RESNET = dict(
    embed_dim=32, vision_cfg=dict(image_size=64, layers=[1, 1, 1, 1], width=16, patch_size=None), text_cfg=TEXT, quick_gelu=True,
)  # fmt: skip
AVERAGED = dict(embed_dim=32, vision_cfg=dict(image_size=64, patch_size=16, width=32, layers=2, head_width=16, pool_type="avg"))


@pytest.fixture(scope="module")
def several(tmp_path_factory, write_clip, tiny_folder):
    """Folders of towers of several kinds, with means and deviations that are nobody's default."""
    root = tmp_path_factory.mktemp("several")
    return {
        "tiny": tiny_folder,
        "siglip": write_clip(root / "siglip", SIGLIP, mean=0.4, std=0.3),
        "resnet": write_clip(root / "resnet", RESNET, mean=0.45, std=0.27),
        "averaged": write_clip(root / "averaged", AVERAGED | dict(text_cfg=TEXT), mean=0.3, std=0.6),
    }


KINDS = ("tiny", "siglip", "resnet", "averaged")
SENTENCES = ["a face with red hair", "someone wearing a zebra", "🙂", ""]


def pictures(n=3, size=None, seed=0):
    rng = np.random.default_rng(seed)
    sizes = size or [(90, 70), (64, 64), (33, 150)]
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in (sizes * n)[:n]]


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_open_clips_own(several, kind):
    """create_model_from_pretrained, preprocess, encode_image and encode_text are the public API; nothing of ours between."""
    path = several[kind]
    net, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{path}")
    own = {"bpe_path": str(path / "bpe.txt.gz")} if (path / "bpe.txt.gz").exists() else {}
    tokenizer = open_clip.get_tokenizer(f"local-dir:{path}", **own)
    model = Model(folder.load(path), kind)
    with torch.no_grad():
        images = F.normalize(net.eval().encode_image(torch.stack([preprocess(p) for p in pictures()])), dim=-1)
        texts = F.normalize(net.encode_text(tokenizer(SENTENCES)), dim=-1)
    assert np.abs(model.images(pictures()) - images.numpy()).max() < 1e-5
    assert np.abs(model.texts(SENTENCES) - texts.numpy()).max() < 1e-5
    assert model.scale == pytest.approx(net.logit_scale.exp().item(), rel=1e-6)
    assert (model.bias == -10) if kind == "siglip" else (model.bias is None)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_and_pictures_give_the_same(several, kind):
    model = Model(folder.load(several[kind]), kind)
    same = np.stack([np.asarray(p) for p in pictures(3, [(model.size, model.size)])])
    assert np.abs(model.images(same) - model.images([Image.fromarray(a) for a in same])).max() < 1e-5
    other = np.stack([np.asarray(p) for p in pictures(2, [(80, 50)])])
    assert np.abs(model.images(other) - model.images([Image.fromarray(a) for a in other])).max() < 1e-5


def test_which_towers_have_attention(several):
    found = {kind: Model(folder.load(path), kind).has_attention for kind, path in several.items()}
    assert found == {"tiny": True, "siglip": False, "resnet": False, "averaged": True}


def test_raw_vectors_have_the_towers_lengths(tiny):
    raw = tiny.images(pictures(), raw=True)
    assert np.allclose(raw / np.linalg.norm(raw, axis=1, keepdims=True), tiny.images(pictures()), atol=1e-6)
    assert not np.allclose(np.linalg.norm(raw, axis=1), 1, atol=0.01)
    raw = tiny.texts(SENTENCES, raw=True)
    assert np.allclose(raw / np.linalg.norm(raw, axis=1, keepdims=True), tiny.texts(SENTENCES), atol=1e-6)


def test_one_batch_or_many_and_none_at_all(tiny):
    many = np.random.default_rng(1).integers(0, 256, (models.BATCH + 3, 64, 64, 3), dtype=np.uint8)
    apart = np.concatenate([tiny.images(many[i : i + 1]) for i in range(len(many))])
    assert np.abs(tiny.images(many) - apart).max() < 1e-5
    assert tiny.images([]).shape == tiny.texts([]).shape == (0, 32)
    with pytest.raises(ValueError, match="8 bits"):
        tiny.images(many.astype(np.float32))


def test_transparent_pictures_lie_on_white_and_strips_are_padded(tiny):
    hidden = Image.new("RGBA", (64, 64), (255, 0, 0, 0))  # red that nobody sees
    assert np.allclose(tiny.images([hidden]), tiny.images([Image.new("RGB", (64, 64), "white")]), atol=1e-6)
    strip = Image.new("RGB", (3, 9000), "red")
    assert tiny.pixels([strip]).shape == (1, 3, 64, 64)
    assert np.isfinite(tiny.images([strip])).all()


def test_texts_are_kept_and_forgotten(tiny_folder, monkeypatch):
    model = Model(folder.load(tiny_folder), "tiny")
    read = []
    whole = model._read
    monkeypatch.setattr(model, "_read", lambda texts: read.append(list(texts)) or whole(texts))
    monkeypatch.setattr(models, "TEXTS", 2)
    first = model.texts(["a face", "red hair", "a face"])
    assert read == [["a face", "red hair"]] and np.array_equal(first[0], first[2])
    model.texts(["red hair", "a face", "blue hair"])
    assert read[1:] == [["blue hair"]] and list(model._texts) == ["a face", "blue hair"]


def test_many_threads_get_what_one_gets(tiny):
    many = np.random.default_rng(2).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    words = [f"a face with {n} red hair" for n in range(40)]
    images, texts = tiny.images(many), tiny.texts(words)
    wrong = []

    def visit(seed):
        order = np.random.default_rng(seed).permutation(40)
        for i in order:
            if np.abs(tiny.texts([words[i]])[0] - texts[i]).max() > 1e-5:
                wrong.append(i)
        if np.abs(tiny.images(many) - images).max() > 1e-5:
            wrong.append("image")

    threads = [threading.Thread(target=visit, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_pieces_unknown_words_and_cut_texts(tiny):
    assert tiny.words >= {"red", "hair", "a"} and "e" not in tiny.words and "re" not in tiny.words
    assert tiny.pieces("a red zebra") == ["a", "red", "z", "e", "b", "r", "a"]
    assert tiny.unknown("a red zebra, RED zebra with 🙂!") == ["zebra", "🙂"]
    assert not tiny.truncated("red " * 14) and tiny.truncated("red " * 15)
    assert tiny.truncated("x" * 100_000)
    assert np.array_equal(tiny.texts(["red " * 14 + "hair"]), tiny.texts(["red " * 14 + "shirt"]))


def test_large_vocabularies_spell_little(several):
    model = Model(folder.load(several["siglip"]), "siglip")
    assert model.words is None
    assert model.unknown("a red zebra") == []
    assert model.pieces("a red zebra") == ["a", "red", "zebra"]


def test_only_safetensors_are_opened(tmp_path, tiny_folder):
    """A pickle can run any program when it is opened; open_clip would take one where nothing else is there."""
    for name in ("open_clip_config.json", "bpe.txt.gz"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    torch.save({}, tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(ValueError, match="never opened") as info:
        folder.load(tmp_path)
    assert str(info.value).count(".") <= 2


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network and nothing downloaded."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(catalogue, "_cached", lambda name: False)
    monkeypatch.delenv("EXPLORER_CLIP", raising=False)


def test_the_menu_without_a_network_says_why_and_ours_stays(offline):
    ours, *others = models.menu()
    assert ours["name"] == "avatars" and len(others) >= 6
    for entry in others:
        assert not entry["ready"] and entry["why"].endswith("our small model stays.") and entry["why"].count(".") >= 1
        assert entry["mb"] > 100 and entry["gflops"] > 1 and "%" in entry["quality"] and "(" in entry["quality"]
    with pytest.raises(ValueError, match="could not be asked"):
        models.load(others[0]["name"])


def test_the_menus_models_exist_in_open_clip():
    """Their names are those that open_clip itself downloads from, and their parameters are those of its architectures."""
    from open_clip.pretrained import _PRETRAINED

    known = {cfg.get("hf_hub", "").rstrip("/") for tags in _PRETRAINED.values() for cfg in tags.values()}
    assert {entry.hub for entry in catalogue.ENTRIES} <= known


def test_unknown_names_and_a_folder_of_the_hosts(offline, monkeypatch, tiny_folder):
    for name in ("someone/else", "/etc", "own", "../x"):
        with pytest.raises(ValueError, match="menu"):
            models.load(name)
    monkeypatch.setenv("EXPLORER_CLIP", str(tiny_folder))
    entry = models.menu()[1]
    assert entry["name"] == "own" and entry["ready"] and entry["label"] == "tiny"
    model = models.load("own")
    assert model is models.load("own") and model.dim == 32 and model.label == "tiny"
    models._loaded.pop("own")


def test_a_hub_model_loads_from_the_cache_like_a_folder(offline, monkeypatch, tiny_folder):
    """What a download leaves behind is a folder; the way from a name to it is huggingface_hub's."""
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **kw: str(tiny_folder))
    name = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    model = models.load(name)
    try:
        assert model.label == "ViT-B/32 LAION-2B" and model.fingerprint == folder.load(tiny_folder).fingerprint
    finally:
        models._loaded.pop(name)


def test_few_large_models_stay_in_memory(offline, monkeypatch, tiny_folder):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **kw: str(tiny_folder))
    names = [entry.hub for entry in catalogue.ENTRIES[: models.LARGE + 1]]
    for name in names:
        models.load(name)
    assert [name for name in models._loaded if name in names] == names[1:]
    for name in names[1:]:
        models._loaded.pop(name)


def test_a_broken_model_of_the_hosts_is_told_without_its_path(offline, monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CLIP", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="mine holds no CLIP model") as info:
        models.load("own")
    assert str(tmp_path) not in str(info.value)


def test_whether_the_hub_answers_is_asked_once_and_waited_for_briefly(monkeypatch):
    asked, begun, slow, answered = [], threading.Event(), threading.Event(), threading.Event()

    def never(*args, **more):
        asked.append(args)
        begun.set()
        slow.wait(60)
        raise OSError

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(catalogue, "_hub", {"asked": -1e9, "there": False})
    monkeypatch.setattr(catalogue, "_answered", answered)
    monkeypatch.setattr(catalogue.socket, "create_connection", never)
    assert not catalogue._reachable() and not catalogue._reachable()
    assert begun.wait(60) and len(asked) == 1 and not answered.is_set()  # it came back though nobody has answered
    slow.set()
    assert answered.wait(60)  # its thread ends before the real catalogue is back


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_runs_and_changes_little(several, kind):
    """What a GPU is given; the maps as well."""
    whole, half = (Model(folder.load(several[kind], "cpu", precision), kind) for precision in ("fp32", "bf16"))
    assert half.dtype == torch.bfloat16
    assert (whole.images(pictures()) * half.images(pictures())).sum(1).min() > 0.99
    assert (whole.texts(SENTENCES) * half.texts(SENTENCES)).sum(1).min() > 0.99
    for method in relevance.METHODS:
        out = [relevance.explain(m, pictures()[0], whole.texts(["a face"])[0], method) for m in (whole, half)]
        assert out[0]["score"] == pytest.approx(out[1]["score"], abs=0.02) and np.isfinite(out[1]["map"]).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_half_precision_changes_little(tiny_folder):
    whole, half = (Model(folder.load(tiny_folder, "cuda", p), "tiny") for p in ("fp32", "bf16"))
    assert (whole.images(pictures()) * half.images(pictures())).sum(1).min() > 0.999
    assert (whole.texts(SENTENCES) * half.texts(SENTENCES)).sum(1).min() > 0.999


def test_merges_of_the_tests_are_whole_words(tiny):
    assert len(vocabulary.merges(["red", "hair"])) == 5 and all(tiny.pieces(w) == [w] for w in ("red", "hair", "someone"))


def test_what_a_model_sees_is_where_its_pixels_come_from(tiny):
    """A mark that is outside of what is seen changes no pixel, and one inside does."""
    cfg = tiny.clip.model.visual.preprocess_cfg
    assert cfg["resize_mode"] == "shortest"
    plain = Image.new("RGB", (200, 100), "black")
    aside, inside = plain.copy(), plain.copy()
    aside.paste("white", (0, 0, 40, 100))
    inside.paste("white", (80, 0, 120, 100))
    assert tiny.sees(plain.size) == "middle"
    same = [torch.equal(tiny.pixels([marked]), tiny.pixels([plain])) for marked in (aside, inside)]
    assert same == [True, False]
    strip = Image.new("RGB", (1000, 100), "black")
    assert tiny.sees(strip.size) == "padded"
    seen = tiny.pixels([strip])[0, 0]
    assert seen[0].min() == seen.max() and seen[32].max() == seen.min()  # white above and below, the strip across the middle


@pytest.mark.parametrize("mode, sees", [("shortest", "middle"), ("squash", "all"), ("longest", "padded")])
def test_what_is_seen_under_each_of_open_clips_ways_to_resize(tiny, monkeypatch, mode, sees):
    monkeypatch.setitem(tiny.clip.model.visual.preprocess_cfg, "resize_mode", mode)
    assert tiny.sees((300, 200)) == sees and tiny.sees((3000, 200)) == "padded"
