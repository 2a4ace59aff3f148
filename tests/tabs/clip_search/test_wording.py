"""Rewording: every variant is what it says, and scores and ranks are numpy's."""

import numpy as np
import pytest
from PIL import Image

from explorer.tabs.clip_search import faces, wording

TEXT = "a face with red hair and round glasses, wearing a blue shirt"


def test_variants_are_grouped_and_none_is_the_text_itself():
    found = wording.variations(TEXT)
    groups = [group for group, _, _ in found]
    assert list(dict.fromkeys(groups)) == list(wording.GROUPS) and groups == sorted(groups, key=list(wording.GROUPS).index)
    assert all(variant and variant != TEXT for _, _, variant in found)
    for group in wording.GROUPS:
        some = [variant for g, _, variant in found if g == group]
        assert len(set(some)) == len(some)
    assert 15 <= len(found) <= 35


@pytest.mark.parametrize(
    "group, text",
    [
        ("case", TEXT.upper()), ("order", "wearing a blue shirt, a face with red hair and round glasses"),
        ("synonym", TEXT.replace("red", "crimson")), ("synonym", TEXT.replace("round glasses", "circular glasses")),
        ("template", "a photo of " + TEXT), ("template", "red hair and round glasses, wearing a blue shirt"),
        ("negation", "not " + TEXT), ("negation", TEXT.replace("with", "without")),
        ("negation", TEXT.replace("red", "no red")), ("negation", TEXT.replace("a blue", "no blue")),
        ("letters", TEXT.replace("glasses", "g l a s s e s")),
        ("typo", TEXT.replace("glasses", "glsases")), ("typo", TEXT.replace("glasses", "glases")),
        ("shorter", "red hair round glasses, blue shirt"),
    ],
)  # fmt: skip
def test_some_variants_are_there(group, text):
    assert text in [variant for g, _, variant in wording.variations(TEXT) if g == group]


def test_typing_errors_keep_the_letters_but_one():
    assert wording.typos("glasses") == ["glsases", "glases", "glassses"]
    assert wording.typos("ab") == ["ba", "a", "abb"] and wording.typos("a") == ["aa"]


@pytest.mark.parametrize(
    "variant, parts",
    [
        # Of a change in the middle, three words on either side stay.
        ("a b c d e f X h i j k l", [["… d e f", "same"], ["X", "new"], ["h i j …", "same"]]),
        ("this is a b c d e f g h i j k l", [["this is", "new"], ["a b c …", "same"]]),
        ("a b c d e f g h i j k", [["… i j k", "same"], ["l", "gone"]]),
        ("g h i j k l", [["a b c d …", "gone"], ["g h i …", "same"]]),
        ("l b c d e f g h i j k a", [["l", "new"], ["b c d … i j k", "same"], ["a", "new"]]),  # moved, not gone
        ("a B c d e f g h i j k L", [["a", "same"], ["B", "new"], ["c d e … i j k", "same"], ["L", "new"]]),
    ],
)
def test_the_place_of_a_change_is_told(variant, parts):
    assert wording.changed("a b c d e f g h i j k l", variant) == parts


def test_what_is_said_of_a_change_is_in_the_variant():
    for _, _, variant in wording.variations(TEXT):
        parts = wording.changed(TEXT, variant)
        assert any(kind != "same" for _, kind in parts)
        for words, kind in parts:
            for piece in words.split("…"):
                assert " ".join(piece.split()) in (TEXT if kind == "gone" else " ".join(variant.split()))


@pytest.mark.parametrize("x, said", [(-0.0424, "−0.042"), (0.1, "+0.100"), (-0.0001, "+0.000")])
def test_differences_have_three_digits_and_a_true_minus(x, said):
    assert wording._signed(x) == said


@pytest.mark.parametrize("text", ["x", "hair", "😀 ünï", "red " * 90, "...", "(a|b) \\1 {}"])
def test_any_text_can_be_varied(text):
    assert all(isinstance(variant, str) for row in wording.variations(text.strip()) for variant in row)


def test_scores_and_ranks_are_numpys(tiny):
    answer = wording.prompts(tiny, None, {"ref": {"face": 3}, "text": TEXT, "n": 16} | {"ref": {"face": 3}})
    assert answer["of"] == 16 and answer["text"] == TEXT
    picture = Image.fromarray(faces.pixels([3])[0])
    answer = wording.prompts(tiny, picture, {"ref": {"face": 3}, "text": TEXT, "n": 16})
    cos = tiny.images(faces.pixels(range(16))) @ tiny.texts([TEXT])[0]
    assert answer["face"] == 3 and answer["base"]["score"] == pytest.approx(cos[3], abs=1e-5)
    assert answer["base"]["rank"] == 1 + (cos > cos[3] + 1e-6).sum()
    for row in answer["rows"]:
        expected = tiny.images([picture])[0] @ tiny.texts([row["text"]])[0]
        assert row["score"] == pytest.approx(expected, abs=1e-5)
        assert row["delta"] == pytest.approx(expected - cos[3], abs=2e-5)
    for group in answer["groups"]:
        some = [row["delta"] for row in answer["rows"] if row["group"] == group["group"]]
        assert group["mean"] == pytest.approx(np.mean(some)) and group["worst"] == min(some)


def test_a_picture_that_is_no_face_is_one_more(tiny):
    picture = Image.effect_mandelbrot((64, 64), (-2, -1.5, 1, 1.5), 50).convert("RGB")
    answer = wording.prompts(tiny, picture, {"text": "red hair", "n": 12})
    assert answer["face"] is None and answer["of"] == 12 and 1 <= answer["base"]["rank"] <= 12
    assert wording.prompts(tiny, picture, {"n": 12})["text"] == "a face"


def test_the_share_that_is_right_is_counted_from_what_faces_show():
    shows = np.array([True, False, True, False])
    assert wording._told(np.array([0.9, 0.1, 0.8, 0.2]), shows) == {"score": 0.9, "rank": 1, "right": 1.0}
    assert wording._told(np.array([0.1, 0.9, 0.2, 0.8]), shows) == {"score": 0.1, "rank": 4, "right": 0.0}
    assert wording._told(np.array([0.1, 0.9]), None)["right"] is None


def test_of_the_trained_model(avatars):
    """Capitals mean nothing to its tokenizer, taught synonyms little, and a word it never saw costs more."""
    answer = wording.prompts(avatars, None, {})
    by = {group["group"]: group for group in answer["groups"]}
    assert by["case"]["worst"] == pytest.approx(0, abs=1e-5) and "Capital letters change nothing" in answer["say"]
    synonyms = [row for row in answer["rows"] if row["group"] == "synonym"]
    untaught = [row for row in synonyms if "never taught" in row["change"]]
    assert all(row["unknown"] for row in untaught)
    assert np.mean([row["delta"] for row in untaught]) < np.mean([row["delta"] for row in synonyms if row not in untaught]) - 0.01


@pytest.mark.parametrize(
    "given, say", [({"text": ""}, "Write something"), ({"n": 3}, "n takes"), ({"text": "x" * 500}, "at most 400")]
)
def test_bad_requests_are_one_sentence(tiny, given, say):
    with pytest.raises(ValueError, match=say):
        wording.prompts(tiny, None, given)
