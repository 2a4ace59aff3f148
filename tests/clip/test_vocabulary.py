"""Our vocabulary as open_clip reads it."""

import open_clip
import pytest

from explorer.clip import pairs, vocabulary


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("bpe") / "bpe.txt.gz"
    vocabulary.write(path, vocabulary.merges(pairs.words()))
    return open_clip.SimpleTokenizer(bpe_path=str(path), context_length=48)


def test_open_clip_counts_as_many_pieces_as_there_are(tokenizer):
    merges = vocabulary.merges(pairs.words())
    assert tokenizer.vocab_size == 512 + len(merges) + 2 == len(tokenizer.encoder), "a piece is there twice, or a line is empty"
    assert tokenizer.eot_token_id == tokenizer.vocab_size - 1, "text towers find the end as the highest id"


def test_every_word_is_one_piece(tokenizer):
    assert [word for word in pairs.words() if len(tokenizer.encode(word)) != 1] == []


@pytest.mark.parametrize("word", ["zebra", "greenish", "qwzx", "e", "bobs"])
def test_any_other_word_falls_into_pieces_that_make_it(tokenizer, word):
    ids = tokenizer.encode(word)
    assert tokenizer.decode(ids).strip() == word
    assert len(ids) > 1 or len(word) == 1


def test_an_earlier_word_stays_whole_when_later_ones_join():
    """Merging "red" alone teaches r+e, which would break "green" if later pairs ranked before earlier ones."""
    words = ["green", "red", "redder", "reed", "agreed", "er"]
    ranks = {pair: i for i, pair in enumerate(vocabulary.merges(words))}
    assert all(len(vocabulary._cut(word, ranks)) == 1 for word in words)


def test_the_file_is_the_same_every_time(tmp_path):
    for name in "ab":
        vocabulary.write(tmp_path / name, vocabulary.merges(["red", "green"]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
