"""A word on a picture: it is where it should be, its control has the same letters, and reading is told from covering."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from explorer.tabs.clip_search import faces, typographic

GREY = Image.new("RGB", (200, 100), (128, 128, 128))


def ink(image, before=GREY):
    """The box of what has changed: left, top, right, bottom."""
    ys, xs = np.nonzero(np.any(np.asarray(image) != np.asarray(before), axis=2))
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


@pytest.mark.parametrize("x, y", [(0.5, 0.5), (0.3, 0.7)])
def test_a_word_stands_where_it_is_put(x, y):
    left, top, right, bottom = ink(typographic.write(GREY, "cat", 0.3, x, y, (255, 255, 255), False))
    assert (left + right) / 2 == pytest.approx(200 * x, abs=3) and (top + bottom) / 2 == pytest.approx(100 * y, abs=3)
    assert 15 <= bottom - top <= 32


@pytest.mark.parametrize(
    "x, y, size, word", [(0, 0, 0.2, "cat"), (1, 1, 0.5, "sunglasses and a moustache"), (0.5, 0.5, 0.5, "W" * 30)]
)
def test_a_word_stays_inside_and_is_made_smaller_where_it_must(x, y, size, word):
    bare = typographic.write(GREY, word, size, x, y, (255, 255, 255), False)
    left, top, right, bottom = ink(bare)
    assert 0 <= left < right <= 200 and 0 <= top < bottom <= 100
    assert np.asarray(GREY).std() == 0  # the picture that was given is as it was
    plate = ink(typographic.write(GREY, word, size, x, y, (255, 255, 255), True))
    assert plate[0] <= left and plate[1] <= top and plate[2] >= right and plate[3] >= bottom


def test_a_note_makes_light_letters_stand_on_dark_and_dark_on_light():
    for colour, dark in (((255, 255, 255), True), ((0, 0, 0), False)):
        box = ink(image := typographic.write(GREY, "cat", 0.3, 0.5, 0.5, colour, True))
        assert (np.asarray(image)[box[1], box[0]].mean() < 128) == dark


def test_a_larger_size_is_larger():
    boxes = [ink(typographic.write(GREY, "cat", size, 0.5, 0.5, (0, 0, 0), False)) for size in (0.1, 0.2, 0.4)]
    assert boxes[0][3] - boxes[0][1] < boxes[1][3] - boxes[1][1] < boxes[2][3] - boxes[2][1]


@pytest.mark.parametrize("word", ["sunglasses", "red hair", "ab", "aab", "ünïcode"])
def test_the_control_has_the_same_letters(word):
    other = typographic.scrambled(word)
    assert other != word and sorted(other) == sorted(word) and other == typographic.scrambled(word)
    assert [c.isspace() for c in other] == [c.isspace() for c in word]


@pytest.mark.parametrize("word", ["a", "aaa"])
def test_a_word_without_another_order_gets_dots(word):
    assert typographic.scrambled(word) == "." * len(word)


def test_rates_are_counted():
    clean, word, control = np.array([0, 0, 1, 2]), np.array([1, 0, 1, 1]), np.array([0, 0, 0, 2])
    rates = typographic.rates_of([clean, word, control], 1)
    assert rates == {"of": 4, "could": 3, "changed": {"word": 0.5, "blank": 0.25}, "fooled": {"word": 2 / 3, "blank": 0.0}}
    assert typographic.rates_of([clean, word, control], None)["fooled"] == {"word": 0.0, "blank": 0.0}


@pytest.mark.parametrize(
    "word, blank, n, reads", [(0.9, 0.1, 32, True), (0.6, 0.6, 32, False), (0.3, 0.1, 8, False), (0.05, 0, 1000, False)]
)
def test_reading_is_more_than_chance(word, blank, n, reads):
    assert typographic._reads({"could": n, "fooled": {"word": word, "blank": blank}}) == reads


def test_probabilities_are_numpys(tiny):
    answer = typographic.typographic(tiny, None, {"labels": ["sunglasses", "a hat", "no glasses"], "n": 8})
    assert (answer["width"], answer["height"]) == (64, 64) and answer["target"] == 0
    texts = tiny.texts([f"a face with {label}" for label in ("sunglasses", "a hat", "no glasses")])
    for name, key in (("clean", "before"), ("picture", "after")):
        image = Image.open(io.BytesIO(base64.b64decode(answer[name])))
        logits = tiny.scale * (tiny.images([image])[0] @ texts.T)
        p = np.exp(logits - logits.max())
        assert [label[key] for label in answer["labels"]] == pytest.approx((p / p.sum()).tolist(), abs=1e-4)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["clean"])))), faces.pixels([24])[0])
    assert -1 <= answer["moved"]["word"] < 1


@pytest.mark.parametrize(
    "word, labels, target",
    [
        ("sunglasses", ["no glasses", "round glasses", "square glasses", "sunglasses"], 3),
        ("red shirt", ["a red shirt", "a blue shirt", "a green shirt", "a yellow shirt", "a white shirt", "a black shirt"], 0),
        ("pizza", ["no glasses", "round glasses", "square glasses", "sunglasses", "pizza"], 4),
    ],
)
def test_labels_come_from_the_word(tiny, word, labels, target):
    answer = typographic.typographic(tiny, None, {"word": word, "n": 8})
    assert [label["label"] for label in answer["labels"]] == labels and answer["target"] == target
    assert [label["target"] for label in answer["labels"]].index(True) == target


def test_labels_without_the_word_have_no_target(tiny):
    answer = typographic.typographic(tiny, None, {"word": "pizza", "labels": ["a cat", "a dog"], "n": 8})
    assert answer["target"] is None and "changes the best label" in answer["say"]


def test_a_large_picture_is_taken_smaller_and_a_small_one_larger():
    assert typographic.enlarged(Image.new("RGB", (4000, 1000)), 64).size == (512, 128)
    assert typographic.enlarged(Image.new("RGB", (64, 64)), 224).size == (224, 224)
    assert typographic.enlarged(Image.new("RGB", (300, 200)), 64).size == (300, 200)


def test_the_small_model_does_not_read(avatars):
    """It never saw a letter: the word does what the same letters in disorder do."""
    for word in ("sunglasses", "blue hair"):
        answer = typographic.typographic(avatars, None, {"word": word, "n": 64})
        assert not answer["reads"] and "does not read" in answer["say"]


@pytest.mark.parametrize(
    "given, say",
    [
        ({"word": " "}, "Write something"), ({"word": "x" * 31}, "at most 30"), ({"size": 3}, "size takes"),
        ({"x": -1}, "x takes"),
        ({"colour": "nocolour"}, "colour takes"), ({"labels": ["one"]}, "2 to 12"), ({"labels": "cat"}, "list of texts"),
        ({"labels": [str(i) for i in range(13)]}, "2 to 12"), ({"n": 1}, "n takes"),
    ],
)  # fmt: skip
def test_bad_requests_are_one_sentence(tiny, given, say):
    with pytest.raises(ValueError, match=say):
        typographic.typographic(tiny, None, given)


def test_shares_are_told_with_a_space_before_the_sign():
    rates = {"changed": {"word": 1.0, "blank": 0.25}, "fooled": {"word": 0.5, "blank": 0.0}}
    assert "of 100 % of the faces, the same letters in disorder 25 %." in typographic._say(rates, False, None)
    assert "turns 50 % of the faces into its own label, the same letters in disorder 0 %." in typographic._say(rates, True, 0)
