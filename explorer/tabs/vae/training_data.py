"""The pictures of a training on the page: held-out ones apart, their labels where they are known, and who owns them.

What ships is opened once and shared, for as long as some training holds it.
"""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from explorer import corpus
from explorer.tabs.vae.sources import AVATARS, DIGITS, Own
from explorer.training import data as sets

DIGITS_HELD = 400  # of 1,797: enough points for a map
FACES, FACES_HELD, CHUNK = 5000, 400, 250  # 60 MB at 64 pixels; rendered in seconds, so many at a time
GARMENTS = 20_000  # of Fashion-MNIST's 60,000: 60 MB
OWN_KEPT = 1000  # pictures of a visitor's that stay with a finished model: 3 MB
GARMENT_NAMES = (
    "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


class Stopped(Exception):
    """Whoever asked for the pictures no longer wants them."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """train (N, S, S, 3), held (M, S, S, 3) uint8; labels (M, factors) of those held out; the source of a model of them."""

    name: str
    train: np.ndarray
    held: np.ndarray
    labels: np.ndarray
    source: object
    factors: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.train.shape[1]

    @property
    def bytes(self) -> int:
        """Of a visitor's: of a set that ships, all trainings have the same one."""
        return self.train.nbytes + self.held.nbytes + self.source.pixels.nbytes if isinstance(self.source, Own) else 0


Progress = Callable[[int, int], None]  # so many of so many pictures; may raise Stopped


def open_set(name: str, size: int, progress: Progress = lambda done, total: None) -> Pictures:
    """ "digits", "avatars" or "fashion". Raises training.data.Unavailable, and whatever `progress` raises."""
    with _opening:  # rendered once even where two ask at the same time
        found = _open.get((name, size))
        if found is None:
            found = _open[name, size] = _MAKE[name](size, progress)
    return found


def lacking() -> dict[str, str]:
    """name -> why that set cannot be had on this host, without opening any."""
    raw = sets.ROOT / "FashionMNIST" / "raw"
    stems = [f"{part}-{kind}" for part in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    if all((raw / stem).is_file() for stem in stems):
        return {}
    return {"fashion": f"Fashion-MNIST is not on this host; put its four files, unpacked, into the folder {raw}."}


def of_visitor(images: np.ndarray) -> Pictures:
    """A visitor's (N, S, S, 3) uint8, two or more: a tenth, at most 400, is held out; shuffled, always in the same way."""
    if len(images) < 2:
        raise ValueError(FEW)
    images = images[np.random.default_rng(0).permutation(len(images))]
    held, train = np.split(images, [min(400, max(1, len(images) // 10))])
    source = Own("your pictures", images[:OWN_KEPT].copy(), held=len(held))
    return Pictures("upload", train, held, np.empty((len(held), 0), np.int64), source)


FEW = "This is one picture; training needs two or more, and for a map that says something at least about 50."

_open: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
_opening = threading.Lock()


def _digits(size: int, progress: Progress) -> Pictures:
    pixels, labels = DIGITS.batch(DIGITS.most)
    held, train = np.split(pixels, [DIGITS_HELD])
    return Pictures("digits", train, held, labels[:DIGITS_HELD], DIGITS, DIGITS.factors)


def _avatars(size: int, progress: Progress) -> Pictures:
    train, total = np.empty((FACES, size, size, 3), np.uint8), FACES + FACES_HELD
    for start in range(0, FACES, CHUNK):
        progress(start, total)
        count = min(CHUNK, FACES - start)
        train[start : start + count] = _smaller(corpus.batch("train", start, count)[0], size)
    progress(FACES, total)
    held, labels = corpus.batch("val", 0, FACES_HELD)
    held = _smaller(held, size)
    source = AVATARS if size == 64 else Own("avatars", held, labels, corpus.FACTORS)
    return Pictures("avatars", train, held, labels, source, corpus.FACTORS)


def _fashion(size: int, progress: Progress) -> Pictures:
    from torchvision.datasets import FashionMNIST

    if reason := lacking().get("fashion"):
        raise sets.Unavailable(reason)
    found = sets.open_data("fashion_mnist", GARMENTS, sets.ROOT)
    labels = FashionMNIST(str(sets.ROOT), train=False, download=False).targets[: len(found.val)].numpy()[:, None]
    factors = {"garment": GARMENT_NAMES}
    return Pictures("fashion", found.train, found.val, labels, Own("fashion_mnist", found.val, labels, factors), factors)


def _smaller(faces: np.ndarray, size: int) -> np.ndarray:
    """(N, 64, 64, 3) -> (N, size, size, 3) by the mean of whole squares of pixels."""
    if size == faces.shape[1]:
        return faces
    k = faces.shape[1] // size
    blocks = faces.reshape(len(faces), size, k, size, k, 3).astype(np.uint16).sum((2, 4))
    return ((blocks + k * k // 2) // (k * k)).astype(np.uint8)


_MAKE = {"digits": _digits, "avatars": _avatars, "fashion": _fashion}
