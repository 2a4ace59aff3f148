"""What the token lesson shows is open_clip's own pass: vectors, weights and positions, in every combination."""

import base64
import copy
import io
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import corpus
from explorer.tabs.clip_search import faces, tokens


@pytest.fixture(scope="module")
def face():
    return Image.fromarray(faces.pixels([3])[0])


def decoded(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def test_the_explicit_pass_is_open_clips(tiny):
    x = tiny.pixels(faces.pixels(range(3)))
    with torch.inference_mode():
        vectors, weights = tokens.forward(tiny.clip.model.visual, tokens.embedded(tiny.clip.model.visual, x))
        expected = tiny.clip.model.encode_image(x)
    torch.testing.assert_close(vectors, expected, atol=1e-5, rtol=1e-5)
    assert len(weights) == 3 and weights[0].shape == (3, 3, 65, 65)
    for layer in weights:
        torch.testing.assert_close(layer.sum(-1), torch.ones(3, 3, 65))


def test_zero_positions_are_those_of_a_copy_whose_positions_are_zero(tiny):
    model = copy.deepcopy(tiny.clip.model)
    with torch.no_grad():
        model.visual.positional_embedding.zero_()
        x = tiny.pixels(faces.pixels(range(2)))
        expected = model.encode_image(x)
        visual = tiny.clip.model.visual
        found, _ = tokens.forward(visual, tokens.embedded(visual, x, zero_positions=True))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_rearranging_moves_whole_patches_and_can_be_undone():
    x = torch.arange(2 * 3 * 16 * 16.0).view(2, 3, 16, 16)
    order = np.random.default_rng(0).permutation(16)
    moved = tokens.rearranged(x, order, 4)
    assert torch.equal(moved[:, :, :4, :4], x[:, :, order[0] // 4 * 4 :, order[0] % 4 * 4 :][:, :, :4, :4])
    assert torch.equal(tokens.rearranged(moved, np.argsort(order), 4), x)
    assert torch.equal(tokens.rearranged(x, np.arange(16), 4), x)


def test_an_answer_is_whole(tiny, face):
    answer = tokens.tokens(tiny, face, {"text": "red hair", "shuffle": None})
    assert (answer["has"], answer["side"], answer["layers"], answer["heads"], answer["patch"]) == (True, 8, 3, 3, 8)
    expected = float(tiny.images([face])[0] @ tiny.texts(["red hair"])[0])
    assert answer["score"] == answer["score_plain"] == pytest.approx(expected, abs=1e-5)
    assert answer["order"] == list(range(64))

    maps = decoded(answer["cls"], 3, 3, 64) / 255 * np.array(answer["cls_max"])[..., None]
    total = maps.sum(-1) + np.array(answer["cls_self"])
    np.testing.assert_allclose(total, 1, atol=64 * 0.5 / 255 * np.max(answer["cls_max"]))

    table = tiny.clip.model.visual.positional_embedding[1:].detach().numpy()
    expected = faces.unit(table) @ faces.unit(table).T
    np.testing.assert_allclose(decoded(answer["positions"], 64, 64) / 127.5 - 1, expected, atol=0.005)

    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["picture"]))))
    np.testing.assert_array_equal(shown, np.asarray(face))
    assert len(answer["patches_norm"]) == 64 and min(answer["patches_norm"]) > 0


def test_without_positions_the_order_of_patches_means_nothing(tiny, face):
    """Attention does not know order; only the positions that are added do."""
    answer = tokens.tokens(tiny, face, {"text": "red hair", "shuffle": 4, "zero_positions": True})
    words = {row["name"]: row["score"] for row in answer["words"]}
    assert words["zeroed"] == pytest.approx(words["both"], abs=1e-5)
    assert answer["score"] == words["both"] and answer["score_plain"] == words["plain"]
    assert abs(words["shuffled"] - words["plain"]) > 1e-4
    assert sorted(answer["order"]) == list(range(64)) != answer["order"]


