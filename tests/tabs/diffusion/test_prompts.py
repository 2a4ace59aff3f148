"""What is read of a prompt: against the tokenizer itself, and against the corpus's own captions."""

import pytest

from explorer import corpus
from explorer.tabs.diffusion import asked, prompts
from explorer.tabs.diffusion.sampler import Settings

LINES = (
    "a face with red hair", "", "   ", "A ZEBRA, with café-coloured hair!", "😀 smile 😀", "don't <|endoftext|> stop",
    "naïve 中文 text", "someone with long red curly hair, an afro and sunglasses on a pink background",
)  # fmt: skip


def words(mini, text):
    return prompts.words(mini.tokenizer, text)


@pytest.mark.parametrize("text", LINES)
def test_pieces_and_ids_are_the_tokenizers_own(mini, text):
    ids = mini.tokenizer(text).input_ids
    found = words(mini, text)
    assert [one for word in found for one in word.ids] == ids[1:-1]
    assert [place for word in found for place in word.tokens] == list(range(1, len(ids) - 1))
    for word in found:
        assert text[slice(*word.span)] == word.text
        assert len(word.pieces) == len(word.ids)


def test_words_of_the_captions_are_whole_and_known(mini):
    for index, row in enumerate(corpus.attributes(range(50))):
        text = corpus.caption(row, index)
        for word in words(mini, text):
            assert len(word.pieces) == 1
        assert prompts.unknown(mini, text) == []


def test_strange_words_are_named_once_with_what_may_have_been_meant(mini):
    assert prompts.unknown(mini, "a zebra with RED hair, a zebra and 7 😀") == ["zebra", "7", "😀"]
    told = {word["text"]: word for word in prompts.read(mini, "crimson hair and a mustashe")["words"]}
    assert told["crimson"]["near"] == ["red"] and not told["crimson"]["known"] and len(told["crimson"]["pieces"]) > 1
    assert "moustache" in told["mustashe"]["near"]
    assert told["hair"]["known"] and told["hair"]["near"] == []


def test_a_model_of_the_internet_has_met_every_word(tiny_model):
    assert tiny_model.family != "mini"
    assert prompts.unknown(tiny_model, "a zebra") == []


def test_bytes_of_a_letter_are_shown_as_bytes(mini):
    (word,) = words(mini, "😀")
    assert word.pieces == ("F0", "9F", "98", "80")
    assert bytes(int(piece, 16) for piece in word.pieces).decode() == "😀"


def test_only_words_that_are_read_whole_are_checked(mini):
    assert prompts.unknown(mini, "hair " * 46 + "zebra") == []
    assert prompts.unknown(mini, "hair " * 44 + "zebra") == [], "its last pieces are cut off"
    assert prompts.unknown(mini, "hair " * 42 + "zebra") == ["zebra"]
    said = asked.read(Settings("red hair " * 5000, negative="a zebra"), mini)[1]
    assert len(said) == 2 and "10,000 tokens" in said[0] and "“zebra”" in said[1] and "“re”" not in said[1]


@pytest.mark.parametrize("count", [5, 46, 47, 10_000])
def test_what_does_not_fit_is_counted_and_not_read(mini, count):
    told = prompts.read(mini, "hair " * count)
    assert told["count"] == count and told["room"] == 46
    assert told["cut"] == told["left"] == max(0, count - 46)
    assert told["padding"] == max(0, 46 - count)
    assert sum(word["read"] for word in told["words"]) == min(count, 46)
    kept = prompts.inside(words(mini, "hair " * count), 46)
    assert [word.tokens for word in kept] == [(i + 1,) for i in range(min(count, 46))]


def test_a_word_at_the_edge_keeps_the_pieces_that_fit(mini):
    found = words(mini, "hair " * 44 + "zebra")
    kept = prompts.inside(found, 46)
    assert len(found[-1].tokens) == 4 and kept[-1].tokens == (45, 46)


def test_every_chip_is_a_phrase_that_names_its_value(mini):
    """The corpus's captions of a face hold the phrase's last word, and the words are known."""
    chips = prompts.chips()
    assert {factor: len(values) for factor, values in chips.items()} == {f: len(v) for f, v in corpus.FACTORS.items()}
    for values in chips.values():
        for one in values:
            assert prompts.unknown(mini, one["phrase"]) == []


def test_a_word_is_swapped_for_another_of_its_kind(mini):
    text = "someone with long red hair, red brows, an afro and sunglasses, in a blue top on a pink background"
    found = words(mini, text)
    swaps = {found[i].text: one for i, one in prompts.swaps(found).items()}
    assert {word: one["factor"] for word, one in swaps.items()} == {
        "long": "hair", "red": "hair colour", "afro": "hair", "sunglasses": "glasses", "blue": "shirt", "pink": "background",
    }  # fmt: skip
    for word, one in swaps.items():
        assert word not in one["options"] and one["options"]
    assert set(swaps["red"]["options"]) == set(corpus.FACTORS["hair colour"]) - {"red"}


def test_the_article_follows_the_new_word(mini):
    word = words(mini, "a face with an afro")[-1]
    assert prompts.replaced("a face with an afro", word, "bob") == "a face with a bob"
    word = words(mini, "A bob")[-1]
    assert prompts.replaced("A bob", word, "afro") == "An afro"
    word = words(mini, "no hair")[-1]
    assert prompts.replaced("no hair", word, "eyes") == "no eyes"
