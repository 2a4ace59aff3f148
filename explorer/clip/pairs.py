"""Faces with captions to learn from: short and long, reworded, misspelt, and with twins that differ in little.

A batch that holds a face with red hair and a blue shirt beside its twin with blue hair and a red shirt cannot be told apart by
the words alone: the twins are the hard negatives that teach which word belongs to what (binding).
"""

from dataclasses import dataclass

import numpy as np

from explorer import corpus
from explorer.corpus.factors import NAMES, column

# Other words for the words of the grammar. A phrase is replaced whole; none is ambiguous among the faces.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "someone": ("a person", "somebody", "a character", "an avatar"),
    "a portrait": ("a picture of a face", "a drawing of a person", "a photo of a face", "an avatar", "an image of someone"),
    "a face": ("the face", "a cartoon face", "a person", "a head"),
    "wearing": ("in", "dressed in", "who wears"),
    "shirt": ("top", "sweater", "jumper", "tee"),
    "background": ("backdrop", "wall"),
    "sunglasses": ("shades", "dark glasses"),
    "round glasses": ("circular glasses", "round spectacles"),
    "square glasses": ("rectangular glasses", "square spectacles"),
    "no glasses": ("without glasses",),
    "no beard": ("clean shaven", "without a beard"),
    "a beard": ("a full beard", "a bushy beard"),
    "a moustache": ("a mustache",),
    "a smile": ("a smiling mouth", "a grin", "smiling"),
    "a sad mouth": ("a frown", "sad lips", "looking sad"),
    "a serious mouth": ("a straight mouth", "looking serious"),
    "a shouting mouth": ("an open mouth", "shouting", "screaming"),
    "tongue out": ("sticking the tongue out", "showing the tongue"),
    "a grimace": ("grimacing", "showing teeth"),
    "winking eyes": ("one eye closed", "a wink", "winking"),
    "wide eyes": ("big eyes", "wide open eyes"),
    "happy eyes": ("cheerful eyes",),
    "level brows": ("flat eyebrows", "level eyebrows"),
    "raised brows": ("raised eyebrows", "lifted brows"),
    "angry brows": ("angry eyebrows", "an angry look"),
    "worried brows": ("worried eyebrows", "a worried look"),
    "blonde": ("blond", "golden"),
    "silver": ("grey-haired silver", "white-silver"),
    "hair in a bun": ("hair tied in a bun",),
    "dreadlocks": ("dreads", "dreadlock hair"),
    "cropped": ("buzzed", "very short"),
    "pale skin": ("very light skin",),
    "dark skin": ("deep brown skin",),
}

# How a value is said where a factor's name alone does not make a phrase.
PHRASES = {
    "hair": {
        "bun": "hair in a bun", "bob": "a bob", "afro": "an afro", "dreadlocks": "dreadlocks", "headband": "hair with a headband",
        "flowers": "hair with flowers",
    },
    "mouth": {"smile": "a smile", "tongue": "tongue out", "grimace": "a grimace"},
    "glasses": {"none": "no glasses", "sunglasses": "sunglasses"},
    "beard": {"none": "no beard", "moustache": "a moustache", "full": "a beard"},
}  # fmt: skip
PROMPTS = ("{}", "a face with {}", "someone with {}", "a portrait with {}", "a photo of {}")

# Words that people type and that say nothing about a face here. Strewn into captions, with made-up ones, they teach the
# model to pass over what it does not know.
NOISE = "man woman boy girl child people dog cat car tree house city sea sky photo small large old young two three".split()
COMMON = "and not no the a of at is are has left right orange gray many picture drawing image hat".split() + NOISE

COLOURED = ("hair colour", "shirt", "background")  # what can swap colours


def words() -> list[str]:
    """Every word of grammar, synonyms and examples, once, in a fixed order."""
    rows = corpus.attributes(range(2000))
    sentences = [corpus.caption(row, seed) for seed, row in enumerate(rows)]
    sentences += [text for others in SYNONYMS.values() for text in others]
    found = {word for sentence in sentences for word in _letters(sentence)} | set(COMMON)
    return sorted(found)


def _letters(sentence: str) -> list[str]:
    return "".join(c if c.isalpha() else " " for c in sentence.lower()).split()


