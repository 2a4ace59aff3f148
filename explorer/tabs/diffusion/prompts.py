"""What the model reads of a prompt: its real byte pairs, what is cut off, which words it has never met, and what could be said.

Knows the words of the corpus and a tokenizer; no network.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from explorer import corpus
from explorer.clip import pairs

END = "</w>"  # of the last piece of a word
SHOWN = 400  # words of a prompt that are listed; an endless one is counted and not listed
NEAR = 3  # suggestions for a word
CHARACTERS = 20_000  # of a prompt that are cut into pieces: more than any encoder reads

# What people say for what the captions say otherwise.
_SAID = {
    "red": "crimson scarlet ginger",
    "blue": "navy azure turquoise",
    "green": "emerald lime",
    "yellow": "lemon",
    "blonde": "gold",
    "purple": "violet lilac",
    "pink": "magenta rose",
    "grey": "gray",
    "brown": "brunette",
    "bun": "ponytail",
    "beard": "goatee bearded",
    "moustache": "whiskers",
    "glasses": "spectacle eyeglasses eyewear",
    "smile": "laughing laugh",
    "sad": "unhappy",
    "angry": "furious",
    "wide": "surprised",
    "cropped": "bald shaved",
    "shirt": "tshirt hoodie jacket coat",
    "shouting": "scream yelling",
    "squinting": "asleep",
}
MEANT = {other: word for word, others in _SAID.items() for other in others.split()}

# The nouns that an adjective of a factor can stand before, and nouns that are a value by themselves.
HEADS: dict[str, tuple[str, ...]] = {
    "hair": ("hair", "hair colour"),
    "eyebrows": ("brows",),
    **{noun: (noun,) for noun in ("skin", "eyes", "brows", "mouth", "glasses")},
    **{noun: ("hair colour",) for noun in ("bob", "afro", "dreadlocks")},
    **{noun: ("shirt",) for noun in ("shirt", "top", "sweater", "jumper", "tee")},
    **{noun: ("background",) for noun in ("background", "backdrop", "wall")},
}
NOUNS = {
    "hair": {"bob": "bob", "afro": "afro", "dreadlocks": "dreadlocks"},
    "mouth": {"smile": "smile", "grimace": "grimace"},
    "glasses": {"sunglasses": "sunglasses", "round glasses": "round", "square glasses": "square"},
    "beard": {"beard": "full", "moustache": "moustache"},
}
APART = 3  # words between an adjective and its noun, at most: "long red curly hair"


@dataclass(frozen=True)
class Word:
    """A word as the tokenizer cuts it: `tokens` are its places in the context, `span` its letters in the prompt."""

    text: str
    span: tuple[int, int]
    pieces: tuple[str, ...]
    ids: tuple[int, ...]
    tokens: tuple[int, ...]
    special: bool = False

    @property
    def spoken(self) -> bool:
        """Whether it is more than a comma; an emoji is."""
        return not self.special and any(c.isalnum() or not c.isascii() for c in self.text)


def words(tokenizer, text: str) -> list[Word]:
    """The words of a prompt with their pieces; those beyond the context too, whose tokens no encoder reads."""
    given = tokenizer(text, return_offsets_mapping=True, verbose=False)
    pieces = tokenizer.convert_ids_to_tokens(given.input_ids)
    specials = set(tokenizer.all_special_tokens)
    out, open_from = [], None
    last = len(pieces) - 1
    for i, piece in enumerate(pieces):
        if i in (0, last):
            continue  # start and end, which are not typed
        open_from = i if open_from is None else open_from
        whole = piece in specials
        if whole or piece.endswith(END) or i == last - 1 or pieces[i + 1] in specials:
            places = tuple(range(open_from, i + 1))
            span = given.offset_mapping[open_from][0], given.offset_mapping[i][1]
            shown = tuple(readable(pieces[k]) for k in places)
            ids = tuple(given.input_ids[k] for k in places)
            out.append(Word(text[span[0] : span[1]], span, shown, ids, places, whole))
            open_from = None
    return out


def room(tokenizer, context: int) -> int:
    """Places that are left for words beside start and end."""
    return min(context, tokenizer.model_max_length) - 2


def inside(found: Sequence[Word], places: int) -> list[Word]:
    """The words of which the encoder reads something: a word at the edge keeps the pieces that fit."""
    out = []
    for word in found:
        kept = sum(place <= places for place in word.tokens)
        if kept:
            out.append(Word(word.text, word.span, word.pieces[:kept], word.ids[:kept], word.tokens[:kept], word.special))
    return out


def read(model, text: str) -> dict:
    """A prompt as the page shows it, in plain values: words with pieces, ids, places, and what the model makes of each.

    {words: [{text, span, pieces, ids, tokens, read, spoken, known, noise, near}], count, room, cut, left, unknown, padding}.
    `read` is False for a word that is cut off; `cut` the number of tokens that are, `left` how many words.
    """
    found = words(model.tokenizer, text)
    places = room(model.tokenizer, model.context)
    count = sum(len(word.tokens) for word in found)
    told = []
    for word in found[:SHOWN]:
        strange = own_words(model) and word.spoken and not known(word.text)
        told.append({
            "text": word.text, "span": word.span, "pieces": word.pieces, "ids": word.ids, "tokens": word.tokens,
            "read": word.tokens[-1] <= places, "spoken": word.spoken, "known": not strange,
            "noise": bool(own_words(model)) and word.text.lower() in pairs.NOISE, "near": near(word.text) if strange else [],
        })  # fmt: skip
    return {
        "words": told, "count": count, "room": places, "cut": max(0, count - places), "padding": max(0, places - count),
        "left": sum(word.tokens[-1] > places for word in found), "hidden": max(0, len(found) - SHOWN),
        "unknown": unknown(model, text),
    }  # fmt: skip


# ---- Words that the model knows ------------------------------------------------------------------------------------------


def own_words(model) -> bool:
    """Whether the model learnt from our captions alone; who learnt from the internet has met every word."""
    return model.family == "mini"


@cache
def vocabulary() -> frozenset[str]:
    return frozenset(pairs.words())


def known(word: str) -> bool:
    return word.lower() in vocabulary()


def unknown(model, text: str) -> list[str]:
    """The words of a prompt that no caption had, each once, in order: of those that are read, and read whole. None for a model
    that did not learn from ours."""
    if not own_words(model):
        return []
    places = room(model.tokenizer, model.context)
    read = (word for word in words(model.tokenizer, text) if word.tokens[-1] <= places)
    return list({word.text.lower(): None for word in read if word.spoken and not known(word.text)})


@cache
def telling() -> tuple[str, ...]:
    """The words that say something about a face."""
    sentences = [pairs.phrase(factor, value) for factor, values in corpus.FACTORS.items() for value in values]
    sentences += [text for others in pairs.SYNONYMS.values() for text in others]
    found = {word for sentence in sentences for word in re.findall(r"[a-z]+", sentence)} & vocabulary()
    return tuple(sorted(found - set("a an in with the of on out no not who tied eye one".split())))


def near(word: str) -> list[str]:
    """Known words that may have been meant: by meaning, else by spelling."""
    word = word.lower()
    return [MEANT[word]] if word in MEANT else difflib.get_close_matches(word, telling(), NEAR, 0.6)


def chips() -> dict[str, list[dict]]:
    """What can be said, factor by factor: {factor: [{value, phrase}]}, in the corpus's own words."""
    said = lambda factor, value: {"value": value, "phrase": pairs.phrase(factor, value)}  # noqa: E731
    return {factor: [said(factor, value) for value in values] for factor, values in corpus.FACTORS.items()}


