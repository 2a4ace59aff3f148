"""What a CLIP knows of the faces, in numbers for its card: retrieval, zero-shot attributes, binding."""

import numpy as np
import torch

from explorer import corpus
from explorer.clip import pairs
from explorer.clip.folder import Clip
from explorer.corpus.factors import column
from explorer.pixels import to_tensor

BATCH = 256  # pairs among which a caption must find its face, and a face its caption

TEMPLATES = ("a face with {}", "someone with {}", "a portrait with {}")


@torch.inference_mode()
def encode_images(clip: Clip, images: np.ndarray) -> np.ndarray:
    """(N, 64, 64, 3) uint8 of the corpus -> (N, D) unit vectors, for a model that takes 64 pixels in [-1, 1]."""
    parts = [clip.model.encode_image(to_tensor(images[i : i + 128]), normalize=True) for i in range(0, len(images), 128)]
    return torch.cat(parts).numpy()


@torch.inference_mode()
def encode_texts(clip: Clip, texts: list[str]) -> np.ndarray:
    """N texts -> (N, D) unit vectors."""
    tokens = clip.tokenize(texts)
    parts = [clip.model.encode_text(tokens[i : i + 256], normalize=True) for i in range(0, len(tokens), 256)]
    return torch.cat(parts).numpy()


def retrieval(clip: Clip, split: str, detail: float, count: int) -> dict[str, float]:
    """recall@1 in batches of 256 pairs with distinct captions, text to image and image to text.

    A short caption may be true of several faces of its batch. "fits" therefore counts every face of which the caption is
    true, and "best possible" is the recall of someone who knows all and picks among those blindly. It differs between splits:
    the faces of "compose" share a few pairs of values, so captions fit more of them.
    """
    images, rows = corpus.batch(split, 0, count + count // 2)
    captions = [corpus.caption(row, seed, detail) for seed, row in enumerate(rows)]
    x, t = encode_images(clip, images), encode_texts(clip, captions)
    names = [corpus.describe(row) for row in rows]
    found = {f"{way}{what}": [] for way in ("text to image", "image to text") for what in ("", ", fits", ", best possible")}
    left = list(range(len(captions)))
    while len(found["text to image"]) < count // BATCH:
        chosen = list({captions[i]: i for i in reversed(left)}.values())[::-1][:BATCH]  # the first of equal captions
        if len(chosen) < BATCH:
            break
        cos = t[chosen] @ x[chosen].T
        says = [corpus.stated(rows[i], i, detail).items() for i in chosen]
        true = np.array([[said <= names[i].items() for i in chosen] for said in says])
        for way, scores, fits in (("text to image", cos, true), ("image to text", cos.T, true.T)):
            best = scores.argmax(1)
            found[way].append((best == np.arange(BATCH)).mean())
            found[f"{way}, fits"].append(fits[np.arange(BATCH), best].mean())
            found[f"{way}, best possible"].append((1 / fits.sum(1)).mean())
        left = [i for i in left if i not in set(chosen)]
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def zero_shot(clip: Clip, split: str, count: int) -> dict[str, float]:
    """Share of faces whose value is the best of its factor's, in the mean of three templates; with mean and least."""
    images, rows = corpus.batch(split, 0, count)
    x = encode_images(clip, images)
    each = {}
    for factor, values in corpus.FACTORS.items():
        texts = [template.format(pairs.phrase(factor, value)) for value in values for template in TEMPLATES]
        t = encode_texts(clip, texts).reshape(len(values), len(TEMPLATES), -1).mean(1)
        t /= np.linalg.norm(t, axis=1, keepdims=True)
        each[factor] = round(float(((x @ t.T).argmax(1) == rows[:, column(factor)]).mean()), 4)
    return {"mean": round(float(np.mean(list(each.values()))), 4), "least": min(each.values()), **each}


def binding(clip: Clip, split: str, count: int, detail: float = 0.0) -> dict[str, float]:
    """Faces and their twins with two swapped colours: how often each caption prefers its face, and each face its caption.

    At detail 0 a caption names the two colours alone. "both" counts pairs that are right in all four comparisons.
    """
    rows = corpus.batch(split, 0, 4 * count)[1]
    swaps = [(row, *swap) for row in rows for swap in pairs.swappable(row)[:1]]
    swaps = [(row, a, b) for row, a, b in swaps if not corpus.held_out(pairs.swapped(row, a, b))[0]][:count]
    before = np.stack([row for row, _, _ in swaps])
    after = np.stack([pairs.swapped(*swap) for swap in swaps])
    indices = np.arange(len(swaps)) + corpus.SPLITS[split].start
    x = [encode_images(clip, corpus.draw(some, indices)) for some in (before, after)]
    t = [
        encode_texts(clip, [corpus.caption(row, seed, detail, (a, b)) for seed, (row, (_, a, b)) in enumerate(zip(some, swaps))])
        for some in (before, after)
    ]
    cos = np.array([[(a * b).sum(1) for b in t] for a in x])  # (image before or after, text before or after, N)
    text_right = np.stack([cos[0, 0] > cos[1, 0], cos[1, 1] > cos[0, 1]])
    image_right = np.stack([cos[0, 0] > cos[0, 1], cos[1, 1] > cos[1, 0]])
    return {
        "text prefers its image": round(float(text_right.mean()), 4),
        "image prefers its text": round(float(image_right.mean()), 4),
        "both": round(float((text_right.all(0) & image_right.all(0)).mean()), 4),
        "pairs": len(swaps),
    }


def all_of(clip: Clip, count: int) -> dict:
    """Every figure of the card. The split "compose" shows attribute combinations that no training face had."""
    figures = {}
    for split in ("val", "compose"):
        figures[f"recall at 1, full captions, {split}"] = retrieval(clip, split, 1.0, count)
        figures[f"recall at 1, half of the attributes, {split}"] = retrieval(clip, split, 0.5, count)
        figures[f"zero-shot, {split}"] = zero_shot(clip, split, count)
    figures["binding, the two colours alone"] = binding(clip, "val", count // 4)
    figures["binding, full captions"] = binding(clip, "val", count // 4, 1.0)
    return figures
