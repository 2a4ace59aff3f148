"""How much the wording matters: the same picture and the same meaning in other words, and other meanings in almost the same."""

import difflib
import re

import numpy as np
from PIL import Image

from explorer.clip.pairs import SYNONYMS
from explorer.tabs.clip_search import faces
from explorer.tabs.clip_search.faces import asked

DEFAULT = 25  # a face that shows much
TOP = 10
EACH = 5  # rows of a group at most
BESIDE = 3  # words that stay on either side of a change
SAID = 12  # words of a change at most
GONE = 4  # words that are missing, at most

GROUPS = {
    "template": "Another frame around it", "synonym": "Other words, same meaning", "shorter": "Fewer words",
    "order": "Parts in another order", "case": "Capital letters", "typo": "Typing errors", "letters": "Spelled out",
    "negation": "The opposite",
}  # fmt: skip

TEMPLATES = ("a photo of {}", "a drawing of {}", "this is {}", "{}, seen from the front", "please find {}")

# Words that no caption has; people type them all the same.
UNTAUGHT = {
    "red": "crimson", "blue": "navy", "green": "emerald", "yellow": "lemon", "black": "jet-dark", "pink": "rosy",
    "hair": "hairdo", "shirt": "garment", "background": "scenery", "face": "visage", "portrait": "likeness",
    "glasses": "eyewear", "skin": "complexion", "mouth": "lips", "eyes": "gaze", "someone": "an individual",
    "wearing": "clad in",
}  # fmt: skip
SMALL = set("a an the with and on of in wearing someone face portrait".split())


def prompts(model, picture: Image.Image | None, given: dict) -> dict:
    """{ref, text, n: faces among which the picture stands} -> what rewording does to its score and rank.

    {text, face, of, base: {score, rank, right}, rows: [{group, change, text, parts, score, delta, rank, right, unknown}],
    groups: [{group, title, mean, worst, rank}], say}. `parts`: the place of the change, as [words, "same", "new" or "gone"].
    `rank` 1 is best; `right`: the share of the best r that show what the first text says, r = 10 or as many as there are; none
    where its words say nothing known. Raises ValueError with one sentence.
    """
    face = faces.number(given.get("ref"))
    if picture is None:
        face = DEFAULT
    n = asked(given, "n", faces.usual(model, 64, 32), 8, 512)
    text = faces.words(given, "text", faces.caption(face, 0.5) if face is not None else "a face")

    # The picture first, then others that are not it.
    others = np.array([i for i in range(n) if i != face][: n - 1])
    own = faces.vectors(model, [face])[0] if face is not None else model.images([picture])[0]
    images = np.concatenate([own[None], faces.vectors(model, others)])
    shows = _showing(faces.claims(text), face, others)

    variants = [("as typed", "", text), *variations(text)]
    cos = model.texts([variant for _, _, variant in variants]) @ images.T  # (texts, n)
    told = [_told(scores, shows) for scores in cos]
    rows = [
        {"group": group, "change": change, "text": variant, "parts": changed(text, variant),
         "delta": facts["score"] - told[0]["score"], "unknown": model.unknown(variant), **facts}
        for (group, change, variant), facts in zip(variants[1:], told[1:])
    ]  # fmt: skip
    groups = []
    for group, title in GROUPS.items():
        if some := [row for row in rows if row["group"] == group]:
            deltas = [row["delta"] for row in some]
            rank = float(np.median([row["rank"] for row in some]))
            groups.append({"group": group, "title": title, "mean": float(np.mean(deltas)), "worst": min(deltas), "rank": rank})
    return {"text": text, "face": face, "of": n, "base": told[0], "rows": rows, "groups": groups, "say": _say(groups, rows)}


