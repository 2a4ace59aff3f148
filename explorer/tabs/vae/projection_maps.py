"""Five flat maps of the same pictures: PCA, t-SNE, UMAP, an autoencoder's codes and a VAE's; and the way back where there is one.

PCA and t-SNE are scikit-learn's. t-SNE has no way back, and takes its time: its layouts ship
(python -m explorer.tabs.vae.projection_maps makes them), and where they do not fit they are made here, once for all visitors.
"""

import importlib.util
import json
import logging
import math
import sys
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property, wraps

import numpy as np

from explorer import assets, export
from explorer.tabs.vae import worlds
from explorer.tabs.vae.sources import BY_NAME

COUNT = {"digits": 1797, "avatars": 1500}
KINDS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "ae": "Autoencoder", "vae": "VAE"}
STOP = {"ae": "0", "vae": "1"}  # of the beta dial
PERPLEXITIES = 5, 30, 100
NEIGHBOURS = 10  # of trustworthiness and of the nearest neighbours' vote
BOARD = 21  # pictures along a side of a decoded board
FEW = 50  # principal components that t-SNE and UMAP start from, as their authors advise
LAYOUTS = "layouts.json"
NO_WAY_BACK = {
    "tsne": "t-SNE has no decoder: it only finds places for the points that it was given, so a new place means nothing.",
    "umap": "UMAP is used without a decoder here.",
}
NO_UMAP = "UMAP is not installed on this host; pip install umap-learn brings it."

log = logging.getLogger("explorer")


def once(work: Callable) -> Callable:
    """`work`, done once for each of its few questions, also where a whole class asks at the same time. What fails is not kept."""
    kept, locks, lock = {}, {}, threading.Lock()

    @wraps(work)
    def asked(*question):
        if question in kept:
            return kept[question]
        with lock:
            mine = locks.setdefault(question, threading.Lock())
        try:
            with mine:
                if question not in kept:
                    kept[question] = work(*question)
                return kept[question]
        finally:
            with lock:
                locks.pop(question, None)

    return asked


@dataclass(frozen=True)
class Pictures:
    """Pixels (N, S, S, 3) uint8 with what is known of them: labels (N, K) and the names of factors and values."""

    pixels: np.ndarray
    labels: np.ndarray
    factors: dict[str, tuple[str, ...]]

    @cached_property
    def flat(self) -> np.ndarray:
        return self.pixels.reshape(len(self.pixels), -1).astype(np.float32) / 255

    @cached_property
    def checksum(self) -> int:
        return zlib.crc32(np.ascontiguousarray(self.pixels).tobytes())


@once
def pictures(data: str) -> Pictures:
    """Those of "digits" or "avatars", the first ones of the maps of worlds. Raises ValueError for another name."""
    _known(data)
    source = BY_NAME[data]
    pixels, labels = source.batch(COUNT[data])
    return Pictures(pixels, labels, source.factors)


@once
def pca(data: str):
    """scikit-learn's PCA of the pixels, with the components that t-SNE starts from."""
    from sklearn.decomposition import PCA

    return PCA(FEW, svd_solver="randomized", random_state=0).fit(pictures(data).flat)


@once
def _reduced(data: str) -> np.ndarray:
    return pca(data).transform(pictures(data).flat)


def missing(kind: str) -> str:
    """Why a kind of map cannot be had on this host; "" where it can."""
    return NO_UMAP if kind == "umap" and not importlib.util.find_spec("umap") else ""


def points(data: str, kind: str, perplexity: int = 30) -> np.ndarray | None:
    """(N, 2) float32; None while it is still being made. Raises ValueError for what does not exist."""
    _known(data, kind, perplexity)
    if missing(kind):
        raise ValueError(missing(kind))
    if kind in STOP:
        return worlds.load(data).codes[STOP[kind]].mu[: COUNT[data]]
    if kind == "pca":
        return _reduced(data)[:, :2].astype(np.float32)
    if kind == "tsne" and (found := shipped(data, perplexity)) is not None:
        return found
    task = _task(data, kind, perplexity)
    if not task.done():
        return None
    try:
        return task.result()
    except Exception:
        with _lock:
            if _tasks.get((data, kind, perplexity)) is task:
                del _tasks[(data, kind, perplexity)]  # the next who asks tries again
        raise


def tsne(data: str, perplexity: int) -> np.ndarray:
    """scikit-learn's t-SNE from the first principal components: seconds."""
    from sklearn.manifold import TSNE

    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(_reduced(data)).astype(np.float32)


def _umap(data: str, perplexity: int) -> np.ndarray:
    import umap

    return umap.UMAP(n_neighbors=max(2, perplexity), random_state=0).fit_transform(_reduced(data)).astype(np.float32)


_tasks: dict[tuple, Future] = {}
_lock = threading.Lock()
_maker = ThreadPoolExecutor(1, "vae-maps")


def _task(data: str, kind: str, perplexity: int) -> Future:
    """One for all visitors; there are at most as many as settings."""
    with _lock:
        key = (data, kind, perplexity)
        if key not in _tasks:
            _tasks[key] = _maker.submit(tsne if kind == "tsne" else _umap, data, perplexity)
        return _tasks[key]


