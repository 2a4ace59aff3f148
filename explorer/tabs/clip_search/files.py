"""Pictures in folders of the host: what is there, what is said of it in files beside it, and its bytes.

Paths are bytes, as the file system has them: a name that is no UTF-8 is a name all the same. What is shown of a path is text,
in the composed form (NFC), so that one name typed on two systems is one name. Links are never followed.
"""

# ruff: noqa: PTH117, PTH118, PTH119, PTH122  (paths are bytes here, which pathlib does not take)

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = frozenset(
    b".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .gif .avif .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm .heic .heif .hif".split()
)
SKIPPED = frozenset((b"@eadir", b"node_modules", b"#recycle", b"$recycle.bin", b"__macosx", b"lost+found"))  # and hidden ones
MOST_BYTES = 200_000_000  # of a picture; visitors may send less
SIDECAR_BYTES = 1_000_000
TABLE, TABLE_BYTES = b"metadata.jsonl", 64_000_000  # one caption a line, as the corpus and `datasets` write them
CAPTION = 2000  # characters that are kept
OUTSIDE = "This path is not below a folder that this host shows."
ENDS_NS = 2**63 - 1  # what an index can hold: times beyond 1677 and 2262, as broken disks give them, count as these
_TEXTS = ("caption", "text", "description", "title")


@dataclass(frozen=True)
class Found:
    """A picture's path below the folder that was walked. `mtime_ns` is the latest of its own and of what describes it."""

    path: bytes
    bytes: int
    mtime_ns: int
    mtime: float  # of the picture alone
    sidecars: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Lost:
    """A folder that cannot be read, and why. What is known of pictures below it still counts."""

    path: bytes
    reason: str


@dataclass
class Described:
    """What files beside a picture say of it."""

    caption: str = ""
    attributes: dict[str, str] = field(default_factory=dict)  # numbers as texts too: they are chosen from a list, as words are


def shown(path: bytes) -> str:
    """A path as a text that can be printed, compared and sent."""
    return unicodedata.normalize("NFC", os.fsencode(path).decode("utf-8", "replace"))


def number(path: bytes) -> int:
    """The id of a path: 53 bits of its hash, so that machines agree on it and a page can hold it."""
    return int.from_bytes(hashlib.sha256(path).digest()[:8], "big") >> 11


def in_shard(path: bytes, shard: tuple[int, int] | None) -> bool:
    """Whether a path is part i of n, i from 1. All parts together are everything, whoever walks."""
    return shard is None or number(path) % shard[1] == shard[0] - 1


# --- What is there ---


def walk(base: str | os.PathLike) -> Iterator[Found | Lost]:
    """All pictures below a folder, in the order of their paths' bytes per folder; folders that cannot be read as Lost."""
    waiting = [b""]
    top = os.fsencode(base)
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(top, folder)) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as problem:
            yield Lost(folder, f"This folder cannot be read ({problem.strerror or 'an error of the file system'}).")
            continue
        below, pictures, beside, table = [], [], {}, None
        for entry in entries:
            name, lower = entry.name, entry.name.lower()
            if name.startswith(b".") or lower in SKIPPED:
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:  # gone meanwhile
                continue
            stem, suffix = os.path.splitext(name)
            if stat.S_ISDIR(status.st_mode):
                below.append(os.path.join(folder, name))
            elif not stat.S_ISREG(status.st_mode):  # links, pipes, devices
                continue
            elif suffix.lower() in SUFFIXES:
                pictures.append((name, stem, status))
            elif suffix.lower() in (b".txt", b".json"):
                beside.setdefault(_key(stem), []).append((name, status.st_mtime_ns))
            elif name == TABLE:
                table = (name, status.st_mtime_ns)
        for name, stem, status in pictures:
            described = [*beside.get(_key(stem), ()), *(beside.get(_key(name), ()) if stem != name else ())]
            described += [table] if table else []
            yield Found(
                os.path.join(folder, name), status.st_size, _held(max([status.st_mtime_ns, *(t for _, t in described)]), ENDS_NS),
                _held(status.st_mtime, ENDS_NS / 1e9), tuple(os.path.join(folder, other) for other, _ in described),
            )  # fmt: skip
        waiting.extend(reversed(below))


def _held(time: float, end: float) -> float:
    return max(-end, min(time, end))


def _key(stem: bytes) -> str:
    return unicodedata.normalize("NFC", os.fsdecode(stem))


# --- Its bytes ---


