import numpy as np
import pytest

from explorer.tabs.clip_search import words


@pytest.fixture(scope="module")
def vector(tiny):
    return tiny.images(np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8))[0]


def test_each_bar_is_the_score_of_the_sentence_without_its_word(tiny, vector):
    score, bars, note = words.ablate(tiny, vector, "red hair and red shirt", ["a face with {}"])
    assert score == pytest.approx(float(tiny.texts(["a face with red hair and red shirt"])[0] @ vector), abs=1e-6)
    rests = ["hair and red shirt", "red and red shirt", "red hair red shirt", "red hair and shirt", "red hair and red"]
    for bar, rest in zip(bars, rests, strict=True):
        assert bar["score_without"] == pytest.approx(float(tiny.texts([f"a face with {rest}"])[0] @ vector), abs=1e-6)
        assert bar["drop"] == pytest.approx(score - bar["score_without"], abs=1e-6)
    assert note == ""


def test_one_word_leaves_nothing_and_endless_texts_have_few_bars(tiny, vector):
    _, bars, _ = words.ablate(tiny, vector, "red")
    assert bars[0]["score_without"] == pytest.approx(float(tiny.texts([""])[0] @ vector), abs=1e-6)
    _, bars, note = words.ablate(tiny, vector, "red " * 1000)
    assert len(bars) == words.WORDS and "first 24 words" in note


@pytest.mark.parametrize("factor, word", [("hair colour", "{} hair"), ("shirt", "a {} shirt")])
def test_the_colours_word_carries_the_score(avatars, factor, word):
    """On faces of the test split, leaving out the colour costs more than leaving out any word but the thing's own."""
    from explorer import corpus
    from explorer.corpus.factors import column

    indices = np.arange(11_003_000, 11_003_060)
    rows, vectors = corpus.attributes(indices), avatars.images(corpus.render(indices))
    first = []
    for row, vector in zip(rows, vectors):
        colour = corpus.FACTORS[factor][row[column(factor)]]
        _, bars, _ = words.ablate(avatars, vector, f"a face with {word.format(colour)}")
        drops = {bar["word"]: bar["drop"] for bar in bars}
        first.append(drops[colour] > max(drops["a"], drops["face"], drops["with"], 0))
    assert np.mean(first) >= 0.9


def test_several_templates_are_averaged_as_in_the_query(tiny, vector):
    patterns = ["{}", "a face with {}", "someone with {}"]
    score, bars, _ = words.ablate(tiny, vector, "red hair", patterns)

    def mean(text):
        found = np.mean([tiny.texts([pattern.replace("{}", text)])[0] for pattern in patterns], 0)
        return float(found @ vector / np.linalg.norm(found))

    assert score == pytest.approx(mean("red hair"), abs=1e-6)
    assert [bar["score_without"] for bar in bars] == pytest.approx([mean("hair"), mean("red")], abs=1e-6)
