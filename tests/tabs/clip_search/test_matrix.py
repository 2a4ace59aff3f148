"""The contrastive matrix against open_clip's loss, torch's slopes, and what is known of the faces."""

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from explorer import corpus
from explorer.tabs.clip_search import faces, matrix


@pytest.fixture
def cos():
    rng = np.random.default_rng(0)
    image, text = (faces.unit(rng.normal(size=(7, 16))) for _ in range(2))
    return image, text, image @ text.T


@pytest.mark.parametrize("scale", [1.0, 14.3, 100.0])
def test_loss_is_that_of_open_clip(cos, scale):
    image, text = (torch.from_numpy(x) for x in cos[:2])
    assert matrix.loss(cos[2], scale) == pytest.approx(open_clip.ClipLoss()(image, text, scale).item(), abs=1e-9)


def test_slopes_are_those_of_autograd(cos):
    logits = torch.tensor(20 * cos[2], requires_grad=True)
    y = torch.arange(7)
    ((torch.nn.functional.cross_entropy(logits, y) + torch.nn.functional.cross_entropy(logits.T, y)) / 2).backward()
    np.testing.assert_allclose(matrix.gradient(cos[2], 20), logits.grad.numpy(), atol=1e-12)


def test_softmax_by_row_and_column(cos):
    for axis in (0, 1):
        p = matrix.softmax(10 * cos[2], axis)
        np.testing.assert_allclose(p.sum(axis), 1)
        np.testing.assert_allclose(p, torch.from_numpy(10 * cos[2]).softmax(axis).numpy())


def test_loss_of_chance_is_log_n_and_slopes_of_a_row_and_column_cancel():
    assert matrix.loss(np.zeros((16, 16)), 50) == pytest.approx(np.log(16))
    assert matrix.gradient(np.random.default_rng(1).normal(size=(5, 5)), 3).sum() == pytest.approx(0)


def test_a_duplicate_can_at_best_halve_its_row():
    """Two equal captions: neither can have more than one half, so the loss has a floor (a false negative)."""
    cos = np.eye(4)
    cos[:2, :2] = 1
    assert matrix.loss(cos, 1000) == pytest.approx(np.log(2) / 2)


def test_cosines_are_those_of_open_clip(tiny):
    images = [Image.fromarray(face) for face in faces.pixels(range(3))]
    captions = ["a face with red hair", "blue background"]
    answer = matrix.matrix(tiny, images, captions)
    x = torch.stack([tiny.clip.preprocess(image) for image in images])
    with torch.no_grad():
        a, b, scale = tiny.clip.model(x, tiny.clip.tokenize(captions))
    np.testing.assert_allclose(answer["cos"], (a @ b.T).numpy(), atol=2e-6)
    assert answer["scale"] == pytest.approx(scale.item()) and answer["bias"] == 0


@pytest.mark.parametrize("images, captions", [(0, 1), (1, 0), (25, 1), (1, 25)])
def test_sizes_of_the_matrix_are_limited(images, captions):
    with pytest.raises(ValueError, match="1 to 24"):
        matrix.matrix(None, [None] * images, ["x"] * captions)


def test_an_empty_caption_is_refused():
    with pytest.raises(ValueError, match="needs a caption"):
        matrix.matrix(None, [None], [" "])


@pytest.mark.parametrize("detail", [0.3, 0.5, 1.0])
def test_pairs_are_different_and_true(detail):
    answer = matrix.pairs(16, 3, detail)["pairs"]
    assert answer == matrix.pairs(16, 3, detail)["pairs"] != matrix.pairs(16, 4, detail)["pairs"]
    assert len({pair["caption"] for pair in answer}) == len({pair["face"] for pair in answer}) == 16
    for pair in answer:
        assert pair["attributes"] == corpus.describe(corpus.attributes([pair["face"]], split="test")[0])
        assert faces.claims(pair["caption"]).items() <= pair["attributes"].items()


@pytest.mark.parametrize("detail", [0.2, 0.5, 1.0])
def test_twins_use_the_same_words_and_fit_only_their_own_face(detail):
    answer = matrix.pairs(8, 1, detail, twins=True)["pairs"]
    assert len(answer) == 8
    for i, pair in enumerate(answer):
        twin = answer[pair["twin"]]
        assert twin["twin"] == i and pair["twin"] // 2 == i // 2
        assert sorted(pair["caption"].replace(",", "").split()) == sorted(twin["caption"].replace(",", "").split())
        claims = faces.claims(pair["caption"])
        assert claims.items() <= pair["attributes"].items()
        assert not claims.items() <= twin["attributes"].items()


def test_twins_come_in_twos():
    assert len(matrix.pairs(5, 0, 0.5, twins=True)["pairs"]) == 4


@pytest.mark.parametrize("n, detail", [(1, 0.5), (25, 0.5), (4, 0), (4, float("nan"))])
def test_what_pairs_cannot_be(n, detail):
    with pytest.raises(ValueError, match="2 to 24 pairs" if n != 4 else "0.1 to 1"):
        matrix.pairs(n, 0, detail)


def test_claims_read_every_full_caption():
    """What a caption of the corpus names is what the face shows, in all phrasings."""
    for seed, row in enumerate(corpus.attributes(range(300), split="test")):
        said, truth = faces.claims(corpus.caption(row, seed)), corpus.describe(row)
        assert said.items() <= truth.items()
        assert truth.keys() - said.keys() <= {"glasses", "beard"}