@cache
def shipped(data: str, perplexity: int) -> np.ndarray | None:
    """The t-SNE layout that ships, where it is of these very pictures."""
    for root in assets.roots():
        try:
            told = json.loads((root / "vae" / "maps" / LAYOUTS).read_text(encoding="utf-8"))[data]
            found = np.array(told["tsne"][str(perplexity)], np.float32)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if told.get("pixels") == pictures(data).checksum and found.shape == (COUNT[data], 2):
            return found
    return None


@once
def worth(data: str, kind: str, perplexity: int = 30) -> dict:
    """{trust, knn: {factor: {accuracy, usual}}, variance}: how far neighbours on the map are neighbours in pixels, and how often
    the neighbours on the map know a picture's attribute; `usual` is the part of the commonest value."""
    from sklearn.manifold import trustworthiness
    from sklearn.model_selection import cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    places = points(data, kind, perplexity)
    if places is None:
        raise ValueError("This map is still being made; ask again in a moment.")
    known, told = pictures(data), {}
    voters = KNeighborsClassifier(NEIGHBOURS)
    for k, factor in enumerate(known.factors):
        truth = known.labels[:, k]
        found = cross_val_predict(voters, places, truth, cv=5)
        usual = np.bincount(truth).max() / len(truth)
        told[factor] = {"accuracy": round(float((found == truth).mean()), 4), "usual": round(float(usual), 4)}
    trust = trustworthiness(distances(data), places, n_neighbors=NEIGHBOURS, metric="precomputed")
    told = {"trust": round(float(trust), 4), "knn": told}
    if kind == "pca":
        told["variance"] = [round(float(v), 4) for v in pca(data).explained_variance_ratio_[:2]]
    return told


@once
def distances(data: str) -> np.ndarray:
    """Between all pairs of pictures, of their pixels: (N, N) float32."""
    from sklearn.metrics import pairwise_distances

    found = pairwise_distances(pictures(data).flat)
    np.fill_diagonal(found, 0)
    return found


def decode(data: str, kind: str, places: np.ndarray) -> np.ndarray:
    """(B, 2) places on a map -> (B, S, S, 3) uint8. Raises ValueError where the map has no way back."""
    _known(data, kind)
    if kind in NO_WAY_BACK:
        raise ValueError(NO_WAY_BACK[kind])
    if kind in STOP:
        vae = worlds.load(data).stops[STOP[kind]]
        return vae.decode(np.clip(places, -vae.far, vae.far))
    model, side = pca(data), pictures(data).pixels.shape[1]
    flat = model.mean_ + np.asarray(places, np.float32) @ model.components_[:2]
    return (flat.clip(0, 1) * 255 + 0.5).astype(np.uint8).reshape(len(places), side, side, 3)


def frame(places: np.ndarray) -> np.ndarray:
    """[[left, right], [bottom, top]] of a map with some air around: float64."""
    low, high = places.min(0).astype(np.float64), places.max(0).astype(np.float64)
    air = np.maximum((high - low) * 0.04, 1e-3)
    return np.stack([low - air, high + air], 1)


@once
def board(data: str, kind: str) -> np.ndarray:
    """The pictures of BOARD x BOARD places, row by row from the top: (BOARD^2, S, S, 3)."""
    _known(data, kind)
    if kind in NO_WAY_BACK:
        raise ValueError(NO_WAY_BACK[kind])
    (left, right), (bottom, top) = frame(points(data, kind))
    x, y = np.linspace(left, right, BOARD), np.linspace(top, bottom, BOARD)
    return decode(data, kind, np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32))


# ---- Sheets of pictures ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """Pictures as one PNG: their shape (F, S, S, 3), and how many are in a row."""

    png: bytes
    shape: tuple[int, ...]
    columns: int


@once
def faces_sheet(data: str) -> Sheet:
    """All pictures, half their size where they are large."""
    return _sheet(small(pictures(data).pixels))


def small(pixels: np.ndarray) -> np.ndarray:
    if pixels.shape[1] <= 32:
        return pixels
    n, side, _, _ = pixels.shape
    return pixels.reshape(n, side // 2, 2, side // 2, 2, 3).mean((2, 4)).round().astype(np.uint8)


@once
def board_sheet(data: str, kind: str) -> Sheet:
    return _sheet(board(data, kind))


def _sheet(frames: np.ndarray) -> Sheet:
    columns = math.ceil(math.sqrt(len(frames)))
    return Sheet(export.png(export.grid(frames, columns), effort=1), frames.shape, columns)


def _known(data: str, kind: str = "pca", perplexity: int = 30) -> None:
    if data not in COUNT:
        raise ValueError(f"There are maps of {' and of '.join(COUNT)}.")
    if kind not in KINDS:
        raise ValueError(f"There is no map of that kind; there are {', '.join(KINDS)}.")
    if perplexity not in PERPLEXITIES:
        raise ValueError(f"The perplexity is {', '.join(map(str, PERPLEXITIES[:-1]))} or {PERPLEXITIES[-1]}.")


def main() -> int:
    told = {}
    for data in COUNT:
        layouts = {str(p): np.round(tsne(data, p).astype(np.float64), 2).tolist() for p in PERPLEXITIES}
        told[data] = {"pixels": pictures(data).checksum, "tsne": layouts}
        print(f"{data}: {len(layouts)} layouts.", flush=True)
    folder = assets.SHIPPED / "vae" / "maps"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LAYOUTS).write_text(json.dumps(told, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
