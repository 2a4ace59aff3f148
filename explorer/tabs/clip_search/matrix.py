"""N pictures against N captions: the cosines from which all of CLIP's training follows.

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", figure 3. The page draws softmax,
loss and slope of each cell live from the cosines; the same arithmetic stands here in numpy, and tests hold it against open_clip.
"""

import re
import time

import numpy as np
from PIL import Image

from explorer import corpus
from explorer.corpus.factors import NAMES, column
from explorer.tabs.clip_search import faces

MOST = 24  # rows and columns that can be told apart on a page
POOL = 20_000  # faces among which twins are looked for
SWAPPED = ("hair colour", "shirt")  # the two colours that twins exchange


def matrix(model, images: list[Image.Image], captions: list[str]) -> dict:
    """{cos: one row a picture, one column a caption; scale, bias: logits = scale * cos + bias; took: ms}.

    Raises ValueError for none and for more than 24 of either, and for an empty caption.
    """
    if not 1 <= len(images) <= MOST or not 1 <= len(captions) <= MOST:
        raise ValueError(f"The matrix takes 1 to {MOST} pictures and as many captions.")
    if not all(caption.strip() for caption in captions):
        raise ValueError("Every column of the matrix needs a caption.")
    start = time.perf_counter()
    cos = model.images(images) @ model.texts(captions).T
    took = 1000 * (time.perf_counter() - start)
    cos = np.round(cos.astype(float), 6).tolist()
    return {"cos": cos, "scale": model.scale, "bias": model.bias or 0.0, "took": round(took, 1)}


# ---- What follows from the cosines; N x N, the pairs on the diagonal ------------------------------------------------------


def softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    """axis 1: for each picture, how likely each caption is; axis 0: for each caption, how likely each picture is."""
    e = np.exp(logits - logits.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def loss(cos: np.ndarray, scale: float) -> float:
    """The symmetric cross-entropy, in nats: the mean of -log p of the diagonal, by rows and by columns. Chance gives ln N."""
    logits = scale * np.asarray(cos, float)
    return float(-np.mean([np.log(np.diag(softmax(logits, axis)) + 1e-300).mean() for axis in (0, 1)]))


def gradient(cos: np.ndarray, scale: float) -> np.ndarray:
    """d loss / d logits (N, N): the mean over both directions of p - y, over N. Negative cells are pulled up."""
    logits, n = scale * np.asarray(cos, float), len(cos)
    return sum(softmax(logits, axis) - np.eye(n) for axis in (0, 1)) / (2 * n)


# ---- Pairs to fill it with ------------------------------------------------------------------------------------------------


def pairs(n: int = 8, seed: int = 0, detail: float = 0.5, twins: bool = False) -> dict:
    """{pairs: n of {face, caption, attributes, twin}, say}: held-out faces, all captions different, the same for the same seed.

    `detail` is the share of the attributes that a caption names. With `twins` each two (of an even number) are hard negatives:
    the same words with the colours of hair and shirt exchanged, and two faces of which each fits its own caption alone; `twin`
    is the other's place.
    Raises ValueError for a count outside 2..24 or a detail outside 0.1..1.
    """
    if not 2 <= n <= MOST:
        raise ValueError(f"The matrix takes 2 to {MOST} pairs.")
    if not 0.1 <= detail <= 1:
        raise ValueError("The detail of captions is a share from 0.1 to 1.")
    rng = np.random.default_rng(seed % 2**63)
    found = _twins(n - n % 2, rng, detail) if twins else _plain(n, rng, detail)
    say = "Twins use the same words: only who wears which colour tells them apart." if twins else ""
    return {"pairs": found, "say": say}


def _plain(n: int, rng: np.random.Generator, detail: float) -> list[dict]:
    out, captions = [], set()
    for face in rng.permutation(faces.MOST).tolist():
        row = faces.rows()[face]
        text = corpus.caption(row, int(rng.integers(2**31)), detail)
        if text not in captions:
            captions.add(text)
            out.append(_pair(face, text, row))
        if len(out) == n:
            return out
    raise ValueError("There are not so many different captions of so little detail; ask for more detail.")


def _twins(n: int, rng: np.random.Generator, detail: float) -> list[dict]:
    rows = corpus.attributes(range(POOL), split="test")
    hair, shirt = (column(factor) for factor in SWAPPED)
    others = [i for i in range(rows.shape[1]) if i not in (hair, shirt)]
    names = [[corpus.FACTORS[factor].index(colour) for factor in SWAPPED] for colour in ("black", "red", "blue")]
    to_shirt, to_hair = dict(names), {s: h for h, s in names}

    out, captions = [], set()
    for face in rng.permutation(faces.MOST).tolist():
        row = rows[face]
        if row[hair] not in to_shirt or row[shirt] not in to_hair or to_shirt[row[hair]] == row[shirt]:
            continue

        # The face that wears the same colours the other way round and is most like this one otherwise.
        swapped = (rows[:, hair] == to_hair[row[shirt]]) & (rows[:, shirt] == to_shirt[row[hair]])
        places = np.flatnonzero(swapped)
        alike = rows[places][:, others] == row[others]
        best = int(alike.sum(1).argmax())
        twin, shared = int(places[best]), [NAMES[others[i]] for i in np.flatnonzero(alike[best])]

        # Both may be said of both, but for the two colours.
        count = min(max(0, round(detail * rows.shape[1]) - 2), len(shared))
        named = [*SWAPPED, *rng.permutation(shared)[:count].tolist()]
        text, other = _two(row, rows[twin], int(rng.integers(2**31)), named)
        if not {text, other} & captions and text != other:
            captions |= {text, other}
            out += [_pair(face, text, row, len(out) + 1), _pair(twin, other, rows[twin], len(out))]
        if len(out) >= n:
            return out
    raise ValueError("There are not so many different twins; ask for fewer.")


def _two(row: np.ndarray, twin: np.ndarray, seed: int, named: list[str]) -> tuple[str, str]:
    """One sentence for both, with the colours of hair and shirt exchanged in the second."""
    text = corpus.caption(row, seed, len(named) / len(row), named)
    mine, theirs = (corpus.describe(some) for some in (row, twin))
    return text, _exchanged(text, mine["hair colour"], theirs["hair colour"])


def _exchanged(text: str, a: str, b: str) -> str:
    """The two colours swapped where they belong to hair or shirt, not where they belong to the wall behind."""
    return re.sub(rf"\b({a}|{b})\b(?! background)", lambda match: b if match[1] == a else a, text)


def _pair(face: int, caption: str, row: np.ndarray, twin: int | None = None) -> dict:
    return {"face": int(face), "caption": caption, "attributes": corpus.describe(row), "twin": twin}