def test_shuffled_pictures_are_shown_as_the_tower_sees_them(tiny, face):
    answer = tokens.tokens(tiny, face, {"text": "red hair", "shuffle": 1})
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["picture"]))))
    first = answer["order"][0]
    y, x = first // 8 * 8, first % 8 * 8
    np.testing.assert_array_equal(shown[:8, :8], np.asarray(face)[y : y + 8, x : x + 8])


def test_sixteen_orders_stand_beside_one(tiny, face):
    """Their mean and spread are those of asking for each by its seed, and do not depend on which one is shown."""
    asked = [tokens.tokens(tiny, face, {"text": "red hair", "shuffle": seed}) for seed in (*range(tokens.ORDERS), 99)]
    scores = np.array([answer["score"] for answer in asked[: tokens.ORDERS]])
    expected = {"of": 16, "mean": scores.mean(), "sd": scores.std(ddof=1), "low": scores.min(), "high": scores.max()}
    for answer in (asked[0], asked[-1]):
        assert answer["orders"] == pytest.approx(expected, abs=1e-5)
    assert expected["sd"] > 0


def test_the_order_that_is_told_before_shuffling_is_the_one_that_comes(tiny, face):
    before, after = (tokens.tokens(tiny, face, {"text": "red hair", "shuffle": seed}) for seed in (None, 0))
    assert {row["name"]: row["score"] for row in before["words"]}["shuffled"] == pytest.approx(after["score"], abs=1e-6)


def test_visitors_at_once_see_their_own_pictures(tiny):
    pictures = [Image.fromarray(image) for image in faces.pixels(range(6))]
    given = {"text": "red hair", "shuffle": 2}
    alone = [tokens.tokens(tiny, picture, given) for picture in pictures]
    found = [None] * 6

    def look(i):
        found[i] = tokens.tokens(tiny, pictures[i], given)

    threads = [threading.Thread(target=look, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(alone, found):
        assert b["score"] == pytest.approx(a["score"], abs=1e-5) and b["picture"] == a["picture"]
        assert np.abs(decoded(a["cls"], -1).astype(int) - decoded(b["cls"], -1)).max() <= 1
    assert not any("attention" in vars(block) for block in tiny.clip.model.visual.transformer.resblocks)


def test_a_tower_without_patches_says_so(write_clip, tmp_path, face):
    from explorer.clip import folder, vocabulary
    from explorer.tabs.clip_search.models import Model

    merges = vocabulary.merges(["face"])
    cfg = dict(
        embed_dim=16, vision_cfg=dict(image_size=32, layers=[1, 1, 1, 1], width=8),
        text_cfg=dict(context_length=8, vocab_size=512 + len(merges) + 2, width=16, heads=2, layers=1),
    )  # fmt: skip
    model = Model(folder.load(write_clip(tmp_path / "resnet", cfg, merges=merges)), "resnet")
    answer = tokens.tokens(model, face, {"text": "face"})
    assert not answer["has"] and "does not cut" in answer["note"]
    assert answer["score_plain"] == pytest.approx(float(model.images([face])[0] @ model.texts(["face"])[0]), abs=1e-6)


@pytest.mark.parametrize(
    "given, say", [({"text": " "}, "Write something"), ({"text": 3}, "Write something"), ({"shuffle": "x"}, "shuffle takes")]
)
def test_bad_requests_are_one_sentence(tiny, face, given, say):
    with pytest.raises(ValueError, match=say):
        tokens.tokens(tiny, face, given)


def test_the_text_left_out_is_the_faces_own_caption(avatars, face):
    """And of a face's own caption, the trained model knows that it fits until the patches are thrown about."""
    answer = tokens.tokens(avatars, face, {"ref": {"face": 3}, "shuffle": 0})
    assert answer["text"] == corpus.caption(corpus.attributes([3], split="test")[0], 3)
    assert answer["words"][0]["rank"] == 1 and answer["score"] < answer["score_plain"]
