"""The modality gap against sklearn's PCA, closed forms, and clouds whose gap is known."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from explorer.tabs.clip_search import faces, gap


def clouds(n=60, apart=1.0, seed=0):
    """Pairs that agree but for an offset in a direction of its own, as Liang et al. draw them."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 24))
    common[:, 0] = 0
    texts, images = common + 0.3 * rng.normal(size=common.shape), common.copy()
    images[:, 0] += 5 * apart
    texts[:, 0] -= 5 * apart
    return faces.unit(images), faces.unit(texts)


def test_the_plot_is_sklearns_pca_up_to_sign():
    images, texts = clouds()
    answer = gap.measured(images, texts)
    pca = PCA(2).fit(np.concatenate([images, texts]))
    points = np.array(answer["images"] + answer["texts"])
    np.testing.assert_allclose(np.abs(points), np.abs(pca.transform(np.concatenate([images, texts]))), atol=2e-5)
    np.testing.assert_allclose(answer["explained"], pca.explained_variance_ratio_, atol=2e-5)


def test_the_gap_is_the_distance_of_the_means_and_the_line_joins_them():
    images, texts = clouds()
    answer = gap.measured(images, texts)
    assert answer["gap"] == pytest.approx(np.linalg.norm(images.mean(0) - texts.mean(0)), abs=1e-5)
    line = np.array(answer["mean"]["image"]) - answer["mean"]["text"]
    np.testing.assert_allclose(answer["line"], line, atol=3e-5)
    assert np.linalg.norm(line) == pytest.approx(answer["gap"], abs=0.01)  # the gap is the first component here


def test_cosines_are_numpys():
    images, texts = clouds(30)
    cos = gap.measured(images, texts)["cos"]
    assert cos["matching"]["mean"] == pytest.approx((images * texts).sum(1).mean(), abs=1e-5)
    assert cos["image_image"]["mean"] == pytest.approx(((images @ images.T).sum() - 30) / (30 * 29), abs=1e-5)
    assert [sum(cos[name]["hist"]) for name in ("matching", "other", "image_image", "text_text")] == [30, 870, 435, 435]


def test_moving_the_texts_by_the_whole_difference_closes_a_gap():
    """A picture is nearer to its caption once the offset is gone; beyond 1 the clouds part again."""
    shift = gap.measured(*clouds())["shift"]
    matching = dict(zip(shift["at"], shift["matching"]))
    assert matching[0.0] < 0 < 0.5 < matching[1.0] > matching[1.5]
    assert shift["at"][0] == 0 and shift["at"][-1] == 1.5 and len(shift["at"]) == 16
    assert shift["recall"] == pytest.approx([(a + b) / 2 for a, b in zip(shift["i2t"], shift["t2i"])], abs=1e-5)


def test_the_histograms_are_of_the_texts_as_they_are_moved():
    images, texts = clouds()
    answer = gap.measured(images, texts)
    assert answer["shift"]["cos"][0] == answer["cos"]
    for at, told in zip(answer["shift"]["at"], answer["shift"]["cos"]):
        moved = texts + at * (images.mean(0) - texts.mean(0))
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        cos = (images * moved).sum(1)
        assert told["matching"]["mean"] == pytest.approx(cos.mean(), abs=1e-5)
        assert told["matching"]["hist"] == np.histogram(cos, 40, (-1, 1))[0].tolist()
        assert told["image_image"] == answer["cos"]["image_image"]
    assert answer["shift"]["cos"][10]["text_text"] != answer["cos"]["text_text"]


@pytest.mark.parametrize(
    "recall, end",
    [
        ([0.5, 0.4, 0.3], "50.0 % find their partner; no shift finds more."),
        ([0.5, 0.51, 0.3], "no shift finds clearly more (51.0 % at best, moved by 0.1 of the gap)."),
        ([0.5, 0.4, 0.9], "moved by 0.2 of the gap, 90.0 %."),
    ],
)
def test_the_sentence_says_what_moving_does(recall, end):
    cos = {name: {"mean": -0.1} for name in ("matching", "image_image", "text_text")}
    say = gap._say({"cos": cos, "gap": 1.0, "shift": {"recall": recall}, "n": 100})
    assert say.endswith(end) and "cosine of −0.10" in say


def test_clouds_without_a_gap_have_none():
    x = faces.unit(np.random.default_rng(1).normal(size=(40, 8)))
    answer = gap.measured(x, x)
    assert answer["gap"] == 0 and set(answer["shift"]["recall"]) == {1.0} and answer["cos"]["matching"]["mean"] == 1


def test_of_a_model(tiny):
    answer = gap.gap(tiny, 20)
    assert answer == gap.gap(tiny, 20)
    assert len(answer["images"]) == len(answer["texts"]) == len(answer["captions"]) == answer["n"] == 20
    images, texts = tiny.images(faces.pixels(range(20))), tiny.texts(answer["captions"])
    assert answer["gap"] == pytest.approx(np.linalg.norm(images.mean(0) - texts.mean(0)), abs=1e-4)


def test_the_trained_model_has_a_gap_and_finds_its_pairs(avatars):
    answer = gap.gap(avatars, 100)
    full = gap.measured(faces.vectors(avatars, 100), avatars.texts([faces.caption(i) for i in range(100)]))
    assert full["shift"]["recall"][0] >= gap.EASY and "too easy" in answer["note"]
    assert answer["gap"] > 0.1 and 0.3 < answer["shift"]["recall"][0] < 0.95  # of short captions, where a shift could be better
    assert answer["captions"] == [faces.caption(i, gap.SHORT) for i in range(100)]
    assert answer["cos"]["matching"]["mean"] > answer["cos"]["other"]["mean"] + 0.3
    # The text of the tab says where this model's cosines lie.
    assert full["cos"]["matching"]["mean"] == pytest.approx(0.55, abs=0.05)
    assert full["cos"]["image_image"]["mean"] == pytest.approx(0.08, abs=0.03)


@pytest.mark.parametrize("n", [0, 19, 501])
def test_how_many_faces(n):
    with pytest.raises(ValueError, match="20 to 500"):
        gap.gap(None, n)
