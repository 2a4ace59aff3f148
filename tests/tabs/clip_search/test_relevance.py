import threading

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from explorer import corpus
from explorer.clip import folder
from explorer.corpus.factors import column
from explorer.tabs.clip_search import relevance
from explorer.tabs.clip_search.models import Model

SENTENCES = {
    "hair colour": "a face with {} hair", "shirt": "a face wearing a {} shirt", "background": "a face on a {} background",
}  # fmt: skip
FACES = 11_020_000  # of the split "test"


@pytest.fixture(scope="module")
def x():
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_the_explicit_pass_is_open_clips(tiny, x):
    visual = tiny.clip.model.visual
    with torch.no_grad():
        vectors, seen = relevance.forward(visual, x)
        assert (vectors - visual(x)).abs().max() < 1e-5
    assert [tuple(w.shape) for w in seen] == [(3, 3, 65, 65)] * 3
    assert all(torch.allclose(w.sum(-1), torch.ones(()), atol=1e-5) for w in seen)


def test_its_attention_is_that_of_torchs_own_module(tiny, x):
    """nn.MultiheadAttention tells its weights when asked, outside the graph."""
    visual, told = tiny.clip.model.visual, []
    hooks = []
    for block in visual.transformer.resblocks:
        ask = {"need_weights": True, "average_attn_weights": False}
        hooks.append(block.attn.register_forward_pre_hook(lambda m, a, k, ask=ask: (a, {**k, **ask}), with_kwargs=True))
        hooks.append(block.attn.register_forward_hook(lambda m, a, out: told.append(out[1])))
    try:
        with torch.no_grad():
            visual(x)
    finally:
        for hook in hooks:
            hook.remove()
    with torch.no_grad():
        _, seen = relevance.forward(visual, x)
    assert max((a - b).abs().max() for a, b in zip(seen, told)) < 1e-5


def test_towers_that_average_their_patches(tmp_path, write_clip, x):
    text = dict(context_length=16, vocab_size=49408, width=16, heads=2, layers=1)
    vision = dict(image_size=64, patch_size=16, width=32, layers=2, head_width=16, pool_type="avg")
    model = Model(folder.load(write_clip(tmp_path / "a", dict(embed_dim=32, vision_cfg=vision, text_cfg=text))), "averaged")
    visual = model.clip.model.visual
    with torch.no_grad():
        assert (relevance.forward(visual, x)[0] - visual(x)).abs().max() < 1e-5
    q = F.normalize(torch.randn(32), dim=-1)
    for method in relevance.MAPS.values():
        maps, scores = method(model, x, q)
        with torch.no_grad():
            assert (scores - model.clip.model.encode_image(x, normalize=True) @ q).abs().max() < 1e-5
        assert maps.shape[0] == 3 and torch.isfinite(maps).all()


def test_gradients_are_those_of_finite_differences(tiny, x):
    """The gradient of the cosine by the last layer's attention, against the rest of the pass run with a little more and less."""
    visual, q = tiny.clip.model.visual, F.normalize(torch.randn(32, generator=torch.Generator().manual_seed(1)), dim=-1)
    block, value, out = visual.transformer.resblocks[-1], [], []

    def score(a):
        """The cosine where the last layer's attention is replaced by `a`."""
        with torch.no_grad():
            h = visual._embeds(x[:1])
            for earlier in visual.transformer.resblocks[:-1]:
                h = earlier(h)
            m, n = block.attn, block.ln_1(h)
            v = F.linear(n, m.in_proj_weight, m.in_proj_bias).view(1, 65, 3, m.num_heads, -1).permute(2, 0, 3, 1, 4)[2]
            h = h + m.out_proj((a @ v).transpose(1, 2).reshape(1, 65, -1))
            h = h + block.mlp(block.ln_2(h))
            return float(F.normalize(visual._pool(h)[0] @ visual.proj, dim=-1)[0] @ q)

    with torch.enable_grad():
        vectors, seen = relevance.forward(visual, x[:1])
        (gradient,) = torch.autograd.grad((F.normalize(vectors, dim=-1)[0] @ q), seen[-1:])
    a, step = seen[-1].detach(), 0.05
    for head, patch in ((0, 3), (1, 20), (2, 64)):
        more, less = a.clone(), a.clone()
        more[0, head, 0, patch] += step
        less[0, head, 0, patch] -= step
        value.append((score(more) - score(less)) / (2 * step))
        out.append(float(gradient[0, head, 0, patch]))
    assert value == pytest.approx(out, abs=2e-4) and max(map(abs, value)) > 1e-4


