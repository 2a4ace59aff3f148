"""A ZIP of pictures that a visitor brings -> pixels. Nothing in it is believed: not its names, its sizes, its directory.

Counts and sizes are judged before anything is inflated, and again while it is, as directories can lie. No file is written.
"""

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer import limits
from explorer.tabs.vae.training_data import FEW, Stopped
from explorer.uploads import BadImage, read_image

SIZE = 32  # pixels a side at which they are kept: 3 kB each
MOST = 10_000  # pictures that are used
ENTRIES = 40_000  # of its directory; each costs memory before anything is read
INFLATED = 400_000_000  # bytes of all its files together; a folder of photographs has no more than its ZIP
SECONDS = 120  # of decoding; what was read by then is used
READ_HERE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # a file of another kind may ask for gigabytes before its first byte


@dataclass(frozen=True)
class Brought:
    """pixels (N, 32, 32, 3) uint8, and in `note` what became of the rest."""

    pixels: np.ndarray
    note: str


def opened(data: bytes) -> list[zipfile.ZipInfo]:
    """Its files, judged by what the directory says of them. Raises ValueError with one sentence."""
    if not data:
        raise ValueError("This file is empty; bring a ZIP of pictures.")
    if data.count(b"PK\x01\x02") > ENTRIES:
        raise ValueError(f"This ZIP lists more than {ENTRIES:,} files; {MOST:,} pictures are enough.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
    except Exception:  # zipfile raises whatever its parts do for broken headers
        raise ValueError("This file is no ZIP, or a damaged one; pack your pictures again.") from None
    found = [one for one in found if not one.is_dir() and not _hidden(one.filename)]
    if any(one.flag_bits & 1 for one in found):
        raise ValueError("This ZIP is locked with a password; pack your pictures without one.")
    if sum(one.file_size for one in found) > INFLATED:
        raise ValueError(f"Unpacked, this ZIP has more than {INFLATED // 1_000_000} MB; smaller pictures will do.")
    if not found:
        raise ValueError("There is no file in this ZIP; bring one of pictures.")
    return found


def read(data: bytes, progress: Callable[[int, int], None] = lambda done, total: None) -> Brought:
    """All pictures of a ZIP, at most MOST. `progress(done, total)` may raise Stopped. Raises ValueError with one sentence."""
    files = opened(data)
    pixels = np.empty((min(MOST, len(files)), SIZE, SIZE, 3), np.uint8)
    used = skipped = inflated = 0
    until, rest = time.monotonic() + SECONDS, ""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for i, one in enumerate(files):
            progress(i, len(files))
            if used == MOST:
                rest = f"The first {MOST:,} pictures are used; {len(files) - i:,} files are left out."
                break
            if time.monotonic() > until:
                rest = f"Reading took too long, so {len(files) - i:,} files are left out."
                break
            content = bytes_of(archive, one)
            inflated += len(content)
            if inflated > INFLATED:
                raise ValueError(f"Unpacked, this ZIP has more than {INFLATED // 1_000_000} MB; smaller pictures will do.")
            try:
                pixels[used] = read_image(content, SIZE).pixels
                used += 1
            except BadImage:
                skipped += 1
    if used == 0:
        raise ValueError(f"There is no picture in this ZIP; {_files(skipped)} of it cannot be read as one.")
    if used == 1:
        raise ValueError(FEW)
    notes = [f"{used:,} pictures"]
    if skipped:
        notes.append(f"{_files(skipped)} skipped, as no picture could be read from {'it' if skipped == 1 else 'them'}")
    if used < 50:
        notes.append("a map says something from about 50 pictures on")
    return Brought(pixels[:used].copy(), "; ".join(notes) + "." + (" " + rest if rest else ""))


def bytes_of(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """One file's bytes, b"" where it cannot be had or is larger than any picture may be."""
    if one.compress_type not in READ_HERE or one.file_size > limits.UPLOAD_BYTES:
        return b""
    try:
        with archive.open(one) as file:
            return file.read(limits.UPLOAD_BYTES + 1)
    except Exception:  # a damaged file is no reason to refuse the others
        return b""


def _hidden(name: str) -> bool:
    """What computers put beside pictures: .DS_Store, __MACOSX/._cat.png, Thumbs.db."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return name.startswith("__MACOSX") or last.startswith(".") or last.lower() in ("thumbs.db", "desktop.ini")


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count:,} files"


__all__ = ["Brought", "Stopped", "bytes_of", "opened", "read"]
