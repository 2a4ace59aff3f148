"""A word written on a picture: models that have seen the web's photographs read it, and believe it.

Goh et al. 2021, "Multimodal Neurons in Artificial Neural Networks", section "Typographic attacks". Beside the word stands a
control of the same letters in another order: what both do is done by covering the picture, only the difference is reading.
"""

import base64
import io

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from explorer import corpus
from explorer.clip.pairs import phrase
from explorer.tabs.clip_search import faces
from explorer.tabs.clip_search.faces import asked, percent

DEFAULT = 24  # a face without glasses
SIDE = 512  # pixels of a picture's longest side
TEMPLATE = "a face with {}"
LABELS = 12


def typographic(model, picture: Image.Image | None, given: dict) -> dict:
    """{ref, word, size, x, y, colour, plate, labels, n: faces for the rates} -> what the model says before and after.

    {word, control, picture, clean, width, height, labels: [{label, before, after, blank, cos_before, cos_after, cos_blank,
    target}], target, moved, rates, reads, say}. Probabilities are softmax(scale * cosine). `blank` is the control; rates are
    shares of n faces: changed: another label on top; fooled: the target on top where it was not. Raises ValueError.
    """
    word = faces.words(given, "word", "sunglasses", 30)
    size, x, y = asked(given, "size", 0.2, 0.05, 0.5), asked(given, "x", 0.5, 0, 1), asked(given, "y", 0.85, 0, 1)
    colour, plate = _colour(given.get("colour")), given.get("plate", True) is not False
    n = asked(given, "n", faces.usual(model, 32, 8), 8, 128)
    labels = _labels(given.get("labels"), word)
    target = next((i for i, label in enumerate(labels) if word.lower() in label.lower()), None)
    control = scrambled(word)
    if picture is None:
        picture = Image.fromarray(faces.pixels([DEFAULT])[0])

    def written(image: Image.Image, text: str) -> Image.Image:
        return write(image, text, size, x, y, colour, plate)

    # One picture.
    clean = enlarged(picture, model.size)
    shown = [clean, written(clean, word), written(clean, control)]
    vectors = model.images(shown)
    texts = model.texts([TEMPLATE.format(label) for label in labels])
    cos = vectors @ texts.T  # (3, labels)
    p = softmax(model.scale * cos)
    told = [
        {"label": label, **{f"cos_{name}": float(cos[i, j]) for i, name in enumerate(("before", "after", "blank"))},
         **{name: float(p[i, j]) for i, name in enumerate(("before", "after", "blank"))}, "target": j == target}
        for j, label in enumerate(labels)
    ]  # fmt: skip

    # Many.
    some = [enlarged(Image.fromarray(face), model.size) for face in faces.pixels(range(n))]
    groups = [faces.vectors(model, n) if model.size <= corpus.SIZE else model.images(some)]
    groups += [model.images([written(image, text) for image in some]) for text in (word, control)]
    rates = rates_of([(group @ texts.T).argmax(1) for group in groups], target)
    reads = _reads(rates)
    return {
        "word": word, "control": control, "picture": _png(shown[1]), "clean": _png(clean), "width": clean.width,
        "height": clean.height, "labels": told, "target": target, "rates": rates, "reads": reads,
        "moved": {name: float(vectors[0] @ vectors[i]) for i, name in ((1, "word"), (2, "blank"))},
        "say": _say(rates, reads, target),
    }  # fmt: skip


def rates_of(tops: list[np.ndarray], target: int | None) -> dict:
    """Best labels (n,) of clean pictures, those with the word, and those with the control -> {of, could, changed, fooled}."""
    clean, word, control = tops
    could = clean != target
    share = {"word": word, "blank": control}
    return {
        "of": len(clean), "could": int(could.sum()),
        "changed": {name: float((top != clean).mean()) for name, top in share.items()},
        "fooled": {name: float((top[could] == target).mean()) if target is not None and could.any() else 0.0
                   for name, top in share.items()},
    }  # fmt: skip


def _reads(rates: dict) -> bool:
    """Whether the word fools more often than chance lets the control do: beyond two standard errors, and a tenth."""
    a, b, n = rates["fooled"]["word"], rates["fooled"]["blank"], max(rates["could"], 1)
    return bool(a - b > max(0.1, 2 * np.sqrt((a * (1 - a) + b * (1 - b)) / n)))


