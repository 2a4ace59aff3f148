"""Whether a model reads a sentence or a bag of words: true captions against false ones that use the same words.

Yuksekgonul et al. 2023, "When and Why Vision-Language Models Behave like Bags-of-Words, and What to Do About It?", section 2. On
faces of which all is known, so that every false caption is certainly false.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from explorer import corpus
from explorer.clip import pairs
from explorer.tabs.clip_search import faces
from explorer.tabs.clip_search.faces import asked, percent

DEFAULT = 25  # a face for an own sentence
EXAMPLES = 3  # of the clearest at either end
TIE = 1e-6  # of two cosines that differ in rounding alone; counts as half a win


@dataclass(frozen=True)
class Test:
    """A way to spoil captions: `make(row, seed, rng)` gives a true caption and a false one, or none for faces it does not fit."""

    title: str
    what: str
    make: Callable


def order(model, picture: Image.Image | None, given: dict) -> dict:
    """{n: faces, seed, ref and text for an own sentence} -> how often the true caption scores higher than the false one.

    {of, tests: [{name, title, what, wins, low, high, of, same, examples}], own, chance, say}. low and high bound the share of
    wins with 95 % confidence (Wilson 1927); `same` is the mean cosine of the two texts. Raises ValueError with one sentence.
    """
    n, seed = asked(given, "n", faces.usual(model, 100, 20), 20, 250), asked(given, "seed", 0, 0, 2**31)
    own = None
    if given.get("text") is not None:
        vector = model.images([picture])[0] if picture is not None else faces.vectors(model, [DEFAULT])[0]
        own = _own(model, vector, faces.words(given, "text", ""))
    tests = [{"name": name} | run(model, test, n, seed) for name, test in TESTS.items()]
    return {"of": n, "tests": tests, "own": own, "chance": 0.5, "say": _say({test["name"]: test for test in tests})}


def run(model, test: Test, n: int, seed: int) -> dict:
    """One test on n faces."""
    rng, numbers, texts = np.random.default_rng(seed), [], []
    for number in rng.permutation(faces.MOST).tolist():
        if made := test.make(faces.rows()[number], int(rng.integers(2**31)), rng):
            numbers.append(number)
            texts.append(made)
        if len(numbers) == n:
            break
    images = faces.vectors(model, numbers)
    right, wrong = (model.texts([pair[i] for pair in texts]) for i in (0, 1))
    scores = np.stack([(images * t).sum(1) for t in (right, wrong)], 1)  # (n, 2)
    margin = scores[:, 0] - scores[:, 1]
    ties = np.abs(margin) < TIE  # for a bag of words both captions are one
    wins = float(np.where(ties, 0.5, margin > 0).mean())
    low, high = wilson(wins * len(numbers), len(numbers))
    by = np.argsort(margin, kind="stable").tolist()
    examples = [
        {"face": numbers[i], **{
            name: {"text": text, "score": float(score)} for name, text, score in zip(("right", "wrong"), texts[i], scores[i])
        }}
        for i in by[:EXAMPLES] + by[::-1][:EXAMPLES]
    ]  # fmt: skip
    return {
        "title": test.title, "what": test.what, "wins": wins, "low": low, "high": high, "of": len(numbers),
        "same": float((right * wrong).sum(1).mean()), "examples": examples,
    }  # fmt: skip


def wilson(wins: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds a share with 95 % confidence, of so many wins in n (Wilson 1927)."""
    p, centre = wins / n, wins / n + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, float((centre - half) / (1 + z * z / n))), min(1.0, float((centre + half) / (1 + z * z / n)))


def exchanged(text: str, a: str, b: str) -> str:
    """The words a and b in each other's place, wherever they stand."""
    return re.sub(rf"\b({re.escape(a)}|{re.escape(b)})\b", lambda match: b if match[1] == a else a, text)


def swap_colours(text: str) -> str:
    """The first two colours of a text exchanged; the text itself where it has not two."""
    known = {name for factor in corpus.COLOURS.values() for name in factor}
    found = list(dict.fromkeys(word for word in re.findall(r"\w+", text.lower()) if word in known))
    return exchanged(text, found[0], found[1]) if len(found) > 1 else text


def _swap(a: str, b: str) -> Callable:
    def make(row, seed, rng):
        if (a, b) not in pairs.swappable(row):
            return None
        names = corpus.describe(row)
        text = corpus.caption(row, seed, 0, (a, b))
        return text, exchanged(text, names[a], names[b])

    return make


def _replace(row, seed, rng):
    colour = corpus.describe(row)["hair colour"]
    if colour == corpus.describe(row)["shirt"]:
        return None
    text = corpus.caption(row, seed, 0, ("hair colour", "shirt"))
    other = rng.choice([name for name in corpus.FACTORS["hair colour"] if name not in text])
    return text, re.sub(rf"\b{colour}\b", str(other), text)


def _shuffle(row, seed, rng):
    words = corpus.caption(row, seed, 0.5).replace(",", "").split()
    return " ".join(words), " ".join(rng.permutation(words).tolist())


def _reverse(row, seed, rng):
    words = corpus.caption(row, seed, 0.5).replace(",", "").split()
    return " ".join(words), " ".join(words[::-1])


TESTS = {
    "replace": Test("One colour is wrong", "The easy control: the false caption has a word that fits nothing here.", _replace),
    "swap": Test(
        "Hair and shirt swap colours", "The same words, another meaning: only the order says which colour is whose.",
        _swap("hair colour", "shirt"),
    ),
    "background": Test(
        "Shirt and background swap colours", "The same words again, for two other things.", _swap("shirt", "background"),
    ),
    "shuffle": Test("Words thrown about", "The same words without grammar. A bag of words would not see a difference.", _shuffle),
    "reverse": Test("Words backwards", "The same words from the last to the first.", _reverse),
}  # fmt: skip


def _own(model, vector: np.ndarray, text: str) -> dict:
    words = text.split()
    shuffled = " ".join(np.random.default_rng(len(words)).permutation(words).tolist())
    variants = {
        "as typed": text, "reversed": " ".join(words[::-1]), "sorted": " ".join(sorted(words, key=str.lower)),
        "shuffled": shuffled, "colours swapped": swap_colours(text),
    }  # fmt: skip
    variants = {name: variant for name, variant in variants.items() if name == "as typed" or variant != text}
    vectors = model.texts(list(variants.values()))
    return {
        "text": text,
        "rows": [
            {"name": name, "text": variant, "score": float(t @ vector), "same": float(t @ vectors[0])}
            for (name, variant), t in zip(variants.items(), vectors)
        ],
    }


def _say(tests: dict) -> str:
    swap, control = tests["swap"], tests["replace"]
    says = f"A wrong colour is noticed in {percent(control['wins'])} of the faces, swapped colours in {percent(swap['wins'])}. "
    if swap["low"] > 0.75:
        return says + "This model was trained with such twins and knows which colour belongs to what."
    if swap["high"] >= 0.5 >= swap["low"]:
        return says + "That is no better than a coin: for this model a sentence is a bag of words."
    return says + "The order of words counts, but less than the words themselves."
