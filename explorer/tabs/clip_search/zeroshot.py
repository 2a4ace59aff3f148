"""Classifying without training: the vectors of the labels' texts are the classifier's weights.

Radford et al. 2021, sections 3.1.2 and 3.1.4 (prompts and their ensembles). A whole collection is judged by the vectors that
are stored, so no picture is encoded again.
"""

import time

import numpy as np

from explorer.tabs.clip_search import query, sure

LABELS = 50  # of a classifier; a table of more is read by nobody
LETTERS = 200  # of a label
TEXTS = 1000  # labels x templates: of each, the model makes a vector
CELL = 400  # pictures of a cell of the matrix that are named


def classify(model, picture, request: dict) -> dict:
    """One picture (PIL) and {labels, templates, none} -> {labels: [{label, cos, p}], scale, none, per_template, took}.

    p is the softmax of scale x cosine over the labels, and over "none of these" where that is asked for: it has the cosine that
    a label must reach to be more than an unrelated text (sure.floor), or that of the template without a label where that is
    higher. per_template holds the cosines (labels x templates).
    Raises ValueError with one sentence.
    """
    start = time.perf_counter()
    labels = _labels(request.get("labels"))
    patterns = query.templates(request.get("templates"))
    image = model.images([picture])[0]

    each, weights = weigh(model, labels, patterns)
    cos = weights @ image
    logits, none = model.scale * cos, None
    if request.get("none"):
        without = max(float(nothing(model, patterns) @ image), float(sure.floor(model, image[None], weights)[0]))
        none = {"cos": without}
        logits = np.append(logits, model.scale * without)
    p = softmax(logits)
    if none is not None:
        none["p"] = float(p[-1])
    return {
        "labels": [dict(label=label, cos=float(c), p=float(q)) for label, c, q in zip(labels, cos, p)],
        "scale": model.scale, "none": none, "per_template": np.round(each @ image, 5).tolist(),
        "took": 1000 * (time.perf_counter() - start),
    }  # fmt: skip


def confusion(model, collection, request: dict) -> dict:
    """A whole collection by {by: "folder" | "attr.<factor>", labels: {value: words} | none, templates}.

    -> {labels: of the columns, values: of the rows, truth: pictures per row, matrix: rows = truth, columns = guess, accuracy,
    per_label, n, ids, took}. ids names the pictures of the cell [row, column] that is asked for, nearest to its label first (None
    where none is asked for). Raises ValueError with one sentence.
    """
    start = time.perf_counter()
    field = request.get("by")
    if not isinstance(field, str) or not (field == "folder" or field.startswith("attr.")):
        raise ValueError("A collection can be judged by its folders or by one of its attributes.")
    given = request.get("labels") or {}
    if not isinstance(given, dict):
        raise ValueError("Labels are words for the values of the collection.")
    patterns = query.templates(request.get("templates"))

    counts = {str(value): n for value, n in collection.index.facets(field).items() if value not in (None, "")}
    values = [value for value in given if value in counts] if given else sorted(counts, key=lambda v: (-counts[v], v))
    if len(values) < 2:
        raise ValueError("This needs at least two folders or values that have pictures.")
    if len(values) > LABELS:
        raise ValueError(f"There are {len(values)} values; choose at most {LABELS} of them.")
    words = _labels([given.get(value) or _name(value) for value in values])

    # One exact scan per label over the vectors that are stored; row i of `scores` belongs to picture ids[i].
    _, weights = weigh(model, words, patterns)
    scans = [collection.index.scores(weight) for weight in weights]
    ids = scans[0][0]
    for other, _ in scans[1:]:  # pictures may come and go meanwhile
        ids = np.intersect1d(ids, other, assume_unique=True)
    scores = np.stack([s[np.searchsorted(i, ids)] for i, s in scans], 1)

    truth = np.full(len(ids), -1)
    for row, value in enumerate(values):
        truth[np.isin(ids, collection.index.ids([(field, "==", value)]), assume_unique=True)] = row
    ids, scores, truth = ids[truth >= 0], scores[truth >= 0], truth[truth >= 0]
    said = scores.argmax(1) if len(scores) else truth
    matrix = np.zeros((len(values), len(values)), int)
    np.add.at(matrix, (truth, said), 1)
    ids = _cell(request.get("cell"), ids, scores, truth, said, len(values))
    right, rows = matrix.diagonal(), matrix.sum(1)
    return {
        "labels": words, "values": values, "truth": rows.tolist(), "matrix": matrix.tolist(),
        "accuracy": float(right.sum() / max(rows.sum(), 1)), "per_label": (right / np.maximum(rows, 1)).tolist(),
        "n": int(rows.sum()), "ids": ids, "took": 1000 * (time.perf_counter() - start),
    }  # fmt: skip


def _cell(cell, ids, scores, truth, said, n: int) -> list[int] | None:
    if cell is None:
        return None
    if not isinstance(cell, (list, tuple)) or len(cell) != 2 or not all(type(i) is int and 0 <= i < n for i in cell):
        raise ValueError("A cell of the matrix is a row and a column.")
    here = np.flatnonzero((truth == cell[0]) & (said == cell[1]))
    return ids[here[np.argsort(-scores[here, cell[1]], kind="stable")[:CELL]]].tolist()


def weigh(model, labels: list[str], patterns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of labels in templates: each one (labels, templates, D), and the mean of a label's, of length 1: (labels, D).

    Raises ValueError for more than 1,000 texts in all.
    """
    if len(labels) * len(patterns) > TEXTS:
        most = TEXTS // len(labels)
        raise ValueError(f"{len(labels)} labels can have {most} templates at most, not {len(patterns)}; take some away.")
    flat = model.texts([pattern.replace("{}", label) for label in labels for pattern in patterns])
    each = flat.reshape(len(labels), len(patterns), -1)
    mean = each.mean(1)
    return each, mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-12)


def nothing(model, patterns: list[str]) -> np.ndarray:
    """The vector (D,) of the templates without a label: what is true of a picture whatever the label."""
    bare = [" ".join(pattern.replace("{}", " ").split()).rstrip(" ,.") or "a picture" for pattern in patterns]
    mean = model.texts(bare).mean(0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    return e / e.sum()


def _labels(given) -> list[str]:
    if not isinstance(given, (list, tuple)) or not all(isinstance(label, str) for label in given):
        raise ValueError("Labels are lines of text.")
    labels = [" ".join(label.split()) for label in given]
    labels = [label for label in labels if label]
    if not labels:
        raise ValueError("Write at least one label.")
    if len(labels) > LABELS:
        raise ValueError(f"There can be at most {LABELS} labels, not {len(labels)}.")
    if len(set(labels)) < len(labels):
        raise ValueError("Two labels are the same; change or remove one.")
    if max(map(len, labels)) > LETTERS:
        raise ValueError(f"A label can have at most {LETTERS} letters.")
    return labels


def _name(value: str) -> str:
    """The last part of a folder, as words: "animals/sea_lion" -> "sea lion"."""
    return value.rstrip("/").rpartition("/")[2].replace("_", " ").replace("-", " ").strip() or "pictures"