def enlarged(picture: Image.Image, side: int) -> Image.Image:
    """As large as the model looks at it, or larger, and not beyond 512 pixels: letters need pixels of their own."""
    scale = max(side / min(picture.size), 1.0) if max(picture.size) <= SIDE else SIDE / max(picture.size)
    size = [max(1, round(length * scale)) for length in picture.size]
    return picture if tuple(size) == picture.size else picture.resize(size, Image.Resampling.BICUBIC)


def write(picture: Image.Image, word: str, size: float, x: float, y: float, colour: tuple, plate: bool) -> Image.Image:
    """A copy with the word on it: letters of `size` of its height, the word's middle at (x, y) of its sides, kept inside.

    A word that is too long is written smaller. `plate` puts a note behind it, dark or light, whichever is easier to read on.
    """
    picture = picture.convert("RGB")
    wide, high = picture.size
    pixels = max(6.0, size * high)
    for _ in range(2):
        font = ImageFont.load_default(pixels)
        left, top, right, bottom = font.getbbox(word)
        pixels *= min(1.0, 0.94 * wide / max(right - left, 1), 0.94 * high / max(bottom - top, 1))
    w, h, edge = right - left, bottom - top, max(1, round(0.12 * (bottom - top)))
    corner_x = min(max(x * wide - w / 2, edge), max(wide - w - edge, 0))
    corner_y = min(max(y * high - h / 2, edge), max(high - h - edge, 0))
    drawing = ImageDraw.Draw(picture)
    if plate:
        light = sum(channel * share for channel, share in zip(colour, (0.3, 0.59, 0.11))) > 140
        box = (corner_x - edge, corner_y - edge, corner_x + w + edge, corner_y + h + edge)
        drawing.rectangle(box, fill=(24, 24, 28) if light else (250, 248, 240))
    drawing.text((corner_x - left, corner_y - top), word, fill=colour, font=font)
    return picture


def scrambled(word: str) -> str:
    """The same letters in another order, always the same one; a dot for a word that has no other order."""
    letters = [i for i, letter in enumerate(word) if not letter.isspace()]
    for seed in range(20):
        out = list(word)
        for i, j in zip(letters, np.random.default_rng(seed).permutation(letters)):
            out[i] = word[j]
        if "".join(out) != word:
            return "".join(out)
    return "." * len(word)


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _labels(given, word: str) -> list[str]:
    """What is chosen among: the given labels; else all values of what the word names; else those of glasses, and the word."""
    if given is None:
        factors = list(faces.claims(word)) or ["glasses"]
        labels = [phrase(factors[0], name) for name in corpus.FACTORS[factors[0]]]
        return labels if any(word.lower() in label for label in labels) else [*labels, word]
    if not isinstance(given, list) or not all(isinstance(label, str) and len(label) <= 200 for label in given):
        raise ValueError("labels takes a list of texts.")
    labels = list(dict.fromkeys(label.strip() for label in given if label.strip()))
    if not 2 <= len(labels) <= LABELS:
        raise ValueError(f"Give 2 to {LABELS} different labels.")
    return labels


def _colour(given) -> tuple[int, int, int]:
    try:
        return ImageColor.getrgb(str(given or "#ffffff")[:40])[:3]
    except ValueError:
        raise ValueError("colour takes a colour such as #ffffff.") from None


def _say(rates: dict, reads: bool, target: int | None) -> str:
    changed, fooled = rates["changed"], rates["fooled"]
    if target is None:
        return (
            f"The word changes the best label of {percent(changed['word'])} of the faces, the same letters in disorder "
            f"{percent(changed['blank'])}."
        )
    says = (
        f"The word turns {percent(fooled['word'])} of the faces into its own label, the same letters in disorder "
        f"{percent(fooled['blank'])}. "
    )
    if reads:
        return says + "The difference is reading."
    return says + (
        "So this model does not read: whatever changes is done by covering the face. It was never shown letters; models trained "
        "on photographs of the web read, and believe what is written."
    )


def _png(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
