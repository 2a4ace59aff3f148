"""python -m explorer.tabs.vae.codes: the codes of ten thousand held-out faces, encoded once and put beside the weights.

The file says which weights made it; where they are others by now, it is not read, and the faces are encoded when they are needed.
"""

import sys
from functools import cache

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from explorer import assets, corpus
from explorer.tabs.vae import engine

COUNT = 10_000  # of the corpus's validation faces, from the first on
FILE = "codes.safetensors"
BLOCK = 500


def shipped(vae: engine.Vae) -> np.ndarray | None:
    """(COUNT, D) float32: mu of the first validation faces, where `vae` is the model that ships and the file is its own."""
    return _read() if vae is engine.load() else None


@cache
def _read() -> np.ndarray | None:
    path = assets.folder(engine.MODEL, engine.MADE_BY) / FILE
    try:
        with safe_open(path, "np") as file:
            if (file.metadata() or {}).get("weights") != assets.card(engine.MODEL, engine.MADE_BY)["sha256"]:
                return None
            mu = file.get_tensor("mu")
    except (OSError, SafetensorError):
        return None
    mu.flags.writeable = False
    return mu


def labels(start: int, count: int) -> np.ndarray:
    """(count, 10): what is known of those faces, without drawing them."""
    return corpus.attributes(np.arange(start, start + count), split="val")


def main() -> int:
    vae = engine.load()
    blocks = (corpus.batch("val", start, BLOCK)[0] for start in range(0, COUNT, BLOCK))
    mu = np.concatenate([vae.encode(pixels).mu for pixels in blocks])
    path = assets.folder(engine.MODEL, engine.MADE_BY) / FILE
    save_file({"mu": mu}, path, {"weights": vae.card["sha256"]})
    print(f"Wrote {path}: {len(mu):,} codes of {vae.dims} numbers.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