def test_occlusion_is_the_loop_over_windows(tiny, x):
    q = F.normalize(torch.randn(32, generator=torch.Generator().manual_seed(1)), dim=-1)
    maps, scores = relevance.occlusion(tiny, x[:1], q)
    with torch.no_grad():
        full = float(tiny.clip.model.encode_image(x[:1], normalize=True)[0] @ q)
        total, times = np.zeros((8, 8)), np.zeros((8, 8))
        for i in range(7):
            for j in range(7):
                covered = x[:1].clone()
                covered[:, :, 8 * i : 8 * i + 16, 8 * j : 8 * j + 16] = x[0].mean((1, 2))[None, :, None, None]
                drop = full - float(tiny.clip.model.encode_image(covered, normalize=True)[0] @ q)
                total[i : i + 2, j : j + 2] += drop
                times[i : i + 2, j : j + 2] += 1
    assert np.allclose(maps[0].numpy(), total / times, atol=1e-5) and float(scores[0]) == pytest.approx(full, abs=1e-5)


@pytest.mark.parametrize("n", [3, 7, 8])
def test_windows_cover_every_patch(n):
    """With overlap each inner patch lies under four of them; without, under one, or more at an odd end."""
    every, apart = relevance._windows(n), relevance._windows(n, relevance.WINDOW)
    assert len(every) == (n - 1) ** 2 and len(apart) == ((n + 1) // 2) ** 2
    assert every.sum((1, 2)).tolist() == [4.0] * len(every) and every.sum(0)[1, 1] == 4
    assert apart.sum(0).min() == 1


def test_large_towers_on_a_cpu_get_fewer_windows(monkeypatch, tiny, x):
    q, seen = F.normalize(torch.randn(32, generator=torch.Generator().manual_seed(1)), dim=-1), []
    whole = tiny.clip.model.encode_image
    monkeypatch.setattr(tiny.clip.model, "encode_image", lambda x: seen.append(len(x)) or whole(x))
    monkeypatch.setattr(relevance, "LARGE", 1000)
    relevance.occlusion(tiny, x[:1], q)
    assert seen == [1, 16]


def test_rollout_is_its_definition(tiny, x):
    q = F.normalize(torch.randn(32), dim=-1)
    with torch.no_grad():
        _, seen = relevance.forward(tiny.clip.model.visual, x)
    total = np.eye(65)
    for w in seen:
        total = (w[0].mean(0).numpy() + np.eye(65)) / 2 @ total
    assert np.allclose(relevance.rollout(tiny, x, q)[0][0].numpy().ravel(), total[0, 1:], atol=1e-6)
    assert np.allclose(relevance.last(tiny, x, q)[0][0].numpy().ravel(), seen[-1][0].mean(0)[0, 1:].numpy(), atol=1e-6)


def test_a_map_has_a_side_a_range_and_a_note(tiny):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 90, 3), dtype=np.uint8))
    query = tiny.texts(["a face with red hair"])[0]
    score = float(tiny.images([picture])[0] @ query)
    for method in relevance.METHODS:
        out = relevance.explain(tiny, picture, query, method)
        assert out["method"] == method and out["side"] == 8 and len(out["map"]) == 64
        assert min(out["map"]) == 0 and max(out["map"]) == 1 and out["raw"][0] < out["raw"][1]
        assert out["score"] == pytest.approx(score, abs=1e-5)
        assert bool(out["note"]) == (method in ("rollout", "last"))
    with pytest.raises(ValueError, match="no map called magic"):
        relevance.explain(tiny, picture, query, "magic")


def test_a_map_and_the_map_of_the_mirror_image_are_mirror_images(tiny):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    query = tiny.texts(["a face with red hair"])[0]
    x, q = tiny.pixels(pixels[None]), torch.from_numpy(query)
    for method in relevance.METHODS:
        one, other = (
            np.array(relevance.explain(tiny, Image.fromarray(p), query, method)["map"]).reshape(8, 8)
            for p in (pixels, np.ascontiguousarray(pixels[:, ::-1]))
        )
        assert np.allclose(one, other[:, ::-1], atol=1e-3)
        mean = (relevance.MAPS[method](tiny, x, q)[0] + relevance.MAPS[method](tiny, x.flip(-1), q)[0].flip(-1))[0].numpy()
        assert np.allclose(one, (mean - mean.min()) / (mean.max() - mean.min()), atol=1e-3)


def test_a_tower_without_attention_is_covered_instead(tmp_path, write_clip):
    text = dict(context_length=16, vocab_size=49408, width=16, heads=2, layers=1)
    cfg = dict(embed_dim=32, vision_cfg=dict(image_size=64, layers=[1, 1, 1, 1], width=16, patch_size=None), text_cfg=text)
    model = Model(folder.load(write_clip(tmp_path / "resnet", cfg)), "resnet")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    out = relevance.explain(model, picture, model.texts(["a face"])[0], "attention")
    assert out["method"] == "occlusion" and "no attention" in out["note"] and out["side"] == 8


