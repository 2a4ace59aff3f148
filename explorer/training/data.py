"""Pictures to train on, by name: the avatars of this repository, scikit-learn's and torchvision's sets, or a folder.

Every set becomes the same thing: arrays of square RGB pixels for training and for judging. Knows no model.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from explorer import corpus

NAMES = ("avatars", "digits", "fashion_mnist", "lfw", "celeba", "folder:PATH")
ROOT = Path(os.environ.get("EXPLORER_DATA", "data"))  # where downloads go; the loaders that need it create it


class Unavailable(Exception):
    """A data set cannot be had here. Its text is one sentence that says what is missing."""


@dataclass(frozen=True)
class Data:
    """`train` and `val` are (N, size, size, 3) uint8; `licence` names the terms for the card."""

    name: str
    train: np.ndarray
    val: np.ndarray
    licence: str

    @property
    def size(self) -> int:
        return self.train.shape[1]


def open_data(name: str, limit: int = 100_000, root: Path = ROOT) -> Data:
    """Opens a data set by name, with at most `limit` training pictures, from `root` or from the network.

    Raises Unavailable where it cannot be had, ValueError for an unknown name.
    """
    kind, _, path = name.partition(":")
    if kind == "folder":
        return _folder(Path(path).expanduser(), limit)
    if kind not in _OPEN or path:
        raise ValueError(f"There is no data set {name!r}; choose one of {', '.join(NAMES)}.")
    return _OPEN[kind](limit, root)


def _avatars(limit: int, root: Path) -> Data:
    train, _ = corpus.batch("train", 0, limit)
    val, _ = corpus.batch("val", 0, min(limit, 1000))
    return Data("avatars", train, val, "rendered by explorer/corpus; see assets/corpus")


def _digits(limit: int, root: Path) -> Data:
    from sklearn.datasets import load_digits

    pixels = (load_digits().images * (255 / 16)).round().astype(np.uint8)
    return _split("digits", [_square(Image.fromarray(p), 32) for p in pixels], limit, "UCI digits, CC BY 4.0")


def _fashion_mnist(limit: int, root: Path) -> Data:
    from torchvision.datasets import FashionMNIST

    def pixels(train: bool) -> np.ndarray:
        found = FashionMNIST(str(root), train=train, download=True)  # what is there is not fetched again
        return np.stack([_pad(p, 32) for p in found.data[: limit if train else 1000].numpy()])

    remedy = f"put its four files under {root}/FashionMNIST/raw"
    return _remote("Fashion-MNIST", remedy, lambda: Data("fashion_mnist", pixels(True), pixels(False), "MIT"))


def _lfw(limit: int, root: Path) -> Data:
    from sklearn.datasets import fetch_lfw_people

    def load() -> Data:
        found = fetch_lfw_people(data_home=str(root), color=True, funneled=True, resize=None)
        images = [_square(Image.fromarray((p * 255).round().astype(np.uint8)), 64) for p in found.images]
        return _split("lfw", images, limit, "LFW: research use; photographs of real people, never shipped")

    return _remote("Labeled Faces in the Wild", f"put scikit-learn's lfw_home folder under {root}", load)


def _celeba(limit: int, root: Path) -> Data:
    from torchvision.datasets import CelebA

    def pixels(split: str, most: int) -> np.ndarray:
        found = CelebA(str(root), split=split, download=not (root / "celeba" / "img_align_celeba").is_dir())
        return np.stack([_square(found[i][0], 64) for i in range(min(most, len(found)))])

    terms = "CelebA: non-commercial research only; photographs of real people, never shipped"
    remedy = f"put img_align_celeba and its text files under {root}/celeba"
    return _remote("CelebA", remedy, lambda: Data("celeba", pixels("train", limit), pixels("valid", 1000), terms))


def _folder(path: Path, limit: int) -> Data:
    from explorer.uploads import BadImage, read_image

    if not path.is_dir():
        raise Unavailable(f"There is no folder {path}.")
    images = []
    for file in sorted(path.rglob("*")):
        if file.is_file() and len(images) < limit:
            try:
                images.append(read_image(file.read_bytes(), 64).pixels)
            except BadImage:
                continue  # a folder of pictures often holds a few other files
    if len(images) < 2:
        raise Unavailable(f"The folder {path} holds {len(images)} readable pictures; training needs two or more.")
    return _split(f"folder:{path.name}", images, limit, "the pictures of the folder's owner")


_OPEN: dict[str, Callable[[int, Path], Data]] = {
    "avatars": _avatars,
    "digits": _digits,
    "fashion_mnist": _fashion_mnist,
    "lfw": _lfw,
    "celeba": _celeba,
}


def _remote(title: str, remedy: str, load: Callable[[], Data]) -> Data:
    """Runs a loader that may want the network, and says in one sentence what is missing where it fails."""
    try:
        return load()
    except (OSError, RuntimeError, ImportError) as error:  # urllib's errors are OSErrors; torchvision raises RuntimeError
        cause = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise Unavailable(f"{title} could not be loaded ({cause}); connect to a network, or {remedy}.") from None


def _split(name: str, images: list[np.ndarray], limit: int, licence: str) -> Data:
    """A tenth, at most 1,000, is kept for judging; the order is shuffled once, always the same way."""
    order = np.random.default_rng(0).permutation(len(images))
    kept = max(1, min(1000, len(images) // 10))
    pixels = np.stack([images[i] for i in order])
    return Data(name, pixels[kept:][:limit], pixels[:kept], licence)


def _square(image: Image.Image, size: int) -> np.ndarray:
    """The middle square of a picture, resampled, in RGB."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, box))


def _pad(pixels: np.ndarray, size: int) -> np.ndarray:
    """A grey (H, W) picture centred on black, in RGB: 28 becomes 32 without resampling."""
    out = np.zeros((size, size, 3), np.uint8)
    top = (size - len(pixels)) // 2
    out[top : top + len(pixels), top : top + pixels.shape[1]] = pixels[..., None]
    return out