# ---- A word for another of the same kind ---------------------------------------------------------------------------------


def swaps(found: Sequence[Word]) -> dict[int, dict]:
    """Which words name an attribute, and what else could stand there: {number of the word: {factor, value, options}}."""
    said = [word.text.lower() for word in found]
    out = {}
    for i, word in enumerate(said):
        for factor, nouns in NOUNS.items():
            if word in nouns and not (factor == "glasses" and word != "sunglasses"):
                out[i] = {"factor": factor, "value": nouns[word], "options": [noun for noun in nouns if noun != word]}
        following = said[i + 1 : i + 2 + APART]
        head = next((other for other in following if other in HEADS or not other.isalpha()), "")
        for factor in HEADS.get(head, ()):
            options = adjectives(factor)
            if word in options:
                out[i] = {"factor": factor, "value": word, "options": [other for other in options if other != word]}
    return out


@cache
def adjectives(factor: str) -> tuple[str, ...]:
    """The values of a factor that are said by one word before its noun."""
    noun = "hair" if factor == "hair colour" else factor
    return tuple(v for v in corpus.FACTORS[factor] if pairs.phrase(factor, v).removeprefix("a ") == f"{v} {noun}")


def replaced(text: str, word: Word, other: str) -> str:
    """The prompt with another word in the place of one; "a" and "an" before it are put right."""
    before, after = text[: word.span[0]], text[word.span[1] :]
    article = re.search(r"\b([Aa])n?( +)$", before)
    if article and re.match(r"[A-Za-z]", other):
        before = before[: article.start()] + article[1] + ("n" if other[0].lower() in "aeiou" else "") + article[2]
    return before + other + after


# ---- Bytes as letters ----------------------------------------------------------------------------------------------------


@cache
def _bytes() -> dict[str, int]:
    """The printable letter of each byte (Radford et al. 2019, section 2.2), read backwards."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(rest)}


def readable(piece: str) -> str:
    """A piece as one reads it: "hair</w>" -> "hair". Part of a letter that takes several bytes is shown as these."""
    letters = piece.removesuffix(END)
    try:
        raw = bytes(_bytes()[letter] for letter in letters)
    except KeyError:
        return letters
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return " ".join(f"{byte:02X}" for byte in raw)
