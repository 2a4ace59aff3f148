"""Indexes folders of pictures from a shell: python -m explorer.tabs.clip_search.index FOLDER ...

What it makes is what the app shows where a folder of --image-roots holds FOLDER. Several machines or processes share the work
with --shard 1/4, 2/4, ...: all write into one index. Stop it with Ctrl+C whenever you like; the same command goes on.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

from explorer.assets import Missing
from explorer.index import open_index
from explorer.tabs.clip_search.indexer import Progress, index_folder


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, or 1 for files that failed, 2 for what was asked wrongly, 130 for an interruption."""
    parser = argparse.ArgumentParser(
        prog="python -m explorer.tabs.clip_search.index", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("folders", nargs="+", metavar="FOLDER", help="a folder of pictures, with all below it")
    add("--model", default="avatars", help='a model of the menu, or "own" for the one that EXPLORER_CLIP names (avatars)')
    add("--shard", metavar="I/N", help="only part I of N of the files, by a hash of their paths")
    add("--retry", action="store_true", help="try files again that failed before")
    add("--data", metavar="DIR", help="the folder that keeps indexes (EXPLORER_DATA, or one of the user's cache)")
    given = parser.parse_args(argv)

    shard = _shard(parser, given.shard)
    for folder in given.folders:
        if not Path(folder).expanduser().is_dir():
            parser.error(f"there is no folder {folder}")
    if given.data:
        os.environ["EXPLORER_DATA"] = given.data
    from explorer.tabs.clip_search import library, models

    data = library.data_folder()
    if data is None:
        parser.error("no folder to keep the index in can be written; name one with --data")
    try:
        model = models.load(given.model)
        bad = sum(_index(Path(folder).expanduser().resolve(), data, model, shard, given.retry) for folder in given.folders)
    except (ValueError, Missing) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; what was indexed so far stays, and the same command goes on.", file=sys.stderr)
        return 130
    return 1 if bad else 0


def _shard(parser: argparse.ArgumentParser, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        parser.error(f"a shard is a part and their number, such as 1/4, not {text}")
    return int(match[1]), int(match[2])


def _index(base: Path, data: Path, model, shard: tuple[int, int] | None, retry: bool) -> int:
    """One folder; the number of files that failed."""
    from explorer.tabs.clip_search import files, library

    place = library.note_collection(data, base)
    index = open_index(place / f"{model.fingerprint}.sqlite", model.dim, model.fingerprint)
    try:
        print(f"{files.shown(os.fsencode(base))} with {model.name}")
        last, shown = Progress(), 0.0
        steps = index_folder(base, index, model, shard=shard, retry=retry)
        for last in steps:
            if time.monotonic() - shown > (0.2 if sys.stdout.isatty() else 5):
                shown = time.monotonic()
                _say(last)
        _say(last)
        if sys.stdout.isatty():
            print()
        for file in index.files():
            if file.status != "ok":
                print(f"  {files.shown(file.path)}: {file.error}", file=sys.stderr)
        if last.say:
            print(last.say, file=sys.stderr)
        return last.errors
    finally:
        index.close()


def _say(p: Progress) -> None:
    left = "" if p.left is None else f", {p.left:.0f} s left"
    kinds = ("new", "changed", "moved", "deleted", "errors")
    counts = ", ".join(f"{getattr(p, kind)} {kind}" for kind in kinds if getattr(p, kind))
    line = f"{p.done} of {p.found} ({p.rate:.1f}/s{left}) {counts}"
    print(f"\r\033[K{line}" if sys.stdout.isatty() else line, end="" if sys.stdout.isatty() else "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
