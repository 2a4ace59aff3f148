"""Which word a score comes from: each is left out in turn, and what the score loses is its bar.

All texts of a sentence are one batch. Knows nothing of where in the picture; relevance.py does.
"""

from collections.abc import Sequence

import numpy as np

from explorer.tabs.clip_search import query

WORDS = 24  # of a text that get a bar; beyond these the page could not name them


def ablate(model, vector: np.ndarray, text: str, patterns: Sequence[str] = ("{}",)) -> tuple[float, list[dict], str]:
    """A picture's vector (D,), of length 1, and a text -> its cosine, a bar for each word, and a note.

    A bar: {word, score_without, drop = score - score_without}. A word that the score lives on has a large drop; one that stands
    in its way has a negative one. The words of the templates stay; several are averaged, as `query.text_vector` does it.
    """
    words = text.split()
    named = words[:WORDS]
    without = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(named))]
    model.texts([pattern.replace("{}", part) for pattern in patterns for part in [text, *without]])  # in one go; they are kept
    scores = np.stack([query.text_vector(model, part, patterns) for part in [text, *without]]) @ np.asarray(vector, np.float32)
    full = float(scores[0])
    bars = [
        dict(word=word, score_without=float(score), drop=full - float(score)) for word, score in zip(named, scores[1:])
    ]  # fmt: skip
    note = f"Only the first {WORDS} words have a bar." if len(words) > WORDS else ""
    return full, bars, note
