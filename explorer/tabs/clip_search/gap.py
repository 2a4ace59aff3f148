"""The modality gap: pictures and texts share a space and yet lie apart in it, each kind in a narrow cone of its own.

Liang et al. 2022, "Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning", sections 2
and 4.2: the gap is the difference of the two means; texts are moved along it and set back onto the sphere.
"""

import numpy as np

from explorer.tabs.clip_search import faces

FEW, MOST = 20, 500
SHIFTS = np.round(np.arange(0, 1.51, 0.1), 1)  # of the mean difference; at 1 the two means coincide
BINS = 40  # of cosines from -1 to 1
EASY = 0.995  # recall from which on no shift could be better: shorter captions fit more faces and leave room
SHORT = 0.3  # of the attributes: three of ten


def gap(model, n: int = 200) -> dict:
    """n held-out faces and their captions in the model's space, and what moving the texts does.

    {n, images, texts: points of the plot, captions, faces, explained, gap, mean, line, cos, hist_range, shift, scale, note, say};
    the plot is the first two principal components of both clouds together. Where full captions find every face, all is measured
    with short ones, and `note` says so. Raises ValueError for a count outside 20..500.
    """
    if not FEW <= n <= MOST:
        raise ValueError(f"The plot takes {FEW} to {MOST} faces.")
    images, note = faces.vectors(model, n), ""
    captions = [faces.caption(i) for i in range(n)]
    texts = model.texts(captions)
    if recalls(images @ texts.T)[2] >= EASY:
        captions = [faces.caption(i, SHORT) for i in range(n)]
        texts = model.texts(captions)
        note = (
            f"Full captions are too easy to show a difference: practically all of these {n} pairs find each other. So these "
            f"captions name three things each."
        )
    answer = measured(images, texts)
    return {
        "captions": captions, "faces": list(range(n)), "scale": model.scale, "note": note, "say": _say(answer), **answer,
    }  # fmt: skip


def _say(answer: dict) -> str:
    matching, pictures, texts = (answer["cos"][name]["mean"] for name in ("matching", "image_image", "text_text"))
    recall = answer["shift"]["recall"]
    at = int(np.argmax(recall))
    doubt = 2 * np.sqrt(recall[0] * (1 - recall[0]) / answer["n"])  # two standard errors
    if at == 0:
        moved = "no shift finds more"
    elif recall[at] - recall[0] <= doubt:
        moved = f"no shift finds clearly more ({faces.percent(recall[at], 1)} at best, moved by {SHIFTS[at]:.1f} of the gap)"
    else:
        moved = f"moved by {SHIFTS[at]:.1f} of the gap, {faces.percent(recall[at], 1)}"
    say = (
        f"The two centres are {answer['gap']:.2f} apart. A picture and its own caption have a cosine of {matching:.2f}, two "
        f"different pictures {pictures:.2f}, two captions {texts:.2f}: the same number means different things. Where the texts "
        f"stand, {faces.percent(recall[0], 1)} find their partner; {moved}."
    )
    return say.replace("-", "−")


def measured(images: np.ndarray, texts: np.ndarray) -> dict:
    """The same for stored vectors: pairs (n, D), (n, D), each of length 1; without words."""
    n = len(images)
    images, texts = (np.asarray(x, np.float64) for x in (images, texts))
    both = np.concatenate([images, texts])
    centre, difference = both.mean(0), images.mean(0) - texts.mean(0)
    _, s, axes = np.linalg.svd(both - centre, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(1)].diagonal())[:, None]  # else the sign is the library's whim
    points = (both - centre) @ axes.T
    shift = shifted(images, texts)
    return {
        "n": n, "images": _round(points[:n]), "texts": _round(points[n:]),
        "explained": _round((s[:2] ** 2) / (s**2).sum()), "gap": round(float(np.linalg.norm(difference)), 5),
        "mean": {"image": _round(points[:n].mean(0)), "text": _round(points[n:].mean(0))}, "line": _round(axes @ difference),
        "cos": shift["cos"][0], "hist_range": [-1, 1], "shift": shift,
    }  # fmt: skip


def shifted(images: np.ndarray, texts: np.ndarray) -> dict:
    """Texts moved by 0 .. 1.5 of the mean difference: {at, i2t, t2i, recall, matching, cos}.

    Recall@1 is among these n pairs; `cos` holds for each shift the spread of the four kinds of cosines, as without one.
    """
    difference = images.mean(0) - texts.mean(0)
    out = {"at": SHIFTS.tolist(), "i2t": [], "t2i": [], "recall": [], "matching": [], "cos": []}
    for at in SHIFTS:
        moved = faces.unit(texts + at * difference) if at else texts
        for name, value in zip(("i2t", "t2i", "recall"), recalls(images @ moved.T)):
            out[name].append(round(value, 5))
        kinds = {name: _spread(values) for name, values in cosines(images, moved).items()}
        out["matching"].append(kinds["matching"]["mean"])
        out["cos"].append(kinds)
    return out


def recalls(cos: np.ndarray) -> tuple[float, float, float]:
    """Recall@1 of a square of cosines (n, n), pairs on its diagonal: image to text, text to image, and their mean."""
    i2t, t2i = (float((cos.argmax(axis) == np.arange(len(cos))).mean()) for axis in (1, 0))
    return i2t, t2i, (i2t + t2i) / 2


def cosines(images: np.ndarray, texts: np.ndarray) -> dict[str, np.ndarray]:
    """All cosines of pairs (n, D), (n, D), flat, by their kind; each two of a kind once."""
    n = len(images)
    above, cos = np.triu_indices(n, 1), images @ texts.T
    return {
        "matching": cos.diagonal(), "other": cos[~np.eye(n, dtype=bool)],
        "image_image": (images @ images.T)[above], "text_text": (texts @ texts.T)[above],
    }  # fmt: skip


def _spread(values: np.ndarray) -> dict:
    counts, _ = np.histogram(values.clip(-1, 1), BINS, (-1, 1))
    return {"mean": round(float(values.mean()), 5), "sd": round(float(values.std()), 5), "hist": counts.tolist()}


def _round(x: np.ndarray) -> list:
    return np.round(x, 5).tolist()
