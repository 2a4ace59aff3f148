"""A request becomes one query: terms with weights and signs, examples that are liked or not, and the equation of it all.

Vectors in, vectors out; what a request may hold is decided here, with a sentence for each thing it may not.
"""

import math
from dataclasses import dataclass, field

import numpy as np

TERMS = 8  # of an equation; a longer one is read by nobody
EXAMPLES = 32  # liked and disliked pictures: each is a scan of the collection with "best score"
WEIGHT = 10.0  # the largest, either way
TEMPLATES = 100  # the published ensemble for ImageNet has 80
STRATEGIES = ("mean", "best")
CANCELLED = 0.02  # a sum this much shorter than its parts points nowhere in particular


@dataclass(frozen=True)
class Part:
    """A term without its content: its weight times its length, and for a text into how many pieces it falls."""

    kind: str
    weight: float
    pieces: int = 0


@dataclass(frozen=True)
class Query:
    """`vector` (D,) of length 1, or None where there is neither term nor liked example (then pictures have no score).

    `equation` is for the page: sign, weight, label, kind and the length of each term before weighting. With the strategy
    "best", `likes` and `dislikes` (N, D) are compared one by one and `vector` is one more liked example.
    """

    vector: np.ndarray | None
    equation: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # words that the model never learnt
    known: frozenset[str] = frozenset()  # and those it did, where it can say
    likes: np.ndarray | None = None
    dislikes: np.ndarray | None = None
    strategy: str = "mean"
    recipe: tuple["Part", ...] = ()  # what the terms were made of, for asking the same of unrelated texts and pictures
    examples: tuple[int, int] = (0, 0)  # liked and disliked pictures in `vector`

    @property
    def best(self) -> bool:
        """Whether candidates are compared with each example instead of with one vector."""
        return self.strategy == "best" and self.likes is not None


def build(model, request: dict, likes: np.ndarray | None = None, dislikes: np.ndarray | None = None) -> Query:
    """The query of a request as it comes from the page; `likes` and `dislikes` (N, D) are the vectors of its examples.

    Image terms hold their "vector" (D,); in plain mode its length counts. Raises ValueError with one sentence.
    """
    terms = terms_of(request.get("terms"))
    strategy = request.get("strategy") or "mean"
    if strategy not in STRATEGIES:
        raise ValueError("Liked examples are joined by 'mean' or compared by 'best'.")
    balanced = request.get("balanced", True) is not False
    patterns = templates(request.get("template"))

    equation, notes, unknown, parts, weights, recipe = [], [], [], [], [], []
    known: set[str] = set()
    for term in terms:
        if term["kind"] == "text":
            vector, label = text_vector(model, term["text"], patterns, raw=not balanced), term["text"]
            unknown += [word for word in model.unknown(term["text"]) if word not in unknown]
            known |= set(model.pieces(term["text"])) & (model.words or set())
            if any(model.truncated(pattern.replace("{}", term["text"])) for pattern in patterns):
                notes.append(f"“{_short(label)}” is longer than this model reads: its end was cut off.")
        else:
            vector, label = _image(term, model.dim), str(term.get("label") or "a picture")[:60]
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length < 1e-9:
            raise ValueError(f"The picture or text “{_short(label)}” has no direction to search in; use another one.")
        parts.append(vector / length if balanced else vector)
        weights.append(term["weight"])
        pieces = len(model.pieces(patterns[0].replace("{}", term["text"]))) if term["kind"] == "text" else 0
        recipe.append(Part(term["kind"], term["weight"] * (1 if balanced else length), pieces))
        equation.append(dict(
            sign="-" if term["weight"] < 0 else "+", weight=abs(term["weight"]), label=_short(label), kind=term["kind"],
            length=1.0 if balanced else round(length, 3),
        ))  # fmt: skip

    examples = tuple(0 if group is None else len(group) for group in (likes, dislikes))
    kinds = {entry["kind"] for entry in equation if entry["sign"] == "+"}
    vector = _sum(parts, weights) if parts else None
    for sign, n in zip("+-", examples):
        if n:
            equation.append(dict(sign=sign, weight=1.0, label=_counted(n, sign), kind="image", length=1.0))
    if strategy == "mean" and any(examples):
        vector, likes, dislikes = mean(vector, likes, dislikes), None, None
    elif any(examples):
        if vector is not None:
            likes = vector[None] if likes is None else np.concatenate([likes, vector[None]])
        if likes is None:
            raise ValueError("Mark a picture that you like as well, or write what to look for.")
        vector = mean(None, likes, None)
    if kinds == {"text", "image"} and balanced:
        notes.append("Pictures resemble pictures more than texts do, so an image term outweighs a text of the same weight.")
    return Query(vector, equation, notes, unknown, frozenset(known), likes, dislikes, strategy, tuple(recipe), examples)


