"""A face plus "blue hair" minus "red hair": what the sum finds, with the terms as they are, at one length, and without their gap.

After Mikolov et al. 2013, "Linguistic Regularities in Continuous Space Word Representations". Success is read from what the found
faces are known to show: the new value is there, and everything else has stayed.
"""

import numpy as np
from PIL import Image

from explorer import corpus
from explorer.corpus.factors import NAMES
from explorer.tabs.clip_search import faces
from explorer.tabs.clip_search.faces import asked, percent, unit

NEIGHBOURS = 4  # shown of each term alone
MEASURED = 60  # faces on which the variants are compared
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
CAPTIONS = 64  # whose mean stands for all texts

VARIANTS = {
    "image": ("The picture alone", "v"),
    "raw": ("As the towers give them", "v + w (plus - minus)"),
    "unit": ("Each term at length 1", "v/|v| + w (plus/|plus| - minus/|minus|)"),
    "centred": (
        "Without the mean of its kind, then at length 1",
        "unit(v - mean of pictures) + w (unit(plus - m) - unit(minus - m)), m = mean of texts",
    ),
}  # fmt: skip


def arithmetic(model, picture: Image.Image | None, given: dict) -> dict:
    """{ref, plus, minus, weight, n: faces searched, k} -> the nearest faces to picture + weight * (plus - minus).

    {face, plus, minus, weight, of, wanted, before, terms, variants, measured, say}; what these hold stands in `_term`, `_variant`
    and `_measured`. Whatever needs known attributes is none where the words name none. An empty `plus` or `minus` is no term of
    the sum. Raises ValueError with one sentence.
    """
    n, k = asked(given, "n", faces.usual(model, 500, 100), 100, faces.MOST), asked(given, "k", 8, 1, 24)
    weight = asked(given, "weight", 1.0, 0, 4)
    rows, face = faces.rows()[:n], faces.number(given.get("ref"))
    if picture is None:
        face = int(np.flatnonzero(faces.shows(rows, {"hair colour": "red"}))[0])
    row = faces.attributes([face])[0] if face is not None else None
    colour = corpus.describe(row)["hair colour"] if row is not None else "red"
    minus = _words(given, "minus", f"{colour} hair")
    plus = _words(given, "plus", "blue hair" if colour != "blue" else "red hair")
    if not plus and not minus:
        raise ValueError("Type a word to add or to take away.")
    wanted, lost = faces.claims(plus), faces.claims(minus)

    base = faces.vectors(model, n, raw=True)
    texts = model.texts([plus, minus], raw=True) * np.array([[bool(plus)], [bool(minus)]])
    means = base.mean(0), model.texts([faces.caption(i) for i in range(CAPTIONS)], raw=True).mean(0)
    start = (faces.vectors(model, [face], raw=True) if face is not None else model.images([picture], raw=True))[0]
    own = face if face is not None and face < n else None

    terms = [
        _term(sign, label, kind, vector, unit(base), rows, own, claims)
        for sign, label, kind, vector, claims in (
            ("+", "the picture", "image", start, {}), ("+", plus, "text", texts[0], wanted), ("-", minus, "text", texts[1], lost),
        )
        if label
    ]  # fmt: skip
    variants = [_variant(name, start, texts, weight, base, means, rows, own, row, wanted, k) for name in VARIANTS]
    measured = _measured(texts, weight, base, means, rows, wanted, lost) if wanted and lost else None
    return {
        "face": face, "plus": plus, "minus": minus, "weight": weight, "of": n, "wanted": wanted,
        "before": corpus.describe(row) if row is not None else None, "terms": terms, "variants": variants, "measured": measured,
        "say": _say(measured, plus, minus),
    }  # fmt: skip


def _words(given: dict, name: str, default: str) -> str:
    """As `faces.words`, and "" for an empty field."""
    found = given.get(name)
    return "" if isinstance(found, str) and not found.strip() else faces.words(given, name, default)


def parts(name: str, image: np.ndarray, texts: np.ndarray, weight: float, means) -> list[np.ndarray]:
    """The three terms of a variant, (..., D) each, of pictures (..., D) and the texts (plus, minus), as the towers give them.

    A text of zeros is no term.
    """
    there = texts.any(-1, keepdims=True)
    if name == "raw":
        return [image, weight * texts[0], -weight * texts[1]]
    if name == "centred":
        image, texts = unit(image) - unit(means[0]), unit(texts) - unit(means[1])
    image, texts = unit(image), unit(texts) * there
    weight = 0 if name == "image" else weight
    return [image, weight * texts[0], -weight * texts[1]]


def _space(name: str, base: np.ndarray, means) -> np.ndarray:
    """Where a variant's neighbours are looked for: the faces at length 1, (n, D)."""
    return unit(unit(base) - unit(means[0])) if name == "centred" else unit(base)