def variations(text: str) -> list[tuple[str, str, str]]:
    """A text in other words: (group, what was changed, text), in the order of GROUPS, none equal to the text."""
    words = text.split()
    content = sorted(dict.fromkeys(w.strip(",") for w in words if w.strip(",").lower() not in SMALL), key=len, reverse=True)
    bare = re.sub(r"^(a face|a portrait|someone),?( with| wearing)? ?", "", text) or text

    found = {group: [] for group in GROUPS}
    found["template"] = [("bare words", bare), *((t.replace("{}", "…"), t.format(text)) for t in TEMPLATES)]
    taught = [(f"{a} → {others[0]}", _instead(text, a, others[0])) for a, others in SYNONYMS.items()]
    foreign = [(f"{a} → {b} (never taught)", _instead(text, a, b)) for a, b in UNTAUGHT.items()]
    found["synonym"] = [row for row in taught if row[1] != text][:EACH] + [row for row in foreign if row[1] != text][:EACH]
    found["shorter"] = [
        ("without small words", " ".join(w for w in words if w.strip(",").lower() not in SMALL)),
        ("first half", " ".join(words[: (len(words) + 1) // 2]).rstrip(",")), ("second half", " ".join(words[len(words) // 2 :])),
    ]  # fmt: skip
    parts = text.split(", ")
    found["order"] = [("parts reversed", ", ".join(parts[::-1])), ("words reversed", " ".join(words[::-1]))]
    found["case"] = [("ALL CAPITALS", text.upper()), ("Each Word", text.title())]
    for word in content[:2]:
        found["typo"] += [(f"{word} → {other}", _instead(text, word, other)) for other in typos(word)]
    found["letters"] = [(f"{w} → {' '.join(w)}", _instead(text, w, " ".join(w))) for w in content[:2]]
    found["negation"] = [("not in front", f"not {text}"), ("with → without", text.replace("with ", "without ", 1))]
    said_so_far: list[str] = []
    for said in faces.phrases(text):
        if len(said_so_far) == 2 or re.match("no |without ", said) or f"no {said}" in text or any(s in said for s in said_so_far):
            continue
        said_so_far.append(said)
        without = re.sub(rf"(?:\ban? )?{re.escape(said)}", lambda match, said=said: f"no {said}", text, count=1)
        found["negation"].append((f"no {said}", without))
    return [
        (group, change, variant) for group in GROUPS for change, variant in dict((v, (c, v)) for c, v in found[group]).values()
        if variant and variant != text
    ]  # fmt: skip


def changed(text: str, variant: str) -> list[list[str]]:
    """Where a text differs from the first: [words, "same", "new" or "gone"] in order, far-off words as "…"."""
    a, b = text.split(), variant.split()
    moved = sorted(text.replace(",", "").split()) == sorted(variant.replace(",", "").split())  # then nothing is gone
    steps = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    parts = []
    for i, (step, a0, a1, b0, b1) in enumerate(steps):
        if step == "equal":
            left, right = (BESIDE if i > 0 else 0), (BESIDE if i < len(steps) - 1 else 0)
            words = b[b0:b1]
            if len(words) > left + right:
                words = [*words[:left], "…", *words[len(words) - right :]]
            parts.append([" ".join(words), "same"])
        elif step == "delete":
            if not moved:
                parts.append([_cut(a[a0:a1], GONE), "gone"])
        else:
            parts.append([_cut(b[b0:b1], SAID), "new"])
    return parts


def _cut(words: list[str], most: int) -> str:
    return " ".join(words if len(words) <= most else [*words[:most], "…"])


def typos(word: str) -> list[str]:
    """A word with two letters swapped, one missing, one doubled, all in its middle."""
    i = len(word) // 2
    swapped = word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :] if i else word
    return [other for other in (swapped, word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:]) if other and other != word]


def _instead(text: str, a: str, b: str) -> str:
    """The first whole occurrence of a phrase replaced."""
    return re.sub(rf"(?<!\w){re.escape(a)}(?!\w)", lambda _: b, text, count=1)


def _showing(claims: dict, face: int | None, others: np.ndarray) -> np.ndarray | None:
    """bool (1 + N,): which pictures show what is claimed; a picture that is no face does not. None where nothing is claimed."""
    if not claims:
        return None
    own = face is not None and faces.shows(faces.attributes([face]), claims)[0]
    return np.array([own, *faces.shows(faces.attributes(others), claims)])


def _told(scores: np.ndarray, shows: np.ndarray | None) -> dict:
    right = None
    if shows is not None and (r := min(TOP, int(shows.sum()))):
        right = float(shows[np.argsort(-scores, kind="stable")[:r]].mean())
    return {"score": float(scores[0]), "rank": 1 + int((scores[1:] > scores[0]).sum()), "right": right}


def _say(groups: list[dict], rows: list[dict]) -> str:
    by = {group["group"]: group for group in groups}
    harmless = [row for row in rows if row["group"] in ("synonym", "typo", "letters")]
    worst = min(harmless, key=lambda row: row["delta"], default=None)
    parts = []
    if "case" in by and abs(by["case"]["worst"]) < 1e-4:
        parts.append("Capital letters change nothing: the tokenizer writes all in lower case.")
    if worst and worst["delta"] < -0.01:
        parts.append(f"Of harmless changes, {worst['change']} costs most: {_signed(worst['delta'])}.")
    if "negation" in by:
        parts.append(f"Saying the opposite changes the score by {_signed(by['negation']['mean'])} on average.")
    return " ".join(parts)


def _signed(x: float) -> str:
    """Three digits with a true minus sign."""
    return f"{round(x, 3) + 0.0:+.3f}".replace("-", "−")