def phrase(factor: str, value: str) -> str:
    """One attribute in the corpus's own words, e.g. ("hair colour", "red") -> "red hair"."""
    if value in PHRASES.get(factor, {}):
        return PHRASES[factor][value]
    if factor == "hair colour":
        return f"{value} hair"
    article = "a " if factor in ("shirt", "background", "mouth") else ""
    return f"{article}{value} {factor}"


def prompts(rng: np.random.Generator) -> list[str]:
    """A text for each value of each factor, in their order: all 56 in one template, some in other words."""
    template = PROMPTS[rng.integers(len(PROMPTS))]
    texts = [phrase(factor, value) for factor, values in corpus.FACTORS.items() for value in values]
    return [template.format(reworded(text, rng, noise=0)) for text in texts]


@dataclass(frozen=True)
class Pairs:
    """2 N faces (2 N, 64, 64, 3) uint8, the second half the twins of the first, with a short caption each; the first N have a
    long one too."""

    images: np.ndarray
    rows: np.ndarray
    full: list[str]
    short: list[str]


def draw(indices: np.ndarray, rng: np.random.Generator) -> Pairs:
    """Training faces and their twins: (N,) image numbers -> 2 N pairs, the same for the same numbers and generator state."""
    rows = corpus.attributes(indices)
    twins, differing = zip(*(twin(row, rng) for row in rows))
    both = np.concatenate([rows, np.stack(twins)])
    full = [reworded(corpus.caption(row, _seed(rng), rng.choice((0.9, 1.0))), rng) for row in rows]
    shares, named = rng.integers(1, 8, len(rows)) / 10, [*differing, *differing]  # else two captions would fit both
    short = [reworded(corpus.caption(row, _seed(rng), d, n), rng) for row, d, n in zip(both, [*shares, *shares], named)]
    return Pairs(corpus.draw(both, np.concatenate([indices, indices])), both, full, short)


def twin(row: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, tuple[str, ...]]:
    """A face that differs in one or two attributes, and which: two swapped colours where that is possible, else one new value.

    Never a pair that is held out of training.
    """
    swaps = swappable(row)
    if swaps and rng.random() < 0.3:
        a, b = swaps[rng.integers(len(swaps))]
        other = swapped(row, a, b)
        if not corpus.held_out(other)[0]:
            return other, (a, b)
    while True:
        factor = NAMES[rng.integers(len(NAMES))]
        other = row.copy()
        other[column(factor)] = (row[column(factor)] + rng.integers(1, len(corpus.FACTORS[factor]))) % len(corpus.FACTORS[factor])
        if not corpus.held_out(other)[0]:
            return other, (factor,)


def swappable(row: np.ndarray) -> list[tuple[str, str]]:
    """The pairs of coloured things of a face that could wear each other's colour and do not share one."""
    names = {factor: corpus.FACTORS[factor][row[column(factor)]] for factor in COLOURED}
    return [
        (a, b) for i, a in enumerate(COLOURED) for b in COLOURED[i + 1 :]
        if names[a] != names[b] and names[a] in corpus.FACTORS[b] and names[b] in corpus.FACTORS[a]
    ]  # fmt: skip


def swapped(row: np.ndarray, a: str, b: str) -> np.ndarray:
    """The same face with the colours of two of its things exchanged."""
    other = row.copy()
    other[column(a)] = corpus.FACTORS[a].index(corpus.FACTORS[b][row[column(b)]])
    other[column(b)] = corpus.FACTORS[b].index(corpus.FACTORS[a][row[column(a)]])
    return other


def reworded(sentence: str, rng: np.random.Generator, synonyms: float = 0.3, noise: float = 0.08) -> str:
    """The sentence with some phrases in other words; now and then with a word that means nothing here, to be ignored."""
    for phrase, others in SYNONYMS.items():
        if phrase in sentence and rng.random() < synonyms:
            sentence = sentence.replace(phrase, others[rng.integers(len(others))])
    if rng.random() < noise:
        parts = sentence.split(" ")
        letters = "".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(2, 8)))
        word = NOISE[rng.integers(len(NOISE))] if rng.random() < 0.5 else letters
        parts.insert(int(rng.integers(len(parts) + 1)), word)
        sentence = " ".join(parts)
    return sentence


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
