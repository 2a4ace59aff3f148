"""Which word a score comes from: each is left out in turn, and what the score loses is its bar.

All texts of a sentence are one batch. Knows nothing of where in the picture; relevance.py does.
"""

import numpy as np

WORDS = 24  # of a text that get a bar; beyond these the page could not name them


def ablate(model, vector: np.ndarray, text: str, template: str = "{}") -> tuple[float, list[dict], str]:
    """A picture's vector (D,), of length 1, and a text -> its cosine, a bar for each word, and a note.

    A bar: {word, score_without, drop = score - score_without}. A word that the score lives on has a large drop; one that stands
    in its way has a negative one. The words of the template stay.
    """
    words = text.split()
    named = words[:WORDS]
    without = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(named))]
    scores = model.texts([template.replace("{}", part) for part in [text, *without]]) @ np.asarray(vector, np.float32)
    full = float(scores[0])
    bars = [
        dict(word=word, score_without=float(score), drop=full - float(score)) for word, score in zip(named, scores[1:])
    ]  # fmt: skip
    note = f"Only the first {WORDS} words have a bar." if len(words) > WORDS else ""
    return full, bars, note
