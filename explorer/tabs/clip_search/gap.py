"""The modality gap: pictures and texts share a space and yet lie apart in it, each kind in a narrow cone of its own.

Liang et al. 2022, "Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning", sections 2
and 4.2: the gap is the difference of the two means; texts are moved along it and set back onto the sphere.
"""

import numpy as np

from explorer.tabs.clip_search import faces

FEW, MOST = 20, 500
SHIFTS = np.round(np.arange(0, 1.51, 0.1), 1)  # of the mean difference; at 1 the two means coincide
BINS = 40  # of cosines from -1 to 1


def gap(model, n: int = 200) -> dict:
    """n held-out faces and their captions in the model's space, and what moving the texts does.

    {n, images, texts: points of the plot, captions, faces, explained, gap, mean, line, cos, hist_range, shift, scale, say}; the
    plot is the first two principal components of both clouds together. Raises ValueError for a count outside 20..500.
    """
    if not FEW <= n <= MOST:
        raise ValueError(f"The plot takes {FEW} to {MOST} faces.")
    captions = [faces.caption(i) for i in range(n)]
    answer = measured(faces.vectors(model, n), model.texts(captions))
    cos, recall = answer["cos"], answer["shift"]["recall"]
    at = int(np.argmax(recall))
    matching, pictures, texts = (cos[name]["mean"] for name in ("matching", "image_image", "text_text"))
    say = (
        f"The two centres are {answer['gap']:.2f} apart. A picture and its own caption have a cosine of {matching:.2f}, two "
        f"different pictures {pictures:.2f}, two captions {texts:.2f}: the same number means different things. Where the texts "
        f"stand, {recall[0]:.1%} find their partner; moved by {SHIFTS[at]:g}, {recall[at]:.1%}."
    )
    return {"captions": captions, "faces": list(range(n)), "scale": model.scale, "say": say, **answer}


def measured(images: np.ndarray, texts: np.ndarray) -> dict:
    """The same for stored vectors: pairs (n, D), (n, D), each of length 1; without words."""
    n = len(images)
    images, texts = (np.asarray(x, np.float64) for x in (images, texts))
    both = np.concatenate([images, texts])
    centre, difference = both.mean(0), images.mean(0) - texts.mean(0)
    _, s, axes = np.linalg.svd(both - centre, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(1)].diagonal())[:, None]  # else the sign is the library's whim
    points = (both - centre) @ axes.T
    above, apart = np.triu_indices(n, 1), ~np.eye(n, dtype=bool)
    cos = images @ texts.T
    kinds = {
        "matching": cos.diagonal(), "other": cos[apart],
        "image_image": (images @ images.T)[above], "text_text": (texts @ texts.T)[above],
    }  # fmt: skip
    return {
        "n": n, "images": _round(points[:n]), "texts": _round(points[n:]),
        "explained": _round((s[:2] ** 2) / (s**2).sum()), "gap": round(float(np.linalg.norm(difference)), 5),
        "mean": {"image": _round(points[:n].mean(0)), "text": _round(points[n:].mean(0))}, "line": _round(axes @ difference),
        "cos": {name: _spread(values) for name, values in kinds.items()}, "hist_range": [-1, 1],
        "shift": shifted(images, texts),
    }  # fmt: skip


def shifted(images: np.ndarray, texts: np.ndarray) -> dict:
    """Texts moved by 0 .. 1.5 of the mean difference: {at, i2t, t2i, recall, matching}; recall@1 among these n pairs."""
    difference = images.mean(0) - texts.mean(0)
    out = {"at": SHIFTS.tolist(), "i2t": [], "t2i": [], "recall": [], "matching": []}
    for at in SHIFTS:
        cos = images @ faces.unit(texts + at * difference).T
        right = [float((cos.argmax(axis) == np.arange(len(cos))).mean()) for axis in (1, 0)]
        for name, value in zip(("i2t", "t2i", "recall", "matching"), (*right, sum(right) / 2, float(cos.diagonal().mean()))):
            out[name].append(round(value, 5))
    return out


def _spread(values: np.ndarray) -> dict:
    counts, _ = np.histogram(values.clip(-1, 1), BINS, (-1, 1))
    return {"mean": round(float(values.mean()), 5), "sd": round(float(values.std()), 5), "hist": counts.tolist()}


def _round(x: np.ndarray) -> list:
    return np.round(x, 5).tolist()