def _term(sign, label, kind, vector, base, rows, own, claims) -> dict:
    """{sign, label, kind, length: of the tower's output, neighbours: the faces that this term alone finds}."""
    near = _nearest(base @ unit(vector), own, NEIGHBOURS)
    right = faces.shows(rows, claims)
    neighbours = [
        {"face": int(i), "score": float(base[i] @ unit(vector)), "attributes": corpus.describe(rows[i]),
         "right": bool(right[i]) if claims else None}
        for i in near
    ]  # fmt: skip
    return {"sign": sign, "label": label, "kind": kind, "length": float(np.linalg.norm(vector)), "neighbours": neighbours}


def _variant(name, start, texts, weight, base, means, rows, own, row, wanted, k) -> dict:
    """{name, title, formula, length, share, hits, success, kept}.

    `length` and `share` are of the sum: share[i] = term_i . sum / |sum|², so all terms add up to 1. A hit is {face, score,
    attributes, right, kept, others}: whether it shows what was wanted, and how many of the other factors are as before.
    """
    terms = parts(name, start, texts, weight, means)
    total = sum(terms)
    length = float(np.linalg.norm(total))
    scores = _space(name, base, means) @ unit(total)
    right, others = faces.shows(rows, wanted), _others(wanted)
    hits = [
        {"face": int(i), "score": float(scores[i]), "attributes": corpus.describe(rows[i]),
         "right": bool(right[i]) if wanted else None, "others": len(others),
         "kept": int((rows[i, others] == row[others]).sum()) if row is not None and wanted else None}
        for i in _nearest(scores, own, k)
    ]  # fmt: skip
    return {
        "name": name, "title": VARIANTS[name][0], "formula": VARIANTS[name][1], "length": length,
        "share": [float(term @ total) / max(length**2, 1e-12) for term, there in zip(terms, (True, *texts.any(-1))) if there],
        "hits": hits,
        "success": float(np.mean([hit["right"] for hit in hits])) if wanted else None,
        "kept": float(np.mean([hit["kept"] for hit in hits]) / len(others)) if row is not None and wanted else None,
    }  # fmt: skip


def _measured(texts, weight, base, means, rows, wanted, lost) -> dict | None:
    """The same sum for up to 60 faces that show what is taken away: {of, rows, best, sweep}.

    success: the nearest face shows what was wanted; kept: the share of other factors that it has in common with the start; both:
    it shows it and keeps at least half. `best`: what could be kept at most among these faces. Only faces that lack the wanted
    value are taken. None where there are none.
    """
    right, others = faces.shows(rows, wanted), _others(wanted)
    starts = np.flatnonzero(faces.shows(rows, lost) & ~right)[:MEASURED]
    if not len(starts) or not right.any():
        return None
    same = (rows[starts][:, None, others] == rows[None][:, :, others]).mean(2)  # (S, n)

    def tried(name: str, weight: float) -> dict:
        scores = unit(sum(parts(name, base[starts], texts, weight, means))) @ _space(name, base, means).T
        scores[np.arange(len(starts)), starts] = -np.inf
        first = scores.argmax(1)
        kept = same[np.arange(len(starts)), first]
        both = (right[first] & (kept >= 0.5)).mean()
        return {"success": float(right[first].mean()), "kept": float(kept.mean()), "both": float(both)}

    sweep = [{"weight": w} | {name: tried(name, w) for name in ("raw", "unit", "centred")} for w in WEIGHTS]
    best = float(np.where(right[None], same, 0).max(1).mean())
    return {"of": len(starts), "rows": [{"name": name} | tried(name, weight) for name in VARIANTS], "best": best, "sweep": sweep}


def _nearest(scores: np.ndarray, own: int | None, k: int) -> np.ndarray:
    scores = scores.copy()
    if own is not None:
        scores[own] = -np.inf
    return np.argsort(-scores, kind="stable")[:k]


def _others(wanted: dict) -> list[int]:
    return [i for i, factor in enumerate(NAMES) if factor not in wanted]


def _say(measured: dict | None, plus: str, minus: str) -> str:
    if not plus or not minus:
        return "With words in both fields the four ways are compared on many faces."
    if measured is None:
        return "These words name nothing that is known of the faces, so judge the results with your own eyes."
    found, kept = ({row["name"]: row[what] for row in measured["rows"]} for what in ("success", "kept"))
    raw, unit_, centred = (percent(found[name]) for name in ("raw", "unit", "centred"))
    return (
        f"Of {measured['of']} faces with {minus}, the sum finds one with {plus} first in {raw} with the terms as they are, in "
        f"{unit_} with each at length 1 and in {centred} without the gap. Of the rest, "
        f"{percent(kept['unit'])} stays at length 1; among these faces {percent(measured['best'])} could."
    )
