"""Who says what a picture shows: the judge for faces, a classifier of pixels where labels are known, nobody elsewhere.

Neither knows any code: they see pictures as we do, so they can say what an edit did.
"""

from weakref import WeakKeyDictionary

import numpy as np

from explorer.tabs.vae.engine import Vae

SIDE = 16  # pixels per side that the small classifier sees
LEARNT = 1500  # pictures that it learns from


def of(vae: Vae):
    """The reader of a model's pictures, or None where nothing is known of them: `.read(pixels) -> {factor: (N, values)}`."""
    if vae.source.judged:
        from explorer.judge import engine

        return Faces(engine.load())
    if vae.source.factors:
        return _learnt(vae.source)
    return None


class Faces:
    """The judge of avatars."""

    name = "the judge"

    def __init__(self, judge):
        self.judge = judge

    def read(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return self.judge.read(images)

    def features(self, images: np.ndarray) -> np.ndarray:
        """(N, 256): what the judge's last layer makes its decisions from."""
        import torch

        from explorer.pixels import to_tensor

        net = self.judge.net
        where = next(net.parameters()).device
        with torch.inference_mode():
            parts = [net.trunk(to_tensor(images[i : i + 256], where)).cpu().numpy() for i in range(0, len(images), 256)]
        return np.concatenate(parts)


class Learnt:
    """A logistic regression from coarse pixels to each factor, of pictures of a source with labels."""

    name = "a classifier of the pixels"

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, factors: dict[str, tuple[str, ...]]):
        from sklearn.linear_model import LogisticRegression

        self.factors, coarse = factors, _coarse(pixels)
        self.fits = {}
        for column, name in enumerate(factors):
            self.fits[name] = LogisticRegression(C=0.1, max_iter=300).fit(coarse, labels[:, column])

    def read(self, images: np.ndarray) -> dict[str, np.ndarray]:
        coarse, out = _coarse(images), {}
        for name, fit in self.fits.items():
            out[name] = np.zeros((len(images), len(self.factors[name])), np.float32)
            out[name][:, fit.classes_] = fit.predict_proba(coarse)
        return out

    def features(self, images: np.ndarray) -> np.ndarray:
        return _coarse(images)


_kept: WeakKeyDictionary = WeakKeyDictionary()  # source -> its classifier, for as long as any model has the source


def _learnt(source) -> Learnt:
    found = _kept.get(source)
    if found is None:
        pixels, labels = source.batch(source.most)
        if source.unseen < source.most:  # it is asked about these, so it learns from the others
            pixels, labels = pixels[source.unseen :], labels[source.unseen :]
        found = _kept[source] = Learnt(pixels[:LEARNT], labels[:LEARNT], dict(source.factors))
    return found


def _coarse(images: np.ndarray) -> np.ndarray:
    """(N, S, S, 3) uint8 -> (N, SIDE * SIDE) in [0, 1]: grey, and averaged over blocks."""
    step = images.shape[1] // SIDE
    grey = images.astype(np.float32).mean(3) / 255
    return grey.reshape(len(images), SIDE, step, SIDE, step).mean((2, 4)).reshape(len(images), -1)