def templates(given) -> list[str]:
    """One pattern with {} or several (they are averaged) -> list; none -> the text as it is."""
    if given is None or given == "" or given == []:
        return ["{}"]
    many = [given] if isinstance(given, str) else given
    if not isinstance(many, (list, tuple)) or len(many) > TEMPLATES or not all(isinstance(one, str) for one in many):
        raise ValueError(f"A template is a line of text with {{}} in it; there may be {TEMPLATES} at most.")
    many = [one.strip() for one in many if one.strip()]
    for one in many:
        if one.count("{}") != 1 or "{" in one.replace("{}", "") or "}" in one.replace("{}", "") or len(one) > 200:
            raise ValueError(f"The template “{_short(one)}” must hold {{}} once, where your words go.")
    return many or ["{}"]


def text_vector(model, text: str, patterns: list[str], raw: bool = False) -> np.ndarray:
    """The mean of a text's unit vectors in several templates (Radford et al. 2021, section 3.1.4): (D,) of length 1.

    With `raw` and one template: as the tower gives it.
    """
    if raw and len(patterns) == 1:
        return model.texts([patterns[0].replace("{}", text)], raw=True)[0]
    mean = model.texts([pattern.replace("{}", text) for pattern in patterns]).mean(0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def number(value, low: float, high: float, what: str) -> float:
    """A finite number in a range. Raises ValueError with one sentence."""
    try:
        value = float(value)
    except (TypeError, ValueError):
        value = math.nan
    if not low <= value <= high:
        raise ValueError(f"{what} must be a number between {low:g} and {high:g}.")
    return value


def whole(value, low: int, high: int, what: str) -> int:
    """A whole number in a range. Raises ValueError with one sentence."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{what} must be a whole number between {low:,} and {high:,}.")
    return value


def ids(value, what: str) -> list[int]:
    """Numbers of pictures. Raises ValueError with one sentence."""
    value = [] if value is None else value
    if not isinstance(value, (list, tuple)) or not all(isinstance(i, int) and not isinstance(i, bool) for i in value):
        raise ValueError(f"{what} are given by their numbers.")
    if not all(0 <= i < 2**53 for i in value):
        raise ValueError(f"{what} have numbers between 0 and {2**53 - 1:,}.")
    if len(value) > EXAMPLES:
        raise ValueError(f"At most {EXAMPLES} pictures can be liked, and as many disliked.")
    return list(dict.fromkeys(value))


def terms_of(given) -> list[dict]:
    """A request's terms, without empty ones and those of weight 0, a text on one line. Raises ValueError with one sentence."""
    given = [] if given is None else given
    if not isinstance(given, (list, tuple)) or not all(isinstance(term, dict) for term in given):
        raise ValueError("An equation is a list of terms.")
    out = []
    for term in given:
        kind = term.get("kind")
        if kind not in ("text", "image"):
            raise ValueError("A term is a text or an image.")
        weight = number(term.get("weight", 1), -WEIGHT, WEIGHT, "The weight of a term")
        if kind == "text":
            text = term.get("text")
            if not isinstance(text, str):
                raise ValueError("A text term holds a line of text.")
            text = " ".join(text.split())
            if not text:
                continue  # an empty field asks for nothing
            term = {"text": text}
        if weight:
            out.append({**term, "kind": kind, "weight": weight})
    if len(out) > TERMS:
        raise ValueError(f"An equation has at most {TERMS} terms, not {len(out)}.")
    return out


def _image(term: dict, dim: int) -> np.ndarray:
    vector = np.asarray(term.get("vector"), np.float32).reshape(-1)
    if vector.shape != (dim,):
        raise ValueError("This picture was encoded by another model; add it again.")
    return vector


def _sum(parts: list[np.ndarray], weights: list[float]) -> np.ndarray:
    total = np.sum([w * part for w, part in zip(weights, parts)], 0)
    length = np.linalg.norm(total)
    if length < CANCELLED * sum(abs(w) * np.linalg.norm(part) for w, part in zip(weights, parts)):
        raise ValueError("These terms cancel each other out; change a weight or take one away.")
    return (total / length).astype(np.float32)


def mean(vector: np.ndarray | None, likes: np.ndarray | None, dislikes: np.ndarray | None) -> np.ndarray:
    """Qdrant's "average vector": positives + (positives - negatives), each a mean; the terms count as one liked example."""
    liked = [group for group in (None if vector is None else vector[None], likes) if group is not None]
    good = np.concatenate(liked).mean(0) if liked else None
    bad = None if dislikes is None else dislikes.mean(0)
    if good is None:
        return _sum([bad], [-1])
    return _sum([good], [1]) if bad is None else _sum([good, bad], [2, -1])


def _counted(n: int, sign: str) -> str:
    word = "liked" if sign == "+" else "disliked"
    return f"{n} {word} picture{'s' * (n > 1)}"


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
