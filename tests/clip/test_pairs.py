"""Twins, their captions, and other words for the same."""

import numpy as np

from explorer import corpus
from explorer.clip import pairs
from explorer.corpus.factors import column

ROWS = corpus.attributes(range(400))


def test_a_twin_differs_where_it_says_and_is_never_held_out():
    rng = np.random.default_rng(0)
    kinds = set()
    for row in ROWS:
        other, differing = pairs.twin(row, rng)
        assert {name for name in corpus.FACTORS if row[column(name)] != other[column(name)]} == set(differing)
        assert not corpus.held_out(other)[0]
        kinds.add(len(differing))
        if len(differing) == 2:
            a, b = differing
            before, after = corpus.describe(row), corpus.describe(other)
            assert (before[a], before[b]) == (after[b], after[a]) and before[a] != before[b]
    assert kinds == {1, 2}


def test_the_captions_of_twins_tell_them_apart():
    some = pairs.draw(np.arange(64), np.random.default_rng(1))
    assert len(some.images) == len(some.short) == 128 and len(some.full) == 64
    assert (corpus.attributes(np.arange(64)) == some.rows[:64]).all()
    for i in range(64):
        assert some.short[i] != some.short[i + 64]
    assert np.array_equal(some.images, corpus.draw(some.rows, np.tile(np.arange(64), 2)))


def test_the_same_generator_draws_the_same_pairs():
    one, two = (pairs.draw(np.arange(8), np.random.default_rng(5)) for _ in range(2))
    assert one.full == two.full and one.short == two.short and np.array_equal(one.images, two.images)


def test_other_words_mean_the_same():
    """Each phrase of the grammar that can be replaced occurs in it; replacements are not themselves words of another value."""
    sentences = " | ".join(corpus.caption(row, seed) for seed, row in enumerate(corpus.attributes(range(3000))))
    assert [phrase for phrase in pairs.SYNONYMS if phrase not in sentences] == []
    rng = np.random.default_rng(0)
    sentence = "someone wearing a red shirt, with a smile"
    assert pairs.reworded(sentence, rng, synonyms=0, noise=0) == sentence
    found = {pairs.reworded(sentence, rng, synonyms=1, noise=0) for _ in range(200)}
    assert len(found) > 20 and all("red" in text for text in found)


def test_every_word_of_a_caption_is_in_the_vocabulary():
    known, rng = set(pairs.words()), np.random.default_rng(3)
    for seed, row in enumerate(ROWS):
        text = pairs.reworded(corpus.caption(row, seed), rng, noise=0)
        assert set(pairs._letters(text)) <= known, text
