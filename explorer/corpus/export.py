"""Writes the corpus as files for use elsewhere: PNG pictures, captions, attributes. Draws nothing itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from .captions import caption, describe
from .factors import FACTORS
from .splits import SPLITS, batch

CAPTIONS, ATTRIBUTES = "metadata.jsonl", "attributes.csv"


def export(folder: Path, count: int, split: str = "train", seed: int = 0, force: bool = False) -> Iterator[int]:
    """Writes the first `count` faces of a split into `folder`; yields how many are written after each few.

    000000.png, ...; metadata.jsonl with "file_name" and "text" (what `datasets.load_dataset("imagefolder")` reads);
    attributes.csv with one column per factor. Raises ValueError with one sentence for a split or count that does not
    exist, and for a folder that holds other things, unless `force` allows to write among them.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}; choose one of {', '.join(SPLITS)}.")
    if not 0 < count <= len(SPLITS[split]):
        raise ValueError(f"The split {split} has 1 to {len(SPLITS[split]):,} faces to export, not {count:,}.")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise ValueError(f"{folder} is not empty; name another folder, or add --force to write into it all the same.")

    folder.mkdir(parents=True, exist_ok=True)
    with (
        open(folder / CAPTIONS, "w", encoding="utf-8", newline="\n") as captions,
        open(folder / ATTRIBUTES, "w", encoding="utf-8", newline="") as attributes,
    ):
        table = csv.writer(attributes, lineterminator="\n")
        table.writerow(["file_name", *FACTORS])
        for start in range(0, count, 100):
            images, rows = batch(split, start, min(100, count - start), seed)
            for number, (image, row) in enumerate(zip(images, rows, strict=True), start):
                name = f"{number:06d}.png"
                Image.fromarray(image).save(folder / name)
                captions.write(json.dumps({"file_name": name, "text": caption(row, seed)}) + "\n")
                table.writerow([name, *describe(row).values()])
            yield start + len(images)
