"""How sure we are of a result: a z-score against the same question asked of unrelated texts and pictures.

A cosine alone says little: .25 is high for one model and low for another, long texts score higher than short ones, and some
pictures score high with everything. So each term of the equation is replaced by some 250 unrelated ones of its kind (texts by
background texts that fall into about as many pieces, pictures by pictures of the collection), and a hit's score is put beside
what the very same picture scores with those: z = (score - mean) / sd.

What z is needed is learnt for our model from faces that are known (calibration.py); for others it is the usual.

Measured over 600 held-out faces, 60 texts each of one, two and three attributes. Colours (skin, hair, shirt, background): of the
first ten that fit, 99 to 100 % are "sure" and none is "no"; where a filter has taken away all that fits, none is "sure", and
"nothing here matches" is said of all these questions and of none that has an answer. Shapes (hair, glasses, mouth, beard, eyes,
brows): 99.5 to 100 % of what fits is "sure", at most .7 % of what does not, and a missing one is said to be missing in 97 to 98 %
of the cases.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from explorer.tabs.clip_search.calibration import Thresholds, calibrate
from explorer.tabs.clip_search.catalogue import OURS
from explorer.tabs.clip_search.query import Query, mean
from explorer.tabs.clip_search.ranking import WHOLE

TEXTS = 1000  # background texts of a model
FEW = 128  # of a large one without a GPU: a thousand would take a minute or more
NULLS = 256  # of them for one question: those of the nearest length
SURE, MAYBE = 2.5, 1.6  # z for texts of other models, whose wrong pictures are far more unlike: usual, not measured here
SURE_IMAGE, MAYBE_IMAGE = 3.0, 1.5  # z for pictures as queries, whose likeness has a longer tail
LEAST = 20  # pictures of a collection below which their likeness has no known spread

# What says nothing about a picture of this kind: sentences, and words.
EMPTY = ("a face", "someone", "a portrait", "a person")
PLAIN = set(
    "a an the of in on at with and or no not is are someone somebody person face head portrait picture photo image drawing "
    "avatar character cartoon wearing dressed who wears left right his her their its this that".split()
)

_lock = threading.Lock()
_backgrounds: "OrderedDict[str, Background]" = OrderedDict()
_turns: dict[str, threading.Lock] = {}  # one per model, so few


@dataclass(frozen=True)
class Background:
    """Unrelated texts of a model: unit vectors (N, D) and the number of pieces of each (N,)."""

    texts: list[str]
    vectors: np.ndarray
    pieces: np.ndarray
    empty: np.ndarray  # the text that says nothing (D,)
    thresholds: Thresholds | None  # of our model


@dataclass(frozen=True)
class Ruler:
    """The question without its content, NULLS times: unit vectors (N, D)."""

    nulls: np.ndarray
    thresholds: tuple[float, float]  # for "sure" and "maybe"
    meaningless: bool = False  # the model knows none of the words
    plain: bool = False  # they say nothing, so every picture fits

    def z(self, vectors: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Pictures (N, D) and their scores (N,) -> z-scores (N,)."""
        cos = vectors.astype(np.float32) @ self.nulls.T
        return (scores - cos.mean(1)) / np.maximum(cos.std(1), 1e-6)

    def spread(self, vectors: np.ndarray) -> dict:
        """Mean and standard deviation of the unrelated scores of pictures (N, D), averaged over these."""
        cos = vectors.astype(np.float32) @ self.nulls.T
        return dict(mean=float(cos.mean()), sd=float(cos.std(1).mean()))

    def verdicts(self, z: np.ndarray) -> list[str]:
        """"sure", "maybe" or "no" for each."""
        if self.meaningless or self.plain:
            return ["no" if self.meaningless else "maybe"] * len(z)
        sure, maybe = self.thresholds
        return ["sure" if v >= sure else "maybe" if v >= maybe else "no" for v in z]


def ruler(model, index, q: Query) -> Ruler | None:
    """What the scores of this question are measured by; None where that is unknown: examples compared one by one, or too few
    pictures in the collection to tell how alike pictures are."""
    if q.vector is None or q.best:
        return None
    rng = np.random.default_rng(0)
    sample = None
    if any(part.kind == "image" for part in q.recipe) or any(q.examples):
        sample = _sample(index, model.dim, rng)
        if len(sample) < LEAST:
            return None

    terms = None
    if q.recipe:
        total = np.zeros((NULLS, model.dim), np.float32)
        for part in q.recipe:
            pool = near(background(model), part.pieces) if part.kind == "text" else sample
            total += part.weight * pool[rng.permutation(NULLS) % len(pool)]
        terms = _unit(total)
    nulls = terms
    if any(q.examples):
        likes, dislikes = ([sample[rng.integers(len(sample), size=n)] if n else None for _ in range(NULLS)] for n in q.examples)
        nulls = np.stack([mean(None if terms is None else terms[i], likes[i], dislikes[i]) for i in range(NULLS)])

    textual = bool(q.recipe) and all(part.kind == "text" for part in q.recipe) and not any(q.examples)
    if not textual:
        return Ruler(nulls, (SURE_IMAGE, MAYBE_IMAGE))
    known = background(model)
    if model.words is None or known.thresholds is None:
        return Ruler(nulls, (SURE, MAYBE), *_says(model, q))
    return Ruler(nulls, known.thresholds.at(len(q.known - PLAIN)), *_says(model, q))