def read(base: str | os.PathLike, path: bytes, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file below `base`, which must be resolved. Raises ValueError with one sentence, links included."""
    whole = os.path.join(os.fsencode(base), path)
    if os.path.realpath(whole) != whole or os.path.isabs(path) or not path:
        raise ValueError(OUTSIDE)
    try:
        with open(os.open(whole, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("This is no file.")
            if status.st_size > most:
                raise ValueError(f"This file has {status.st_size / 1e6:.0f} MB; at most {most // 1_000_000} are read.")
            return file.read(status.st_size)
    except FileNotFoundError:
        raise ValueError("This file is gone.") from None
    except OSError as problem:
        raise ValueError(f"This file cannot be read ({problem.strerror or 'an error of the file system'}).") from None


def digest(data: bytes) -> str:
    """sha256 as 64 hex digits; a photograph takes milliseconds."""
    return hashlib.sha256(data).hexdigest()


# --- What is said of it ---


class Captions:
    """Reads what lies beside pictures; a table of captions once per folder."""

    def __init__(self, base: str | os.PathLike) -> None:
        self._base, self._tables = base, {}

    def of(self, found: Found) -> Described:
        """Caption and attributes of a picture. What cannot be read says nothing: the picture still counts."""
        out = Described()
        for path in sorted(found.sidecars, key=lambda path: (path.endswith(TABLE), path)):
            try:
                if path.endswith(TABLE):
                    _add(out, self._table(path).get(_key(os.path.basename(found.path))))
                elif path.lower().endswith(b".json"):
                    _add(out, json.loads(read(self._base, path, SIDECAR_BYTES)))
                else:
                    _add(out, {"caption": read(self._base, path, SIDECAR_BYTES).decode("utf-8-sig", "replace")})
            except (ValueError, RecursionError):
                continue
        return out

    def _table(self, path: bytes) -> dict[str, dict]:
        if path not in self._tables:
            table: dict[str, dict] = {}
            for line in read(self._base, path, TABLE_BYTES).splitlines():
                try:
                    entry = json.loads(line)
                    table[unicodedata.normalize("NFC", entry["file_name"])] = entry
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue
            self._tables = {path: table}  # pictures come folder by folder
        return self._tables[path]


def _add(out: Described, said) -> None:
    """What is not known yet of what a file says."""
    if not isinstance(said, dict):
        return
    for name in _TEXTS:
        if not out.caption and isinstance(said.get(name), str):
            out.caption = " ".join(said[name].split())[:CAPTION].encode("utf-8", "replace").decode()
    attributes = said.get("attributes")
    for name, value in list(attributes.items() if isinstance(attributes, dict) else ())[:24]:
        name = re.sub(r"[^\w .+-]", " ", str(name)).strip()[:60]
        if name and (text := _text(value)):
            out.attributes.setdefault(name, text)


def _text(value) -> str:
    """A value as it is shown and chosen: "red", "20", "0.5", "true"; "" for one that is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)) and abs(value) < 1e15:
        return str(int(value) if value == int(value) else value)
    return value[:100].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


# --- Folders that visitors name ---


def inside(root: Path, path: str) -> Path:
    """The folder that a visitor means by a path below `root`, resolved. Raises ValueError for anything else.

    Each part is looked up by what is shown of it, so names in another Unicode form and names that are no text are found.
    """
    here = root.resolve()
    for part in (path or "").split("/"):
        if part in ("", "."):
            continue
        if part == ".." or part.startswith(".") or "\0" in part or "\\" in part:
            raise ValueError(OUTSIDE)
        try:
            names = [entry.name for entry in os.scandir(os.fsencode(here)) if entry.is_dir(follow_symlinks=False)]
        except OSError:
            raise ValueError("This folder cannot be read.") from None
        want = unicodedata.normalize("NFC", part)
        same = [name for name in sorted(names) if shown(name) == want and name.lower() not in SKIPPED]
        if not same:
            raise ValueError("There is no such folder below the folders that this host shows.")
        here = here / os.fsdecode(next((name for name in same if name == part.encode("utf-8", "replace")), same[0]))
    if here != here.resolve() or not here.is_relative_to(root.resolve()) or not here.is_dir():
        raise ValueError(OUTSIDE)
    return here


def listing(folder: Path, most: int = 500) -> tuple[list[str], int, bool]:
    """Names of the folders in a folder as they are shown, how many pictures it has itself, and whether there is more."""
    names, pictures = [], 0
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(b".") or name.lower() in SKIPPED or entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    names.append(shown(name))
                elif os.path.splitext(name)[1].lower() in SUFFIXES:
                    pictures += 1
    except OSError:
        raise ValueError("This folder cannot be read.") from None
    return sorted(names, key=str.casefold)[:most], pictures, len(names) > most
