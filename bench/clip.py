"""How fast the CLIP tab searches and indexes, as ratios in one run: `python -m bench.clip`

 queries    one query against 10 k, 100 k and 1 M vectors of 512 numbers: the engine, with metadata and with filters, beside
            bare faiss on the same 16-bit matrix and NumPy on float32; recall against exact float32; memory and disk
 indexing   photographs of 12 megapixels per second, beside the loop one would write: Pillow, open_clip's preprocess, batch 1
 page       from Enter in the field to a gallery whose pictures are all there, in a real browser

Ways take turns, so that a busy moment of the machine meets them all. Queries are timed by the seconds the process computed,
with one thread; indexing and the page by the clock, because using the other core is their point.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import app  # noqa: F401  the environment in which the app runs, its thread count above all: the same for every way

import numpy as np  # isort: skip

DIM, K, CHUNK = 512, 10, 8192
GOALS: list[tuple[str, float, str, float]] = []  # name, value, "<=" or ">=", bar
COLOURS = ("red", "blue")
FOLDERS = 30  # so that a filter by one lets 3.3 % through; more than the engine remembers filters


# --- Vectors as images have them ---


class World:
    """Unit vectors on a cone, in clusters of very different sizes; queries like images (inside) and like texts (outside)."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.axis = rng.normal(size=DIM) / np.sqrt(DIM)
        self.centres = 0.8 * self.axis + 0.75 * rng.normal(size=(2000, DIM)) / np.sqrt(DIM)
        self.text = 0.9 * rng.normal(size=DIM) / np.sqrt(DIM)
        share = 1 / np.arange(1, 2001)
        self.share = share / share.sum()

    def images(self, n: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        x = self.centres[rng.choice(2000, n, p=self.share)] + 0.6 * rng.normal(size=(n, DIM)) / np.sqrt(DIM)
        return _unit(x)

    def texts(self, n: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return _unit(self.images(n, seed) + self.text + 0.5 * rng.normal(size=(n, DIM)) / np.sqrt(DIM))


def _unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def payload(n: int) -> dict:
    return {
        "name": f"IMG_{n:07d}.jpg", "path": f"folder {n % FOLDERS}/IMG_{n:07d}.jpg", "folder": f"folder {n % FOLDERS}",
        "hash": f"{n:064x}", "bytes": 3_000_000 + n, "mtime": 1.6e9 + 40 * n, "width": 4000, "height": 3000,
        "orientation": "landscape", "caption": f"picture number {n}", "damaged": False, "note": "",
        "attr.colour": COLOURS[n // FOLDERS % 2],
    }  # fmt: skip


# --- Queries ---


def queries(sizes: list[int], turns: int, folder: Path) -> None:
    """A table for each size."""
    import faiss
    import torch

    faiss.omp_set_num_threads(1)
    torch.set_num_threads(1)
    for size in sizes:
        _queries(faiss, size, turns, folder)


def _queries(faiss, size: int, turns: int, folder: Path) -> None:
    from explorer.index.sqlite import SqliteIndex

    world, path = World(), folder / f"{size}.sqlite"
    wide = np.empty((size, DIM), np.float32)
    index, began = SqliteIndex(path, DIM, "bench"), time.perf_counter()
    for at in range(0, size, CHUNK):
        some = range(at, min(size, at + CHUNK))
        wide[at : some.stop] = world.images(len(some), 1000 + at)
        index.upsert(some, wide[at : some.stop], [payload(n) for n in some])
    index.close()
    built = time.perf_counter() - began
    began = time.perf_counter()
    index = SqliteIndex(path, DIM, "bench")  # as a visitor finds it: read from the file
    opened = time.perf_counter() - began

    bare = faiss.IndexScalarQuantizer(DIM, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    for at in range(0, size, 65536):
        bare.add(wide[at : at + 65536])
    print(f"\n{size:,} vectors of {DIM} numbers: written in {built:.0f} s, opened in {opened:.1f} s")

    def numpy_way(q):
        scores = wide @ q
        top = np.argpartition(-scores, K)[:K]
        return top[np.argsort(-scores[top])]

    turn = iter(range(10**9))

    def with_rows(where) -> Callable:
        def way(q):
            found = index.search(q, K, where() if callable(where) else where)
            return index.get([i for i, _ in found])

        return way

    ways = {
        "NumPy, float32": numpy_way,
        "bare faiss, 16 bits": lambda q: bare.search(q[None], K),
        "engine": lambda q: index.search(q, K),
        "engine, with metadata": with_rows(()),
        "engine, 3 % filter never seen, metadata": with_rows(lambda: [("folder", "==", f"folder {next(turn) % FOLDERS}")]),
        "engine, 50 % filter seen before, metadata": with_rows([("attr.colour", "==", "red")]),
        "engine, every score": lambda q: index.scores(q),
    }
    asked = [q for pair in zip(world.images(turns, 1), world.texts(turns, 2)) for q in pair]
    times = {name: [] for name in ways}
    for number, q in enumerate(asked):
        for name, way in ways.items():
            if number == 0:
                way(q)  # touches its memory once
            start = time.process_time()
            way(q)
            times[name].append(1000 * (time.process_time() - start))
    spent = {name: statistics.median(found) for name, found in times.items()}
    base = min(spent["NumPy, float32"], spent["bare faiss, 16 bits"])
    print(f"{'one query, one thread':<46}{'CPU ms':>10}{'/ best bare':>13}")
    for name, ms in spent.items():
        print(f"{name:<46}{ms:>10.2f}{ms / base:>13.2f}")
    title = f"{size:,}:"
    for name in ("engine, with metadata", "engine, 3 % filter never seen, metadata", "engine, 50 % filter seen before, metadata"):
        GOALS.append((f"{title} {name} / best bare scan", spent[name] / base, "<=", 1.2))

    recalls(title, index, wide, asked)
    memory(title, path)
    index.close()


def recalls(title: str, index, wide: np.ndarray, asked: list[np.ndarray]) -> None:
    """How many of the ten best by exact float32 the engine returns: of what it stores, and of what was there before rounding."""
    stored = np.concatenate(
        [_dots(np.stack([item.vector for item in index.get(range(at, min(len(wide), at + CHUNK)))]), asked)
         for at in range(0, len(wide), CHUNK)]
    )  # fmt: skip
    given = np.concatenate([_dots(wide[at : at + CHUNK], asked) for at in range(0, len(wide), CHUNK)])
    same = rounded = near = 0
    for number, q in enumerate(asked):
        found = [i for i, _ in index.search(q, K)]
        scores = stored[:, number]
        least = np.partition(scores, -K)[-K]
        same += sum(scores[i] >= least for i in found)  # an exact tie may stand for another
        scores = given[:, number]
        least = np.partition(scores, -K)[-K]
        rounded += sum(scores[i] >= least for i in found)
        near += sum(scores[i] >= least - 1e-3 for i in found)  # as ann-benchmarks counts
    count = K * len(asked)
    print(f"recall@{K} against exact float32: {same / count:.4f} of the stored vectors; {rounded / count:.4f} of those before "
          f"rounding, {near / count:.4f} with scores equal to 1e-3")  # fmt: skip
    GOALS.append((f"{title} recall@{K} against exact float32", same / count, ">=", 1.0))


def _dots(x: np.ndarray, asked: list[np.ndarray]) -> np.ndarray:
    return x.astype(np.float64) @ np.stack(asked).T.astype(np.float64)


MEMORY = """
import sys, numpy as np
from explorer.index import scan
from explorer.index.sqlite import SqliteIndex
scan._faiss()
def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = held()
index = SqliteIndex(sys.argv[1], int(sys.argv[2]), "bench")
index.search(np.ones(int(sys.argv[2])), 10)
print(held() - before)
"""


def memory(title: str, path: Path) -> None:
    """What an open index holds, in a process of its own, and what lies on the disk."""
    disk = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / 1e6
    if Path("/proc/self/statm").exists():
        done = subprocess.run([sys.executable, "-c", MEMORY, path, str(DIM)], capture_output=True, text=True, check=True)
        size = int(title.rstrip(":").replace(",", ""))
        print(f"memory {float(done.stdout):,.0f} MB ({size * DIM * 2 / 1e6:,.0f} MB of 16-bit numbers), disk {disk:,.0f} MB")
    else:
        print(f"disk {disk:,.0f} MB; memory is measured on Linux only")


# --- Indexing ---


def photographs(folder: Path, count: int) -> None:
    """12-megapixel JPEGs of about 3 MB: soft shapes with fine grain, as a camera's."""
    from PIL import Image

    from explorer import corpus

    folder.mkdir()
    faces, _ = corpus.batch("val", 0, count)
    for n in range(count):
        rng = np.random.default_rng(n)
        image = Image.fromarray(faces[n]).resize((4000, 3000), Image.Resampling.BICUBIC)
        grain = rng.normal(0, 9, (750, 1000, 1)).repeat(4, 0).repeat(4, 1)
        pixels = np.asarray(image, np.float32) + grain + rng.normal(0, 3, (3000, 4000, 1)).astype(np.float32)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{n:04d}.jpg", quality=92)


def indexing(turns: int, count: int, folder: Path) -> None:
    """Photographs per second, by the clock."""
    import torch
    from PIL import Image

    from explorer.index.sqlite import SqliteIndex
    from explorer.tabs.clip_search import models
    from explorer.tabs.clip_search.indexer import index_folder

    photographs(folder / "photographs", count)
    paths = sorted((folder / "photographs").glob("*.jpg"))
    size = sum(path.stat().st_size for path in paths) / len(paths) / 1e6
    model = models.load()
    net, preprocess, threads = model.clip.model, model.clip.preprocess, torch.get_num_threads()

    @torch.inference_mode()
    def plain():
        torch.set_num_threads(os.cpu_count() or 1)  # torch's default
        try:
            return torch.cat([net.encode_image(preprocess(Image.open(path)).unsqueeze(0), normalize=True) for path in paths])
        finally:
            torch.set_num_threads(threads)

    def ours():
        with tempfile.TemporaryDirectory(dir=folder) as place:
            index = SqliteIndex(Path(place) / "index.sqlite", model.dim, model.fingerprint)
            *_, last = index_folder(folder / "photographs", index, model)
            assert last.new == count, last
            out = {item.payload["name"]: item.vector for item in index.get(index.ids())}
            index.close()
        return np.stack([out[path.name] for path in paths])

    ways = {"plain open_clip loop": plain, "engine, into the index": ours}
    walls, cpu, vectors = ({name: [] for name in ways} for _ in range(3))
    for turn in range(turns + 1):
        for name, way in ways.items():
            start, busy = time.perf_counter(), time.process_time()
            vectors[name] = np.asarray(way(), np.float32)
            if turn:  # the first warms up
                walls[name].append(time.perf_counter() - start)
                cpu[name].append(time.process_time() - busy)
    speed = {name: count / statistics.median(found) for name, found in walls.items()}
    print(f"\n{f'{count} photographs of 12 megapixels, {size:.1f} MB each':<46}{'per s':>10}{'/ plain':>13}{'CPU ms each':>13}")
    for name, found in speed.items():
        each = 1000 * statistics.median(cpu[name]) / count
        print(f"{name:<46}{found:>10.1f}{found / speed['plain open_clip loop']:>13.2f}{each:>13.0f}")
    cosines = (vectors["plain open_clip loop"] * vectors["engine, into the index"]).sum(1)
    print(f"cosine of both ways' vectors: least {cosines.min():.4f}, mean {cosines.mean():.4f}")
    GOALS.append(("indexing / plain open_clip loop", speed["engine, into the index"] / speed["plain open_clip loop"], ">=", 3))


# --- The page ---

WORDS = (
    "red hair", "sunglasses", "blue shirt", "a smile", "a full beard", "pink hair", "green background", "dreadlocks",
    "an afro", "angry brows", "a moustache", "white shirt", "tongue out", "winking eyes", "a bun", "yellow shirt",
)  # fmt: skip
SHOWN = """
count => {
  const root = document.querySelector('.clip');
  const pictures = [...root.querySelectorAll('.tile img')];
  return root.dataset.state === 'idle' && +root.dataset.query > count && pictures.length > 0
    && pictures.every(one => one.complete && one.naturalWidth > 0);
}
"""


def page(turns: int, folder: Path) -> None:
    """Text in, gallery out, over the bundled 2,000 faces."""
    from bench.vae_latency import CHROMIUM, serving

    if not CHROMIUM:
        print("\nThe page is measured with Chromium, which is not here.")
        return
    from playwright.sync_api import sync_playwright

    from tests.conftest import QUIET, free_port

    port = free_port()
    os.environ["EXPLORER_DATA"] = str(folder)
    whole, server = [], []
    with serving("app.py", "--port", str(port), "--tabs", "clip_search", port=port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        tab.set_default_timeout(120_000)
        tab.goto(f"http://127.0.0.1:{port}", wait_until="domcontentloaded")
        tab.wait_for_selector('.clip[data-ready="true"][data-state="idle"]')
        tab.on("response", lambda told: server.append(told) if told.url.endswith("/clip/search") else None)
        for text in [WORDS[n % len(WORDS)] + " " * (n // len(WORDS)) for n in range(turns + 2)]:
            count = int(tab.get_attribute(".clip", "data-query") or 0)
            tab.fill(".clip .field-words", text)
            start = time.perf_counter()
            tab.press(".clip .field-words", "Enter")
            tab.wait_for_function(SHOWN, arg=count)
            whole.append(1000 * (time.perf_counter() - start))
        took = [json.loads(told.text()).get("took", {}) for told in server]
        browser.close()
    print(f"\n{'page: Enter to all pictures shown, 2,000 faces':<46}{'p50 ms':>10}{'p95 ms':>10}")
    found = sorted(whole[2:])
    print(f"{'whole':<46}{statistics.median(found):>10.0f}{found[min(len(found) - 1, int(0.95 * len(found)))]:>10.0f}")
    for part in ("encode", "search", "rest"):
        values = sorted(each[part] for each in took if part in each) or [float("nan")]
        late = values[int(0.95 * (len(values) - 1))]
        print(f"{'  of it on the server: ' + part:<46}{statistics.median(values):>10.1f}{late:>10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10k,100k,1M", help="how many vectors are searched (10k,100k,1M)")
    parser.add_argument("--turns", type=int, default=20, help="how often the ways take turns (20; a fifth of it for indexing)")
    parser.add_argument("--photographs", type=int, default=48, help="how many are indexed (48)")
    parser.add_argument("--only", choices=("queries", "indexing", "page"), help="one part alone")
    parser.add_argument("--scratch", type=Path, help="a folder for what is made on the way; the largest index needs 2 GB")
    chosen = parser.parse_args()
    units = {"k": 1000, "m": 1_000_000}
    sizes = [int(float(text.lower().rstrip("km")) * units.get(text.lower()[-1:], 1)) for text in chosen.sizes.split(",")]

    with tempfile.TemporaryDirectory(dir=chosen.scratch) as scratch:
        parts = {
            "queries": lambda: queries(sizes, chosen.turns, Path(scratch)),
            "indexing": lambda: indexing(max(2, chosen.turns // 5), chosen.photographs, Path(scratch)),
            "page": lambda: page(chosen.turns, Path(scratch)),
        }
        for name, part in parts.items():
            if chosen.only in (None, name):
                part()
    print(f"\n{'goal':<84}{'is':>9}")
    for name, value, sign, bar in GOALS:
        good = value <= bar if sign == "<=" else value >= bar
        print(f"{f'{name} {sign} {bar:g}':<84}{value:>9.3f}  {'PASS' if good else 'over' if sign == '<=' else 'under'}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