def test_explaining_while_others_encode_changes_nobodys_numbers(tiny):
    """Blocks that were patched for the time of a map would give others gradients, or somebody else's attention."""
    pictures = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    query, vectors = tiny.texts(["red hair"])[0], tiny.images(pictures)
    maps = [relevance.explain(tiny, Image.fromarray(p), query)["map"] for p in pictures]
    wrong = []

    def explain(seed):
        for i in np.random.default_rng(seed).integers(0, 4, 20):
            if not np.allclose(relevance.explain(tiny, Image.fromarray(pictures[i]), query)["map"], maps[i], atol=1e-4):
                wrong.append("map")

    def encode():
        for _ in range(20):
            if not np.allclose(tiny.images(pictures), vectors, atol=1e-5):
                wrong.append("vector")

    threads = [threading.Thread(target=explain, args=(seed,)) for seed in range(2)]
    threads += [threading.Thread(target=encode) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- The trained model points at what is named ---


def where(row, index, factor):
    """Share of each of the 8 x 8 patches that changes when the factor takes other values: where it is in this very picture."""
    picture = corpus.draw(row[None], [index])[0].astype(int)
    changed = np.zeros((64, 64), bool)
    for value in range(len(corpus.FACTORS[factor])):
        other = row.copy()
        other[column(factor)] = value
        changed |= np.abs(corpus.draw(other[None], [index])[0] - picture).max(-1) > 24
    return changed.reshape(8, 8, 8, 8).mean((1, 3))


def named(row, factor):
    return SENTENCES[factor].format(corpus.FACTORS[factor][row[column(factor)]])


def grid(model, picture, text, method):
    out = relevance.explain(model, Image.fromarray(picture), model.texts([text])[0], method)
    return np.array(out["map"]).reshape(out["side"], out["side"])


def points(model, method, n, start=FACES):
    """Share of maps whose highest patch lies on what the text names, hair or shirt or background, in n faces each."""
    hits = {factor: [] for factor in SENTENCES}
    for index in range(start, start + n):
        row = corpus.attributes([index])[0]
        picture = corpus.render([index])[0]
        for factor in SENTENCES:
            best = grid(model, picture, named(row, factor), method).argmax()
            hits[factor].append(where(row, index, factor).ravel()[best] > 0.1)
    return {factor: float(np.mean(found)) for factor, found in hits.items()}


def between(model, method, n, start=FACES):
    """Two objects in a picture, hair and shirt: the share of maps whose highest patch is more on the named one."""
    right = []
    for index in range(start, start + n):
        row = corpus.attributes([index])[0]
        picture = corpus.render([index])[0]
        hair, shirt = (where(row, index, factor) for factor in ("hair colour", "shirt"))
        for factor, here, there in (("hair colour", hair, shirt), ("shirt", shirt, hair)):
            best = grid(model, picture, named(row, factor), method).argmax()
            right.append(here.ravel()[best] > there.ravel()[best])
    return float(np.mean(right))


def spliced(model, method, n, start=FACES):
    """The left half of one face and the right half of another: the share of maps that are highest in the named one's half."""
    rng, right = np.random.default_rng(0), []
    for factor in ("hair colour", "shirt"):
        found = 0
        while found < n:
            pair = rng.integers(start, start + 10_000, 2)
            rows = corpus.attributes(pair)
            if rows[0, column(factor)] == rows[1, column(factor)]:
                continue
            picture, other = corpus.render(pair)
            picture[:, 32:] = other[:, 32:]
            for side, row in enumerate(rows):
                right.append((grid(model, picture, named(row, factor), method).argmax() % 8 >= 4) == bool(side))
            found += 1
    return float(np.mean(right))


def test_a_map_points_at_what_is_named(avatars):
    found = points(avatars, "attention", 40)
    assert min(found.values()) >= 0.85, found


@pytest.mark.parametrize("method, n", [("attention", 40), ("occlusion", 6)])
def test_of_two_objects_the_named_one_is_pointed_at(avatars, method, n):
    assert between(avatars, method, n) >= 0.85


@pytest.mark.parametrize("method, n", [("attention", 30), ("occlusion", 4)])
def test_of_two_faces_the_named_one_is_pointed_at(avatars, method, n):
    assert spliced(avatars, method, n) >= 0.85


def test_maps_that_ignore_the_text_cannot_tell_two_faces_apart(avatars):
    """The control: the same measure, and chance."""
    assert spliced(avatars, "rollout", 5) == spliced(avatars, "last", 5) == 0.5