def floor(model, vectors: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """The cosine (N,) that one of these texts (L, D) must reach with each picture (N, D) to be more than an unrelated text."""
    known = background(model)
    unrelated = vectors @ known.vectors.T
    if known.thresholds is None:
        return unrelated.mean(1) + MAYBE * unrelated.std(1)
    added = np.linalg.norm(texts - known.empty, axis=1).mean()
    return vectors @ known.empty + known.thresholds.label * unrelated.std(1) * added


def background(model) -> Background:
    """The unrelated texts of a model, encoded once and kept for the four models that were asked last."""
    with _lock:
        turn = _turns.setdefault(model.fingerprint, threading.Lock())
    with turn:  # who comes while they are encoded waits for them: to encode them again beside it takes longer
        with _lock:
            if model.fingerprint in _backgrounds:
                _backgrounds.move_to_end(model.fingerprint)
                return _backgrounds[model.fingerprint]
        made = _encoded(model)
        with _lock:
            _backgrounds[model.fingerprint] = made
            while len(_backgrounds) > 4:
                _backgrounds.popitem(last=False)
        return made


def _encoded(model) -> Background:
    small = sum(p.numel() for p in model.clip.model.parameters()) < 20e6
    texts = captions() if model.words is not None else everyday()
    texts = texts if small or model.device.type != "cpu" else texts[:FEW]
    made = Background(texts, model.texts(texts), np.array([len(model.pieces(text)) for text in texts]), _empty(model), None)
    if model.name == OURS:
        made = replace(made, thresholds=calibrate(model, lambda pieces: near(made, pieces), made.empty))
    return made


def near(texts: Background, pieces: int) -> np.ndarray:
    """The vectors of the background texts that fall into about so many pieces: (at most NULLS, D)."""
    order = np.argsort(np.abs(texts.pieces - pieces), kind="stable")
    return texts.vectors[order[:NULLS]]


def captions() -> list[str]:
    """Captions of faces that no collection here holds, from one attribute to all ten."""
    from explorer import corpus

    rows = corpus.attributes(np.arange(TEXTS), split="val")
    return [corpus.caption(row, seed, 0.1 + 0.1 * (seed % 10)) for seed, row in enumerate(rows)]


def everyday() -> list[str]:
    """What people write below pictures, short and long: a grammar of things, looks, doings and places, in a mixed order."""
    things = (
        "dog cat horse bird child woman man couple family crowd car bicycle train boat airplane house church bridge tower street "
        "market kitchen bedroom table chair laptop phone book cup pizza cake salad flower tree forest mountain lake beach river "
        "city skyline road field garden statue painting map poster guitar ball shoe hat"
    ).split()
    looks = "small large old new red blue green yellow white black wooden colourful broken empty crowded beautiful".split()
    doings = (
        "standing lying moving waiting on its own|seen from above|seen from behind|next to a wall|in front of a window|"
        "beside two others|covered with snow|reflected in water"
    ).split("|")
    places = (
        "in a park|at night|in the rain|by the sea|in a city|on a table|at sunset|in a museum|at home|on a sunny day"
    ).split("|")
    styles = "a photo of|a picture of|a close-up of|a drawing of|a blurry photo of|a black and white photo of".split("|")
    forms = (
        "{thing}", "a {thing}", "a {look} {thing}", "a {thing} {place}", "a {look} {thing} {place}", "{style} a {thing}",
        "{style} a {look} {thing}", "{style} a {thing} {doing}", "{style} a {look} {thing} {doing} {place}",
        "{style} a {look} {thing} and a {other} {place}",
    )  # fmt: skip
    rng = np.random.default_rng(0)

    def pick(words):
        return words[rng.integers(len(words))]

    out: dict[str, None] = {}
    while len(out) < TEXTS:
        form = forms[len(out) % len(forms)] if len(out) < TEXTS // 2 else pick(forms[1:])
        out[form.format(thing=pick(things), other=pick(things), look=pick(looks), doing=pick(doings), place=pick(places),
                        style=pick(styles))] = None  # fmt: skip
    return list(out)


def _empty(model) -> np.ndarray:
    """The vector (D,) of texts that say nothing."""
    return _unit(model.texts(list(EMPTY)).mean(0))


def _sample(index, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Some pictures of a collection: (at most NULLS, D)."""
    if index.count() > WHOLE:  # the ids of all would take long to come from a server: the nearest to random directions instead
        directions = rng.standard_normal((16, dim))
        chosen = [i for direction in directions for i, _ in index.search(direction, NULLS // 16)]
    else:
        ids = index.ids()
        chosen = ids if len(ids) <= NULLS else rng.choice(ids, NULLS, replace=False)
    items = index.get([int(i) for i in chosen])
    return np.stack([item.vector for item in items if item is not None]).astype(np.float32) if len(items) else np.empty((0, 1))


def _says(model, q: Query) -> tuple[bool, bool]:
    """Whether nothing is left of the texts once unknown and empty words are taken out: though there were unknown ones, or not."""
    bare = model.words is not None and not q.known - PLAIN
    return bare and bool(q.unknown), bare and not q.unknown


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
